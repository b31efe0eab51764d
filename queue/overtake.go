package queue

import (
	"math/bits"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/affinity"
)

// overtakeAfter is how long pops are denied a ticket before one of them gives up on it. It is a
// thousand times as long as a claim window takes, and a few times as long as a fence.
const overtakeAfter = 20 * time.Microsecond

// An overtaking lets the pops of a lane overtake a stopped push; see "Overtaking" in the package
// comment.
type overtaking struct {
	on     bool         // immutable once the lane is used
	alarms atomic.Int32 // pops that decide, and tickets that were given up and whose pushes do not know it yet

	// Guarded by the lane's lock.
	late   []uint64      // those tickets
	denied uint64        // the ticket that pops were denied last
	since  time.Time     // when they first were; zero: never
	grace  time.Duration // immutable; overtakeAfter, but for tests
}

// Overtake has the lanes of the mask overtake stopped pushes. It must be called before the set is
// used. Batches are pushed to these lanes one by one. Where the processor needs a fence for it that
// the system does not have, nothing is overtaken.
func (l *Lanes[T]) Overtake(mask uint32) {
	affinity.WantRemoteFences()
	for todo := mask & AllLanes; todo != 0; todo &= todo - 1 {
		o := &l.lanes[bits.TrailingZeros32(todo)].overtaking
		o.on, o.grace = true, overtakeAfter
	}
}

// overtake follows a pop that was denied, and reports whether it has given up on the ticket in its
// way, or found that there is no need to.
func (q *laneQueue[T]) overtake() bool {
	if !q.overtaking.on || lazyTurns && !affinity.RemoteFences() || !q.mu.TryLock() {
		return false
	}
	ticket := q.ring.head.Load()
	due := q.overtaking.due(ticket)
	q.mu.Unlock()
	if !due {
		return false
	}
	q.overtaking.alarms.Add(1) // T4
	if lazyTurns {
		affinity.RemoteFence() // T5; not under the lock, because it takes long
	}
	if !q.mu.TryLock() { // T6
		q.overtaking.alarms.Add(-1)
		return false
	}
	defer q.mu.Unlock()
	if q.ring.giveUp(ticket) {
		q.overtaking.late = append(q.overtaking.late, ticket)
	} else {
		q.overtaking.alarms.Add(-1)
	}
	return true
}

// due notes that a pop was denied a ticket, and reports whether pops have been for long enough.
func (o *overtaking) due(ticket uint64) bool {
	now := time.Now()
	if o.since.IsZero() || o.denied != ticket {
		o.denied, o.since = ticket, now
	}
	return now.Sub(o.since) >= o.grace
}

// settle follows a push of one item that has seen an alarm: if its ticket was given up, it pushes
// the item again (T3).
func (q *laneQueue[T]) settle(ticket uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.overtaking.late, ticket)
	if i < 0 {
		return
	}
	q.overtaking.late = slices.Delete(q.overtaking.late, i, i+1)
	c, lap := q.ring.at(ticket)
	v := q.ring.take(c, lap)
	q.overtaking.alarms.Add(-1)
	q.pushLocked(v)
}

// giveUp moves the head past a ticket that is claimed and not filled, and reports whether it did.
// The caller has seen to it that the push, which fills the cell sooner or later, learns of this
// (T7).
func (r *MPMC[T]) giveUp(ticket uint64) bool {
	c, lap := r.at(ticket)
	return r.tail.Load() != ticket && c.turn.load() == lap && r.head.CompareAndSwap(ticket, ticket+1)
}
