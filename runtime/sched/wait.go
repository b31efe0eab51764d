package sched

import (
	"context"
	"sync/atomic"
	"time"
)

// A Reason says what a task waits for, to the watchdog and to people.
type Reason struct {
	What string `json:"what,omitempty"` // such as "query words(docs/a.txt)"; prepared beforehand, as it is needed rarely
	On   uint64 `json:"on,omitempty"`   // the task that will end the wait, 0 if there is no one task
}

// Await waits until the event has fired. It returns the cause if the task is cancelled first. Other
// tasks run on the thread meanwhile. Views of memory that the epochs protect are invalid
// afterwards.
func (t *Task) Await(e *Event) error { return t.AwaitReason(e, Reason{What: "an event"}) }

// AwaitReason is Await that tells the watchdog what for.
func (t *Task) AwaitReason(e *Event, r Reason) error {
	if e.Fired() {
		return nil
	}
	return t.wait(e, r, nil)
}

// AwaitUntil is AwaitReason that gives up at the deadline with [ErrTimeout]. The task is not
// cancelled by that.
func (t *Task) AwaitUntil(e *Event, deadline time.Time, r Reason) error {
	if e.Fired() {
		return nil
	}
	var late atomic.Bool
	timer := t.pool.clock.afterFunc(deadline.Sub(t.pool.Now()), func() {
		late.Store(true)
		t.wake()
	})
	defer timer.Stop()
	return t.wait(e, r, func() error {
		if late.Load() {
			return ErrTimeout
		}
		return nil
	})
}

// Sleep waits for the given time. It returns the cause if the task is cancelled first.
func (t *Task) Sleep(d time.Duration) error {
	var over Event
	timer := t.pool.clock.afterFunc(d, func() { over.Fire() })
	defer timer.Stop()
	return t.AwaitReason(&over, Reason{What: "sleep"})
}

// Join waits for another task's end and returns its error, or the cause if this task is cancelled
// first. The other task goes on in that case. Joining oneself fails with [ErrSelfJoin].
func (t *Task) Join(h *Handle) error {
	return t.joinUntil(h, background)
}

// joinUntil is Join that gives up when ctx ends.
func (t *Task) joinUntil(h *Handle, ctx context.Context) error {
	other := h.task()
	if g, ok := t.loop.local.(Guard); ok {
		if err := g.MayJoin(); err != nil {
			return err
		}
	}
	switch {
	case other == t:
		return ErrSelfJoin
	case other.done.Fired():
		return other.err
	}
	var over func() error
	if ctx.Done() != nil {
		defer t.watch(ctx)()
		over = func() error {
			if ctx.Err() != nil {
				return other.gaveUp(ctx)
			}
			return nil
		}
	}
	if err := t.wait(&other.done, Reason{What: "task", On: other.id}, over); err != nil {
		return err
	}
	return other.err
}

// Yield lets more urgent tasks, and others of the task's lane, go first. It returns at once if
// there are none.
func (t *Task) Yield() {
	t.unwindIfTold()
	t.mustNotLock()
	t.mustBeOwner()
	switch w := t.loop.enter(); {
	case w.siding:
		w.goHome(t)
	case w.wantedBy(int(t.lane)):
		w.yield(t)
	}
	t.loop.exit()
	t.point()
}

// wait waits until the event has fired, the task is cancelled, or over, which may be nil, returns
// an error; what makes it do so wakes the task.
func (t *Task) wait(e *Event, r Reason, over func() error) (err error) {
	t.unwindIfTold()
	t.mustNotLock()
	t.point()
	t.watchBase()
	l := t.loop
	l.waited, l.waiter.task = true, t
	if !e.joinTask(&l.waiter) {
		return nil
	}
	t.enlistWait(r)
	for !e.Fired() {
		if err = t.Err(); err != nil {
			break
		}
		if over != nil {
			if err = over(); err != nil {
				break
			}
		}
		t.park()
	}
	e.leaveTask(&l.waiter)
	l.told = err != nil && t.pool.killed.Load() != nil
	return err
}

// waitOut waits until the event has fired, whatever happens.
func (t *Task) waitOut(e *Event, r Reason) {
	l := t.loop
	l.waited, l.waiter.task = true, t
	if !e.joinTask(&l.waiter) {
		return
	}
	t.enlistWait(r)
	for !e.Fired() {
		t.park()
	}
	e.leaveTask(&l.waiter)
}

// watchBase makes the end of the context that the task was submitted with wake it, from its first
// wait on.
func (t *Task) watchBase() {
	if l := t.loop; l.unwatch == nil && t.traits.has(mortal) {
		l.unwatch = t.watch(t.base)
	}
}

// watch makes the end of the context wake the task.
func (t *Task) watch(ctx context.Context) (stop func() bool) {
	switch s := t.pool.sim; {
	case ctx.Done() == nil:
		return func() bool { return true }
	case s != nil:
		return s.watch(t, ctx)
	default:
		return context.AfterFunc(ctx, t.wake)
	}
}

// unwindIfTold ends a task that waits again although its last wait has said that the pool is
// closed.
func (t *Task) unwindIfTold() {
	if t.loop.told {
		panic(unwind)
	}
}

// unwind is the panic that ends a task which will not end by itself. Its deferred functions run.
var unwind = new(unwinding)

type unwinding struct{ _ byte }

func (*unwinding) Error() string { return "sched: the pool is closed and the task is unwound" }
