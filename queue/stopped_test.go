package queue

import (
	"context"
	"errors"
	"testing"
)

// The tests below stop a thread inside its claim window and say what that costs, in numbers; see "A
// stopped thread" in the package comment.

// TestStoppedPushHidesItsLane: all that came behind a stopped push in its lane, in the ring and in
// the list, waits for it (Q1); nothing else does (Q2).
func TestStoppedPushHidesItsLane(t *testing.T) {
	const lane, behind = 9, 10
	l := NewLanesCap[int](4)
	l.PushSlowly(lane, 0, func() {
		for i := range behind {
			must(t, l.Push(lane, 1+i))
		}
		must(t, l.Push(lane+1, 100))
		must(t, l.Push(lane-1, 200))
		if l.Overflow(lane) == 0 || l.Len(lane) != 1+behind {
			t.Errorf("Len %d, overflow %d; want some in the list", l.Len(lane), l.Overflow(lane))
		}
		for _, want := range []struct{ v, lane int }{{200, lane - 1}, {100, lane + 1}} {
			if v, from, ok := l.Pop(AllLanes); !ok || v != want.v || from != want.lane {
				t.Errorf("Pop = %d, %d, %v; want %d of lane %d, past the stopped push", v, from, ok, want.v, want.lane)
			}
		}
		for range 3 {
			if v, from, ok := l.Pop(AllLanes); ok {
				t.Errorf("Pop = %d of lane %d, past the stopped push of its lane", v, from)
			}
			if n, from := l.PopN(AllLanes, make([]int, 4)); n != 0 {
				t.Errorf("PopN = %d of lane %d, past the stopped push of its lane", n, from)
			}
		}
		if l.Occupied() != 1<<lane || !l.Any(AllLanes) {
			t.Errorf("word %#x, Any %v: workers must know that the lane holds something", l.Occupied(), l.Any(AllLanes))
		}
	})
	for want := range 1 + behind {
		if v, _, ok := l.Pop(AllLanes); !ok || v != want {
			t.Errorf("Pop = %d, %v; want %d", v, ok, want)
		}
	}
}

// TestStoppedPopMakesARingRefuse: one lap behind a stopped pop a ring has no room, however empty it
// is (Q3).
func TestStoppedPopMakesARingRefuse(t *testing.T) {
	const capacity = 8
	r := NewMPMC[int](capacity)
	r.TryPush(0)
	r.PopSlowly(func() {
		for i := range capacity - 1 {
			if !r.TryPush(i) {
				t.Errorf("push %d of the lap is refused", i)
			}
			if v, ok := r.TryPop(); !ok || v != i {
				t.Errorf("TryPop = %d, %v; want %d", v, ok, i)
			}
		}
		if r.TryPush(0) || r.PushN([]int{1, 2}) != 0 {
			t.Error("a push went into the cell that a pop still holds")
		}
		if !r.Empty() || r.Len() != 0 {
			t.Errorf("Len %d, want 0", r.Len())
		}
	})
	if n := r.PushN(make([]int, capacity)); n != capacity {
		t.Errorf("%d of %d pushed after the pop has finished", n, capacity)
	}
}

// TestStoppedPopRefusesNoBoundedPush: a lane has room as long as its counters say so, and not a
// place more (Q3).
func TestStoppedPopRefusesNoBoundedPush(t *testing.T) {
	const lane, capacity = 9, 8
	l := NewLanesCap[int](capacity)
	must(t, l.Push(lane, -1))
	l.PopSlowly(lane, func() {
		for i := range 5 * capacity { // the lap of the stopped pop, and some more
			if err := l.TryPushBounded(lane, i); err != nil {
				t.Fatalf("push %d: %v, with %d of %d places used", i, err, l.Len(lane), capacity)
			}
			if v, _, ok := l.Pop(AllLanes); !ok || v != i {
				t.Fatalf("Pop = %d, %v; want %d", v, ok, i)
			}
		}
		ended, cancel := context.WithCancel(t.Context())
		for i := range capacity {
			must(t, l.PushWait(ended, lane, i)) // has no need to wait
		}
		if err := l.TryPushBounded(lane, 0); !errors.Is(err, ErrFull) || l.Len(lane) != capacity {
			t.Errorf("a push too many: %v, Len %d; want ErrFull and %d", err, l.Len(lane), capacity)
		}
		cancel()
	})
	for want := range capacity {
		if v, _, ok := l.Pop(AllLanes); !ok || v != want {
			t.Errorf("Pop = %d, %v; want %d", v, ok, want)
		}
	}
}
