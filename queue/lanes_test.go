package queue

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"
)

func TestLaneOutOfRange(t *testing.T) {
	l := NewLanes[int]()
	for _, lane := range []int{-1, LaneCount, 32, math.MinInt, math.MaxInt} {
		for name, err := range map[string]error{
			"Push":           l.Push(lane, 1),
			"PushN":          l.PushN(lane, []int{1, 2}),
			"TryPushBounded": l.TryPushBounded(lane, 1),
			"PushWait":       l.PushWait(t.Context(), lane, 1),
		} {
			if !errors.Is(err, ErrLane) {
				t.Errorf("%s to lane %d: %v, want ErrLane", name, lane, err)
			}
		}
		if l.Len(lane) != 0 {
			t.Errorf("Len(%d) = %d", lane, l.Len(lane))
		}
	}
	if l.Any(AllLanes) || l.Occupied() != 0 {
		t.Errorf("a push that failed left something: word %#x", l.Occupied())
	}
	if l.Cap() != LaneCapacity {
		t.Errorf("Cap = %d", l.Cap())
	}
}

// TestFullLaneChangesNoOther: a bounded push that fails, and one that overflows, stay in their
// lane.
func TestFullLaneChangesNoOther(t *testing.T) {
	l := NewLanesCap[int](2)
	for i := range 2 {
		must(t, l.TryPushBounded(5, i))
	}
	if err := l.TryPushBounded(5, 2); !errors.Is(err, ErrFull) {
		t.Errorf("third bounded push: %v, want ErrFull", err)
	}
	must(t, l.Push(5, 2))
	if l.Occupied() != 1<<5 || l.Len(5) != 3 || l.Overflow(5) != 1 {
		t.Errorf("word %#x, Len %d, overflow %d", l.Occupied(), l.Len(5), l.Overflow(5))
	}
	for want := range 3 {
		if v, lane, ok := l.Pop(AllLanes); v != want || lane != 5 || !ok {
			t.Errorf("Pop = %d, %d, %v; want %d of lane 5", v, lane, ok, want)
		}
	}
}

func TestPopTakesMostUrgentOfMask(t *testing.T) {
	l := NewLanes[int]()
	for _, lane := range []int{30, 7, 0, 12} {
		must(t, l.Push(lane, lane))
	}
	for _, c := range []struct {
		mask uint32
		want int
	}{{1 << 12, 12}, {AllLanes &^ 1, 7}, {1<<7 | 1<<31, -1}, {0, -1}, {math.MaxUint32, 0}, {AllLanes, 30}, {AllLanes, -1}} {
		if v, lane, ok := l.Pop(c.mask); lane != c.want || ok != (c.want >= 0) || ok && v != c.want {
			t.Errorf("Pop(%#x) = %d, %d, %v; want lane %d", c.mask, v, lane, ok, c.want)
		}
	}
	if n, lane := l.PopN(AllLanes, nil); n != 0 || lane != -1 {
		t.Errorf("PopN into nothing = %d, %d", n, lane)
	}
}

// TestAnySeesBehindTheWord: between a popper's clearing of a bit and its second look (O6), and
// during a push, the word says less than the lanes.
func TestAnySeesBehindTheWord(t *testing.T) {
	l := NewLanesCap[int](2)
	l.PushSlowly(3, 1, func() {
		if l.Occupied() != 0 || !l.Any(AllLanes) || l.Any(AllLanes&^(1<<3)) {
			t.Errorf("during a push: word %#x, Any %v", l.Occupied(), l.Any(AllLanes))
		}
	})
	l.bits.Store(0) // what others see between O3 and O4
	if !l.Any(1 << 3) {
		t.Error("Any trusts the word")
	}
	if again := l.vacate(3); !again || l.Occupied() != 1<<3 {
		t.Errorf("the second look: %v, word %#x", again, l.Occupied())
	}
}

// TestNothingStaysAlive: a slot is zeroed when its item is popped, in rings and in overflow lists,
// by single pops and by batches that wrap around.
func TestNothingStaysAlive(t *testing.T) {
	type item = [64]int
	m, s, l := NewMPMC[*item](4), NewSPSC[*item](4), NewLanesCap[*item](2)
	batch := func(popN func([]*item) int) func() bool {
		return func() bool {
			dst := make([]*item, 4)
			return popN(dst) > 0
		}
	}
	single := func(pop func() (*item, bool)) func() bool {
		return func() bool { _, ok := pop(); return ok }
	}
	push := func(p *item) bool { return l.Push(1, p) == nil }
	for name, c := range map[string]struct {
		push func(*item) bool
		pop  func() bool
	}{
		"MPMC":        {m.TryPush, single(m.TryPop)},
		"MPMC single": {m.TryPush, single(m.TryPopSC)},
		"MPMC batch":  {m.TryPush, batch(m.PopN)},
		"SPSC":        {s.TryPush, single(s.TryPop)},
		"SPSC batch":  {s.TryPush, batch(s.PopN)},
		"Lanes":       {push, func() bool { _, _, ok := l.Pop(AllLanes); return ok }},
		"Lanes batch": {push, batch(func(dst []*item) int { n, _ := l.PopN(AllLanes, dst); return n })},
	} {
		for range 3 { // so that the batch wraps
			c.push(new(item))
			c.pop()
		}
		var seen []weak.Pointer[item]
		for range 4 {
			p := new(item)
			seen = append(seen, weak.Make(p))
			if !c.push(p) {
				t.Fatalf("%s: push failed", name)
			}
		}
		for c.pop() {
		}
		runtime.GC()
		for i, w := range seen {
			if w.Value() != nil {
				t.Errorf("%s: item %d is still alive", name, i)
			}
		}
	}
	runtime.KeepAlive(m)
	runtime.KeepAlive(s)
	runtime.KeepAlive(l)
}

// TestPushWait goes through a submitter's wait in a bubble, where "everybody waits" is a moment one
// can wait for.
func TestPushWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lane = 9
		l := NewLanesCap[int](4)
		for i := range 4 {
			must(t, l.PushWait(t.Context(), lane, i))
		}
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() { must(t, l.PushWait(t.Context(), lane, 4+i)) })
			synctest.Wait() // they come in order
		}
		if l.Crowd(lane) != 3 {
			t.Errorf("%d wait, want 3", l.Crowd(lane))
		}
		pop := func(want int) {
			if v, _, ok := l.Pop(AllLanes); !ok || v != want {
				t.Errorf("Pop = %d, %v; want %d", v, ok, want)
			}
			synctest.Wait()
		}
		pop(0)
		if l.Crowd(lane) != 3 {
			t.Errorf("called before the lane had drained to half: %d wait", l.Crowd(lane))
		}
		pop(1) // half: room for two of the three
		if l.Crowd(lane) != 1 || l.Len(lane) != 4 {
			t.Errorf("%d wait, %d in the lane; want 1 and 4", l.Crowd(lane), l.Len(lane))
		}
		pop(2)
		pop(3)
		if l.Crowd(lane) != 0 || l.Len(lane) != 3 {
			t.Errorf("%d wait, %d in the lane; want 0 and 3", l.Crowd(lane), l.Len(lane))
		}
		wg.Wait()
		var rest int // the order of two that were called together is theirs to settle
		for range 3 {
			v, _, _ := l.Pop(AllLanes)
			rest += v
		}
		if rest != 4+5+6 || l.crowded.Load() != 0 {
			t.Errorf("the rest sums up to %d; crowded word %#x", rest, l.crowded.Load())
		}
	})
}

// TestCalledWaiterKeepsItsPlace: a newcomer may take the room that a waiter was called for; the
// waiter is then first again.
func TestCalledWaiterKeepsItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lane = 9
		for stolen := false; !stolen; {
			l := NewLanesCap[string](2)
			must(t, l.PushN(lane, []string{"old", "old"}))
			var wg sync.WaitGroup
			for _, v := range []string{"first", "second"} {
				wg.Go(func() { must(t, l.PushWait(t.Context(), lane, v)) })
				synctest.Wait()
			}
			l.Pop(AllLanes)                                    // calls the first
			stolen = l.TryPushBounded(lane, "newcomer") == nil // or else the first was quicker
			synctest.Wait()
			var order []string
			for {
				v, _, ok := l.Pop(AllLanes)
				if !ok {
					break
				}
				order = append(order, v)
				synctest.Wait()
			}
			wg.Wait()
			if want := []string{"old", "newcomer", "first", "second"}; stolen && !slices.Equal(order, want) {
				t.Errorf("got %v, want %v", order, want)
			}
		}
	})
}

func TestPushWaitCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lane = 9
		l := NewLanesCap[int](2)
		done, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("the editor has closed")
		cancel(reason)
		if err := l.PushWait(done, lane, 1); !errors.Is(err, reason) || l.Any(AllLanes) {
			t.Errorf("with a context that has ended: %v, lane %d", err, l.Len(lane))
		}
		must(t, l.PushN(lane, []int{1, 2, 3}))
		late, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		if err := l.PushWait(late, lane, 4); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without room: %v", err)
		}
		if l.Crowd(lane) != 0 || l.crowded.Load() != 0 || l.Len(lane) != 3 {
			t.Errorf("left behind: crowd %d, word %#x, %d items", l.Crowd(lane), l.crowded.Load(), l.Len(lane))
		}
	})
}

// TestCallIsPassedOn: a waiter that is called and goes away nevertheless passes the call on (W4).
func TestCallIsPassedOn(t *testing.T) {
	const lane = 2
	l := NewLanesCap[int](2)
	first, second := &waiter{called: make(chan struct{}, 1)}, &waiter{called: make(chan struct{}, 1)}
	l.join(lane, first, false)
	l.join(lane, second, false)
	q := &l.lanes[lane]
	q.mu.Lock()
	l.call(lane, 1)
	q.mu.Unlock()
	if len(first.called) != 1 || len(second.called) != 0 {
		t.Fatalf("called: %d, %d", len(first.called), len(second.called))
	}
	l.quit(lane, first)
	if len(second.called) != 1 || l.Crowd(lane) != 0 || l.crowded.Load() != 0 {
		t.Errorf("after the first has gone: second called %d, crowd %d", len(second.called), l.Crowd(lane))
	}
	l.quit(lane, second) // nobody left to pass it to
}
