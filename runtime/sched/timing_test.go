package sched

import (
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime/lane"
)

// Every task that comes from outside for a client is timed, and the first of the others and each
// 256th after it. What a task waits is not what it runs. The clock is a simulated one.
func TestTimes(t *testing.T) {
	p := simulated(t, 1, Options{Workers: 1})
	const own = 2*sampleEvery + 1
	for range own {
		if err := p.Go(bg, Spec{Lane: lane.Idle}, func(*Task) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	var handles []*Handle
	for range 5 {
		h, err := p.Submit(bg, Spec{Lane: lane.RPC2, Client: 7}, func(t *Task) error { return t.Sleep(3 * time.Millisecond) })
		if err != nil {
			t.Fatal(err)
		}
		handles = append(handles, h)
	}
	for _, h := range handles {
		if err := h.Wait(bg); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Close(bg); err != nil {
		t.Fatal(err)
	}
	all := p.Times()
	if l := all[lane.Idle.Index()]; l.Queued.Count() != 3 || l.Ran.Count() != 3 || l.Waited.Count() != 0 {
		t.Errorf("of %d tasks of the engine's own, %d queued, %d ran, %d waited, want 3, 3, 0", own, l.Queued.Count(), l.Ran.Count(), l.Waited.Count())
	}
	l := all[lane.RPC2.Index()]
	if l.Queued.Count() != 5 || l.Ran.Count() != 5 || l.Waited.Count() != 5 {
		t.Errorf("of 5 tasks of a client, %d queued, %d ran, %d waited", l.Queued.Count(), l.Ran.Count(), l.Waited.Count())
	}
	if w, r := l.Waited.Below(0), l.Ran.Below(1); w < 3*time.Millisecond || r > 2*time.Microsecond {
		t.Errorf("they waited %v at least, want 3ms; they ran up to %v, want nothing", w, r)
	}
}
