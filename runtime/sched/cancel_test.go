package sched

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime/lane"
)

var errWhy = errors.New("why")

// started submits a task and returns when it runs; it ends with what fn returns.
func started(t *testing.T, p *Pool, ctx context.Context, s Spec, fn func(*Task) error) *Handle {
	t.Helper()
	if s.Lane == 0 {
		s.Lane = lane.Default
	}
	var running Event
	h, err := p.Submit(ctx, s, func(task *Task) error {
		running.Fire()
		return fn(task)
	})
	if err != nil {
		t.Fatal(err)
	}
	await(t, &running)
	return h
}

func forever(task *Task) error {
	var never Event
	return task.Await(&never)
}

func TestCancelWaiting(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	h := started(t, p, bg, Spec{}, forever)
	if !h.Cancel(errWhy) || h.Cancel(errors.New("later")) {
		t.Error("Cancel must tell who was first")
	}
	if err := wait(t, h); err != errWhy {
		t.Errorf("err = %v", err)
	}
	if h.Cancel(nil) {
		t.Error("Cancel after the end")
	}
	if c := p.Stats().Total().Cancelled; c != 1 {
		t.Errorf("%d cancelled", c)
	}
}

// Cancel reaches a running task, through Err and through a context that somebody else waits on.
func TestCancelRunning(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	h := started(t, p, bg, Spec{}, func(task *Task) error {
		for task.Err() == nil {
			time.Sleep(time.Microsecond)
		}
		return task.Err()
	})
	h.Cancel(errWhy)
	if err := wait(t, h); err != errWhy {
		t.Errorf("Err: %v", err)
	}
	h = started(t, p, bg, Spec{}, func(task *Task) error {
		ctx := task.Context()
		if ctx != task.Context() {
			t.Error("two contexts")
		}
		<-ctx.Done()
		return context.Cause(ctx)
	})
	h.Cancel(errWhy)
	if err := wait(t, h); err != errWhy {
		t.Errorf("Context: %v", err)
	}
}

// A queued task that is cancelled ends at once, although its worker is busy, and never runs.
func TestCancelQueued(t *testing.T) {
	s := newStage(t, Options{})
	ran := false
	h := submit(t, s.p, Spec{}, func(*Task) error { ran = true; return nil })
	h.Cancel(errWhy)
	if err := wait(t, h); err != errWhy {
		t.Error(err)
	}
	s.queue(lane.Speculative, "last")
	s.play()
	if l := s.p.Stats().Lanes[lane.Default.Index()]; ran || l.Cancelled != 1 || l.Started != 0 {
		t.Errorf("ran = %v, %+v", ran, l)
	}
}

// Cancelling a task cancels its descendants: those that wait, run, are queued, and those whose
// parent has ended.
func TestCancelFamily(t *testing.T) {
	p := newPool(t, Options{Workers: 2})
	var leaf, orphan *Handle
	var ready, stranger Event
	root := started(t, p, bg, Spec{}, func(task *Task) error {
		child := spawn(t, task, Spec{}, func(c *Task) error {
			leaf = spawn(t, c, Spec{}, forever)
			orphan = leaf
			return nil // ends before its own child
		})
		if err := task.Join(child); err != nil {
			return err
		}
		middle := spawn(t, task, Spec{}, func(c *Task) error {
			leaf = spawn(t, c, Spec{Client: 99}, func(task *Task) error {
				ready.Fire()
				return forever(task)
			})
			return c.Join(leaf)
		})
		return task.Join(middle)
	})
	other := started(t, p, bg, Spec{}, func(task *Task) error { return task.Await(&stranger) })
	await(t, &ready)
	root.Cancel(errWhy)
	for _, h := range []*Handle{root, leaf, orphan} {
		if err := wait(t, h); !errors.Is(err, errWhy) {
			t.Errorf("task %d: %v", h.ID(), err)
		}
	}
	if other.Err() != nil {
		t.Error("a stranger was cancelled")
	}
	stranger.Fire()
	if err := wait(t, other); err != nil {
		t.Error(err)
	}
}

// Ending is not cancelling: children of a task that ended go on, and cannot be cancelled through it
// any more.
func TestEndedParent(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	var e Event
	var child *Handle
	parent := submit(t, p, Spec{}, func(task *Task) error {
		child = spawn(t, task, Spec{}, func(c *Task) error { return c.Await(&e) })
		return nil
	})
	wait(t, parent)
	parent.Cancel(errWhy)
	e.Fire()
	if err := wait(t, child); err != nil {
		t.Error(err)
	}
}

func TestCancelledTaskCannotSpawn(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	h := submit(t, p, Spec{}, func(task *Task) error {
		task.Handle().Cancel(errWhy)
		if _, err := task.Spawn(Spec{}, forever); err != errWhy {
			t.Errorf("Spawn = %v", err)
		}
		return nil // ending well is allowed
	})
	if err := wait(t, h); err != nil {
		t.Error(err)
	}
	if p.Stats().Total().Completed != 1 {
		t.Error("not counted as completed")
	}
}

// A chain of tasks that each spawn the next must not keep the ended ones.
func TestChainDoesNotGrow(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	var last Event
	depth := 0
	var next func(n int) func(*Task) error
	next = func(n int) func(*Task) error {
		return func(task *Task) error {
			up := 0
			for a := task.parent.Load(); a != nil; a = a.parent.Load() {
				up++
			}
			depth = max(depth, up)
			if n == 0 {
				last.Fire()
				return nil
			}
			spawn(t, task, Spec{}, next(n-1))
			return nil
		}
	}
	submit(t, p, Spec{}, next(1000))
	await(t, &last)
	if depth > 2 {
		t.Errorf("a task keeps %d ancestors", depth)
	}
}

func TestCancelClient(t *testing.T) {
	p := newPool(t, Options{Workers: 2})
	a := started(t, p, bg, Spec{Client: 1}, forever)
	b := started(t, p, bg, Spec{Client: 2}, func(task *Task) error {
		h := spawn(t, task, Spec{Client: 1}, forever)
		if err := task.Join(h); err != errWhy {
			t.Errorf("a child on behalf of the cancelled client: %v", err)
		}
		return forever(task)
	})
	c := started(t, p, bg, Spec{Client: 1}, func(task *Task) error {
		h := spawn(t, task, Spec{Client: 3}, forever) // its parent's client is cancelled
		return task.Join(h)
	})
	for len(p.Stats().Waiting) < 5 {
		time.Sleep(10 * time.Microsecond)
	}
	p.CancelClient(0, errWhy) // nobody
	p.CancelClient(1, errWhy)
	for _, h := range []*Handle{a, c} {
		if err := wait(t, h); err != errWhy {
			t.Error(err)
		}
	}
	later := submit(t, p, Spec{Client: 1}, func(task *Task) error { return task.Err() })
	if err := wait(t, later); err != nil {
		t.Errorf("a later task of the client: %v", err)
	}
	if b.Err() != nil {
		t.Error("another client's task was cancelled")
	}
	p.CancelClient(2, nil)
	if err := wait(t, b); err != context.Canceled {
		t.Error(err)
	}
}

func TestContextCancels(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	type keyType struct{}
	ctx, cancel := context.WithCancelCause(context.WithValue(bg, keyType{}, "value"))
	var child *Handle
	h := started(t, p, ctx, Spec{}, func(task *Task) error {
		if task.Context().Value(keyType{}) != "value" {
			t.Error("the values are lost")
		}
		child = spawn(t, task, Spec{}, forever)
		return forever(task)
	})
	for len(p.Stats().Waiting) < 2 {
		time.Sleep(10 * time.Microsecond)
	}
	cancel(errWhy)
	for _, h := range []*Handle{h, child} {
		if err := wait(t, h); err != errWhy {
			t.Error(err)
		}
	}
}

// A task's context ends with the task, so that what was started under it does too.
func TestContextEndsWithTask(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	var ctx context.Context
	h := submit(t, p, Spec{Deadline: time.Now().Add(time.Hour)}, func(task *Task) error {
		ctx = task.Context()
		if d, ok := ctx.Deadline(); !ok || time.Until(d) > time.Hour {
			t.Error("no deadline")
		}
		return ctx.Err()
	})
	if err := wait(t, h); err != nil {
		t.Error(err)
	}
	<-ctx.Done()
	if ctx := h.task().Context(); ctx.Err() == nil {
		t.Error("the context of an ended task")
	}
}

func TestDeadline(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	h := submit(t, p, Spec{Deadline: time.Now().Add(time.Millisecond)}, forever)
	if err := wait(t, h); err != context.DeadlineExceeded {
		t.Error(err)
	}
	for range 100 {
		h = submit(t, p, Spec{Deadline: time.Now().Add(-time.Hour)}, func(*Task) error { t.Error("it starts too late"); return nil })
		if err := wait(t, h); err != context.DeadlineExceeded {
			t.Error(err)
		}
	}
}

func TestAwaitUntil(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	var never, soon Event
	h := submit(t, p, Spec{}, func(task *Task) error {
		err := task.AwaitUntil(&never, time.Now().Add(time.Millisecond), Reason{})
		if err != ErrTimeout || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
		if task.Err() != nil {
			t.Error("a timeout must not cancel")
		}
		if never.last != nil || never.state.Load() != nil {
			t.Error("the event still knows the task")
		}
		time.AfterFunc(time.Millisecond, func() { soon.Fire() })
		return task.AwaitUntil(&soon, time.Now().Add(time.Hour), Reason{})
	})
	if err := wait(t, h); err != nil {
		t.Error(err)
	}
	h = submit(t, p, Spec{}, func(task *Task) error { return task.Sleep(time.Microsecond) })
	if err := wait(t, h); err != nil {
		t.Error(err)
	}
}

func TestSupersede(t *testing.T) {
	s := newStage(t, Options{})
	spec := Spec{Lane: lane.Default, Client: 1, Key: "diagnose a.txt"}
	run := func(task *Task) error { return nil }
	first := submit(t, s.p, spec, run)
	second := submit(t, s.p, spec, run)
	other := spec
	other.Client = 2
	third := submit(t, s.p, other, run)
	if err := wait(t, first); err != ErrSuperseded {
		t.Errorf("older: %v", err)
	}
	s.play()
	if err := wait(t, second); err != nil {
		t.Errorf("newer: %v", err)
	}
	if err := wait(t, third); err != nil {
		t.Errorf("another client's: %v", err)
	}
	// Ended tasks are forgotten, and a running one is superseded too.
	if n := len(s.p.keys.newest); n != 0 {
		t.Errorf("%d keys left", n)
	}
	running := started(t, s.p, bg, spec, forever)
	newer := submit(t, s.p, spec, run)
	if err := wait(t, running); err != ErrSuperseded {
		t.Error(err)
	}
	if err := wait(t, newer); err != nil {
		t.Error(err)
	}
}

// Wait gives up with its context, and the task goes on.
func TestHandleWaitContext(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	var e Event
	h := submit(t, p, Spec{Name: "goes on"}, func(task *Task) error { return task.Await(&e) })
	ctx, cancel := context.WithCancelCause(bg)
	cancel(errWhy)
	if err := h.Wait(ctx); !errors.Is(err, errWhy) || h.Err() != nil {
		t.Errorf("Wait = %v, Err = %v", err, h.Err())
	}
	e.Fire()
	if err := wait(t, h); err != nil {
		t.Error(err)
	}
}

// Cancel, wake and end race in every order; the task ends exactly once and its children are told.
func TestCancelRaces(t *testing.T) {
	p := newPool(t, Options{Workers: 2})
	var ended atomic.Int64
	const n = 2000
	var hs []*Handle
	for range n {
		var e Event
		h := submit(t, p, Spec{}, func(task *Task) error {
			child, err := task.Spawn(Spec{}, func(c *Task) error { return c.Await(&e) })
			if err != nil {
				return err
			}
			child.Ended().OnFire(func() { ended.Add(1) })
			return task.Join(child)
		})
		hs = append(hs, h)
		h.Ended().OnFire(func() { e.Fire(); ended.Add(1) })
		h.Cancel(nil)
	}
	for _, h := range hs {
		if err := wait(t, h); err != nil && err != context.Canceled {
			t.Error(err)
		}
	}
	if err := p.Close(bg); err != nil {
		t.Fatal(err)
	}
	if sum := p.Stats().Total(); sum.Ended() != sum.Submitted || ended.Load() != int64(sum.Ended()) {
		t.Errorf("%+v, %d ended", sum, ended.Load())
	}
}
