package task

import (
	goruntime "runtime"
	"sync"
)

// A channelPool is the plain pool: one goroutine that takes functions from a channel.
type channelPool struct {
	tasks chan func()
	wg    *sync.WaitGroup
}

// newChannelPool starts the worker, locked to its thread if asked.
func newChannelPool(locked bool) contender {
	c := channelPool{make(chan func(), queueSize), new(sync.WaitGroup)}
	c.wg.Go(func() {
		if locked {
			goruntime.LockOSThread()
		}
		for task := range c.tasks {
			task()
		}
	})
	return c
}

func (c channelPool) submit(task func()) { c.tasks <- task }

func (c channelPool) submitN(n int, task func()) {
	for range n {
		c.tasks <- task
	}
}

func (c channelPool) close() error {
	close(c.tasks)
	c.wg.Wait()
	return nil
}
