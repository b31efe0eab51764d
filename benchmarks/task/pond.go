package task

import "github.com/alitto/pond/v2"

type pondPool struct{ p pond.Pool }

func newPond() (contender, error) { return pondPool{pond.NewPool(2)}, nil }

// Go fails only when the pool is stopped; a lost task shows in the tally.
func (c pondPool) submit(task func()) { _ = c.p.Go(task) }

func (c pondPool) submitN(n int, task func()) {
	for range n {
		_ = c.p.Go(task)
	}
}

func (c pondPool) close() error {
	c.p.StopAndWait()
	return nil
}
