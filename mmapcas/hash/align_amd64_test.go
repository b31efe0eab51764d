package hash

import (
	"testing"
	"unsafe"
)

// Vectors that straddle cache lines cost more than the copy they save.
func TestGroupsLieOnCacheLines(t *testing.T) {
	for range 20 {
		if at := uintptr(unsafe.Pointer(states.New().(*state).group)); at%64 != 0 {
			t.Fatalf("group at %#x", at)
		}
	}
}
