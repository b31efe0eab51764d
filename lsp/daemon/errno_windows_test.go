package daemon

import (
	"slices"
	"syscall"
	"testing"
)

// The numbers are what the system returns, not what package syscall calls by these names.
func TestWinsockErrnos(t *testing.T) {
	if !slices.Contains(refusedErrnos, syscall.Errno(10061)) || !slices.Contains(unsupportedErrnos, syscall.Errno(10047)) {
		t.Error(refusedErrnos, unsupportedErrnos)
	}
}
