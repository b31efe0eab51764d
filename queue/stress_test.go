package queue

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/affinity"
)

// volume scales a stress test to the build.
func volume(n int) int {
	if testing.Short() || raceEnabled {
		return n / 10
	}
	return n
}

// TestMPMCStress moves numbered items through one ring by every method at once, and checks that
// each arrives exactly once and in its producer's order. The items are of two words, and of
// different ones each time a cell is used: a turn that overtook its value would show. Both layouts
// of cells take part.
func TestMPMCStress(t *testing.T) {
	for _, capacity := range []int{2, 8, 2 * spacedMax} {
		t.Run(fmt.Sprintf("cap=%d", capacity), func(t *testing.T) { stressMPMC(t, NewMPMC[[2]int](capacity)) })
	}
}

func stressMPMC(t *testing.T, r *MPMC[[2]int]) {
	const producers, consumers = 3, 3
	perProducer := volume(100_000)
	var popped atomic.Int64
	seen := make([][]atomic.Bool, producers)
	for i := range seen {
		seen[i] = make([]atomic.Bool, perProducer)
	}
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := 0; i < perProducer; {
				n := 0
				if p == 0 {
					batch := [][2]int{{p, i}, {p, i + 1}, {p, i + 2}}
					n = r.PushN(batch[:min(3, perProducer-i)])
				} else if r.TryPush([2]int{p, i}) {
					n = 1
				}
				if i += n; n == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	for c := range consumers {
		wg.Go(func() {
			last := [producers]int{-1, -1, -1}
			dst := make([][2]int, 5)
			for popped.Load() < int64(producers*perProducer) {
				n := 0
				if c == 0 {
					n = r.PopN(dst)
				} else if v, ok := r.TryPop(); ok {
					dst[0], n = v, 1
				}
				for _, v := range dst[:n] {
					if seen[v[0]][v[1]].Swap(true) {
						t.Errorf("item %v popped twice", v)
					}
					if v[1] <= last[v[0]] {
						t.Errorf("item %v after %d of the same producer", v, last[v[0]])
					}
					last[v[0]] = v[1]
				}
				popped.Add(int64(n))
				if n == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	wg.Wait()
	if !r.Empty() || r.Len() != 0 {
		t.Errorf("ring not empty at the end: Len %d", r.Len())
	}
}

func TestSPSCStress(t *testing.T) {
	n := volume(1_000_000)
	r := NewSPSC[int](8)
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; i < n; {
			k := 0
			if i%3 == 0 {
				vs := []int{i, i + 1, i + 2, i + 3}
				k = r.PushN(vs[:min(4, n-i)])
			} else if r.TryPush(i) {
				k = 1
			}
			if i += k; k == 0 {
				runtime.Gosched()
			}
		}
	})
	wg.Go(func() {
		dst := make([]int, 3)
		for want := 0; want < n; {
			k := 0
			if want%2 == 0 {
				k = r.PopN(dst)
			} else if v, ok := r.TryPop(); ok {
				dst[0], k = v, 1
			}
			for _, v := range dst[:k] {
				if v != want {
					t.Errorf("got %d, want %d", v, want)
				}
				want++
			}
			if k == 0 {
				runtime.Gosched()
			}
		}
	})
	wg.Wait()
}

// TestLanesStress is the test that lost items before the second look after clearing a bit:
// consumers stop when the occupancy word says that nothing is left, so an item with a clear bit
// stays behind.
func TestLanesStress(t *testing.T) {
	t.Run("denied", func(t *testing.T) { stressLanes(t, false) })
	t.Run("overtaken", func(t *testing.T) {
		needFences(t)
		stressLanes(t, true)
	})
}

func stressLanes(t *testing.T, overtake bool) {
	type item struct{ producer, lane, seq int }
	for _, capacity := range []int{2, 64} {
		const producers, consumers, lanes = 2, 2, 3
		perProducer := volume(150_000)
		l := NewLanesCap[item](capacity)
		for lane := range lanes {
			if overtake {
				l.OvertakeAtOnce(10 * lane)
			}
		}
		var producing atomic.Int32
		producing.Store(producers)
		var popped atomic.Int64
		var wg sync.WaitGroup
		for p := range producers {
			wg.Go(func() {
				defer producing.Add(-1)
				for i := 0; i < perProducer; {
					lane := 10 * (i % lanes)
					vs := make([]item, min(1+i%4, perProducer-i))
					for k := range vs {
						vs[k] = item{p, lane, i + k}
					}
					i += len(vs)
					if len(vs) > 1 {
						must(t, l.PushN(lane, vs))
					} else {
						must(t, l.Push(lane, vs[0]))
					}
				}
			})
		}
		for c := range consumers {
			wg.Go(func() {
				var next [producers][LaneCount]int
				dst := make([]item, 3)
				for {
					done := producing.Load() == 0
					n, lane := 0, -1
					if c == 0 {
						if v, from, ok := l.Pop(AllLanes); ok {
							dst[0], n, lane = v, 1, from
						}
					} else {
						n, lane = l.PopN(AllLanes, dst)
					}
					if n == 0 && done && l.Occupied() == 0 {
						return
					}
					popped.Add(int64(n))
					for _, v := range dst[:n] {
						if lane != v.lane {
							t.Errorf("item %v popped from lane %d", v, lane)
						}
						if at := &next[v.producer][lane]; v.seq < *at {
							t.Errorf("item %v popped after %d", v, *at-1)
						} else {
							*at = v.seq + 1
						}
					}
				}
			})
		}
		wg.Wait()
		if got, want := popped.Load(), int64(producers*perProducer); got != want {
			t.Errorf("cap %d: popped %d of %d items", capacity, got, want)
		}
	}
}

// TestPushWaitStress has more submitters than room: nobody may be forgotten, cancelled or not.
func TestPushWaitStress(t *testing.T) {
	const submitters = 6
	perSubmitter := volume(5_000)
	l := NewLanesCap[int](4)
	var pushed, popped atomic.Int64
	var wg sync.WaitGroup
	for s := range submitters {
		wg.Go(func() {
			for i := range perSubmitter {
				ctx, cancel := context.Background(), context.CancelFunc(func() {})
				if (i+s)%5 == 0 {
					ctx, cancel = context.WithTimeout(ctx, time.Duration(i%50)*time.Microsecond)
				}
				switch err := l.PushWait(ctx, 3, 1); {
				case err == nil:
					pushed.Add(1)
				case !errors.Is(err, context.DeadlineExceeded):
					t.Error(err)
				}
				cancel()
			}
		})
	}
	submitted := make(chan struct{})
	go func() { wg.Wait(); close(submitted) }()
	for done := false; ; {
		if _, _, ok := l.Pop(AllLanes); ok {
			popped.Add(1)
			continue
		}
		if done {
			break
		}
		select {
		case <-submitted:
			done = true
		default:
			runtime.Gosched()
		}
	}
	if pushed.Load() != popped.Load() || l.Crowd(3) != 0 {
		t.Errorf("pushed %d, popped %d, %d still wait", pushed.Load(), popped.Load(), l.Crowd(3))
	}
}

// TestIdleStress runs workers over lanes: whatever is pushed gets done although every worker sleeps
// whenever it can, and at rest nothing of the protocol is left over.
func TestIdleStress(t *testing.T) {
	for _, workers := range []int{1, 2, 3, 70} {
		items := volume(30_000)
		l := NewLanesCap[int](64)
		own := make([]*MPMC[int], workers)
		for i := range own {
			own[i] = NewMPMC[int](64)
		}
		var stop atomic.Bool
		var done atomic.Int64
		x := NewIdle(workers,
			func() bool { return stop.Load() || l.Any(AllLanes) },
			func(w int) bool { return !own[w].Empty() })
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				mine := func() bool {
					v, ok := own[w].TryPopSC()
					if ok {
						x.Found(w)
						done.Add(int64(v))
					}
					return ok
				}
				for !stop.Load() {
					if mine() {
						continue
					}
					if v, _, ok := l.Pop(AllLanes); ok {
						x.Found(w)
						done.Add(1)
						if v%16 == 0 { // a follow-up that only one worker can do
							to := v % workers
							for !own[to].TryPush(1) {
								if !mine() { // or two workers with full rings would wait for each other
									affinity.Relax()
								}
							}
							x.Wake(to)
						}
						continue
					}
					x.Rest(w, w%3, time.Time{})
				}
				x.Found(w)
			})
		}
		want := int64(0)
		for i := range items {
			must(t, l.Push(i%LaneCount, i))
			x.Notify()
			want++
			if i%16 == 0 {
				want++
			}
			if i%64 == 0 {
				runtime.Gosched()
			}
		}
		waitFor(t, "all work", func() bool { return done.Load() == want })
		waitFor(t, "all workers asleep", func() bool { return x.Sleepers() == workers && x.Searching() == 0 })
		for w := range workers {
			if x.HasToken(w) {
				t.Errorf("worker %d of %d sleeps on a token", w, workers)
			}
		}
		stop.Store(true)
		x.WakeAll()
		wg.Wait()
	}
}

// waitFor polls until the condition holds. The limit is generous: it turns a hang into a failure,
// and judges no speed.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("never reached: %s", what)
		}
	}
}
