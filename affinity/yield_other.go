//go:build !linux

package affinity

import "runtime"

// Yield lets others run that wait for a processor: goroutines first, and then, where the system has
// a call for it, threads. It is for a caller that waits for another thread and has found, with some
// calls of Relax, that this one takes its time: it may have lost its processor to the caller.
func Yield() { runtime.Gosched() }
