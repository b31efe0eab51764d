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
	} else {
		t.parent.Store(nil) // a handle that is kept must not keep the ancestors
	}
	t.state.Store(done)
	if t.timer != nil {
		t.timer.Stop()
	}
	if t.unwatch != nil {
		t.unwatch()
	}
	if t.key != "" {
		p.keys.drop(t)
	}
	view := t.view.Load()
	if view != nil {
		view.end()
	}
	if view != nil || t.waited {
		t.worker.enlisted.remove(t)
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
