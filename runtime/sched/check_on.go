//go:build check

package sched

import "fmt"

const checking = true

// A checkOwner is the goroutine that a task's function was called on.
type checkOwner struct{ goroutine string }

func (o *checkOwner) set() { o.goroutine = goroutineID() }

// mustBeOwner catches a wait called from a goroutine that is not the task's, before it confuses the
// coroutines.
func (t *Task) mustBeOwner() {
	if id := goroutineID(); id != t.loop.owner.goroutine {
		panic(fmt.Sprintf("sched: S2: task %d %q of goroutine %s waits on goroutine %s", t.id, t.name, t.loop.owner.goroutine, id))
	}
}
