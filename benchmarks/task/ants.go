package task

import "github.com/panjf2000/ants/v2"

type antsPool struct{ p *ants.Pool }

func newAnts() (contender, error) {
	p, err := ants.NewPool(2)
	return antsPool{p}, err
}

// Submit fails only when the pool is released; a lost task shows in the tally.
func (c antsPool) submit(task func()) { _ = c.p.Submit(task) }

func (c antsPool) submitN(n int, task func()) {
	for range n {
		_ = c.p.Submit(task)
	}
}

func (c antsPool) close() error {
	c.p.Release()
	return nil
}
