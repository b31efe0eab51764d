package wake

import (
	"context"
	goruntime "runtime"
	"sync"
	"time"

	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/sched"
)

// A contender starts one task at a time, always the same.
type contender interface {
	submit() error
	close() error
}

type ours struct {
	pool *sched.Pool
	fn   func(*sched.Task) error
}

func newOurs(spin time.Duration) func(func()) (contender, error) {
	return func(task func()) (contender, error) {
		p, err := sched.New(sched.Options{Workers: 1, Spin: spin})
		return ours{p, func(*sched.Task) error { task(); return nil }}, err
	}
}

var spec = sched.Spec{Lane: lane.RPC0, Name: "wake"}

func (c ours) submit() error { return c.pool.Go(context.Background(), spec, c.fn) }

func (c ours) close() error { return c.pool.Close(context.Background()) }

// Channel is one goroutine that takes functions from a channel.
type channel struct {
	tasks chan func()
	task  func()
	wg    *sync.WaitGroup
}

func newChannel(locked bool) func(func()) (contender, error) {
	return func(task func()) (contender, error) {
		c := channel{make(chan func(), 64), task, new(sync.WaitGroup)}
		c.wg.Go(func() {
			if locked {
				goruntime.LockOSThread()
			}
			for task := range c.tasks {
				task()
			}
		})
		return c, nil
	}
}

func (c channel) submit() error {
	c.tasks <- c.task
	return nil
}

func (c channel) close() error {
	close(c.tasks)
	c.wg.Wait()
	return nil
}

// Goroutine is a new goroutine for each task.
type goroutine struct{ task func() }

func newGoroutine(task func()) (contender, error) { return goroutine{task}, nil }

func (c goroutine) submit() error {
	go c.task()
	return nil
}

func (c goroutine) close() error { return nil }
