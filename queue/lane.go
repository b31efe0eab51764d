package queue

import (
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/affinity"
)

// refillMax bounds how many items one pop moves from the overflow list to the ring while it holds
// the lane's lock.
const refillMax = 64

// boundedTries is how often a bounded push looks again before it believes that the pop in its way
// has been stopped. The window of one that has not takes some nanoseconds, and a lane that uses its
// list is slower until it has drained.
const boundedTries = 8

// A laneQueue is one lane: a ring, and behind it an unbounded list for what the ring could not
// take. While the list holds anything, pushes go to the list and the ring only drains, so that the
// order stays; see "Overflow" in the package comment.
type laneQueue[T any] struct {
	ring     MPMC[T]
	overflow atomic.Int64 // number of items in list, stored under mu after the list or the ring behind it has changed (V1)

	overtaking overtaking

	mu    sync.Mutex
	list  fifo[T]   // guarded by mu; younger than everything in ring, but for pushes still under way (V2)
	crowd []*waiter // guarded by mu; submitters waiting for room, first come first
}

// pushListed adds v after tryPush has failed, and never waits for room.
func (q *laneQueue[T]) pushListed(v T) {
	q.mu.Lock()
	q.pushLocked(v)
	q.mu.Unlock()
}

// pushRefused adds v, after tryPush has failed, unless the lane holds as many items as its ring
// can, or more, by its counters. A ring that refuses although they show room has met a pop in its
// claim window: what takes longer than a moment is gone round by way of the list.
func (q *laneQueue[T]) pushRefused(v T) bool {
	for range boundedTries {
		if q.overflow.Load() != 0 {
			break
		}
		if q.ring.Len() >= q.ring.Cap() {
			return false
		}
		affinity.Relax()
		if q.tryPush(v) {
			return true
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.size() >= q.ring.Cap() {
		return false
	}
	q.pushLocked(v)
	return true
}

// pushLocked adds v to the ring, or to the list if the order or the room demand it. It needs no
// look at alarms, as no ticket is given up while it has the lock (T10).
func (q *laneQueue[T]) pushLocked(v T) {
	if q.overflow.Load() != 0 || !q.ring.TryPush(v) {
		q.list.push(v)
		q.overflow.Store(int64(q.list.n))
	}
}

// pushN adds all of vs, in order, and never waits for room.
func (q *laneQueue[T]) pushN(vs []T) {
	if vs = vs[q.tryPushN(vs):]; len(vs) == 0 {
		return
	}
	q.mu.Lock()
	for len(vs) > 0 && q.overflow.Load() == 0 {
		n := q.ring.PushN(vs) // no ticket is given up meanwhile (T10)
		if n == 0 {
			break
		}
		vs = vs[n:]
	}
	for _, v := range vs {
		q.list.push(v)
	}
	q.overflow.Store(int64(q.list.n))
	q.mu.Unlock()
}

// tryPush adds v to the ring if that keeps the order and there is room.
func (q *laneQueue[T]) tryPush(v T) bool {
	if q.overflow.Load() != 0 {
		return false
	}
	ticket, ok := q.ring.push(v)
	if ok && q.overtaking.alarms.Load() != 0 { // T2
		q.settle(ticket)
	}
	return ok
}

// tryPushN adds the first items of vs to the ring, and returns how many the order and the room
// allow.
func (q *laneQueue[T]) tryPushN(vs []T) (n int) {
	if q.overtaking.on { // one by one, so that none comes before one in front of it (T11)
		for n < len(vs) && q.tryPush(vs[n]) {
			n++
		}
		return n
	}
	for q.overflow.Load() == 0 && n < len(vs) {
		k := q.ring.PushN(vs[n:])
		if k == 0 {
			break
		}
		n += k
	}
	return n
}

// pop removes the oldest item. False means that the lane was empty or that an unfinished push
// stands at its front.
func (q *laneQueue[T]) pop() (v T, ok bool) {
	if v, ok = q.ring.TryPop(); ok {
		return v, ok
	}
	return q.popListed()
}

// popListed is pop after TryPop of the ring has failed.
func (q *laneQueue[T]) popListed() (v T, ok bool) {
	if q.overflow.Load() == 0 {
		return v, false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	// The list is younger than what is in the ring, so it waits until the ring is empty in the
	// strict sense: not merely that an unfinished push hides the finished ones behind it (V2).
	if !q.ring.Empty() {
		return q.ring.TryPop()
	}
	if q.list.n == 0 {
		return v, false
	}
	v = q.list.peek()
	q.list.drop()
	q.refill()
	return v, true
}

// popN removes up to len(dst) items, oldest first.
func (q *laneQueue[T]) popN(dst []T) (n int) {
	if n = q.ring.PopN(dst); n > 0 || q.overflow.Load() == 0 {
		return n
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.ring.Empty() {
		return q.ring.PopN(dst)
	}
	for n < len(dst) && q.list.n > 0 {
		dst[n] = q.list.peek()
		q.list.drop()
		n++
	}
	q.refill()
	return n
}

// refill moves the oldest items of the list to the ring, so that the next pops need no lock. The
// caller holds mu.
func (q *laneQueue[T]) refill() {
	for range refillMax {
		if q.list.n == 0 || !q.ring.TryPush(q.list.peek()) {
			break
		}
		q.list.drop()
	}
	q.overflow.Store(int64(q.list.n)) // after the ring has them: whoever reads 0 here pushes behind them (V1)
}

// empty reports whether the lane held no item, claimed or finished, at some moment during the call.
// The list is looked at first, because items move from the list to the ring and never back.
func (q *laneQueue[T]) empty() bool { return q.overflow.Load() == 0 && q.ring.Empty() }

// size returns the number of items at some moment.
func (q *laneQueue[T]) size() int { return int(q.overflow.Load()) + q.ring.Len() }
