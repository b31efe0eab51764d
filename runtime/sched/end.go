package sched

// An ending is how a task's function was left.
type ending uint8

const (
	endReturned ending = iota
	endPanicked
	endCancelled // it was not called, or was unwound
)

// end settles everything about a task that will not run (any more). It is called once (S1), by the worker that ran it
// or by whoever cancelled it while it was queued.
func (t *Task) end(c *counters, how ending, err error) {
	p := t.pool
	outcome := t.outcome(how, err)
	t.err = err
	t.fn = nil
	if t.kids.Load() {
		t.seal()
	}
	t.state.Store(done)
	if x := t.extra; x != nil {
		x.end(t)
	}
	view := t.view.Load()
	if view != nil {
		view.end()
	}
	if l := t.loop; l != nil {
		l.leave(t, view != nil)
	}
	if h := p.hooks.OnEnd; h != nil {
		h(t.info(), outcome, err)
	}
	c.lanes[t.lane].ended[outcome].Add(1)
	t.done.Fire()
	if p.phase.Load() != open {
		p.checkOver()
	}
}

func (t *Task) outcome(how ending, err error) Outcome {
	switch {
	case how == endPanicked:
		return Panicked
	case how == endCancelled:
		return Cancelled
	case err == nil:
		return Completed
	case t.Err() != nil:
		return Cancelled
	default:
		return Failed
	}
}

// leave undoes what a task has left in its loop. viewed tells that the task may have been enlisted without a wait.
func (l *loop) leave(t *Task, viewed bool) {
	if l.unwatch != nil {
		l.unwatch()
		l.unwatch = nil
	}
	if l.waited || viewed {
		l.w.enlisted.remove(l)
	}
	// The loop, and a handle that is kept, must not keep what the task has used. Nobody else looks at these fields
	// of a loop that is not enlisted.
	l.task, l.waiter.task, l.reason = nil, nil, Reason{}
	t.locals = nil
}

// end undoes what the task's key and deadline have set up.
func (x *extra) end(t *Task) {
	if x.timer != nil {
		x.timer.Stop()
	}
	if x.key != "" {
		t.pool.keys.drop(t)
	}
}
