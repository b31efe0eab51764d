package compare

import (
	goruntime "runtime"
	"runtime/debug"
)

// LiveHeap returns the bytes of the Go heap that are in use after a collection.
func LiveHeap() int64 {
	debug.FreeOSMemory() // collects, and finishes sweeping
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Mallocs returns how many objects have been allocated since the process began.
func Mallocs() uint64 {
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	return m.Mallocs
}
