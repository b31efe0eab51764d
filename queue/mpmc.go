package queue

import (
	"math/bits"
	"sync/atomic"
	"unsafe"

	"github.com/cytisus/cytisus/affinity"
)

const (
	// MaxCapacity is the largest capacity of a ring.
	MaxCapacity = 1 << 30

	// spacedMax is the largest capacity of a ring whose cells are more than a cache line apart, at
	// 80 KiB for pointers; see the end of "Ring" in the package comment.
	spacedMax = 1024
)

// A cell is one place of a ring. Its turn says who owns val; see "Ring" in the package comment.
type cell[T any] struct {
	turn turn
	val  T // plain; owned by whoever claimed the ticket that turn admits (R3)
}

// An MPMC is a bounded FIFO ring for any number of producers and consumers. No method waits,
// allocates or locks. It must be made by NewMPMC and must not be copied.
type MPMC[T any] struct {
	cells []cell[T] // slice header immutable; every step-th element follows the turn protocol, the others are padding
	mask  uint64    // immutable; the capacity less 1
	step  uint64    // immutable; distance between the cells of neighbouring tickets
	only  soleUse   // check builds: catches a pop beside a single consumer
	_     affinity.LinePair
	tail  atomic.Uint64 // next ticket to push; advanced by producers
	_     affinity.LinePair
	head  atomic.Uint64 // next ticket to pop; advanced by consumers
	_     affinity.LinePair
}

// NewMPMC returns an empty ring. The capacity is rounded up to a power of two and kept within [2,
// MaxCapacity]; Cap tells the result. The cells need no initialisation, so memory is not touched
// before it is used.
func NewMPMC[T any](capacity int) *MPMC[T] {
	r := new(MPMC[T])
	r.init(capacity)
	return r
}

func (r *MPMC[T]) init(capacity int) {
	capacity = ringCapacity(capacity)
	r.mask, r.step = uint64(capacity-1), 1
	if size := uint64(unsafe.Sizeof(cell[T]{})); capacity <= spacedMax && size < affinity.CacheLineBytes {
		r.step = affinity.CacheLineBytes/size + 1
	}
	cells := capacity * int(r.step)
	if straddles[T]() && r.step == 1 {
		cells++ // behind the last place, for touch
	}
	r.cells = make([]cell[T], cells)
}

// straddles reports whether some cells of an array may begin on one page and end on the next.
func straddles[T any]() bool {
	size := unsafe.Sizeof(cell[T]{})
	return size&(size-1) != 0
}

// ringCapacity returns the power of two in [2, MaxCapacity] that holds capacity items. With one
// cell, full and free would look alike (R0).
func ringCapacity(capacity int) int {
	capacity = min(max(capacity, 2), MaxCapacity)
	return 1 << bits.Len(uint(capacity-1))
}

// Cap returns the number of items that the ring can hold.
func (r *MPMC[T]) Cap() int { return int(r.mask + 1) }

// TryPush adds v and reports whether it did. The package comment says what false promises.
func (r *MPMC[T]) TryPush(v T) bool {
	_, ok := r.push(v)
	return ok
}

// push is TryPush that tells the ticket, too.
func (r *MPMC[T]) push(v T) (ticket uint64, ok bool) {
	var b backoff
	for {
		t := r.tail.Load()
		c, lap := r.at(t)
		d := int64(c.turn.load() - lap)
		if d < 0 {
			return 0, false // the cell still carries the previous lap (R2)
		}
		if t <= r.mask {
			r.touch(t, 1)
		}
		if d == 0 && r.tail.CompareAndSwap(t, t+1) {
			c.val = v            // ours: the claim of t (R3)
			c.turn.pass(lap + 1) // publishes val; the load of turn in TryPop sees it
			return t, true
		}
		b.lost() // another producer has taken ticket t, so the tail has moved
	}
}

// TryPop removes the oldest item. The package comment says what false promises.
func (r *MPMC[T]) TryPop() (v T, ok bool) {
	var b backoff
	for {
		h := r.head.Load()
		c, lap := r.at(h)
		d := int64(c.turn.load() - (lap + 1))
		if d < 0 {
			return v, false // nobody has filled the cell in this lap (R2)
		}
		if d == 0 && r.head.CompareAndSwap(h, h+1) {
			return r.take(c, lap), true
		}
		b.lost() // another consumer has taken ticket h, so the head has moved
	}
}

// TryPopSC is TryPop for a ring with a single consumer: nobody else may pop meanwhile, by any
// method. It cannot lose a race, so it needs no compare-and-swap.
func (r *MPMC[T]) TryPopSC() (v T, ok bool) {
	r.only.enter("TryPopSC")
	h := r.head.Load()
	if c, lap := r.at(h); c.turn.load() == lap+1 {
		r.only.advance(&r.head, h, "TryPopSC") // before the cell is freed, so that tail-head never exceeds the capacity (R1)
		v, ok = r.take(c, lap), true
	}
	r.only.leave()
	return v, ok
}

// PushN adds the first items of vs, in order and next to each other, and returns how many: as many
// as there are free cells in a row, which may be none. It never waits.
func (r *MPMC[T]) PushN(vs []T) int {
	var b backoff
	for len(vs) > 0 {
		t := r.tail.Load()
		n := r.run(t, len(vs), 0)
		if n == 0 && r.tail.Load() == t {
			return 0
		}
		if t <= r.mask {
			r.touch(t, r.thisLap(t, n))
		}
		// A cell that was free stays free until its ticket is claimed, and tickets are claimed in
		// order: if the tail has not moved, the whole run is still free (R4).
		if n > 0 && r.tail.CompareAndSwap(t, t+uint64(n)) {
			k := r.thisLap(t, n)
			r.fill(t+uint64(k), vs[k:n]) // the last cells first; see the end of "Ring" in the package comment
			r.fill(t, vs[:k])
			return n
		}
		b.lost()
	}
	return 0
}

// PopN removes up to len(dst) items, oldest first and next to each other, stores them at the start
// of dst and returns how many. It never waits.
func (r *MPMC[T]) PopN(dst []T) int {
	var b backoff
	for len(dst) > 0 {
		h := r.head.Load()
		n := r.run(h, len(dst), 1)
		if n == 0 && r.head.Load() == h {
			return 0
		}
		if n > 0 && r.head.CompareAndSwap(h, h+uint64(n)) { // R4, as in PushN
			k := r.thisLap(h, n)
			r.drain(h+uint64(k), dst[k:n]) // the last cells first, as in PushN
			r.drain(h, dst[:k])
			return n
		}
		b.lost()
	}
	return 0
}

// Len returns the number of items, counting pushes and not counting pops that have claimed their
// ticket but have not finished. It is exact when nobody else uses the ring, and a moment's answer
// otherwise.
func (r *MPMC[T]) Len() int {
	// The head first: the tail never falls behind a head loaded before it, so the difference is not
	// negative.
	h := r.head.Load()
	return int(min(r.tail.Load()-h, r.mask+1))
}

// Empty reports whether, at one moment during the call, every push that had claimed a ticket was
// matched by a pop. A push that has claimed but not yet filled its cell makes the ring non-empty,
// although TryPop says false.
func (r *MPMC[T]) Empty() bool {
	// If the tail still equals a head loaded before it, it equalled that head at the moment of the
	// first load.
	h := r.head.Load()
	return r.tail.Load() == h
}

// touch has the kernel give the pages of n cells of a ring's first lap, so that no push waits for a
// page inside its claim window (R6). The caller need not own the cells: touching a turn does not
// change it. It follows the look at the turns, which a cell of an untouched page passes as free.
func (r *MPMC[T]) touch(ticket uint64, n int) {
	for at, left := ticket*r.step, n; left > 0; at, left = at+r.step, left-1 {
		r.cells[at].turn.touch()
		if straddles[T]() {
			r.cells[at+1].turn.touch() // behind the value's end
		}
	}
}

// run counts the cells from ticket on, at most limit, whose turn is phase steps past free: 0 counts
// free cells, 1 full ones.
func (r *MPMC[T]) run(ticket uint64, limit int, phase uint64) int {
	limit = min(limit, r.Cap())
	k := r.thisLap(ticket, limit)
	n := r.count(ticket, k, phase)
	if n == k && k < limit {
		n += r.count(ticket+uint64(k), limit-k, phase)
	}
	return n
}

// thisLap returns how many of the n tickets from ticket on are of its lap: their cells lie in a
// row.
func (r *MPMC[T]) thisLap(ticket uint64, n int) int { return min(n, r.Cap()-int(ticket&r.mask)) }

// count is run for tickets of one lap.
func (r *MPMC[T]) count(ticket uint64, limit int, phase uint64) int {
	cells, at, step := r.cells, (ticket&r.mask)*r.step, r.step
	turn := ticket&^r.mask + phase
	for i := range limit {
		if cells[at].turn.load() != turn {
			return i
		}
		at += step
	}
	return limit
}

// fill stores vs in the cells of claimed tickets of one lap, and publishes them, the last one
// first.
func (r *MPMC[T]) fill(ticket uint64, vs []T) {
	cells, at, step := r.cells, (ticket&r.mask+uint64(len(vs)))*r.step, r.step
	full := ticket&^r.mask + 1
	for i := len(vs) - 1; i >= 0; i-- {
		at -= step
		c := &cells[at]
		c.val = vs[i]
		c.turn.pass(full)
	}
}

// drain empties the cells of claimed tickets of one lap into dst, and frees them, the last one
// first.
func (r *MPMC[T]) drain(ticket uint64, dst []T) {
	cells, at, step := r.cells, (ticket&r.mask+uint64(len(dst)))*r.step, r.step
	lap := ticket &^ r.mask
	for i := len(dst) - 1; i >= 0; i-- {
		at -= step
		dst[i] = r.take(&cells[at], lap)
	}
}

// take empties a cell whose ticket the caller has claimed, and frees it for the lap after lap. The
// value is zeroed first, so that the ring keeps nothing alive that has left it.
func (r *MPMC[T]) take(c *cell[T], lap uint64) T {
	var zero T
	v := c.val
	c.val = zero
	c.turn.pass(lap + r.mask + 1) // hands the cell to the producer of ticket+cap
	return v
}

// at returns the cell of a ticket and the turn that means "free" in the ticket's lap.
func (r *MPMC[T]) at(ticket uint64) (c *cell[T], lap uint64) {
	return &r.cells[(ticket&r.mask)*r.step], ticket &^ r.mask
}
