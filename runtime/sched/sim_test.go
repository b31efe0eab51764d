package sched

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// simulated makes a deterministic pool.
func simulated(t testing.TB, seed uint64, o Options) *Pool {
	if o.Deterministic == nil {
		o.Deterministic = &Deterministic{}
	}
	o.Deterministic.Seed = seed
	if o.StandIns == 0 {
		o.StandIns = 2
	}
	return newPool(t, o)
}

// trail runs tasks that spawn, wait, yield and sleep, and returns what they did in what order.
func trail(t *testing.T, seed uint64) (steps []string, digest uint64) {
	p := simulated(t, seed, Options{Workers: 3})
	var e Event
	for i := range 4 {
		submit(t, p, Spec{Name: fmt.Sprint(i)}, func(task *Task) error {
			say := func(what string) { steps = append(steps, fmt.Sprintf("%d %s on %d", i, what, task.Worker())) }
			say("starts")
			child := spawn(t, task, Spec{}, func(*Task) error { say("child"); return nil })
			task.Yield()
			say("goes on")
			if i == 2 {
				e.Fire()
			}
			if err := errors.Join(task.Await(&e), task.Sleep(time.Duration(i/2)*time.Second), task.Join(child)); err != nil {
				t.Error(err)
			}
			err := task.Blocking(func() error { say("blocks"); return nil })
			say("ends")
			return err
		})
	}
	if p.Simulate(nil) {
		t.Error("no condition was given")
	}
	if sum := p.Stats().Total(); sum.Completed != 8 {
		t.Errorf("%+v", sum)
	}
	_, digest = p.Choices()
	return steps, digest
}

func TestSimulationRepeats(t *testing.T) {
	seen := map[string]bool{}
	const seeds = 20
	for seed := range uint64(seeds) {
		a, da := trail(t, seed)
		b, db := trail(t, seed)
		if !slices.Equal(a, b) || da != db {
			t.Fatalf("seed %d:\n%v\n%v", seed, a, b)
		}
		seen[strings.Join(a, "\n")] = true
	}
	if len(seen) < seeds-2 {
		t.Errorf("%d seeds made %d different runs", seeds, len(seen))
	}
}

// Planted bugs: each run shows one with some seeds and not with others.
func TestSimulationFindsRaces(t *testing.T) {
	lostUpdate := func(t *testing.T, p *Pool) bool {
		x := 0
		for range 2 {
			submit(t, p, Spec{}, func(task *Task) error {
				old := x
				err := task.Go(Spec{}, func(*Task) error { return nil })
				x = old + 1
				return err
			})
		}
		p.Simulate(nil)
		return x != 2
	}
	firesFirst := func(t *testing.T, p *Pool) bool {
		var e Event
		value, got := 0, 0
		submit(t, p, Spec{}, func(task *Task) error {
			err := task.Await(&e)
			got = value
			return err
		})
		submit(t, p, Spec{}, func(*Task) error {
			e.Fire()
			value = 1 // too late
			return nil
		})
		p.Simulate(nil)
		return got != 1
	}
	timeout := func(t *testing.T, p *Pool) bool {
		var e Event
		late := false
		submit(t, p, Spec{}, func(task *Task) error {
			late = task.AwaitUntil(&e, p.Now().Add(time.Minute), Reason{}) == ErrTimeout // long enough, surely
			return nil
		})
		submit(t, p, Spec{}, func(task *Task) error {
			for range 5 {
				task.Yield()
			}
			e.Fire()
			return nil
		})
		p.Simulate(nil)
		return late
	}
	for _, c := range []struct {
		name  string
		keep  bool
		run   func(*testing.T, *Pool) bool
		never bool
	}{
		{name: "lost update", run: lostUpdate},
		{name: "fired before the value is there", run: firesFirst},
		{name: "fired before the value is there, unnoticed", run: firesFirst, keep: true, never: true},
		{name: "slower than a timeout", run: timeout},
	} {
		const seeds = 50
		shown := 0
		for seed := range uint64(seeds) {
			p := simulated(t, seed, Options{Deterministic: &Deterministic{KeepAtWake: c.keep}})
			if c.run(t, p) {
				shown++
			}
		}
		t.Logf("%s: %d of %d seeds", c.name, shown, seeds)
		if c.never != (shown == 0) || shown == seeds {
			t.Errorf("%s: shown by %d of %d seeds", c.name, shown, seeds)
		}
	}
}

func TestSimulatedTime(t *testing.T) {
	start := time.Date(2020, 2, 2, 0, 0, 0, 0, time.UTC)
	p := simulated(t, 1, Options{Deterministic: &Deterministic{Start: start}})
	var never Event
	var order []string
	hs := []*Handle{
		submit(t, p, Spec{}, func(task *Task) error {
			err := task.Sleep(2 * time.Hour)
			order = append(order, "long")
			return err
		}),
		submit(t, p, Spec{}, func(task *Task) error {
			err := task.Sleep(time.Hour)
			order = append(order, "short")
			return err
		}),
	}
	timed := submit(t, p, Spec{Deadline: start.Add(time.Minute)}, func(task *Task) error {
		if _, ok := task.Context().Deadline(); ok {
			t.Error("a deadline that is none by any other clock")
		}
		return task.Await(&never)
	})
	for _, h := range hs {
		if err := h.Wait(bg); err != nil {
			t.Error(err)
		}
	}
	if !slices.Equal(order, []string{"short", "long"}) || p.Now().Before(start.Add(2*time.Hour)) || p.Now().After(start.Add(3*time.Hour)) {
		t.Errorf("%v at %v", order, p.Now())
	}
	if err := timed.Wait(bg); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
}

// Whoever waits drives, also with help from outside, and gives up with its context.
func TestSimulationWaits(t *testing.T) {
	p := simulated(t, 1, Options{})
	var e Event
	h := submit(t, p, Spec{}, func(task *Task) error { return task.Await(&e) })
	ctx, cancel := context.WithTimeout(bg, time.Millisecond)
	defer cancel()
	if err := h.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
	time.AfterFunc(time.Millisecond, func() { e.Fire() })
	if err := h.Wait(bg); err != nil {
		t.Error(err)
	}
	exits := submit(t, p, Spec{}, func(*Task) error { goruntime.Goexit(); return nil })
	if err := exits.Wait(bg); err != ErrGoexit {
		t.Errorf("err = %v", err)
	}
	base, end := context.WithCancelCause(bg)
	var never Event
	waits, err := p.Submit(base, Spec{Lane: lane.Default}, func(task *Task) error { return task.Await(&never) })
	if err != nil {
		t.Fatal(err)
	}
	ends := submit(t, p, Spec{}, func(*Task) error { end(io.EOF); return nil })
	if err := ends.Wait(bg); err != nil {
		t.Error(err)
	}
	if err := waits.Wait(bg); err != io.EOF {
		t.Errorf("err = %v", err)
	}
	stuck := submit(t, p, Spec{}, func(task *Task) error { return task.Await(&never) })
	if p.Simulate(stuck.Ended().Fired) {
		t.Error("ended")
	}
	done, cancel := context.WithCancel(bg)
	cancel()
	var ce *CloseError
	if err := p.Close(done); !errors.As(err, &ce) || len(ce.Stuck) > 0 {
		t.Errorf("Close: %v", err)
	}
	if err := stuck.Wait(bg); !errors.Is(err, ErrClosed) {
		t.Errorf("err = %v", err)
	}
}

// The storm of TestStress, in every order that so many seeds make, twice each.
func TestSimulatedStress(t *testing.T) {
	rnd := newRand(t)
	for range 6 {
		seed := rnd.Uint64()
		var digests [2]uint64
		for i := range digests {
			d := epoch.NewDomain()
			s := &storm{p: simulated(t, seed, Options{Workers: 1 + int(seed%3), WaitingLimit: 5, QueueLimit: 64, Epochs: d})}
			s.submit(t, rand.New(rand.NewPCG(seed, 1)), 100)
			s.p.Simulate(nil)
			for i := range s.events {
				s.events[i].Fire()
			}
			if err := s.p.Close(bg); err != nil {
				t.Fatalf("Close: %v", err)
			}
			s.verify(t, d)
			_, digests[i] = s.p.Choices()
		}
		if digests[0] != digests[1] {
			t.Errorf("seed %d does not repeat itself", seed)
		}
	}
}
