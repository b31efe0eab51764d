package queue

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cytisus/cytisus/affinity"
)

// needFences skips a test of overtaking where there is none.
func needFences(t *testing.T) {
	t.Helper()
	if <-affinity.WantRemoteFences(); lazyTurns && !affinity.RemoteFences() {
		t.Skip("this system has no fence for the threads of others, so nothing is overtaken")
	}
}

// TestStoppedPushIsOvertaken: in a lane that overtakes, what came behind stopped pushes is popped
// while they are still stopped, in order, from the ring and from the list; when they go on, their
// items come behind it.
func TestStoppedPushIsOvertaken(t *testing.T) {
	needFences(t)
	const lane, behind = 3, 12
	for name, pop := range map[string]func(*Lanes[int]) (int, bool){
		"Pop":  func(l *Lanes[int]) (int, bool) { v, _, ok := l.Pop(AllLanes); return v, ok },
		"PopN": func(l *Lanes[int]) (int, bool) { var v [1]int; n, _ := l.PopN(AllLanes, v[:]); return v[0], n == 1 },
	} {
		t.Run(name, func(t *testing.T) {
			l := NewLanesCap[int](8)
			l.Overtake(1 << lane)
			take := func(n int) (got []int) {
				for len(got) < n {
					v, ok := pop(l)
					if ok {
						got = append(got, v)
					} else if !l.Any(1 << lane) {
						break
					}
				}
				return got
			}
			var want []int
			for i := range behind {
				want = append(want, i)
			}
			l.PushSlowly(lane, 100, func() {
				l.PushSlowly(lane, 101, func() {
					must(t, l.PushN(lane, want[:3]))
					for _, v := range want[3:] {
						must(t, l.Push(lane, v))
					}
					if got := take(behind); !slices.Equal(got, want) {
						t.Errorf("popped %v from behind two stopped pushes, want %v", got, want)
					}
					if l.Len(lane) != 0 || l.Alarms(lane) != 2 {
						t.Errorf("Len %d, %d alarms; want 0 and one for each stopped push", l.Len(lane), l.Alarms(lane))
					}
					must(t, l.Push(lane, 50))
				})
			})
			if got := take(4); !slices.Equal(got, []int{50, 101, 100}) {
				t.Errorf("popped %v at the end, want 50 and what the stopped pushes pushed again", got)
			}
			if l.Alarms(lane) != 0 || l.Len(lane) != 0 {
				t.Errorf("%d alarms at rest, Len %d", l.Alarms(lane), l.Len(lane))
			}
		})
	}
}

// TestOnlyWhatStopsIsOvertaken: a ticket has to be denied for a while, and not to be there, before
// it is given up.
func TestOnlyWhatStopsIsOvertaken(t *testing.T) {
	needFences(t)
	const lane = 3
	l := NewLanesCap[int](8)
	l.Overtake(1 << lane)
	q := &l.lanes[lane]
	if q.ring.giveUp(0) {
		t.Error("a ticket that no push has claimed was given up")
	}
	must(t, l.Push(lane, 1))
	if q.ring.giveUp(0) {
		t.Error("a ticket with an item was given up")
	}
	l.Pop(AllLanes)
	l.PushSlowly(lane, 2, func() {
		if q.overtaking.due(1) {
			t.Error("a ticket is due when it is denied for the first time")
		}
		if q.ring.giveUp(0) {
			t.Error("a ticket behind the head was given up")
		}
	})
	if v, _, ok := l.Pop(AllLanes); !ok || v != 2 {
		t.Errorf("Pop = %d, %v", v, ok)
	}
	l.PushSlowly(lane+1, 3, func() { // a lane that does not overtake
		must(t, l.Push(lane+1, 4))
		for range 100 {
			if v, _, ok := l.Pop(AllLanes); ok {
				t.Fatalf("Pop = %d, past a stopped push of a lane that does not overtake", v)
			}
			affinity.Yield()
		}
	})
}

// TestGivenUpMakesRoom: a submitter that waits for room is called also if the lane has drained by
// way of tickets that were given up.
func TestGivenUpMakesRoom(t *testing.T) {
	needFences(t)
	const lane = 3
	l := NewLanesCap[int](2)
	l.OvertakeAtOnce(lane)
	l.PushSlowly(lane, 1, func() {
		l.PushSlowly(lane, 2, func() {
			w := &waiter{called: make(chan struct{}, 1)}
			l.join(lane, w, false)
			l.occupy(lane) // as pushes do that have returned
			for l.Any(AllLanes) {
				l.Pop(AllLanes)
			}
			if len(w.called) != 1 || l.Crowd(lane) != 0 {
				t.Errorf("called %d times, %d wait", len(w.called), l.Crowd(lane))
			}
		})
	})
}

// TestGivenUpIsNoticed is T1 to T6 as a litmus test: a push, and a pop that gives up on it, from a
// standing start, over and over. Either the pop sees the item or the push sees the alarm, so the
// item comes out. The items are long, so that the turn is on its way for long, behind them. Without
// the fence an item is lost in every second or third run.
func TestGivenUpIsNoticed(t *testing.T) {
	needFences(t)
	type item [128]int
	const lane = 3
	rounds := volume(50_000)
	l := NewLanesCap[item](1 << 14)
	l.OvertakeAtOnce(lane)
	q := &l.lanes[lane]
	var turn atomic.Int64 // 2r+1: round r runs; 2r+2: the push is done
	var stop atomic.Bool
	var pusher sync.WaitGroup
	pusher.Go(func() {
		for r := range int64(rounds) {
			for turn.Load() < 2*r+1 {
				if stop.Load() {
					return
				}
				runtime.Gosched()
			}
			must(t, l.Push(lane, item{int(r)}))
			turn.Add(1)
		}
	})
	defer pusher.Wait()
	defer stop.Store(true)
	gaveUp, before := 0, uint64(0)
	for r := range int64(rounds) {
		turn.Add(1)
		for i := 0; i < 1000 && q.ring.tail.Load() == before; i++ { // the claim is the moment
			continue
		}
		for turn.Load() < 2*r+2 {
			q.overtake()
			runtime.Gosched()
		}
		if q.ring.tail.Load() != before+1 { // it was pushed again
			gaveUp++
		}
		before = q.ring.tail.Load()
		v, _, ok := l.Pop(AllLanes)
		if !ok || int64(v[0]) != r || l.Alarms(lane) != 0 {
			t.Fatalf("round %d: popped item %d, %v; %d alarms", r, v[0], ok, l.Alarms(lane))
		}
	}
	t.Logf("%d of %d were given up", gaveUp, rounds)
}
