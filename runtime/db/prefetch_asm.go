//go:build amd64 || arm64

package db

import "unsafe"

// prefetch asks for the cache lines of the n bytes from p on.
//
//go:noescape
func prefetch(p unsafe.Pointer, n int)
