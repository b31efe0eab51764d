package task

import (
	"fmt"
	"sync/atomic"
	"time"
)

// burst is how many tasks a task submits before the next one goes on.
const burst = 512

// queueSize bounds the queue of pools that have one; it is ours' default.
const queueSize = 4096

// A contender runs functions.
type contender interface {
	submit(task func())         // queues one task
	submitN(n int, task func()) // queues n tasks, in a loop of its own so that calls are direct
	close() error               // after all tasks have run
}

// An inner is a contender whose tasks submit in another way than the outside does.
type inner interface {
	inside(n int, task func()) // queues n tasks from inside a task, burst at a time
}

// A waiter is a contender whose tasks can wait.
type waiter interface {
	// waits lets two tasks wait for each other n times in all, and returns how many waits they have
	// seen.
	waits(n int) (int, error)
}

// A tally counts tasks down.
type tally struct {
	left atomic.Int64
	done chan struct{}
}

func newTally(n int) *tally {
	t := &tally{done: make(chan struct{})}
	t.left.Store(int64(n))
	return t
}

// task is the trivial task.
func (t *tally) task() {
	if t.left.Add(-1) == 0 {
		close(t.done)
	}
}

// wait returns when all tasks have run, or an error if one is lost. A task that runs twice ends the
// process: it closes done again, or makes the count negative, which check reports.
func (t *tally) wait(limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-t.done:
		return nil
	case <-timer.C:
		return fmt.Errorf("wrong answer: %d tasks have not run after %v", t.left.Load(), limit)
	}
}

func (t *tally) check() error {
	if left := t.left.Load(); left != 0 {
		return fmt.Errorf("wrong answer: %d tasks ran too often", -left)
	}
	return nil
}

// chain queues n tasks from inside tasks of c.
func chain(c contender, n int, task func()) {
	var next func(left int) func()
	next = func(left int) func() {
		return func() {
			k := min(left, burst)
			c.submitN(k, task)
			if left -= k; left > 0 {
				c.submit(next(left))
			}
		}
	}
	c.submit(next(n))
}
