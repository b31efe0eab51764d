package queue

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// A ring is what MPMC and SPSC have in common.
type ring interface {
	TryPush(int) bool
	TryPop() (int, bool)
	PushN([]int) int
	PopN([]int) int
	Len() int
	Empty() bool
	Cap() int
}

// soleConsumer makes TryPopSC stand in for TryPop.
type soleConsumer struct{ *MPMC[int] }

func (s soleConsumer) TryPop() (int, bool) { return s.TryPopSC() }

func TestRingModel(t *testing.T) {
	starts := []uint64{0, 1, math.MaxUint64, math.MaxUint64 - 2, math.MaxUint64 - 100, 1<<63 - 3}
	kinds := map[string]func(capacity int, start uint64) ring{
		"MPMC": func(c int, s uint64) ring { return NewMPMCAt[int](c, s) },
		"SC":   func(c int, s uint64) ring { return soleConsumer{NewMPMCAt[int](c, s)} },
		"SPSC": func(c int, s uint64) ring { return NewSPSCAt[int](c, s) },
	}
	for kind, mk := range kinds {
		for _, capacity := range []int{2, 4, 8, 64, 2 * spacedMax} {
			for _, start := range starts {
				t.Run(fmt.Sprintf("%s/cap=%d/start=%#x", kind, capacity, start), func(t *testing.T) {
					checkRing(t, mk(capacity, start))
				})
			}
		}
	}
}

// checkRing compares a ring with a slice under random calls.
func checkRing(t *testing.T, r ring) {
	rng := newRand(t)
	var model []int
	next := 1
	fresh := func(n int) []int {
		vs := make([]int, n)
		for i := range vs {
			vs[i] = next
			next++
		}
		return vs
	}
	steps := 3000
	if r.Cap() > 64 {
		steps = 200 // of large batches
	}
	for range steps {
		free := r.Cap() - len(model)
		switch op := rng.IntN(4); op {
		case 0:
			v := fresh(1)
			if got, want := r.TryPush(v[0]), free > 0; got != want {
				t.Fatalf("TryPush = %v with %d free", got, free)
			} else if got {
				model = append(model, v...)
			}
		case 1:
			v, ok := r.TryPop()
			if ok != (len(model) > 0) || ok && v != model[0] {
				t.Fatalf("TryPop = %d, %v, model %v", v, ok, model)
			}
			if ok {
				model = model[1:]
			}
		case 2:
			vs := fresh(rng.IntN(r.Cap() + 3))
			got := r.PushN(vs)
			if got != min(len(vs), free) {
				t.Fatalf("PushN(%d) = %d with %d free", len(vs), got, free)
			}
			model = append(model, vs[:got]...)
		case 3:
			dst := make([]int, rng.IntN(r.Cap()+3))
			got := r.PopN(dst)
			if got != min(len(dst), len(model)) || !slices.Equal(dst[:got], model[:got]) {
				t.Fatalf("PopN(%d) = %v, model %v", len(dst), dst[:got], model)
			}
			model = model[got:]
		}
		if r.Len() != len(model) || r.Empty() != (len(model) == 0) {
			t.Fatalf("Len %d, Empty %v, model has %d", r.Len(), r.Empty(), len(model))
		}
	}
}

func TestRingCapacity(t *testing.T) {
	for _, c := range []struct{ ask, want int }{{math.MinInt, 2}, {-1, 2}, {0, 2}, {1, 2}, {2, 2}, {3, 4}, {4, 4}, {5, 8}, {4096, 4096}, {4097, 8192}} {
		if got := NewMPMC[int](c.ask).Cap(); got != c.want {
			t.Errorf("NewMPMC(%d).Cap() = %d, want %d", c.ask, got, c.want)
		}
		if got := NewSPSC[int](c.ask).Cap(); got != c.want {
			t.Errorf("NewSPSC(%d).Cap() = %d, want %d", c.ask, got, c.want)
		}
	}
	if got := ringCapacity(math.MaxInt); got != MaxCapacity {
		t.Errorf("ringCapacity(MaxInt) = %d, want %d", got, MaxCapacity)
	}
}

// TestLanesModel compares a set of lanes with 31 slices under random calls, with rings so small
// that most of the items go through the overflow lists.
func TestLanesModel(t *testing.T) {
	for _, capacity := range []int{2, 8} {
		t.Run(fmt.Sprintf("cap=%d", capacity), func(t *testing.T) {
			rng := newRand(t)
			l := NewLanesCap[int](capacity)
			for i := range LaneCount {
				l.SetLaneCounters(i, math.MaxUint64-rng.Uint64N(20))
			}
			var model [LaneCount][]int
			next := 0
			for step := range 60000 {
				lane := rng.IntN(LaneCount)
				// Phases of mostly pushing and mostly popping, so that lists grow and drain.
				switch op := rng.IntN(10); {
				case op < 2+4*(step/3000%2):
					next++
					switch rng.IntN(3) {
					case 0:
						if err := l.Push(lane, next); err != nil {
							t.Fatal(err)
						}
						model[lane] = append(model[lane], next)
					case 1:
						vs := []int{next, next + 1, next + 2}[:rng.IntN(4)]
						next += 2
						if err := l.PushN(lane, vs); err != nil {
							t.Fatal(err)
						}
						model[lane] = append(model[lane], vs...)
					case 2:
						err := l.TryPushBounded(lane, next)
						if err == nil {
							model[lane] = append(model[lane], next)
						} else if err != ErrFull || len(model[lane]) < capacity {
							t.Fatalf("TryPushBounded: %v with %d items", err, len(model[lane]))
						}
						if err == nil && len(model[lane]) > capacity {
							t.Fatalf("bounded push made it %d items", len(model[lane]))
						}
					}
				default:
					mask := rng.Uint32()
					want := -1
					for i := range LaneCount {
						if mask&(1<<i) != 0 && len(model[i]) > 0 {
							want = i
							break
						}
					}
					if rng.IntN(2) == 0 {
						v, got, ok := l.Pop(mask)
						if got != want || ok != (want >= 0) || ok && v != model[want][0] {
							t.Fatalf("Pop(%#x) = %d, %d, %v; want lane %d", mask, v, got, ok, want)
						}
						if ok {
							model[want] = model[want][1:]
						}
						break
					}
					dst := make([]int, 1+rng.IntN(5))
					n, got := l.PopN(mask, dst)
					if got != want || (n > 0) != (want >= 0) || n > 0 && !slices.Equal(dst[:n], model[want][:n]) {
						t.Fatalf("PopN(%#x) = %v of lane %d; want lane %d", mask, dst[:n], got, want)
					}
					if n > 0 {
						model[want] = model[want][n:]
					}
				}
				if got := l.Len(lane); got != len(model[lane]) {
					t.Fatalf("Len(%d) = %d, want %d", lane, got, len(model[lane]))
				}
				for i := range LaneCount {
					if len(model[i]) > 0 && l.Occupied()&(1<<i) == 0 {
						t.Fatalf("lane %d holds %d items and its bit is clear", i, len(model[i]))
					}
				}
			}
		})
	}
}
