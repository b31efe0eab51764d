package sched

import (
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
	p = simulated(t, seed, Options{Workers: 1, Hooks: Hooks{
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
