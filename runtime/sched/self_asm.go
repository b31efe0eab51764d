//go:build amd64 || arm64

package sched

// self returns a number that no other goroutine has as long as the calling one lives: the address
// of what the Go runtime keeps of it, which the runtime's assembler interface gives (TLS on amd64,
// the register g on arm64). It is compared and never followed. It takes a nanosecond.
func self() uintptr

// threadWord returns a number of the calling goroutine's thread, and a word of what the Go runtime
// keeps of the thread (its m). Where an m is found, six words into a g, is known to Go's linker and
// has been the same since Go 1.5; only findLockCount calls it with a place that it has not found by
// experiment.
func threadWord(at uintptr) (thread uintptr, word uint32)

const knowsThreads = true
