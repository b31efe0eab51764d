//go:build !amd64 || race

package sched

const plainTallies = false

// add may be called by the owning thread only.
func (c *tally) add(n uint64) { c.n.Store(c.n.Load() + n) }

// store may be called by the owning thread only.
func (c *published[T]) store(p *T) { c.p.Store(p) }
