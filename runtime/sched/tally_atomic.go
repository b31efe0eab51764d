//go:build !amd64 || race

package sched

const plainTallies = false

// add may be called by the owning thread only.
func (c *tally) add(n uint64) { c.n.Store(c.n.Load() + n) }

// next is add(1) that returns the count. The owning thread only may call it.
func (c *tally) next() uint64 {
	n := c.n.Load() + 1
	c.n.Store(n)
	return n
}

// store may be called by the owning thread only.
func (c *published[T]) store(p *T) { c.p.Store(p) }
