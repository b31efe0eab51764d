package sched

import "runtime/debug"

// Blocking runs fn on an ordinary goroutine and waits for its end without holding the worker: for
// blocking I/O, cgo, locks held long, and code that needs LockOSThread. It waits even if the task
// is cancelled, because fn usually shares variables with the task: let fn watch [Task.Context]. A
// panic of fn is a panic of the task, with fn's stack. If fn calls runtime.Goexit, Blocking returns
// [ErrGoexit]. It works during shutdown too, so that a task can clean up. fn must not call methods
// of the task that wait.
func (t *Task) Blocking(fn func() error) error {
	t.mustNotLock()
	c := &blockingCall{task: t, fn: fn, err: ErrGoexit}
	if s := t.pool.sim; s != nil {
		s.addCall(c)
	} else {
		go c.run()
	}
	t.waitOut(&c.done, Reason{What: "a blocking call"})
	if c.panicked != nil {
		panic(c.panicked)
	}
	return c.err
}

type blockingCall struct {
	task     *Task
	fn       func() error
	done     Event
	err      error       // written before done fires
	panicked *PanicError // likewise
}

func (c *blockingCall) run() {
	defer caller{blocking: c.task}.enter()()
	ended := false
	defer func() {
		if !ended {
			if r := recover(); r != nil {
				c.panicked = asPanicError(r)
			}
		}
		c.done.Fire()
	}()
	c.err = c.fn()
	ended = true
}

// asPanicError wraps a recovered value, with the current stack unless it carries one already.
func asPanicError(r any) *PanicError {
	if e, ok := r.(*PanicError); ok {
		return e
	}
	return &PanicError{Value: r, Stack: debug.Stack()}
}
