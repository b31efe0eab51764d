package queue

import (
	"math/bits"
	"sync/atomic"

	"github.com/cytisus/cytisus/affinity"
)

// MaxCapacity is the largest capacity of a ring.
const MaxCapacity = 1 << 30

// A cell is one place of a ring. Its turn says who owns val; see "Ring" in the package comment.
type cell[T any] struct {
	turn atomic.Uint64
	val  T // plain; owned by whoever claimed the ticket that turn admits (R3)
}

// An MPMC is a bounded FIFO ring for any number of producers and consumers. No method waits, allocates or
// locks. It must be made by NewMPMC and must not be copied.
type MPMC[T any] struct {
	cells []cell[T] // slice header immutable; the elements follow the turn protocol
	mask  uint64    // immutable; len(cells)-1
	only  soleUse   // check builds: catches two single consumers at once
	_     affinity.LinePair
	tail  atomic.Uint64 // next ticket to push; advanced by producers
	_     affinity.LinePair
	head  atomic.Uint64 // next ticket to pop; advanced by consumers
	_     affinity.LinePair
}

// NewMPMC returns an empty ring. The capacity is rounded up to a power of two and kept within [2, MaxCapacity]; Cap
// tells the result. The cells need no initialisation, so memory is not touched before it is used.
func NewMPMC[T any](capacity int) *MPMC[T] {
	r := new(MPMC[T])
	r.init(capacity)
	return r
}

func (r *MPMC[T]) init(capacity int) {
	r.cells = make([]cell[T], ringCapacity(capacity))
	r.mask = uint64(len(r.cells) - 1)
}

// ringCapacity returns the power of two in [2, MaxCapacity] that holds capacity items. With one cell, full and
// free would look alike (R0).
func ringCapacity(capacity int) int {
	capacity = min(max(capacity, 2), MaxCapacity)
	return 1 << bits.Len(uint(capacity-1))
}

// Cap returns the number of items that the ring can hold.
func (r *MPMC[T]) Cap() int { return len(r.cells) }

// TryPush adds v and reports whether it did. The package comment says what false promises.
func (r *MPMC[T]) TryPush(v T) bool {
	var b backoff
	for {
		t := r.tail.Load()
		c, lap := r.at(t)
		if d := int64(c.turn.Load() - lap); d == 0 {
			if r.tail.CompareAndSwap(t, t+1) {
				r.fill(t, v)
				return true
			}
			b.lost()
		} else if d < 0 {
			return false // the cell still carries the previous lap (R2)
		}
		// Here another producer has taken ticket t, so the tail has moved.
	}
}

// TryPop removes the oldest item. The package comment says what false promises.
func (r *MPMC[T]) TryPop() (v T, ok bool) {
	var b backoff
	for {
		h := r.head.Load()
		c, lap := r.at(h)
		if d := int64(c.turn.Load() - (lap + 1)); d == 0 {
			if r.head.CompareAndSwap(h, h+1) {
				return r.take(h), true
			}
			b.lost()
		} else if d < 0 {
			return v, false // nobody has filled the cell in this lap (R2)
		}
		// Here another consumer has taken ticket h, so the head has moved.
	}
}

// TryPopSC is TryPop for a ring with a single consumer: nobody else may pop meanwhile, by any method. It cannot lose
// a race, so it needs no compare-and-swap.
func (r *MPMC[T]) TryPopSC() (v T, ok bool) {
	r.only.enter("TryPopSC")
	h := r.head.Load()
	if c, lap := r.at(h); c.turn.Load() == lap+1 {
		r.head.Store(h + 1) // before the cell is freed, so that tail-head never exceeds the capacity (R1)
		v, ok = r.take(h), true
	}
	r.only.leave()
	return v, ok
}

// PushN adds the first items of vs, in order and next to each other, and returns how many: as many as there are free
// cells in a row, which may be none. It never waits.
func (r *MPMC[T]) PushN(vs []T) int {
	var b backoff
	for len(vs) > 0 {
		t := r.tail.Load()
		n := r.run(t, len(vs), 0)
		switch {
		case n > 0:
			// A cell that was free stays free until its ticket is claimed, and tickets are claimed in order: if the
			// tail has not moved, the whole run is still free (R4).
			if r.tail.CompareAndSwap(t, t+uint64(n)) {
				for i, v := range vs[:n] {
					r.fill(t+uint64(i), v)
				}
				return n
			}
			b.lost()
		case r.tail.Load() == t:
			return 0
		}
	}
	return 0
}

// PopN removes up to len(dst) items, oldest first and next to each other, stores them at the start of dst and
// returns how many. It never waits.
func (r *MPMC[T]) PopN(dst []T) int {
	var b backoff
	for len(dst) > 0 {
		h := r.head.Load()
		n := r.run(h, len(dst), 1)
		switch {
		case n > 0:
			if r.head.CompareAndSwap(h, h+uint64(n)) { // R4, as in PushN
				for i := range n {
					dst[i] = r.take(h + uint64(i))
				}
				return n
			}
			b.lost()
		case r.head.Load() == h:
			return 0
		}
	}
	return 0
}

// Len returns the number of items, counting pushes and not counting pops that have claimed their ticket but have not
// finished. It is exact when nobody else uses the ring, and a moment's answer otherwise.
func (r *MPMC[T]) Len() int {
	// The head first: the tail never falls behind a head loaded before it, so the difference is not negative.
	h := r.head.Load()
	return int(min(r.tail.Load()-h, r.mask+1))
}

// Empty reports whether, at one moment during the call, every push that had claimed a ticket was matched by a pop.
// A push that has claimed but not yet filled its cell makes the ring non-empty, although TryPop says false.
func (r *MPMC[T]) Empty() bool {
	// If the tail still equals a head loaded before it, it equalled that head at the moment of the first load.
	h := r.head.Load()
	return r.tail.Load() == h
}

// run counts the cells from ticket on, at most limit, whose turn is phase steps past free: 0 counts free cells, 1 full
// ones.
func (r *MPMC[T]) run(ticket uint64, limit int, phase uint64) int {
	limit = min(limit, len(r.cells))
	for i := range limit {
		c, lap := r.at(ticket + uint64(i))
		if c.turn.Load() != lap+phase {
			return i
		}
	}
	return limit
}

// fill stores v in the cell of a claimed ticket and publishes it.
func (r *MPMC[T]) fill(ticket uint64, v T) {
	c, lap := r.at(ticket)
	c.val = v             // ours: the claim of ticket (R3)
	c.turn.Store(lap + 1) // publishes val; the load of turn in TryPop sees it
}

// take empties the cell of a claimed ticket and frees it for the next lap. The cell is zeroed first, so that the ring
// keeps nothing alive that has left it.
func (r *MPMC[T]) take(ticket uint64) T {
	c, lap := r.at(ticket)
	var zero T
	v := c.val
	c.val = zero
	c.turn.Store(lap + r.mask + 1) // hands the cell to the producer of ticket+cap
	return v
}

// at returns the cell of a ticket and the turn that means "free" in the ticket's lap.
func (r *MPMC[T]) at(ticket uint64) (c *cell[T], lap uint64) {
	return &r.cells[ticket&r.mask], ticket &^ r.mask
}
