//go:build !amd64 && !arm64

package sched

import "strconv"

// self returns a number that no other goroutine has: here the one that Go prints, since nothing
// cheaper is known. It takes about a microsecond.
func self() uintptr {
	n, err := strconv.ParseUint(goroutineID(), 10, 64)
	if err != nil {
		panic("sched: the number of a goroutine: " + err.Error())
	}
	return uintptr(n)
}

// threadWord is not to be had here.
func threadWord(uintptr) (thread uintptr, word uint32) { return 0, 0 }

const knowsThreads = false
