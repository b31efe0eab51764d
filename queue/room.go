package queue

import (
	"context"
	"fmt"
	"slices"
)

// A waiter is one submitter that waits for room in a lane.
type waiter struct {
	called chan struct{} // capacity 1; sent to by whoever takes the waiter off the crowd (W1)
}

// PushWait adds v to a lane as TryPushBounded does, and waits for room as long as the context
// allows. Workers must not call it: while they wait for room, nobody makes any.
//
// It fails with ErrLane, or with the context's cause if the context ends first; then v was not
// added. Submitters that wait are called in the order they came, once the lane has drained to half
// its capacity, so that a wake-up is worth its cost. A newcomer may still slip in before a called
// one arrives.
func (l *Lanes[T]) PushWait(ctx context.Context, lane int, v T) error {
	if uint(lane) >= LaneCount {
		return laneError(lane)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("queue: push to lane %d: %w", lane, context.Cause(ctx))
	}
	if l.TryPushBounded(lane, v) == nil {
		return nil
	}
	w := &waiter{called: make(chan struct{}, 1)}
	for first := false; ; first = true { // once called, a waiter that found no room keeps its place
		l.join(lane, w, first)
		if l.TryPushBounded(lane, v) == nil { // after joining (W2)
			l.quit(lane, w)
			return nil
		}
		select {
		case <-w.called:
		case <-ctx.Done():
			l.quit(lane, w)
			return fmt.Errorf("queue: wait for room in lane %d: %w", lane, context.Cause(ctx))
		}
	}
}

// join adds w to the crowd of a lane, at its front or its end.
func (l *Lanes[T]) join(lane int, w *waiter, first bool) {
	q := &l.lanes[lane]
	q.mu.Lock()
	defer q.mu.Unlock()
	at := len(q.crowd)
	if first {
		at = 0
	}
	q.crowd = slices.Insert(q.crowd, at, w)
	l.crowded.Or(1 << lane)
}

// quit takes w off the crowd of a lane. If w was called meanwhile, the call goes to the next one,
// because w will not use the room, or used room that a call for somebody else would have announced.
func (l *Lanes[T]) quit(lane int, w *waiter) {
	q := &l.lanes[lane]
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.crowd, w); i >= 0 {
		q.crowd = slices.Delete(q.crowd, i, i+1)
		l.thinned(lane)
		return
	}
	l.call(lane, 1)
}

// left follows every pop: it calls submitters that wait for room in the lane, if there are any
// (W3).
func (l *Lanes[T]) left(lane int) {
	if l.crowded.Load()&(1<<lane) != 0 {
		l.makeRoom(lane)
	}
}

// makeRoom calls as many waiters as there is room for, once at least half the ring is free.
func (l *Lanes[T]) makeRoom(lane int) {
	q := &l.lanes[lane]
	q.mu.Lock()
	defer q.mu.Unlock()
	if size := q.size(); size <= q.ring.Cap()/2 {
		l.call(lane, q.ring.Cap()-size)
	}
}

// call tells the first n waiters of a lane that there is room. The caller holds the lane's lock.
func (l *Lanes[T]) call(lane, n int) {
	q := &l.lanes[lane]
	n = min(n, len(q.crowd))
	for _, w := range q.crowd[:n] {
		w.called <- struct{}{} // never blocks (W1)
	}
	q.crowd = slices.Delete(q.crowd, 0, n)
	l.thinned(lane)
}

// thinned follows every removal from a crowd. The caller holds the lane's lock.
func (l *Lanes[T]) thinned(lane int) {
	q := &l.lanes[lane]
	if len(q.crowd) == 0 {
		l.crowded.And(^uint32(1 << lane))
	}
}
