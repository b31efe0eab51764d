//go:build !amd64 || race

package queue

// pass hands the cell to whom n admits. The caller owns the cell, so nobody else stores here.
func (t *turn) pass(n uint64) { t.n.Store(n) }
