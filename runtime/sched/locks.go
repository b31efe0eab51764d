package sched

import (
	"errors"
	"fmt"
	goruntime "runtime"
	"runtime/debug"
	"sync"
)

// A task must leave the lock count of its thread as it was: at the next switch of coroutines a
// difference ends the process, with a message that names neither the task nor what it did (see
// "Tasks that wait" in the package comment). So the count is looked at when a task waits and when
// it ends. Go has no way to ask for it, and it is read where the Go runtime keeps it.
//
// Where that is, is found by experiment: a goroutine that locks its thread some times over, and
// unlocks it, looks which word of the thread's record follows. If it is not exactly one, as may
// happen with a Go that keeps it in another way, nothing is looked at, and a difference is what it
// was before.

// lockCountAt is where the lock count is in a thread's record, 0 if that is not known.
var lockCountAt = sync.OnceValue(func() (at uintptr) {
	if !knowsThreads {
		return 0
	}
	found := make(chan uintptr)
	go func() {
		defer func() {
			if recover() != nil { // there is no such memory
				found <- 0
			}
		}()
		debug.SetPanicOnFault(true)
		found <- findLockCount()
	}()
	return <-found
})

// recordBytes is how much of a thread's record is looked at. It is larger than that in every Go
// since 1.5.
const recordBytes = 1024

// findLockCount is called on a goroutine that is not locked.
func findLockCount() uintptr {
	goruntime.LockOSThread()
	defer goruntime.UnlockOSThread()
	var places []uintptr
	for at := uintptr(4); at < recordBytes; at += 4 {
		places = append(places, at)
	}
	keep := func(count uint32) {
		left := places[:0]
		for _, at := range places {
			if _, word := threadWord(at); word == count {
				left = append(left, at)
			}
		}
		places = left
	}
	keep(1)
	for _, more := range []uint32{1, 5, 2, 11} {
		for range more {
			goruntime.LockOSThread()
		}
		keep(1 + more)
		for range more {
			goruntime.UnlockOSThread()
		}
		keep(1)
	}
	if len(places) != 1 {
		return 0
	}
	return places[0]
}

// ErrThreadLocked says that a task locked its thread and did not unlock it before it waited or
// ended, or unlocked it more often than it had locked it.
var ErrThreadLocked = errors.New("sched: task has changed the lock count of its thread")

// A threadState is what a task must leave as it was.
type threadState struct {
	at     uintptr // lockCountAt
	thread uintptr
	locks  uint32
}

// note remembers the thread that the calling goroutine runs on.
func (s *threadState) note() {
	if s.at = lockCountAt(); s.at != 0 {
		s.thread, s.locks = threadWord(s.at)
	}
}

// changed reports whether the lock count is another one.
func (s *threadState) changed() bool {
	if s.at == 0 {
		return false
	}
	_, locks := threadWord(s.at)
	return locks != s.locks
}

// restore brings the lock count back and says what was wrong with it, and err if there was an error
// besides.
func (s *threadState) restore(t *Task, err error) error {
	_, locks := threadWord(s.at)
	why := fmt.Errorf("%w: task %d %q leaves it locked %d times too often", ErrThreadLocked, t.id, t.name, locks-s.locks)
	for range int32(locks - s.locks) {
		goruntime.UnlockOSThread()
	}
	if locks < s.locks {
		why = fmt.Errorf("%w: task %d %q has unlocked it", ErrThreadLocked, t.id, t.name)
		for range s.locks - locks {
			goruntime.LockOSThread()
		}
		if thread, _ := threadWord(s.at); thread != s.thread {
			// It was moved before it could be locked again. The coroutines of the worker cannot
			// follow.
			t.pool.log.Error("sched: a worker has lost its thread; the next switch ends the process", "error", why)
		}
	}
	if t.detached {
		t.pool.log.Error("sched: task failed", "error", why)
	}
	return errors.Join(err, why)
}

// lockedWait is the panic that ends a task which waits with a changed lock count.
type lockedWait struct{ task *Task }

// mustNotLock ends a task that begins to wait with a changed lock count. Its deferred functions may
// unlock.
func (t *Task) mustNotLock() {
	if t.loop.thread.changed() {
		panic(lockedWait{t})
	}
}
