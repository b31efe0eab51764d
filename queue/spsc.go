package queue

import (
	"sync/atomic"

	"github.com/cytisus/cytisus/affinity"
)

// An SPSC is a bounded FIFO ring for one producer and one consumer, which may be different
// goroutines at different times as long as the hand-over is synchronised. No method waits,
// allocates or locks. It must be made by NewSPSC and must not be copied.
type SPSC[T any] struct {
	vals []T    // slice header immutable; element t&mask is the producer's or the consumer's by S1
	mask uint64 // immutable; len(vals)-1
	_    affinity.LinePair

	tail     atomic.Uint64 // next ticket to push; written by the producer
	headSeen uint64        // plain, the producer's: the head when it last looked, at most the true one (S2)
	pushing  soleUse       // check builds: catches two producers
	_        affinity.LinePair

	head     atomic.Uint64 // next ticket to pop; written by the consumer
	tailSeen uint64        // plain, the consumer's: the tail when it last looked, at most the true one (S2)
	popping  soleUse       // check builds: catches two consumers
	_        affinity.LinePair
}

// NewSPSC returns an empty ring. The capacity is rounded up to a power of two and kept within [2,
// MaxCapacity]; Cap tells the result.
func NewSPSC[T any](capacity int) *SPSC[T] {
	n := ringCapacity(capacity)
	return &SPSC[T]{vals: make([]T, n), mask: uint64(n - 1)}
}

// Cap returns the number of items that the ring can hold.
func (r *SPSC[T]) Cap() int { return len(r.vals) }

// TryPush adds v and reports whether it did; false means that the ring was full. Producer only.
func (r *SPSC[T]) TryPush(v T) bool {
	r.pushing.enter("SPSC.TryPush")
	t := r.tail.Load()
	ok := r.room(t) > 0
	if ok {
		r.vals[t&r.mask] = v
		r.tail.Store(t + 1) // publishes the item
	}
	r.pushing.leave()
	return ok
}

// PushN adds the first items of vs, in order, and returns how many: all, or as many as the ring has
// room for. Producer only.
func (r *SPSC[T]) PushN(vs []T) int {
	r.pushing.enter("SPSC.PushN")
	t := r.tail.Load()
	n := min(len(vs), len(r.vals))
	if n > 0 && r.room(t) < n {
		r.headSeen = r.head.Load()
		n = min(n, r.room(t))
	}
	if n > 0 {
		at := t & r.mask
		first := copy(r.vals[at:], vs[:n])
		copy(r.vals, vs[first:n])
		r.tail.Store(t + uint64(n)) // publishes all of them at once
	}
	r.pushing.leave()
	return n
}

// TryPop removes the oldest item; false means that the ring was empty. Consumer only.
func (r *SPSC[T]) TryPop() (v T, ok bool) {
	r.popping.enter("SPSC.TryPop")
	h := r.head.Load()
	if ok = r.items(h) > 0; ok {
		var zero T
		v = r.vals[h&r.mask]
		r.vals[h&r.mask] = zero
		r.head.Store(h + 1) // hands the place back
	}
	r.popping.leave()
	return v, ok
}

// PopN removes up to len(dst) items, oldest first, stores them at the start of dst and returns how
// many. Consumer only.
func (r *SPSC[T]) PopN(dst []T) int {
	r.popping.enter("SPSC.PopN")
	h := r.head.Load()
	n := min(len(dst), len(r.vals))
	if n > 0 && r.items(h) < n {
		r.tailSeen = r.tail.Load()
		n = min(n, r.items(h))
	}
	if n > 0 {
		at := h & r.mask
		first := copy(dst[:n], r.vals[at:])
		copy(dst[first:n], r.vals)
		clear(r.vals[at : at+uint64(first)])
		clear(r.vals[:n-first])
		r.head.Store(h + uint64(n)) // hands the places back
	}
	r.popping.leave()
	return n
}

// Len returns the number of items, from any goroutine. It is exact when nobody else uses the ring;
// otherwise it may count items that were popped during the call.
func (r *SPSC[T]) Len() int {
	// The head first: the tail never falls behind a head loaded before it, so the difference is not
	// negative.
	h := r.head.Load()
	return int(min(r.tail.Load()-h, r.mask+1))
}

// Empty reports whether the ring was empty at some moment during the call, from any goroutine.
func (r *SPSC[T]) Empty() bool { return r.Len() == 0 }

// room returns how many items fit, as far as the producer knows; it looks at the true head only
// when it knows of no room (S2).
func (r *SPSC[T]) room(tail uint64) int {
	n := r.mask + 1 - (tail - r.headSeen)
	if n == 0 {
		r.headSeen = r.head.Load()
		n = r.mask + 1 - (tail - r.headSeen)
	}
	return int(n)
}

// items returns how many items there are, as far as the consumer knows; it looks at the true tail
// only when it knows of none (S2).
func (r *SPSC[T]) items(head uint64) int {
	n := r.tailSeen - head
	if n == 0 {
		r.tailSeen = r.tail.Load()
		n = r.tailSeen - head
	}
	return int(n)
}
