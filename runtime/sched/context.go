package sched

import "context"

// A contextView is a task as a context.Context, for code that takes one. It is made on demand,
// because most tasks are asked with Err, and because it costs several allocations.
type contextView struct {
	shield *Shield // not nil: what decides instead of the task, and has its context

	// Of a view that is not a shield's.
	ctx    context.Context
	cancel context.CancelCauseFunc
	stop   func() // releases the deadline
}

// Context returns a context that carries the values of the one the task was submitted with, and
// ends when the task is cancelled, with its cause, or when the task itself ends. Any goroutine may
// call it and keep the result.
func (t *Task) Context() context.Context {
	v := t.view.Load()
	if v != nil {
		return v.context()
	}
	v = t.newView()
	if !t.view.CompareAndSwap(nil, v) {
		v.end()
		return t.Context() // another goroutine was first, or a shield was opened
	}
	t.enlist()
	// Only now is everybody who cancels able to find the view, so look whether somebody has come
	// before.
	if why := t.Err(); why != nil {
		v.cancel(why)
	}
	if t.state.Load() == done {
		v.end()
	}
	return v.ctx
}

func (t *Task) newView() *contextView {
	v := &contextView{ctx: &taskContext{t.base, t}, stop: func() {}}
	// In a simulation the deadline is in a time that others know nothing of. The task's own timer
	// sees to it.
	if x := t.extra; x != nil && x.timer != nil && t.pool.sim == nil {
		v.ctx, v.stop = context.WithDeadline(v.ctx, x.deadline)
	}
	v.ctx, v.cancel = context.WithCancelCause(v.ctx)
	return v
}

// context returns what Task.Context gives.
func (v *contextView) context() context.Context {
	if v.shield != nil {
		return v.shield.contexts().ctx
	}
	return v.ctx
}

// tell says that the task was cancelled.
func (v *contextView) tell(why error) {
	if v.shield != nil {
		v.shield.Look()
		return
	}
	v.cancel(why)
}

// end ends the context because its task has.
func (v *contextView) end() {
	v.cancel(nil)
	v.stop()
}
