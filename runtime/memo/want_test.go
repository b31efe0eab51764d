package memo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/cytisus/cytisus/runtime/sched"
)

var errWhy = errors.New("why")

// seeds runs a test in many orders of its tasks.
func seeds(t *testing.T, n uint64, fn func(t *testing.T, r *rig)) {
	for seed := range n {
		ok := t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { fn(t, newRig(t, seed, Options{})) })
		if !ok {
			return
		}
	}
}

// gated defines a query that waits for a gate, and counts how often it began and how it ended.
func (r *rig) gated(name string, gate *sched.Event, began *int, ended *error) {
	r.query(name, func(f *Frame, key string) (string, error) {
		*began++
		err := f.Strand().Task.Await(gate)
		if ended != nil {
			*ended = err
		}
		return name + " of " + key, err
	})
}

// Two ask; whichever runs is cancelled: the other gets the answer of that very run.
func TestSharedRunSurvivesItsRunner(t *testing.T) {
	seeds(t, 40, func(t *testing.T, r *rig) {
		var gate sched.Event
		began, runner := 0, uint64(0)
		r.query("slow", func(f *Frame, key string) (string, error) {
			began++
			runner = f.Strand().Task.ID()
			ctx := f.Strand().Task.Context()
			if err := f.Strand().Task.Await(&gate); err != nil || ctx.Err() != nil {
				t.Errorf("the run was told to stop: %v, %v", err, ctx.Err())
			}
			return "answer", nil
		})
		a, b := r.ask("slow", "k"), r.ask("slow", "k")
		r.settle()
		if a.ID() != runner {
			a, b = b, a
		}
		a.Cancel(errWhy)
		r.settle()
		gate.Fire()
		r.settle()
		if err := b.Wait(context.Background()); err != nil || b.answer != "answer" || began != 1 {
			t.Errorf("answer %q, %v, after %d runs", b.answer, err, began)
		}
		_ = a.Wait(context.Background())
		r.want("slow", "k", "answer")
		if began != 1 {
			t.Errorf("ran again: the result was not kept")
		}
	})
}

// The last of several to lose interest stops the run, whoever it is.
func TestUnwantedRunStops(t *testing.T) {
	seeds(t, 40, func(t *testing.T, r *rig) {
		var never sched.Event
		began, why := 0, error(nil)
		r.gated("slow", &never, &began, &why)
		asks := []*asked{r.ask("slow", "k"), r.ask("slow", "k"), r.ask("slow", "k")}
		r.settle()
		for i, a := range asks {
			if why != nil {
				t.Errorf("the run stopped while %d want it: %v", len(asks)-i, why)
			}
			a.Cancel(errWhy)
			r.settle()
		}
		if began != 1 || why != errWhy {
			t.Errorf("the run ended with %v after %d starts", why, began)
		}
		for _, a := range asks {
			if err := a.Wait(context.Background()); !errors.Is(err, errWhy) {
				t.Errorf("a requester got %v", err)
			}
		}
		if r.table.entry(r.queries["slow"], "k").flights != nil {
			t.Error("the flight is left behind")
		}
	})
}

// A run stops although nobody calls the scheduler in it: through the context, and when the context
// of the submission ends.
func TestUnwantedRunSeesItsContextEnd(t *testing.T) {
	r := newRig(t, 1, Options{})
	var inside, goOn sched.Event
	r.query("slow", func(f *Frame, key string) (string, error) {
		task := f.Strand().Task
		ctx := task.Context()
		inside.Fire()
		<-ctx.Done()
		if context.Cause(ctx) != io.EOF {
			t.Errorf("cause is %v", context.Cause(ctx))
		}
		goOn.Fire()
		return "", ctx.Err()
	})
	ctx, end := context.WithCancelCause(context.Background())
	go func() { <-inside.Done(); end(io.EOF) }()
	h := r.task(ctx, func(f *Frame) error { _, err := r.get(f, "slow", "k"); return err })
	r.settle()
	if !goOn.Fired() || !errors.Is(h.Err(), io.EOF) {
		t.Errorf("ended with %v", h.Err())
	}
}

// Only what others wait for goes on: here the query below, not the one that its runner was asked
// for.
func TestRunGoesOnAsFarAsItIsWanted(t *testing.T) {
	seeds(t, 40, func(t *testing.T, r *rig) {
		var gate, never sched.Event
		lowBegan, highBegan := 0, 0
		var highEnded error
		r.gated("low", &gate, &lowBegan, nil)
		r.query("high", func(f *Frame, key string) (string, error) {
			highBegan++
			if _, err := r.get(f, "low", key); err != nil {
				return "", err
			}
			highEnded = f.Strand().Task.Await(&never)
			return "", highEnded
		})
		high := r.ask("high", "k")
		r.settle()
		low := r.ask("low", "k")
		r.settle()
		high.Cancel(errWhy)
		r.settle()
		gate.Fire()
		r.settle()
		if err := low.Wait(context.Background()); err != nil || low.answer != "low of k" || lowBegan != 1 {
			t.Errorf("low: %q, %v, after %d runs", low.answer, err, lowBegan)
		}
		if err := high.Wait(context.Background()); !errors.Is(err, errWhy) || highBegan != 1 || highEnded != errWhy {
			t.Errorf("high: %v, %v after %d runs", err, highEnded, highBegan)
		}
	})
}

// Parallel helpers belong to the run that asked for them, and to others who wait for what they
// compute.
func TestHelpersGoOnAsFarAsTheyAreWanted(t *testing.T) {
	seeds(t, 40, func(t *testing.T, r *rig) {
		var gate sched.Event
		began := 0
		r.gated("part", &gate, &began, nil)
		r.query("whole", func(f *Frame, key string) (string, error) {
			_, err := r.table.All(f, r.queries["part"], []string{"1", "2", "3", "4"}, 2, r.spawner(f))
			return "whole", err
		})
		a, b := r.ask("whole", "k"), r.ask("whole", "k")
		r.settle()
		third := r.ask("part", "3")
		a.Cancel(errWhy)
		r.settle()
		gate.Fire()
		r.settle()
		if err := b.Wait(context.Background()); err != nil || b.answer != "whole" || began != 4 {
			t.Errorf("%q, %v: %d runs of parts, want 4", b.answer, err, began)
		}
		if err := third.Wait(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// spawner starts helpers as package runtime does.
func (r *rig) spawner(f *Frame) Spawner {
	return func(helpers int, fn func(*Frame)) error {
		for range helpers {
			snap, err := r.db.SnapshotAt(f.Strand().Snap.Gen()) // it outlives who spawned it
			if err != nil {
				return err
			}
			h, err := f.Strand().Task.Spawn(sched.Spec{}, func(task *sched.Task) error {
				fn(r.table.Root(&Strand{Task: task, Snap: snap}))
				return nil
			})
			if err != nil {
				snap.Release()
				return err
			}
			h.Ended().OnFire(snap.Release)
		}
		return nil
	}
}

// An error of the function is an answer for all who wait, also when whoever ran it is cancelled.
func TestErrorOfACancelledRunnerIsAnAnswer(t *testing.T) {
	seeds(t, 20, func(t *testing.T, r *rig) {
		var gate sched.Event
		began := 0
		r.query("fails", func(f *Frame, key string) (string, error) {
			began++
			if err := f.Strand().Task.Await(&gate); err != nil {
				return "", err
			}
			return "", io.ErrUnexpectedEOF
		})
		a, b := r.ask("fails", "k"), r.ask("fails", "k")
		r.settle()
		a.Cancel(errWhy)
		r.settle()
		gate.Fire()
		r.settle()
		errA, errB := a.Wait(context.Background()), b.Wait(context.Background())
		if !errors.Is(errB, io.ErrUnexpectedEOF) || errA == nil || began != 1 {
			t.Errorf("%v and %v after %d runs", errA, errB, began)
		}
	})
}

// A task that is cancelled begins no run, so a function that goes on after errors does not have all
// below it run at each level again.
func TestCancelledTaskBeginsNoRun(t *testing.T) {
	r := newRig(t, 1, Options{})
	runs := 0
	r.query("fails", func(*Frame, string) (string, error) { runs++; return "", errMesh })
	below := "fails"
	for level := range 5 {
		from := below
		below = r.query(fmt.Sprint("level ", level), func(f *Frame, key string) (string, error) {
			runs++
			_, _ = r.get(f, from, key)
			return r.get(f, from, key)
		})
	}
	h := r.task(context.Background(), func(f *Frame) error {
		f.strand.Task.Handle().Cancel(errWhy)
		_, err := r.get(f, below, "k")
		return err
	})
	r.settle()
	if err := h.Wait(context.Background()); !errors.Is(err, errWhy) || runs != 0 {
		t.Errorf("%v after %d runs", err, runs)
	}
	r.landed()
}
