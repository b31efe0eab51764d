package sched

import (
	"sync"
	"sync/atomic"
)

// An Event is something that happens once. Tasks wait for it with [Task.Await], other goroutines
// with [Event.Done], and callbacks with [Event.OnFire]. The zero Event has not fired and is ready
// for use. All methods may be called by any goroutine. An Event must not be copied after first use.
type Event struct {
	state atomic.Pointer[Task] // see doc.go, "Events"
	mu    sync.Mutex
	last  *waiter       // guarded by mu; the latest of those who wait, in a ring, so that the next is the first
	done  chan struct{} // guarded by mu; made when somebody asks
}

// States of an event that are not a task. Nil is quiet.
var (
	eventWatched = new(Task)
	eventFired   = new(Task)
)

// A waiter is one entry in an event's list: a task, or a callback. It is linked and unlinked under
// the event's lock.
type waiter struct {
	task       *Task
	fn         func()
	prev, next *waiter
	linked     atomic.Bool // written under the event's lock, last when unlinking
}

// Fired reports whether the event has happened.
func (e *Event) Fired() bool { return e.state.Load() == eventFired }

// Fire makes the event happen: the channel of Done is closed, then tasks and callbacks are told, in
// the order they came, callbacks on the calling goroutine. What the caller did before is visible to
// them. It reports whether this call was the one; later ones do nothing.
func (e *Event) Fire() bool {
	for {
		s := e.state.Load()
		if s == eventFired {
			return false
		}
		if s == eventWatched {
			return e.fireSlow()
		}
		if e.state.CompareAndSwap(s, eventFired) { // V2
			if s != nil {
				s.wake()
			}
			return true
		}
	}
}

func (e *Event) fireSlow() bool {
	e.mu.Lock()
	if e.state.Swap(eventFired) == eventFired { // V3
		e.mu.Unlock()
		return false
	}
	if e.done != nil {
		close(e.done)
	}
	for e.last != nil {
		// One at a time: as soon as a waiter is unlinked its task may go on and use it for another
		// event, so the list must not be walked outside the lock.
		w := e.last.next
		task, fn := w.task, w.fn
		e.unlink(w)
		last := e.last == nil // nobody joins any more
		e.mu.Unlock()
		if task != nil {
			task.wake()
		} else {
			fn()
		}
		if last {
			return true
		}
		e.mu.Lock()
	}
	e.mu.Unlock()
	return true
}

// Done returns a channel that is closed when the event fires. It is made on first use.
func (e *Event) Done() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.done == nil {
		e.done = make(chan struct{})
		if !e.watch() {
			close(e.done)
		}
	}
	return e.done
}

// OnFire calls fn once when the event fires, on the goroutine that fires it, or at once if it has
// fired. fn must be quick, must not wait and must not panic.
func (e *Event) OnFire(fn func()) {
	if !e.join(&waiter{fn: fn}) {
		fn()
	}
}

// joinTask makes the task of w one of those who are told, and reports whether it did: false means
// that the event has fired.
func (e *Event) joinTask(w *waiter) bool {
	return e.state.CompareAndSwap(nil, w.task) || e.join(w) // V1
}

// leaveTask undoes joinTask. Afterwards the event does not know w; a wake of its task may still be
// under way.
func (e *Event) leaveTask(w *waiter) {
	switch s := e.state.Load(); {
	case s == w.task && e.state.CompareAndSwap(s, nil): // V4
	case s == eventFired && !w.linked.Load(): // V5
	default:
		e.leave(w)
	}
}

// join appends w to those who are told, and reports whether it did: false means that the event has
// fired.
func (e *Event) join(w *waiter) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.watch() {
		return false
	}
	e.link(w)
	return true
}

// watch makes sure that Fire takes the lock, and reports false if the event has fired. The caller
// holds mu.
func (e *Event) watch() bool {
	for {
		switch s := e.state.Load(); s {
		case eventWatched:
			return true
		case eventFired:
			return false
		default:
			if !e.state.CompareAndSwap(s, eventWatched) { // V6
				continue
			}
			if s != nil { // it came first, and waits, or is about to take the lock
				e.link(&s.loop.waiter)
			}
			return true
		}
	}
}

// leave takes w off the list if it is still there.
func (e *Event) leave(w *waiter) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if w.linked.Load() {
		e.unlink(w)
	}
}

// link appends w to the list. The caller holds mu.
func (e *Event) link(w *waiter) {
	if e.last == nil {
		w.prev, w.next = w, w
	} else {
		w.prev, w.next = e.last, e.last.next
		w.prev.next, w.next.prev = w, w
	}
	e.last = w
	w.linked.Store(true)
}

// unlink takes w off the list. The caller holds mu.
func (e *Event) unlink(w *waiter) {
	w.prev.next, w.next.prev = w.next, w.prev
	switch {
	case w.next == w:
		e.last = nil
	case e.last == w:
		e.last = w.prev
	}
	w.prev, w.next = nil, nil
	w.linked.Store(false)
}
