package sched

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime/lane"
)

func restartable(t *testing.T, p *Pool, s Spec, fn func(*Task, *Restartable) error) *Restartable {
	t.Helper()
	s.Lane = lane.Default
	r, err := p.SubmitRestartable(bg, s, fn)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// pends returns a function that pends on the event until it has fired, and an event that tells of
// its first call.
func pends(e *Event) (fn func(*Task, *Restartable) error, began *Event) {
	began = new(Event)
	return func(_ *Task, r *Restartable) error {
		began.Fire()
		if !e.Fired() {
			return r.Pend(e)
		}
		return nil
	}, began
}

// isPending waits until a Restartable whose run has begun waits.
func isPending(p *Pool, n int) {
	for {
		p.pending.mu.Lock()
		have := len(p.pending.all)
		p.pending.mu.Unlock()
		if have == n {
			return
		}
		time.Sleep(10 * time.Microsecond)
	}
}

// Very many wait without a stack each, and each is called once more when the time has come.
func TestRestartableCrowd(t *testing.T) {
	const crowd = 5000
	p := newPool(t, Options{Workers: 2, WaitingLimit: 1})
	var e Event
	var calls atomic.Int64
	var all []*Restartable
	for range crowd {
		all = append(all, restartable(t, p, Spec{Name: "watcher"}, func(_ *Task, r *Restartable) error {
			calls.Add(1)
			if !e.Fired() {
				return r.Pend(&e)
			}
			return nil
		}))
	}
	isPending(p, crowd)
	if n := len(p.Stats().Waiting); n != 0 || calls.Load() != crowd {
		t.Errorf("%d wait with a stack, %d calls", n, calls.Load())
	}
	e.Fire()
	for _, r := range all {
		await(t, r.Ended())
		if r.Err() != nil || r.Runs() != 2 {
			t.Fatalf("err = %v after %d runs", r.Err(), r.Runs())
		}
	}
	if calls.Load() != 2*crowd {
		t.Errorf("%d calls", calls.Load())
	}
}

// What ends a wait other than its event.
func TestRestartableCancelled(t *testing.T) {
	p := newPool(t, Options{Workers: 2})
	ctx, cancel := context.WithCancelCause(bg)
	for name, c := range map[string]struct {
		ctx    context.Context
		client uint64
		end    func(*Restartable)
		want   error
	}{
		"by itself":  {bg, 0, func(r *Restartable) { r.Cancel(io.EOF) }, io.EOF},
		"for nought": {bg, 0, func(r *Restartable) { r.Cancel(nil) }, context.Canceled},
		"context":    {ctx, 0, func(*Restartable) { cancel(errWhy) }, errWhy},
		"client":     {bg, 7, func(*Restartable) { p.CancelClient(7, errWhy) }, errWhy},
	} {
		var never Event
		fn, began := pends(&never)
		r, err := p.SubmitRestartable(c.ctx, Spec{Lane: lane.Default, Client: c.client}, fn)
		if err != nil {
			t.Fatal(err)
		}
		await(t, began)
		if r.Err() != nil {
			t.Errorf("%s: %v before its end", name, r.Err())
		}
		c.end(r)
		await(t, r.Ended())
		if r.Err() != c.want {
			t.Errorf("%s: err = %v", name, r.Err())
		}
		isPending(p, 0)
		if never.last != nil {
			t.Errorf("%s: the event still knows it", name)
		}
	}
	// A run that is under way is cancelled as any task.
	var began Event
	r := restartable(t, p, Spec{}, func(task *Task, _ *Restartable) error { began.Fire(); return forever(task) })
	await(t, &began)
	r.Cancel(io.EOF)
	await(t, r.Ended())
	if r.Err() != io.EOF {
		t.Errorf("err = %v", r.Err())
	}
}

func TestRestartableEnds(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	var e Event
	end := func(fn func(*Task, *Restartable) error) error {
		r := restartable(t, p, Spec{}, fn)
		await(t, r.Ended())
		return r.Err()
	}
	var pe *PanicError
	if err := end(func(_ *Task, r *Restartable) error { _ = r.Pend(&e); panic(io.EOF) }); !errors.As(err, &pe) || !errors.Is(err, io.EOF) {
		t.Errorf("panic: %v", err)
	}
	if err := end(func(*Task, *Restartable) error { return ErrPending }); err != ErrPending {
		t.Errorf("pending on nothing: %v", err)
	}
	if err := end(func(_ *Task, r *Restartable) error { _ = r.Pend(&e); return io.EOF }); err != io.EOF {
		t.Errorf("an error after Pend: %v", err)
	}
	e.Fire()
	turns := 0
	if err := end(func(_ *Task, r *Restartable) error {
		if turns++; turns < 100 {
			return r.Pend(&e) // it has fired, so the next call is at once
		}
		return nil
	}); err != nil || turns != 100 {
		t.Errorf("err = %v after %d turns", err, turns)
	}
	for _, s := range []Spec{{Lane: lane.Default, Key: "key"}, {Lane: lane.Default, Deadline: time.Now().Add(time.Hour)}} {
		if _, err := p.SubmitRestartable(bg, s, func(*Task, *Restartable) error { return nil }); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %v", s, err)
		}
	}
	if _, err := p.SubmitRestartable(bg, Spec{Lane: lane.Default}, nil); !errors.Is(err, ErrNilFunc) {
		t.Error(err)
	}
	if _, err := p.SubmitRestartable(bg, Spec{}, func(*Task, *Restartable) error { return nil }); !errors.Is(err, ErrLane) {
		t.Error(err)
	}
}

// A restartable task that pends for a time is called again on the lane that it asked for, pends on
// events on its own lane again, and leaves no timer behind, however its wait ends.
func TestRestartablePendsForATime(t *testing.T) {
	p := simulated(t, 1, Options{})
	timers := func() int {
		c := p.clock.(*simClock)
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.timers)
	}
	var lanes []lane.Lane
	var e Event
	r := restartable(t, p, Spec{}, func(task *Task, r *Restartable) error {
		switch lanes = append(lanes, task.Lane()); len(lanes) {
		case 1:
			_ = r.PendFor(time.Hour, lane.Idle) // the last call counts
			return r.PendFor(time.Minute, lane.Retry1)
		case 2:
			return r.Pend(&e)
		}
		_ = r.PendFor(time.Hour, lane.Idle)
		return nil
	})
	began := p.Now()
	p.Simulate(func() bool { return len(lanes) == 2 })
	if passed := p.Now().Sub(began); passed != time.Minute {
		t.Errorf("called again after %v", passed)
	}
	e.Fire()
	p.Simulate(r.Ended().Fired)
	if want := []lane.Lane{lane.Default, lane.Retry1, lane.Default}; !slices.Equal(lanes, want) || r.Err() != nil {
		t.Errorf("%v, %v", lanes, r.Err())
	}
	c := restartable(t, p, Spec{}, func(_ *Task, r *Restartable) error { return r.PendFor(time.Hour, lane.Idle) })
	p.Simulate(func() bool { return c.Runs() == 1 && timers() == 1 })
	c.Cancel(io.EOF)
	f := restartable(t, p, Spec{}, func(_ *Task, r *Restartable) error { _ = r.PendFor(time.Hour, lane.Idle); panic(io.EOF) })
	p.Simulate(f.Ended().Fired)
	if !c.Ended().Fired() || timers() != 0 {
		t.Errorf("ended %v; %d timers are left", c.Ended().Fired(), timers())
	}
}

// A pool that closes ends those that pend.
func TestRestartableClose(t *testing.T) {
	p := newPool(t, Options{Workers: 2})
	var never Event
	fn, began := pends(&never)
	r := restartable(t, p, Spec{}, fn)
	await(t, began)
	if err := p.Close(bg); err != nil {
		t.Errorf("Close: %v", err)
	}
	await(t, r.Ended())
	if r.Err() != ErrClosed {
		t.Errorf("err = %v", r.Err())
	}
}

// In every order that so many seeds make, each wake is used: whoever pends ends.
func TestRestartableSimulated(t *testing.T) {
	rnd := newRand(t)
	for range 20 {
		p := simulated(t, rnd.Uint64(), Options{Workers: 3})
		var events [6]Event
		var all []*Restartable
		for i := range events {
			all = append(all, restartable(t, p, Spec{}, func(task *Task, r *Restartable) error {
				task.Yield()
				if i > 0 && !events[i-1].Fired() {
					return r.Pend(&events[i-1])
				}
				task.Yield()
				events[i].Fire()
				return nil
			}))
		}
		p.Simulate(nil)
		for i, r := range all {
			if !r.Ended().Fired() || r.Err() != nil || r.Runs() > 2 {
				t.Errorf("%d: ended %v, %v, %d runs", i, r.Ended().Fired(), r.Err(), r.Runs())
			}
		}
	}
}
