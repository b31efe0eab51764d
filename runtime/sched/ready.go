package sched

import (
	"math/bits"
	"sync/atomic"

	"github.com/cytisus/cytisus/runtime/lane"
)

// A resumeList takes the tasks that wakers hand to one worker. Anyone pushes; the worker takes all
// at once, so an entry never changes while it is in the list and there is no ABA problem. It is a
// list through the tasks themselves and not a ring: it needs no bound, no memory, and no rule for
// what a waker does when it is full.
type resumeList struct {
	head atomic.Pointer[Task] // newest first, linked by Task.next (S4)
}

func (l *resumeList) empty() bool { return l.head.Load() == nil }

func (l *resumeList) push(t *Task) {
	for {
		head := l.head.Load()
		t.next = head
		if l.head.CompareAndSwap(head, t) {
			return
		}
	}
}

// takeAll empties the list and returns its tasks, oldest first, linked by Task.next.
func (l *resumeList) takeAll() (oldest *Task) {
	for t := l.head.Swap(nil); t != nil; {
		t.next, oldest, t = oldest, t, t.next
	}
	return oldest
}

// readyLanes holds the tasks that a worker can resume, by lane. It belongs to the worker's thread.
type readyLanes struct {
	mask uint32 // bit i: lane i is not empty
	q    [lane.Count]taskFIFO
}

// A taskFIFO is linked by Task.next (S4).
type taskFIFO struct{ first, last *Task }

func (r *readyLanes) push(t *Task) {
	i := t.lane
	q := &r.q[i]
	t.next = nil
	if q.first == nil {
		q.first = t
		r.mask |= 1 << i
	} else {
		q.last.next = t
	}
	q.last = t
}

// pop removes the oldest task of lane i, which is not empty.
func (r *readyLanes) pop(i int) *Task {
	q := &r.q[i]
	t := q.first
	q.first = t.next
	t.next = nil
	if q.first == nil {
		q.last = nil
		r.mask &^= 1 << i
	}
	return t
}

// highest returns the most urgent lane that is not empty, and lane.Count if all are.
func (r *readyLanes) highest() int { return min(bits.TrailingZeros32(r.mask), lane.Count) }
