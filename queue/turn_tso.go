//go:build amd64 && !race

package queue

import "unsafe"

// pass hands the cell to whom n admits. The caller owns the cell, so nobody else stores here.
//
// On amd64 a plain store publishes: the stores of a thread become visible in program order, none is
// torn, and no load is delayed past a later store. So whoever sees n also sees what the owner wrote
// to the value, and the owner has read what it wanted of it. An atomic store would also hold up
// later loads of this thread until it is visible, which takes as long as the compare-and-swap of
// the claim; a ring needs that of its claims only (R5).
//
// Go has no such store, so it is written as an ordinary one to the atomic's memory. That is a race
// in the words of the Go memory model, and the model bounds what it may do: a load of a single word
// sees a value that was stored. The compiler keeps the order of stores, and of loads before a
// store. Under the race detector, and on other processors, turn_atomic.go is used. TestExploreRing
// explores both, TestMPMCStress tries both.
//
// Safe: an atomic.Uint64 is one aligned word, which the line below makes sure of.
func (t *turn) pass(n uint64) { *(*uint64)(unsafe.Pointer(&t.n)) = n }

var _ [8]byte = [unsafe.Sizeof(turn{})]byte{}

// lazyTurns says whether the turn that pass has stored may become visible after later loads of the
// same thread.
const lazyTurns = true
