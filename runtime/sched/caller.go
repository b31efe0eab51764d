package sched

import (
	"context"

	"github.com/puzpuzpuz/xsync/v3"
)

// callers knows which goroutines are a task's, by self: those of loops, and those of blocking calls
// as long as they run. A goroutine enters and leaves it by itself, so what it finds under its own
// number is about itself, although numbers are given out again.
var callers = xsync.NewMapOf[uintptr, caller]()

// A caller is a goroutine that does a task's work.
type caller struct {
	loop     *loop // whose running task it is
	blocking *Task // or the task that waits for it in Blocking
}

func (c caller) enter() (leave func()) {
	id := self()
	callers.Store(id, c)
	return func() { callers.Delete(id) }
}

// Goroutine returns a number that no other goroutine has as long as the calling one lives.
func Goroutine() uintptr { return self() }

// Current returns the task that the calling goroutine runs, of whichever pool, and nil if it runs
// none. A function given to [Task.Blocking] runs on another goroutine than its task.
func Current() *Task {
	c, ok := callers.Load(self())
	if !ok || c.loop == nil {
		return nil
	}
	return c.loop.current()
}

// current returns the task that runs on the loop. The loop's own goroutine asks.
func (l *loop) current() *Task {
	for {
		moves, w := l.moves.Load(), l.worker()
		t := w.current.load()
		if l.worker() != w || l.moves.Load() != moves {
			continue // the task was put on a siding, or taken back from there
		}
		if t != nil && t.state.Load() != done { // not in what ending a task sets off
			return t
		}
		return nil
	}
}

// Caller returns the task for which the calling goroutine works: [Current], or the task that waits
// for it in [Task.Blocking].
func Caller() *Task {
	c, ok := callers.Load(self())
	switch {
	case !ok:
		return nil
	case c.loop != nil:
		return c.loop.current()
	default:
		return c.blocking
	}
}

// taskKey is the key under which a task's context has the task.
type taskKey struct{}

// taskContext adds a task to a context.
type taskContext struct {
	context.Context
	task *Task
}

// Value is part of context.Context.
func (c *taskContext) Value(key any) any {
	if key == (taskKey{}) {
		return c.task
	}
	return c.Context.Value(key)
}

// within returns the task, not yet ended, whose context ctx is or was made from; nil if there is
// none.
func within(ctx context.Context) *Task {
	t, ok := ctx.Value(taskKey{}).(*Task)
	if !ok || t.state.Load() == done {
		return nil
	}
	return t
}
