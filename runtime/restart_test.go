package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	goruntime "runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/sched"
)

func restartable(t testing.TB, e *runtime.Engine, fn func(*runtime.Task) error, opts ...runtime.TaskOption) *runtime.Restartable {
	t.Helper()
	r, err := e.GoRestartable(t.Context(), lane.Default, fn, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func ends(t testing.TB, r *runtime.Restartable) error {
	t.Helper()
	<-r.Ended().Done()
	return r.Err()
}

// pending waits until so many tasks pend.
func pending(e *runtime.Engine, n int) {
	for e.KeyWaits() != n {
		time.Sleep(50 * time.Microsecond)
	}
}

var (
	restartRuns atomic.Int64
	restartLen  = runtime.NewQuery("restart length", 1, func(t *runtime.Task, key string) (int, error) {
		restartRuns.Add(1)
		text, err := inputs.Get(t, key)
		return len(text), err
	})
)

// A crowd waits without a stack each, every one for a key of its own, and is called once more for
// it.
func TestRestartableTasksWaitInCrowds(t *testing.T) {
	const crowd = 1000
	e := open(t, "", runtime.Options{})
	var all []*runtime.Restartable
	var sum atomic.Int64
	for i := range crowd {
		all = append(all, restartable(t, e, func(t *runtime.Task) error {
			_, v, err := inputs.Pend(t, runtime.Exact(fmt.Sprint(i)))
			sum.Add(int64(len(v)))
			return err
		}, runtime.Named("crowd")))
	}
	pending(e, crowd)
	for len(e.Stats().Scheduler.Running) > 0 { // the last of them
		time.Sleep(50 * time.Microsecond)
	}
	if n := len(e.Stats().Scheduler.Waiting); n != 0 {
		t.Errorf("%d wait with a stack", n)
	}
	err := e.Commit(t.Context(), func(w *runtime.Writer) error {
		var err error
		for i := range crowd {
			err = errors.Join(err, inputs.Put(w, fmt.Sprint(i), "x"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if err := ends(t, r); err != nil || r.Runs() != 2 {
			t.Fatalf("%v after %d runs", err, r.Runs())
		}
	}
	if sum.Load() != crowd || e.KeyWaits() != 0 {
		t.Errorf("%d values, %d waits left", sum.Load(), e.KeyWaits())
	}
}

// Each run begins anew, in the newest generation, and finds what queries have computed.
func TestRestartableTaskGoesOn(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	put(t, e, inputs, "text", "four")
	before := restartRuns.Load()
	var got string
	r := restartable(t, e, func(t *runtime.Task) error {
		n, err := restartLen.Get(t, "text")
		if err != nil {
			return err
		}
		_, a, err := inputs.Pend(t, runtime.Exact("a"))
		if err != nil {
			return err
		}
		key, b, err := inputs.Pend(t, runtime.Prefix("b/"))
		if err != nil {
			return fmt.Errorf("after a: %w", err)
		}
		got = fmt.Sprint(n, a, key, b)
		return nil
	})
	pending(e, 1)
	put(t, e, inputs, "b", "no")
	put(t, e, inputs, "a", "A")
	for r.Runs() < 2 {
		time.Sleep(50 * time.Microsecond)
	}
	put(t, e, inputs, "b/c", "B")
	if err := ends(t, r); err != nil || got != "4Ab/cB" {
		t.Errorf("%q, %v", got, err)
	}
	if n := restartRuns.Load() - before; n != 1 {
		t.Errorf("the query ran %d times", n)
	}
}

// It ends by cancelling, with its context, its client and the engine, and by what its function
// returns.
func TestRestartableTaskEnds(t *testing.T) {
	why, own := errors.New("why"), errors.New("own")
	e, err := runtime.Open("", runtime.Options{Workers: 1, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	never := func(t *runtime.Task) error {
		_, _, err := inputs.Pend(t, runtime.Exact("never"))
		return err
	}
	cancelled := restartable(t, e, never)
	ofClient := restartable(t, e, never, runtime.Client(7))
	ctx, cancel := context.WithCancelCause(t.Context())
	ofContext, err := e.GoRestartable(ctx, 0, never)
	if err != nil {
		t.Fatal(err)
	}
	last := restartable(t, e, never)
	pending(e, 4)
	cancelled.Cancel(why)
	cancel(why)
	e.CancelClient(7, why)
	for name, r := range map[string]*runtime.Restartable{"cancelled": cancelled, "client": ofClient, "context": ofContext} {
		if err := ends(t, r); !errors.Is(err, why) {
			t.Errorf("%s: %v", name, err)
		}
	}
	pending(e, 1)
	if err := ends(t, restartable(t, e, func(*runtime.Task) error { return own })); !errors.Is(err, own) {
		t.Errorf("%v", err)
	}
	if err := ends(t, restartable(t, e, func(*runtime.Task) error { return runtime.ErrPending })); !errors.Is(err, runtime.ErrPending) {
		t.Errorf("pending on nothing: %v", err)
	}
	err = e.Submit(t.Context(), 0, never)
	if err == nil || errors.Is(err, runtime.ErrPending) {
		t.Errorf("in another task: %v", err)
	}
	s := e.Snapshot()
	for name, opt := range map[string]runtime.TaskOption{
		"snapshot": runtime.At(s), "key": runtime.Supersede("k"), "deadline": runtime.Deadline(time.Now().Add(time.Hour)),
	} {
		if _, err := e.GoRestartable(t.Context(), 0, never, opt); err == nil {
			t.Errorf("with a %s", name)
		}
	}
	s.Release()
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := ends(t, last); !errors.Is(err, runtime.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if n := e.KeyWaits(); n != 0 {
		t.Errorf("%d waits left", n)
	}
}

// None misses its key, in whatever order puts and runs come.
func TestRestartableTasksSimulated(t *testing.T) {
	first, runs := *simSeed, *simRuns
	if runs == 0 {
		runs = 30
	}
	if first == 0 {
		first = rand.Uint64()
	}
	for i := range uint64(runs) {
		seed := first + i
		rng := rand.New(rand.NewPCG(seed, 0x72657374))
		e, err := runtime.Open("", runtime.Simulated(runtime.Options{
			Workers: 1 + rng.IntN(3), CollectEvery: -1, StallAfter: -1, Logger: quiet, SegmentBytes: 1 << 20,
		}, &sched.Deterministic{Seed: rng.Uint64()}))
		if err != nil {
			t.Fatal(err)
		}
		const n = 8
		var all []*runtime.Restartable
		for i := range n {
			all = append(all, restartable(t, e, func(t *runtime.Task) error {
				for j := range 3 {
					if _, _, err := inputs.Pend(t, runtime.Exact(fmt.Sprint((i+j)%n))); err != nil {
						return err
					}
					t.Yield()
				}
				return nil
			}))
			if _, err := e.Go(t.Context(), lane.Default, func(t *runtime.Task) error {
				t.Yield()
				return t.Commit(func(w *runtime.Writer) error { return inputs.Put(w, fmt.Sprint(i), "x") })
			}); err != nil {
				t.Fatal(err)
			}
		}
		e.Simulate()
		for i, r := range all {
			if !r.Ended().Fired() || r.Err() != nil {
				t.Errorf("replay with -sim.seed=%d -sim.runs=1: task %d: ended: %v, %v after %d runs", seed, i, r.Ended().Fired(), r.Err(), r.Runs())
			}
		}
		if err := e.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// What failed for a reason that may pass is tried again after ever longer waits and on ever less
// urgent lanes, until it succeeds or fails for another reason; a wait for a key begins anew.
func TestRetriesBackOff(t *testing.T) {
	e, err := runtime.Open("", runtime.Simulated(runtime.Options{
		Workers: 1, CollectEvery: -1, StallAfter: -1, Logger: quiet, SegmentBytes: 1 << 20,
	}, &sched.Deterministic{Seed: 1}))
	if err != nil {
		t.Fatal(err)
	}
	var (
		at    []time.Time
		lanes []lane.Lane
	)
	r := restartable(t, e, func(task *runtime.Task) error {
		at, lanes = append(at, e.Now()), append(lanes, task.Lane())
		switch n := len(at); {
		case n == 8:
			_ = task.Retry(time.Second, io.EOF)
			_, _, err := inputs.Pend(task, runtime.Exact("comes")) // of several calls the last counts
			return err
		case n == 11:
			return io.ErrUnexpectedEOF
		default:
			err := task.Retry(time.Second, io.EOF)
			if !errors.Is(err, runtime.ErrPending) || !errors.Is(err, io.EOF) {
				t.Errorf("attempt %d: %v", n, err)
			}
			return err
		}
	})
	e.Simulate()
	if err := e.Commit(t.Context(), func(w *runtime.Writer) error { return inputs.Put(w, "comes", "x") }); err != nil {
		t.Fatal(err)
	}
	e.Simulate()
	if r.Err() != io.ErrUnexpectedEOF || len(at) != 11 {
		t.Fatalf("%v after %d attempts", r.Err(), len(at))
	}
	want := []float64{1, 4, 16, 64, 256, 256, 256, 0, 1, 4} // seconds, and an eighth
	for i, w := range want {
		if got := at[i+1].Sub(at[i]).Seconds(); got < w*7/8 || got > w*9/8 || w > 0 && got == w {
			t.Errorf("wait %d: %.2f s", i, got)
		}
	}
	def, again := lane.Default, lane.Retry
	wantLanes := []lane.Lane{
		def, again(0), again(1), again(2), again(3), again(3), again(3), again(3), def, again(0), again(1),
	}
	if !slices.Equal(lanes, wantLanes) {
		t.Errorf("lanes %v", lanes)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// What a task that waits with a stack, or a query, asks for is refused, and so is no wait.
func TestRetryRefused(t *testing.T) {
	e := open(t, "", runtime.Options{})
	ctx := t.Context()
	err := e.Submit(ctx, lane.Default, func(task *runtime.Task) error { return task.Retry(time.Second, io.EOF) })
	if err == nil || errors.Is(err, runtime.ErrPending) || !errors.Is(err, io.EOF) {
		t.Errorf("a task that waits with a stack: %v", err)
	}
	r := restartable(t, e, func(task *runtime.Task) error { return task.Retry(0, io.EOF) })
	if err := ends(t, r); err == nil || errors.Is(err, runtime.ErrPending) || !errors.Is(err, io.EOF) {
		t.Errorf("at once: %v", err)
	}
	q := runtime.NewQuery("tries again", 1, func(task *runtime.Task, _ string) (int, error) {
		return 0, task.Retry(time.Second, io.EOF)
	})
	r = restartable(t, e, func(task *runtime.Task) error { _, err := q.Get(task, "k"); return err })
	if err := ends(t, r); !errors.Is(err, runtime.ErrInQuery) {
		t.Errorf("in a query: %v", err)
	}
	// The longest wait is one that a timer can be set to, and an engine that closes ends it.
	r = restartable(t, e, func(task *runtime.Task) error { return task.Retry(1<<62, io.EOF) })
	for r.Runs() == 0 {
		goruntime.Gosched()
	}
	if err := e.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := ends(t, r); !errors.Is(err, runtime.ErrClosed) || r.Runs() != 1 {
		t.Errorf("closed: %v after %d runs", err, r.Runs())
	}
}

// A deadline ends the task that it was given to, whether it waits or is queued, and no other.
func TestDeadlineOfATask(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	never := func(t *runtime.Task) error { _, _, err := inputs.Wait(t, runtime.Exact("never")); return err }
	soon := runtime.Deadline(time.Now().Add(5 * time.Millisecond))
	if err := e.Submit(t.Context(), 0, never, soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a wait: %v", err)
	}
	past := runtime.Deadline(time.Now().Add(-time.Hour))
	ran := false
	if err := e.Submit(t.Context(), 0, func(*runtime.Task) error { ran = true; return nil }, past); !errors.Is(err, context.DeadlineExceeded) || ran {
		t.Errorf("queued: %v, ran: %v", err, ran)
	}
	err := e.Submit(t.Context(), 0, func(t *runtime.Task) error {
		if at, ok := t.Context().Deadline(); !ok || time.Until(at) > time.Hour {
			return errors.New("its context does not tell of the deadline")
		}
		return nil
	}, runtime.Deadline(time.Now().Add(time.Hour)))
	if err != nil || t.Context().Err() != nil {
		t.Errorf("in time: %v", err)
	}
}
