package sched

import "context"

// Shield calls fn and returns its error. Meanwhile the task is cancelled when ctx ends, and by nothing else but the closing
// of the pool: a cancellation of the task, of an ancestor or of its client, the end of its own context, and its deadline
// are put off until fn has returned, and are then in force. So a task can compute something that others wait for too, and
// go on when it is no longer wanted itself, as long as anybody wants it: let ctx end when nobody does.
//
// During fn, [Task.Err] and [Task.Context] tell about ctx, and a wait that ctx ends returns its cause; the context that
// Context returns ends with fn. Children that fn spawns belong to ctx as well, also after fn has returned, and to no
// ancestor; they inherit lane and client, but cancelling the client does not cancel them. Shields nest; the innermost
// decides. If ctx has ended already, fn is called all the same.
func (t *Task) Shield(ctx context.Context, fn func() error) error {
	v := &contextView{shield: ctx, stop: func() {}}
	v.ctx, v.cancel = context.WithCancelCause(&taskContext{ctx, t})
	outer := t.view.Swap(v)
	unwatch := t.watch(ctx)
	t.loop.waited = true // it is enlisted
	t.enlist()
	if c := t.pool.killed.Load(); c != nil { // who came before we were enlisted did not find us
		v.cancel(c.err)
	}
	defer func() {
		unwatch()
		t.view.Store(outer)
		v.end()
		if outer == nil {
			return
		}
		if why := t.Err(); why != nil { // it could not be told meanwhile
			outer.cancel(why)
		}
	}()
	return fn()
}

// shieldErr is Task.Err during Shield.
func (t *Task) shieldErr(v *contextView) error {
	if c := t.pool.killed.Load(); c != nil {
		return c.err
	}
	if v.shield.Err() != nil {
		return context.Cause(v.shield)
	}
	return nil
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
