//go:build amd64 && !race

package sched

import "unsafe"

// On amd64 a plain store is all that publishing takes: stores become visible in program order, and
// none is torn. What an atomic store adds, at about the price of the whole call of a small task, is
// that later loads of the same thread wait for it. Whoever relies on that order puts an atomic
// operation between; see "Counting" in the package comment.
//
// Go has no such store, so it is written as an ordinary one to the atomic's memory. That is a race
// in the words of the Go memory model, and the model bounds what it may do: a load of a single word
// sees a value that was stored. The compiler keeps the order of stores. Under the race detector,
// and on other processors, tally_atomic.go is used.

// plainTallies says that add comes before later loads only with a fence between.
const plainTallies = true

// add may be called by the owning thread only.
func (c *tally) add(n uint64) { *(*uint64)(unsafe.Pointer(&c.n)) += n }

// next is add(1) that returns the count. The owning thread only may call it.
func (c *tally) next() uint64 {
	n := *(*uint64)(unsafe.Pointer(&c.n)) + 1
	*(*uint64)(unsafe.Pointer(&c.n)) = n
	return n
}

// store may be called by the owning thread only.
func (c *published[T]) store(p *T) { initPointer(&c.p, p) }
