package queue

import (
	"fmt"
	"math/bits"
	"sync/atomic"

	"github.com/cytisus/cytisus/affinity"
)

const (
	// LaneCount is the number of lanes in a set. Lane 0 is the most urgent.
	LaneCount = 31

	// AllLanes is the mask that admits every lane: bit i stands for lane i.
	AllLanes uint32 = 1<<LaneCount - 1

	// LaneCapacity is the default capacity of a lane's ring.
	LaneCapacity = 4096
)

// A Lanes is a set of 31 FIFO queues with an occupancy word, so that finding the most urgent item
// costs one load. Any goroutine may call any method. It must be made by NewLanes and must not be
// copied.
//
// Order holds within a lane: two pushes of which one returned before the other was called are
// popped in that order.
type Lanes[T any] struct {
	crowded atomic.Uint32 // bit i: a submitter waits for room in lane i; written under that lane's lock
	_       affinity.LinePair
	bits    atomic.Uint32 // bit i: lane i may hold items; see "Occupancy" in the package comment
	_       affinity.LinePair
	lanes   [LaneCount]laneQueue[T]
}

// NewLanes returns an empty set whose lanes have rings of LaneCapacity items.
func NewLanes[T any]() *Lanes[T] { return NewLanesCap[T](LaneCapacity) }

// NewLanesCap is NewLanes with another capacity, rounded as in NewMPMC; tests use 2.
func NewLanesCap[T any](capacity int) *Lanes[T] {
	l := new(Lanes[T])
	for i := range l.lanes {
		l.lanes[i].ring.init(capacity)
	}
	return l
}

// Push adds v to a lane and never waits: what does not fit into the lane's ring goes to its
// overflow list. It fails only with ErrLane.
func (l *Lanes[T]) Push(lane int, v T) error {
	if uint(lane) >= LaneCount {
		return laneError(lane)
	}
	q := &l.lanes[lane]
	ticket, ok := uint64(0), q.overflow.Load() == 0 // as q.tryPush, without a call on the usual way
	if ok {
		ticket, ok = q.ring.push(v)
	}
	if !ok {
		q.pushListed(v)
	} else if q.overtaking.alarms.Load() != 0 { // T2
		q.settle(ticket)
	}
	l.occupy(lane)
	return nil
}

// PushN adds all items of vs to a lane, in order, and never waits. Items of other pushes may come
// to lie between them. It fails only with ErrLane, and then adds none.
func (l *Lanes[T]) PushN(lane int, vs []T) error {
	if uint(lane) >= LaneCount {
		return laneError(lane)
	}
	if len(vs) > 0 {
		l.lanes[lane].pushN(vs)
		l.occupy(lane)
	}
	return nil
}

// TryPushBounded adds v to a lane that holds fewer items than Cap, and fails with ErrFull
// otherwise: outside submitters use it, so that they feel the load that they make. Full is what the
// lane's counters said at a moment during the call; a pop that has claimed its item counts as gone,
// however long it takes (Q3). Pushes that are under way at the same time may each exceed the bound
// by one. ErrLane is the other failure.
func (l *Lanes[T]) TryPushBounded(lane int, v T) error {
	if uint(lane) >= LaneCount {
		return laneError(lane)
	}
	q := &l.lanes[lane]
	ticket, ok := uint64(0), q.overflow.Load() == 0 // as in Push
	if ok {
		ticket, ok = q.ring.push(v)
	}
	if !ok {
		if !q.pushRefused(v) {
			return ErrFull
		}
	} else if q.overtaking.alarms.Load() != 0 { // T2
		q.settle(ticket)
	}
	l.occupy(lane)
	return nil
}

// occupy sets a lane's bit after a push (O1 before O2).
func (l *Lanes[T]) occupy(lane int) {
	if bit := uint32(1) << lane; l.bits.Load()&bit == 0 {
		l.bits.Or(bit)
	}
}

// Pop removes an item from the most urgent occupied lane of the mask and tells which lane that was.
// False, with lane -1, means that each lane of the mask was seen empty, or with an unfinished push
// at its front, at some moment during the call, or that another pop was just correcting its bit,
// and not for all lanes at the same moment. So it is no reason to sleep; Any is.
func (l *Lanes[T]) Pop(mask uint32) (v T, lane int, ok bool) {
	for todo := l.bits.Load() & mask & AllLanes; todo != 0; todo &= todo - 1 {
		lane = bits.TrailingZeros32(todo)
		q := &l.lanes[lane]
		if v, ok = q.ring.TryPop(); !ok { // as q.pop, without a call on the usual way
			if v, ok = q.popListed(); !ok && l.missed(lane) {
				v, ok = q.pop()
			}
		}
		if ok {
			l.left(lane)
			return v, lane, true
		}
	}
	return v, -1, false
}

// PopN removes up to len(dst) items from the most urgent occupied lane of the mask, oldest first,
// stores them at the start of dst and tells how many and of which lane. Zero, with lane -1, means
// what Pop's false means. Batches are for lanes that can wait: while a worker runs through one, it
// does not look for more urgent work.
func (l *Lanes[T]) PopN(mask uint32, dst []T) (n, lane int) {
	if len(dst) == 0 {
		return 0, -1
	}
	for todo := l.bits.Load() & mask & AllLanes; todo != 0; todo &= todo - 1 {
		lane = bits.TrailingZeros32(todo)
		q := &l.lanes[lane]
		if n = q.popN(dst); n == 0 && l.missed(lane) {
			n = q.popN(dst)
		}
		if n > 0 {
			l.left(lane)
			return n, lane
		}
	}
	return 0, -1
}

// missed follows a pop that found nothing in a lane whose bit was set, and reports whether another
// try is worth it. A lane that is not empty denies its items for now, behind an unfinished push:
// its bit is right, and the pop goes on to other lanes, unless it may overtake that push.
func (l *Lanes[T]) missed(lane int) (again bool) {
	q := &l.lanes[lane]
	if q.empty() {
		return l.vacate(lane)
	}
	if !q.overtake() {
		return false
	}
	l.left(lane) // what was given up has made room
	return true
}

// vacate clears the bit of a lane that a pop found empty, and reports whether it had to set it
// again because the lane is not empty after all. The second look must follow the clear; see
// "Occupancy" in the package comment (O3 before O4).
func (l *Lanes[T]) vacate(lane int) (again bool) {
	bit := uint32(1) << lane
	l.bits.And(^bit)
	if l.lanes[lane].empty() {
		return false
	}
	l.bits.Or(bit)
	return true
}

// Occupied returns the occupancy word: the lanes that may hold items. It is a hint for choosing a
// lane: a set bit may be out of date, and a clear one may be about to be set by a push or a pop
// that is under way.
func (l *Lanes[T]) Occupied() uint32 { return l.bits.Load() }

// Any reports whether a lane of the mask holds an item, finished or not. It looks at the lanes
// themselves if it has to: an item whose push has claimed its place before the call is seen, unless
// it has been popped. Workers look here last before they sleep. It takes a few nanoseconds if there
// is something and about 50 if there is nothing.
func (l *Lanes[T]) Any(mask uint32) bool {
	if l.bits.Load()&mask&AllLanes != 0 {
		return true
	}
	for todo := mask & AllLanes; todo != 0; todo &= todo - 1 {
		if !l.lanes[bits.TrailingZeros32(todo)].empty() {
			return true
		}
	}
	return false
}

// Len returns the number of items in a lane at some moment, 0 for a lane that does not exist.
func (l *Lanes[T]) Len(lane int) int {
	if uint(lane) >= LaneCount {
		return 0
	}
	return l.lanes[lane].size()
}

// Cap returns how many items each lane takes from bounded pushes.
func (l *Lanes[T]) Cap() int { return l.lanes[0].ring.Cap() }

func laneError(lane int) error {
	return fmt.Errorf("%w: %d is not in [0, %d)", ErrLane, lane, LaneCount)
}
