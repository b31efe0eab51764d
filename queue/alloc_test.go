package queue

import (
	"testing"
	"time"
)

// TestNoAllocations: no operation of a steady state allocates.
func TestNoAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	v := new(int)
	m, s, l := NewMPMC[*int](8), NewSPSC[*int](8), NewLanesCap[*int](4)
	small := NewLanesCap[*int](2)
	batch := []*int{v, v, v, v}
	p := new(Parker)
	x := NewIdle(2, func() bool { return l.Any(AllLanes) }, nil)
	past := time.Now()
	for name, f := range map[string]func(){
		"MPMC":         func() { m.TryPush(v); m.TryPop() },
		"MPMC single":  func() { m.TryPush(v); m.TryPopSC() },
		"MPMC batch":   func() { m.PushN(batch); m.PopN(batch) },
		"SPSC":         func() { s.TryPush(v); s.TryPop() },
		"SPSC batch":   func() { s.PushN(batch); s.PopN(batch) },
		"Lanes":        func() { must(t, l.Push(20, v)); l.Pop(AllLanes) },
		"Lanes batch":  func() { must(t, l.PushN(20, batch)); l.PopN(AllLanes, batch) },
		"Lanes refuse": func() { _ = l.PushN(3, batch); _ = l.TryPushBounded(3, v); l.PopN(AllLanes, batch) },
		"overflow": func() {
			for range 5 {
				must(t, small.Push(1, v))
			}
			for range 5 {
				small.Pop(AllLanes)
			}
		},
		"Parker": func() { p.Unpark(); p.Park(0, time.Time{}); p.Park(0, past) },
		"Idle":   func() { x.Notify(); x.Wake(1); x.Rest(0, 0, past); x.Found(0) },
	} {
		f() // the overflow list keeps a spare block from here on
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
