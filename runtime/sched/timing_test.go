package sched

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/latency"
)

// Every task that comes from outside for a client is timed, and the first of the others and each
// 256th after it. What a task waits is not what it runs, whatever the simulated clock does.
func TestTimes(t *testing.T) {
	waits := uint64(0)
	for seed := range uint64(40) {
		waits += timesAsSeen(t, seed)
	}
	if waits == 0 {
		t.Error("no task has waited")
	}
}

// timesAsSeen compares what a pool counts with what the tasks, and hooks where they wait, see of
// the clock. It returns how many tasks have waited.
func timesAsSeen(t *testing.T, seed uint64) uint64 {
	t.Helper()
	var p *Pool
	var queued, waited, ran latency.Recorder
	parked := map[uint64]time.Duration{}
	p = simulated(t, seed, Options{Workers: 1, StandIns: -1, Hooks: Hooks{
		OnWait:   func(i TaskInfo) { parked[i.ID] -= p.now() },
		OnResume: func(i TaskInfo) { parked[i.ID] += p.now() },
	}})
	const own = 2*sampleEvery + 1
	for range own {
		if err := p.Go(bg, Spec{Lane: lane.Idle}, func(*Task) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	var handles []*Handle
	const clients = 5
	for range clients {
		submitted := p.now()
		handles = append(handles, submit(t, p, Spec{Lane: lane.RPC2, Client: 7}, func(task *Task) error {
			began := p.now()
			queued.Add(began - submitted)
			err := task.Sleep(3 * time.Millisecond)
			waits := parked[task.ID()]
			if _, has := parked[task.ID()]; has {
				waited.Add(waits)
			}
			ran.Add(p.now() - began - waits)
			return err
		}))
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
		t.Errorf("seed %d: of %d tasks of the engine's own, %d queued, %d ran, %d waited, want 3, 3, 0",
			seed, own, l.Queued.Count(), l.Ran.Count(), l.Waited.Count())
	}
	want := LaneTimes{queued.Histogram(), waited.Histogram(), ran.Histogram()}
	if l := all[lane.RPC2.Index()]; l != want || l.Ran.Count() != clients {
		t.Errorf("seed %d: counted %v, want %v of %d tasks", seed, l, want, clients)
	}
	return want.Waited.Count()
}

// A task that had a stand-in and goes back to its worker, where something else runs, waits there.
func TestTimesOfTheWayHome(t *testing.T) {
	var clock atomic.Int64
	p := newPool(t, Options{Workers: 1, StandIns: 1, blind: true, now: func() time.Duration { return time.Duration(clock.Load()) }})
	var on, end, wake Event
	defer end.Fire()
	in := make(chan struct{})
	held := submit(t, p, Spec{Lane: lane.RPC2, Client: 7}, func(task *Task) error {
		if err := task.Stretch(func() error { close(in); <-on.Done(); return nil }); err != nil {
			return err
		}
		return task.Await(&wake)
	})
	<-in
	question := submit(t, p, Spec{Lane: lane.RPC0}, func(*Task) error { on.Fire(); <-end.Done(); return nil })
	<-on.Done()
	eventually(t, "gone home", func() bool { return p.Stats().StandIns.Now == 0 })
	clock.Store(int64(time.Second))
	wake.Fire()
	end.Fire()
	for _, h := range []*Handle{held, question} {
		if err := wait(t, h); err != nil {
			t.Error(err)
		}
	}
	l := p.Times()[lane.RPC2.Index()]
	if l.Ran.Below(1) > time.Microsecond || l.Waited.Count() != 1 || l.Waited.Below(0) < time.Second {
		t.Errorf("it ran less than %v and waited, %d times, less than %v; want nothing, and once a second", l.Ran.Below(1), l.Waited.Count(), l.Waited.Below(0))
	}
}
