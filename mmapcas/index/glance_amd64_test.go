//go:build !race

package index

import "testing"

// TestGlanceWithoutFolding is TestGlance by the other form of the checksum.
func TestGlanceWithoutFolding(t *testing.T) {
	if !glanceFolds {
		t.Skip("TestGlance has used this form: the processor has no other")
	}
	glanceFolds = false
	defer func() { glanceFolds = true }()
	TestGlance(t)
}
