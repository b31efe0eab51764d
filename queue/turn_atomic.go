//go:build !amd64 || race

package queue

// pass hands the cell to whom n admits. The caller owns the cell, so nobody else stores here.
func (t *turn) pass(n uint64) { t.n.Store(n) }

// lazyTurns says whether the turn that pass has stored may become visible after later loads of the
// same thread.
const lazyTurns = false
