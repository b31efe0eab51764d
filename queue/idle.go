package queue

import (
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/affinity"
)

// An Idle puts workers without work to sleep and wakes as few of them as the work needs: one push
// wakes at most one sleeper, and none while some worker is already searching. See "Idle" in the
// package comment for the protocol.
//
// Notify, Wake and WakeAll may be called by any goroutine; Rest and Found only by the worker that
// they name.
type Idle struct {
	shared    func() bool      // any worker could find work
	own       func(w int) bool // worker w could find work that nobody else may take; nil: never
	searchers int32            // immutable; at most so many workers search at once of their own accord
	seats     []seat
	idle      []idleWord // bit w%64 of word w/64: worker w sleeps or is about to, and nobody has claimed it yet
	_         affinity.LinePair
	searching atomic.Int32 // workers that are looking for work, and tokens on their way to workers that will
	_         affinity.LinePair
	wakes     atomic.Uint64 // tokens posted
}

type idleWord struct {
	bits atomic.Uint64
	_    [affinity.LinePairBytes - 8]byte
}

// A seat is what one worker needs for sleeping.
type seat struct {
	parker    Parker
	searching bool // plain, the worker's: it is counted in Idle.searching
	_         affinity.LinePair
}

// NewIdle returns an Idle for workers numbered from 0.
//
// The function shared reports whether there is work that any worker could take, own whether there
// is work that only worker w may take (nil means that there never is). Both must be quick, must not
// call into the Idle, and must read with sync/atomic what pushers write before they call Notify or
// Wake. A false true costs a turn of the worker's loop; a false false costs a lost wake-up.
func NewIdle(workers int, shared func() bool, own func(w int) bool) *Idle {
	workers = max(workers, 1)
	if own == nil {
		own = func(int) bool { return false }
	}
	return &Idle{
		shared:    shared,
		own:       own,
		searchers: int32(max(workers/2, 1)),
		seats:     make([]seat, workers),
		idle:      make([]idleWord, (workers+63)/64),
	}
}

// Notify tells the sleepers that somebody has made shared work visible, and wakes one of them if
// none is awake to find it. It reports whether it woke one.
func (x *Idle) Notify() (woke bool) {
	for x.anyIdle() && x.searching.Load() == 0 {
		if !x.searching.CompareAndSwap(0, 1) {
			return false // somebody else has just sent a searcher, who comes after our push
		}
		if w, ok := x.claimAny(); ok {
			x.unpark(w)
			return true
		}
		// Nobody to wake. While we counted as a searcher, others may have relied on us, so look
		// again for somebody who has gone to sleep since (I4).
		x.searching.Add(-1)
	}
	return false
}

// Wake tells worker w that somebody has made work visible that only w can take. It reports whether
// w had to be woken.
func (x *Idle) Wake(w int) (woke bool) {
	if !x.claim(w) {
		return false // awake, or somebody else is waking it; it looks at its own work before it sleeps (I2)
	}
	x.searching.Add(1) // on behalf of w, which wakes up searching
	x.unpark(w)
	return true
}

// WakeAll wakes every sleeper, for shutdown and the like. What they are to notice must be part of
// shared or own.
func (x *Idle) WakeAll() {
	for w := range x.seats {
		x.Wake(w)
	}
}

// Found is called by worker w each time it has found work, before it starts on it, and once more
// when w stops for good. If w was the last searcher and there is more shared work, it wakes another
// worker in its place.
func (x *Idle) Found(w int) {
	if s := &x.seats[w]; s.searching {
		s.searching = false
		x.endSearch()
	}
}

// endSearch takes one searcher off the count; the last one passes on what others left to it (I3).
func (x *Idle) endSearch() {
	if x.searching.Add(-1) == 0 && x.shared() {
		x.Notify()
	}
}

// Rest is called by worker w when it has found no work. It returns when there may be some, having
// looked for it up to spins times with affinity.Relax between and then slept; or at the deadline
// (zero: none). It reports whether it slept and was woken. The worker then looks for work, and
// calls Found or Rest again.
func (x *Idle) Rest(w int, spins int, deadline time.Time) (woken bool) {
	s := &x.seats[w]
	if s.searching {
		affinity.Relax() // it was told of work and did not find it; an unfinished push may be in the way
	}
	if x.search(w, spins) {
		return false
	}
	word, bit := &x.idle[w/64].bits, uint64(1)<<(w%64)
	word.Or(bit) // from here on, somebody may send us a token
	if s.searching {
		s.searching = false
		x.searching.Add(-1) // after the bit and before the look (I1)
	}
	if x.shared() || x.own(w) {
		if x.claim(w) {
			// Nobody has sent a token. What we saw may have been left to us while we counted as a
			// searcher, so we count as one again until Found (I3).
			s.searching = true
			x.searching.Add(1)
			return false
		}
		s.parker.Park(0, time.Time{}) // somebody has claimed us: the token comes, and must not stay (I2)
		s.searching = true
		return true
	}
	if !s.parker.Park(0, deadline) {
		if x.claim(w) {
			return false
		}
		s.parker.Park(0, time.Time{})
	}
	s.searching = true // whoever claimed us counted us
	return true
}

// search spins for work and reports whether there is some; the worker then counts as a searcher. No
// more than half of the workers search at a time.
func (x *Idle) search(w, spins int) bool {
	s := &x.seats[w]
	if !s.searching {
		if x.searching.Load() >= x.searchers {
			return false
		}
		s.searching = true
		x.searching.Add(1)
	}
	for i := 0; ; i++ {
		if x.shared() || x.own(w) {
			return true
		}
		if i >= spins {
			return false
		}
		affinity.Relax()
	}
}

func (x *Idle) anyIdle() bool {
	for i := range x.idle {
		if x.idle[i].bits.Load() != 0 {
			return true
		}
	}
	return false
}

// claimAny claims some idle worker: the lowest, so that under light load the same few stay warm.
func (x *Idle) claimAny() (w int, ok bool) {
	for i := range x.idle {
		word := &x.idle[i].bits
		for m := word.Load(); m != 0; m = word.Load() {
			bit := m & -m
			if word.And(^bit)&bit != 0 {
				return i*64 + bits.TrailingZeros64(bit), true
			}
		}
	}
	return 0, false
}

// claim clears the idle bit of worker w and reports whether it was set. Whoever claims a worker
// owes it one token, and nobody else may post one (I2).
func (x *Idle) claim(w int) bool {
	bit := uint64(1) << (w % 64)
	word := &x.idle[w/64].bits
	return word.Load()&bit != 0 && word.And(^bit)&bit != 0
}

func (x *Idle) unpark(w int) {
	x.wakes.Add(1)
	x.seats[w].parker.Unpark()
}

// Wakes returns how many tokens have been posted.
func (x *Idle) Wakes() uint64 { return x.wakes.Load() }

// Sleepers returns how many workers sleep, or are about to, at some moment.
func (x *Idle) Sleepers() (n int) {
	for i := range x.idle {
		n += bits.OnesCount64(x.idle[i].bits.Load())
	}
	return n
}
