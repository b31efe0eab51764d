package affinity

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Yield lets others run that wait for a processor: goroutines first, and then, where the system has
// a call for it, threads. It is for a caller that waits for another thread and has found, with some
// calls of Relax, that this one takes its time: it may have lost its processor to the caller.
func Yield() {
	runtime.Gosched()
	// Not RawSyscall: the thread may be away for milliseconds, and the Go scheduler must be able to
	// use its processor.
	_, _, _ = unix.Syscall(unix.SYS_SCHED_YIELD, 0, 0, 0) // it has no way to fail
}
