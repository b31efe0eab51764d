package task

import "sync"

// Goroutines is a goroutine for each task.
type goroutines struct{ wg *sync.WaitGroup }

func newGoroutines() (contender, error) { return goroutines{new(sync.WaitGroup)}, nil }

func (c goroutines) submit(task func()) { c.wg.Go(task) }

func (c goroutines) submitN(n int, task func()) {
	for range n {
		c.wg.Go(task)
	}
}

func (c goroutines) close() error {
	c.wg.Wait()
	return nil
}
