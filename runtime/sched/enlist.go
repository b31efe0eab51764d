package sched

import "sync"

// An enlistment lists the tasks of one worker that others may have to find: to cancel them, to report on them. A task
// is in it from its first wait, or from when its context is asked for, to its end.
type enlistment struct {
	mu    sync.Mutex
	first *Task // guarded by mu, linked by prevEnl and nextEnl
	n     int   // guarded by mu
}

// enlist makes the task findable. Any goroutine may call it.
func (w *worker) enlist(t *Task) {
	e := &w.enlisted
	e.mu.Lock()
	defer e.mu.Unlock()
	e.addLocked(t)
}

// enlistWait makes the task findable and notes what it is about to wait for.
func (w *worker) enlistWait(t *Task, r Reason) {
	t.waited = true
	e := &w.enlisted
	e.mu.Lock()
	e.addLocked(t)
	t.waits++
	t.reason = r
	e.mu.Unlock()
}

func (e *enlistment) addLocked(t *Task) {
	if t.enlisted || t.state.Load() == done {
		return
	}
	t.enlisted = true
	t.nextEnl = e.first
	if e.first != nil {
		e.first.prevEnl = t
	}
	e.first = t
	e.n++
}

// remove takes out a task that has ended; its state says so already, so that nobody adds it again.
func (e *enlistment) remove(t *Task) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !t.enlisted {
		return
	}
	t.enlisted = false
	if t.prevEnl == nil {
		e.first = t.nextEnl
	} else {
		t.prevEnl.nextEnl = t.nextEnl
	}
	if t.nextEnl != nil {
		t.nextEnl.prevEnl = t.prevEnl
	}
	t.prevEnl, t.nextEnl = nil, nil
	e.n--
}

// tasks returns the enlisted tasks.
func (e *enlistment) tasks() []*Task {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.n == 0 {
		return nil
	}
	list := make([]*Task, 0, e.n)
	for t := e.first; t != nil; t = t.nextEnl {
		list = append(list, t)
	}
	return list
}
