package queue

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Futex operations, from <linux/futex.h>; x/sys has only the number of the call. Private: the word
// is never shared with another process.
const (
	futexPrivate     = 128
	futexWaitPrivate = 0 | futexPrivate
	futexWakePrivate = 1 | futexPrivate
)

type platformSleeper = futexSleeper

// A futexSleeper sleeps in the kernel on the parker's state word.
type futexSleeper struct{}

func (*futexSleeper) prepare() {}

func (*futexSleeper) sleep(state *atomic.Uint32, deadline time.Time) {
	var limit *unix.Timespec
	if !deadline.IsZero() {
		left := time.Until(deadline)
		if left <= 0 {
			return
		}
		ts := unix.NsecToTimespec(int64(left))
		limit = &ts
	}
	// Not RawSyscall: the Go scheduler must be able to take the processor away from a sleeping
	// thread.
	_, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(state)), futexWaitPrivate,
		uintptr(asleep), uintptr(unsafe.Pointer(limit)), 0, 0)
	switch errno {
	case 0, syscall.EAGAIN, syscall.EINTR, syscall.ETIMEDOUT:
	default:
		panic(fmt.Sprintf("queue: futex wait on a valid word failed: %v", errno))
	}
}

func (*futexSleeper) wake(state *atomic.Uint32) {
	// RawSyscall: waking does not block, and the scheduler's bookkeeping would cost as much as the
	// call.
	_, _, errno := unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(state)), futexWakePrivate, 1, 0, 0, 0)
	if errno != 0 {
		panic(fmt.Sprintf("queue: futex wake on a valid word failed: %v", errno))
	}
}
