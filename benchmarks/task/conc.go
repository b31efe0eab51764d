package task

import "github.com/sourcegraph/conc/pool"

type concPool struct{ p *pool.Pool }

func newConc() (contender, error) { return concPool{pool.New().WithMaxGoroutines(2)}, nil }

func (c concPool) submit(task func()) { c.p.Go(task) }

func (c concPool) submitN(n int, task func()) {
	for range n {
		c.p.Go(task)
	}
}

func (c concPool) close() error {
	c.p.Wait()
	return nil
}
