package load

import (
	"context"
	"sync"

	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/sched"
)

// A kind of task, the most urgent first.
const (
	request = iota
	background
	idle
)

// A contender runs tasks of three kinds. Tasks submit as well.
type contender interface {
	submit(kind int, task func())
	close() error // after all tasks have run
}

type ours struct{ pool *sched.Pool }

// A maker makes a contender with so many workers, if it has such.
type maker func(workers int) (contender, error)

func newOurs(workers int) (contender, error) {
	p, err := sched.New(sched.Options{Workers: workers})
	return ours{p}, err
}

// newAlone is ours without stand-ins.
func newAlone(workers int) (contender, error) {
	p, err := sched.New(sched.Options{Workers: workers, StandIns: -1})
	return ours{p}, err
}

var lanes = [...]lane.Lane{request: lane.RPC0, background: lane.Default, idle: lane.Idle}

func (c ours) submit(kind int, task func()) {
	err := c.pool.Go(context.Background(), sched.Spec{Lane: lanes[kind], Name: "load"}, func(*sched.Task) error { task(); return nil })
	if err != nil {
		panic(err) // an open pool refuses nothing
	}
}

func (c ours) close() error { return c.pool.Close(context.Background()) }

// Channel is goroutines that take functions from a channel with room for all.
type channel struct {
	tasks chan func()
	wg    *sync.WaitGroup
}

func newChannel(workers int) (contender, error) {
	c := channel{make(chan func(), 4096), new(sync.WaitGroup)}
	for range workers {
		c.wg.Go(func() {
			for task := range c.tasks {
				task()
			}
		})
	}
	return c, nil
}

func (c channel) submit(_ int, task func()) { c.tasks <- task }

func (c channel) close() error {
	close(c.tasks)
	c.wg.Wait()
	return nil
}

// Goroutines is a goroutine for each task.
type goroutines struct{ wg *sync.WaitGroup }

func newGoroutines(int) (contender, error) { return goroutines{new(sync.WaitGroup)}, nil }

func (c goroutines) submit(_ int, task func()) { c.wg.Go(task) }

func (c goroutines) close() error {
	c.wg.Wait()
	return nil
}
