package memo

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"

	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/sched"
)

// The helpers of an All meet the same key, whose outcome is not kept. Between its run and its being
// given to the question no strand of that runs it again.
func TestUnkeptOutcomeIsRunOnceForAQuestion(t *testing.T) {
	seeds(t, 200, func(t *testing.T, r *rig) {
		ran := map[string]int{}
		r.query("unstable", func(f *Frame, key string) (string, error) {
			ran[key]++
			f.strand.Task.Yield()
			f.Taint()
			return key, nil
		})
		r.query("middle", func(f *Frame, key string) (string, error) {
			f.strand.Task.Yield()
			return r.get(f, "unstable", key[:1])
		})
		keys := make([]string, 8)
		for i := range keys {
			keys[i] = strconv.Itoa(i%2) + strconv.Itoa(i)
		}
		r.query("all", func(f *Frame, _ string) (string, error) {
			_, err := r.table.All(f, r.queries["middle"], keys, 2, r.spawner(f))
			return "all", err
		})
		r.want("all", "", "all")
		if ran["0"] != 1 || ran["1"] != 1 {
			t.Errorf("for one question the keys ran %v times, want once each", ran)
		}
	})
}

// A key whose outcome is not kept may be forgotten while a question goes on, and its outcome is the
// question's all the same.
func TestUnkeptOutcomeOutlivesItsEntry(t *testing.T) {
	r := newRig(t, 1, Options{TraceBytes: 1})
	ran := 0
	r.query("fails", func(f *Frame, key string) (string, error) {
		ran++
		return "", errors.New("no")
	})
	evicted := func() uint64 { return r.table.Residency().Evicted }
	r.query("above", func(f *Frame, _ string) (string, error) {
		before := evicted()
		for range 4 {
			if _, err := r.get(f, "fails", "k"); err == nil {
				t.Error("it did not fail")
			}
			r.flush()
		}
		if n := evicted() - before; n < 4 {
			t.Errorf("%d keys were forgotten, and the key 4 times", n)
		}
		return "done", nil
	})
	r.want("above", "", "done")
	if ran != 1 {
		t.Errorf("for one question it ran %d times", ran)
	}
}

// Nor does a flight lose what only it may have, if the key that it was given is forgotten before
// its function is called again.
func TestGivenOutcomeOutlivesItsEntry(t *testing.T) {
	r := newRig(t, 1, Options{TraceBytes: 1})
	r.table.levels = 2
	ran := 0
	r.query("head", func(f *Frame, _ string) (string, error) {
		r.flush()
		if _, err := r.get(f, "middle", "k"); !errors.Is(err, ErrCycle) && !f.strand.unwinding {
			t.Errorf("no cycle: %v", err)
		}
		return "done", nil
	})
	r.query("middle", func(f *Frame, key string) (string, error) {
		r.flush()
		return r.get(f, "back", key)
	})
	r.query("back", func(f *Frame, _ string) (string, error) {
		if ran++; ran > 10 {
			return "", errors.New("it has no end")
		}
		return r.get(f, "head", "")
	})
	before := r.table.Residency().Evicted
	r.want("head", "", "done")
	if n := r.table.Residency().Evicted - before; ran > 2 || n == 0 { // unwound, and run
		t.Errorf("called %d times, and %d keys were forgotten", ran, n)
	}
}

// On real threads the helpers of an All read an outcome that is not kept as soon as the question
// has it, while the strand that found it still wakes others. The race detector is the judge.
func TestUnkeptOutcomeOnRealThreads(t *testing.T) {
	r := newRig(t, 1, Options{}) // its pool is not used
	pool, err := sched.New(sched.Options{Workers: 4, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := pool.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	no := errors.New("no")
	r.query("fails", func(_ *Frame, key string) (string, error) { return "", no })
	r.query("middle", func(f *Frame, key string) (string, error) {
		for i := range 8 {
			if _, err := r.get(f, "fails", strconv.Itoa(i)); !errors.Is(err, no) {
				t.Errorf("fails(%d) gave %v", i, err)
			}
		}
		return key, nil
	})
	ask := func(task *sched.Task, fn func(*Frame)) {
		snap := r.db.Snapshot()
		defer snap.Release()
		fn(r.table.Root(&Strand{Task: task, Snap: snap}))
	}
	for round := range 200 {
		keys := make([]string, 4)
		for i := range keys {
			keys[i] = fmt.Sprint(round, "-", i)
		}
		var helpers sync.WaitGroup
		spawn := func(n int, fn func(*Frame)) error {
			for range n {
				helpers.Add(1)
				_, err := pool.Submit(t.Context(), sched.Spec{Lane: lane.Default}, func(task *sched.Task) error {
					defer helpers.Done()
					ask(task, fn)
					return nil
				})
				if err != nil {
					return err
				}
			}
			return nil
		}
		asked, err := pool.Submit(t.Context(), sched.Spec{Lane: lane.Default}, func(task *sched.Task) (err error) {
			ask(task, func(f *Frame) { _, err = r.table.All(f, r.queries["middle"], keys, 3, spawn) })
			return err
		})
		if err == nil {
			err = asked.Wait(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		helpers.Wait()
	}
}
