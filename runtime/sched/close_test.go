package sched

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/runtime/lane"
)

func ended() context.Context {
	ctx, cancel := context.WithCancelCause(bg)
	cancel(errWhy)
	return ctx
}

// Close with time waits for queued, running and waiting tasks, and for what they spawn.
func TestCloseDrains(t *testing.T) {
	p := newPool(t, Options{Workers: 2})
	var ran atomic.Int64
	var e Event
	for range 100 {
		submit(t, p, Spec{}, func(task *Task) error {
			ran.Add(1)
			if err := task.Await(&e); err != nil {
				return err
			}
			spawn(t, task, Spec{Lane: lane.Idle}, func(*Task) error { ran.Add(1); return nil })
			return nil
		})
	}
	closed := make(chan error)
	go func() { closed <- p.Close(bg) }()
	for p.phase.Load() == open {
		time.Sleep(time.Microsecond)
	}
	if _, err := p.Submit(bg, Spec{Lane: lane.Default}, forever); !errors.Is(err, ErrClosed) {
		t.Errorf("Submit while closing: %v", err)
	}
	e.Fire()
	if err := <-closed; err != nil || ran.Load() != 200 {
		t.Errorf("Close = %v, %d ran", err, ran.Load())
	}
	if err := p.Close(ended()); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// Close without time cancels everything at once: waiting tasks run their deferred functions, queued
// ones do not start.
func TestCloseAtOnce(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	var deferred, began atomic.Int64
	var hs []*Handle
	for range 10 {
		hs = append(hs, started(t, p, bg, Spec{}, func(task *Task) error {
			defer deferred.Add(1)
			return forever(task)
		}))
	}
	release := make(chan struct{})
	holding := started(t, p, bg, Spec{}, func(task *Task) error {
		<-release
		return task.Err()
	})
	for range 10 {
		hs = append(hs, submit(t, p, Spec{}, func(*Task) error { began.Add(1); return nil }))
	}
	hs = append(hs, holding)
	closed := make(chan error)
	go func() { closed <- p.Close(ended()) }()
	for p.killed.Load() == nil {
		time.Sleep(time.Microsecond)
	}
	close(release)
	err := <-closed
	var ce *CloseError
	if !errors.As(err, &ce) || !errors.Is(err, errWhy) || len(ce.Stuck) != 0 {
		t.Errorf("Close = %v", err)
	}
	for _, h := range hs {
		if err := wait(t, h); err != ErrClosed {
			t.Errorf("task %d: %v", h.ID(), err)
		}
	}
	if deferred.Load() != 10 || began.Load() != 0 {
		t.Errorf("%d deferred, %d began", deferred.Load(), began.Load())
	}
}

// A task that goes on waiting although it was told is unwound, and its deferred functions run, even
// if it recovers.
func TestCloseUnwinds(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	var deferred atomic.Int64
	stubborn := started(t, p, bg, Spec{}, func(task *Task) error {
		defer deferred.Add(1)
		for {
			_ = forever(task)
		}
	})
	recovers := started(t, p, bg, Spec{}, func(task *Task) error {
		for range 3 {
			func() {
				defer func() { _ = recover() }()
				_ = forever(task)
				_ = task.Sleep(time.Hour)
			}()
		}
		return errWhy
	})
	tidy := started(t, p, bg, Spec{}, func(task *Task) error {
		err := forever(task)
		return errors.Join(err, task.Blocking(func() error { deferred.Add(1); return nil }))
	})
	if err := p.Close(ended()); !errors.Is(err, errWhy) {
		t.Error(err)
	}
	if err := wait(t, stubborn); err != ErrClosed {
		t.Errorf("stubborn: %v", err)
	}
	if err := wait(t, recovers); err != errWhy {
		t.Errorf("recovers: %v", err)
	}
	if err := wait(t, tidy); !errors.Is(err, ErrClosed) || deferred.Load() != 2 {
		t.Errorf("tidy: %v, %d", err, deferred.Load())
	}
}

// A task that ignores everything is named, and the pool is over once it has ended after all.
func TestCloseNamesTheStuck(t *testing.T) {
	p := newPool(t, Options{Workers: 1, CloseGrace: time.Millisecond})
	release := make(chan struct{})
	started(t, p, bg, Spec{}, forever)
	started(t, p, bg, Spec{Name: "deaf"}, func(task *Task) error {
		return task.Blocking(func() error { <-release; return nil })
	})
	var ce *CloseError
	const stuck = `task 2 "deaf" (waits for a blocking call)`
	for end := time.Now().Add(patience); ; { // the other task, and the wake of this one, may take a moment on a busy machine
		err := p.Close(ended())
		if errors.As(err, &ce) && len(ce.Stuck) == 1 && ce.Stuck[0] == stuck {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("Close = %v", err)
		}
	}
	close(release)
	if err := p.Close(bg); !errors.As(err, &ce) || len(ce.Stuck) != 0 {
		t.Errorf("second Close = %v", err)
	}
}

// Submitters that wait for room are let go when the pool closes or their context ends.
func TestBackPressure(t *testing.T) {
	s := newStage(t, Options{QueueLimit: 4})
	nop := func(*Task) error { return nil }
	for range 4 {
		s.queue(lane.Default, "queued")
	}
	ctx, cancel := context.WithCancelCause(bg)
	results := make(chan error)
	for _, c := range []context.Context{ctx, bg, bg} {
		go func() {
			h, err := s.p.Submit(c, Spec{Lane: lane.Default}, nop)
			if err == nil {
				err = h.Wait(bg)
			}
			results <- err
		}()
	}
	// Other lanes have room, and a full lane never sends its tasks elsewhere.
	s.queue(lane.Idle, "elsewhere")
	for s.p.Stats().Lanes[lane.Default.Index()].Submitted != 7 {
		time.Sleep(time.Microsecond)
	}
	cancel(errWhy)
	if err := <-results; !errors.Is(err, errWhy) {
		t.Errorf("the context ended: %v", err)
	}
	if st := s.p.Stats(); st.Lanes[lane.Default.Index()].Queued != 4 || st.Lanes[lane.Idle.Index()].Queued != 1 || st.Total().Queued != 5 {
		t.Errorf("%+v", st.Total())
	}
	got := s.play()
	if err := errors.Join(<-results, <-results); err != nil {
		t.Errorf("after room was made: %v", err)
	}
	if len(got) != 5 {
		t.Error(got)
	}
	s.hold()
	for range 4 {
		s.queue(lane.Default, "queued")
	}
	go func() {
		_, err := s.p.Submit(bg, Spec{Lane: lane.Default}, nop)
		results <- err
	}()
	for s.p.Stats().Lanes[lane.Default.Index()].Submitted != 12 {
		time.Sleep(time.Microsecond)
	}
	closed := make(chan error)
	go func() { closed <- s.p.Close(bg) }()
	if err := <-results; !errors.Is(err, ErrClosed) {
		t.Errorf("the pool closed: %v", err)
	}
	close(s.release)
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// The epoch is entered before a task's function, left across waits and after the end.
func TestEpochs(t *testing.T) {
	d := epoch.NewDomain()
	p := newPool(t, Options{Workers: 1, Epochs: d})
	var e, waits Event
	pinned := func() int { return d.Stats().Pinned }
	h := submit(t, p, Spec{}, func(task *Task) error {
		if pinned() != 1 {
			t.Error("not pinned at the start")
		}
		d.TryAdvance()
		task.Refresh()
		if !d.TryAdvance() {
			t.Error("Refresh did not move the pin")
		}
		waits.Fire()
		if err := task.Await(&e); err != nil {
			return err
		}
		if pinned() != 1 {
			t.Error("not pinned after a wait")
		}
		panic("leaves all the same")
	})
	await(t, &waits)
	for len(p.Stats().Waiting) == 0 || pinned() != 0 {
		time.Sleep(time.Microsecond)
	}
	e.Fire()
	wait(t, h)
	if err := p.Close(bg); err != nil {
		t.Error(err)
	}
	if st := d.Stats(); st.Pinned != 0 || st.Participants != 0 {
		t.Errorf("%+v", st)
	}
}
