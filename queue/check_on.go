//go:build check

package queue

import "sync/atomic"

// A soleUse panics when two goroutines are inside a section that only one may use at a time.
type soleUse struct{ inside atomic.Bool }

func (s *soleUse) enter(what string) {
	if !s.inside.CompareAndSwap(false, true) {
		panic("queue: invariant broken: " + what + " is used by two goroutines at once")
	}
}

func (s *soleUse) leave() { s.inside.Store(false) }

// advance moves a counter that nobody else may move meanwhile.
func (s *soleUse) advance(c *atomic.Uint64, from uint64, what string) {
	if !c.CompareAndSwap(from, from+1) {
		panic("queue: invariant broken: " + what + " is used beside another pop")
	}
}
