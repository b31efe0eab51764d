//go:build amd64 || arm64

package affinity

import "unsafe"

// Prefetch asks the processor for the cache lines of the n bytes from p on, and waits for none of
// them. It is a hint: where nothing is mapped at p it does nothing.
//
//go:noescape
func Prefetch(p unsafe.Pointer, n int)
