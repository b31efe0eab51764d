package sched

import "sync"

// An enlistment lists the loops that one worker has made and whose tasks others may have to find:
// to cancel them, to report on them. A task's loop is in it from the task's first wait, or from
// when its context is asked for, to the task's end.
type enlistment struct {
	mu    sync.Mutex
	first *loop // guarded by mu, linked by prevEnl and nextEnl
	n     int   // guarded by mu
}

// enlist makes the task findable. Any goroutine may call it.
func (t *Task) enlist() {
	e := t.loop.roll
	e.mu.Lock()
	defer e.mu.Unlock()
	e.addLocked(t)
}

// enlistWait makes the task findable and notes what it is about to wait for.
func (t *Task) enlistWait(r Reason) {
	l := t.loop
	l.waits.add(1)
	if l.noted && l.reason == r {
		return
	}
	l.noted = true
	e := l.roll
	e.mu.Lock()
	e.addLocked(t)
	l.reason = r
	e.mu.Unlock()
}

// addLocked adds the task's loop unless the task has ended: then the loop may serve another one
// already.
func (e *enlistment) addLocked(t *Task) {
	l := t.loop
	if t.state.Load() == done || l.enlisted {
		return
	}
	l.task = t
	l.enlisted = true
	l.nextEnl = e.first
	if e.first != nil {
		e.first.prevEnl = l
	}
	e.first = l
	e.n++
}

// remove takes out the loop of a task that has ended; its state says so already, so that nobody
// adds it again.
func (e *enlistment) remove(l *loop) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !l.enlisted {
		return
	}
	l.enlisted = false
	if l.prevEnl == nil {
		e.first = l.nextEnl
	} else {
		l.prevEnl.nextEnl = l.nextEnl
	}
	if l.nextEnl != nil {
		l.nextEnl.prevEnl = l.prevEnl
	}
	l.prevEnl, l.nextEnl = nil, nil
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
	for l := e.first; l != nil; l = l.nextEnl {
		list = append(list, l.task)
	}
	return list
}
