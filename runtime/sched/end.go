package sched

// An ending is how a task's function was left.
type ending uint8

const (
	endReturned ending = iota
	endPanicked
	endCancelled // it was not called, or was unwound
)

// end settles everything about a task that will not run (any more). It is called once (S1), by the
// worker that ran it or by whoever cancelled it while it was queued.
func (t *Task) end(c *counters, how ending, err error) {
	p := t.pool
	outcome := t.outcome(how, err)
	if t.detached {
		if outcome == Panicked {
			p.log.Error("sched: task panicked", "task", t.id, "name", t.name, "lane", t.Lane().String(), "error", err)
		}
		if t.unseen() && t.loop != nil {
			t.endUnseen(c, outcome, err)
			return
		}
	}
	t.err = err
	t.fn = nil
	if t.kin.has(spawned) {
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
	c.count(&c.lanes[t.lane].ended[outcome])
	t.done.Fire()
	if p.phase.Load() != open {
		p.checkOver()
	}
}

// unseen reports whether nobody can reach a detached task that has ended, so that it may be used
// again.
func (t *Task) unseen() bool { return !t.kept && t.view.Load() == nil }

// endUnseen is end for a task that nobody asks about. It leaves the look at the pool's phase to the
// worker's rest.
func (t *Task) endUnseen(c *counters, outcome Outcome, err error) {
	l := t.loop
	w := l.worker()
	w.current.store(nobody) // C1
	l.leave(t, false)
	if h := t.pool.hooks.OnEnd; h != nil {
		h(t.info(), outcome, err)
	}
	c.count(&c.lanes[t.lane].ended[outcome])
	w.recycle(t)
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

// leave undoes what a task has left in its loop. viewed tells that the task may have been enlisted
// without a wait.
func (l *loop) leave(t *Task, viewed bool) {
	l.local = nil
	if !l.waited && !viewed {
		return
	}
	if l.unwatch != nil {
		l.unwatch()
		l.unwatch = nil
	}
	l.roll.remove(l)
	// Nobody else looks at these fields of a loop that is not enlisted.
	l.task, l.waiter.task, l.reason, l.waited, l.noted, l.told = nil, nil, Reason{}, false, false, false
	l.waits.n.Store(0)
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
