package sched

import "fmt"

// States of a task; the table of moves is in the package comment.
const (
	queued uint32 = iota
	running
	woken
	waiting
	resuming
	done
)

var stateNames = [...]string{"queued", "running", "running", "waiting", "ready", "done"}

// wake makes the task look at what it waits for once more, now or before it waits next (S3). Any
// goroutine may call it, any number of times.
func (t *Task) wake() {
	for {
		switch t.state.Load() {
		case running:
			if t.state.CompareAndSwap(running, woken) {
				return
			}
		case waiting:
			if t.state.CompareAndSwap(waiting, resuming) {
				t.loop.worker().resume(t)
				return
			}
		default:
			// queued: it looks before its first wait. woken, resuming: somebody else's wake is
			// under way. done: too late.
			return
		}
	}
}

// park gives the thread up until the task is woken. The caller has looked at its condition after it
// became visible to its wakers, and looks again afterwards.
func (t *Task) park() {
	t.mustBeOwner()
	switch w := t.loop.enter(); {
	case w.siding:
		w.goHome(t)
	case t.state.CompareAndSwap(running, waiting):
		w.suspend(t)
	case !t.state.CompareAndSwap(woken, running):
		panic(fmt.Sprintf("sched: S2: task %d waits while it is %s: wait called from a goroutine that is not the task's",
			t.id, stateNames[t.state.Load()]))
	}
	t.loop.exit()
}
