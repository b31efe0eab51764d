//go:build amd64 && race

package hash

import (
	"runtime"
	"unsafe"
)

// readRange tells the race detector of what assembly reads.
func readRange(p []byte) {
	if len(p) > 0 {
		runtime.RaceReadRange(unsafe.Pointer(unsafe.SliceData(p)), len(p))
	}
}
