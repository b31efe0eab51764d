package sched

import (
	"context"
	"time"
)

// A contextView is a task as a context.Context, for code that takes one. It is made on demand, because most tasks are
// asked with Err, and because it costs several allocations.
type contextView struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	stop   func() // releases the deadline
}

// Context returns a context that carries the values of the one the task was submitted with, and ends when the task is
// cancelled, with its cause, or when the task itself ends. Any goroutine may call it and keep the result.
func (t *Task) Context() context.Context {
	if v := t.view.Load(); v != nil {
		return v.ctx
	}
	v := t.newView()
	if !t.view.CompareAndSwap(nil, v) {
		v.end()
		return t.view.Load().ctx
	}
	t.loop.w.enlist(t)
	// Only now is everybody who cancels able to find the view, so look whether somebody has come before.
	if why := t.Err(); why != nil {
		v.cancel(why)
	}
	if t.state.Load() == done {
		v.end()
	}
	return v.ctx
}

func (t *Task) newView() *contextView {
	v := &contextView{ctx: t.base, stop: func() {}}
	if x := t.extra; x != nil && x.timer != nil {
		v.ctx, v.stop = t.pool.withDeadline(v.ctx, x.deadline)
	}
	v.ctx, v.cancel = context.WithCancelCause(v.ctx)
	return v
}

// withDeadline is context.WithDeadline by the pool's clock.
func (p *Pool) withDeadline(ctx context.Context, at time.Time) (context.Context, func()) {
	if p.sim == nil {
		return context.WithDeadline(ctx, at)
	}
	return deadlined{ctx, at}, func() {} // the task's own timer ends it
}

// A deadlined context knows a deadline that others see to.
type deadlined struct {
	context.Context
	at time.Time
}

// Deadline is part of context.Context.
func (d deadlined) Deadline() (time.Time, bool) { return d.at, true }

// end ends the context because its task has.
func (v *contextView) end() {
	v.cancel(nil)
	v.stop()
}
