package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cytisus/cytisus/runtime"
)

// A watched collects what a watch is told.
type watched[V any] struct {
	told chan string
	last atomic.Pointer[runtime.Answer[V]]
}

func newWatched[V any]() *watched[V] { return &watched[V]{told: make(chan string, 10_000)} }

func (w *watched[V]) fn(_ *runtime.Task, old, now *runtime.Answer[V]) error {
	show := func(a *runtime.Answer[V]) string {
		switch {
		case a == nil:
			return "none"
		case a.Err != nil:
			return "failed"
		}
		return fmt.Sprint(a.Value)
	}
	w.last.Store(now)
	w.told <- show(old) + " -> " + show(now)
	return nil
}

func (w *watched[V]) next(t *testing.T, want string) {
	t.Helper()
	if got := <-w.told; got != want {
		t.Errorf("told %q, want %q", got, want)
	}
}

// A watch tells the answer of now, and each that differs, but none that is equal.
func TestQueryWatch(t *testing.T) {
	e := open(t, "", runtime.Options{})
	put(t, e, inputs, "k", "1")
	w := newWatched[int]()
	stop, err := length.Watch(t.Context(), e, "k", w.fn)
	if err != nil {
		t.Fatal(err)
	}
	w.next(t, "none -> 1")
	put(t, e, inputs, "k", "22")
	w.next(t, "1 -> 2")
	put(t, e, inputs, "k", "33") // of the same length
	put(t, e, inputs, "other", "x")
	put(t, e, inputs, "k", "333")
	w.next(t, "2 -> 3")
	if a := w.last.Load(); a.Generation != e.Stats().Generation {
		t.Errorf("told of generation %d, the newest is %d", a.Generation, e.Stats().Generation)
	}
	remove(t, e, inputs, "k")
	w.next(t, "3 -> failed")
	put(t, e, inputs, "other", "y") // it fails again, in the same way
	put(t, e, inputs, "k", "4444")
	w.next(t, "failed -> 4")
	if err := inputs.Bulk(t.Context(), e, func(w *runtime.BulkWriter[string]) error { return w.Put("k", "55555") }); err != nil {
		t.Fatal(err)
	}
	w.next(t, "4 -> 5")
	stop()
	put(t, e, inputs, "k", "1")
	stop()
	if len(w.told) != 0 {
		t.Errorf("told after its end: %q", <-w.told)
	}
}

// A commit that does not concern what is watched costs no task of the watch, and no run.
func TestQueryWatchPassesOver(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	put(t, e, inputs, "k", "1")
	w := newWatched[int]()
	stop, err := length.Watch(t.Context(), e, "k", w.fn)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	w.next(t, "none -> 1")
	before := e.Stats().Queries["length"]
	for i := range 20 {
		put(t, e, inputs, "other", fmt.Sprint(i))
	}
	put(t, e, inputs, "k", "22")
	w.next(t, "1 -> 2")
	if now := e.Stats().Queries["length"]; now.Ran-before.Ran != 1 || now.Validated != before.Validated {
		t.Errorf("ran %d times, verified %d", now.Ran-before.Ran, now.Validated-before.Validated)
	}
}

// Of what many goroutines commit at once the last change is told, each old is the new before, no
// two are equal, and the generations ascend.
func TestQueryWatchLosesNoLastChange(t *testing.T) {
	const goroutines, rounds = 3, 60
	for round := range 10 {
		e := open(t, "", runtime.Options{})
		for _, key := range []string{"a", "b"} {
			put(t, e, inputs, "k/"+key, "")
		}
		var (
			mu    sync.Mutex
			last  *runtime.Answer[int]
			wrong []string
		)
		final := make(chan struct{}, 1)
		want := atomic.Int64{}
		want.Store(-1)
		stop, err := sumOfLengths.Watch(t.Context(), e, "k/", func(_ *runtime.Task, old, now *runtime.Answer[int]) error {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case old != last:
				wrong = append(wrong, "an old that was not told")
			case now.Err != nil:
				wrong = append(wrong, now.Err.Error())
			case old != nil && (old.Value == now.Value || old.Generation >= now.Generation):
				wrong = append(wrong, fmt.Sprint(*old, " and then ", *now))
			case now.Value%2 != 0:
				wrong = append(wrong, fmt.Sprint("a half of a commit: ", now.Value))
			}
			last = now
			if int64(now.Value) == want.Load() {
				select {
				case final <- struct{}{}:
				default:
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for g := range goroutines {
			rng := rand.New(rand.NewPCG(uint64(round), uint64(g)))
			wg.Go(func() {
				for range rounds {
					text := strings.Repeat("x", rng.IntN(4))
					err := e.Commit(t.Context(), func(w *runtime.Writer) error {
						return errors.Join(inputs.Put(w, "k/a", text), inputs.Put(w, "k/b", text), inputs.Put(w, fmt.Sprint("z", g), text))
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		want.Store(2000)
		text := strings.Repeat("y", 1000)
		err = e.Commit(t.Context(), func(w *runtime.Writer) error {
			return errors.Join(inputs.Put(w, "k/a", text), inputs.Put(w, "k/b", text))
		})
		if err != nil {
			t.Fatal(err)
		}
		<-final
		stop()
		mu.Lock()
		if len(wrong) > 0 {
			t.Errorf("round %d: %q", round, wrong)
		}
		mu.Unlock()
	}
}

// A watch ends with its context, in its own function, and while it computes, and is refused when it
// could tell nothing.
func TestQueryWatchEnds(t *testing.T) {
	e := open(t, "", runtime.Options{})
	put(t, e, inputs, "k", "1")
	cause := errors.New("the cause")
	ctx, end := context.WithCancelCause(t.Context())
	w := newWatched[int]()
	if _, err := length.Watch(ctx, e, "k", w.fn); err != nil {
		t.Fatal(err)
	}
	w.next(t, "none -> 1")
	end(cause)
	other := newWatched[int]()
	stop, err := length.Watch(t.Context(), e, "k", other.fn)
	if err != nil {
		t.Fatal(err)
	}
	other.next(t, "none -> 1")
	stop()
	if _, err := length.Watch(ctx, e, "k", w.fn); !errors.Is(err, cause) {
		t.Errorf("with an ended context: %v", err)
	}

	stops := make(chan func(), 1)
	stopped := make(chan struct{})
	stop, err = length.Watch(t.Context(), e, "k", func(*runtime.Task, *runtime.Answer[int], *runtime.Answer[int]) error {
		(<-stops)()
		close(stopped)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	stops <- stop
	<-stopped

	began := make(chan struct{})
	long := runtime.NewQuery(t.Name(), 1, func(t *runtime.Task, key string) (int, error) {
		close(began)
		<-t.Context().Done()
		return 0, context.Cause(t.Context())
	})
	stop, err = long.Watch(t.Context(), e, "k", func(*runtime.Task, *runtime.Answer[int], *runtime.Answer[int]) error {
		t.Error("told of what was given up")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	<-began
	stop()
	if n := len(w.told) + len(other.told); n != 0 {
		t.Errorf("told %d times after the end", n)
	}
}

// A run that is cancelled is made up for, and one whose function fails or panics is not repeated,
// but goes on with what comes then.
func TestQueryWatchGoesOn(t *testing.T) {
	e := open(t, "", runtime.Options{})
	put(t, e, inputs, "k", "1")
	var calls atomic.Int64
	began := make(chan struct{}, 1)
	w := newWatched[int]()
	stop, err := length.Watch(t.Context(), e, "k", func(task *runtime.Task, old, now *runtime.Answer[int]) error {
		switch calls.Add(1) {
		case 1:
			began <- struct{}{}
			<-task.Context().Done()
			return context.Cause(task.Context())
		case 3:
			_ = w.fn(task, old, now)
			panic("boom")
		case 4:
			_ = w.fn(task, old, now)
			return errors.New("failed")
		}
		return w.fn(task, old, now)
	}, runtime.Client(7))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	<-began
	e.CancelClient(7, errors.New("it went away"))
	w.next(t, "none -> 1")
	for i, want := range []string{"1 -> 2", "2 -> 3", "3 -> 4"} {
		put(t, e, inputs, "k", strings.Repeat("x", i+2))
		w.next(t, want)
	}
}

// Watches that set themselves off without end are stopped, and go on with a commit from elsewhere.
func TestQueryWatchLoopEnds(t *testing.T) {
	e := open(t, "", runtime.Options{})
	put(t, e, inputs, "k", "1")
	var calls atomic.Int64
	stop, err := length.Watch(t.Context(), e, "k", func(task *runtime.Task, _, now *runtime.Answer[int]) error {
		calls.Add(1)
		return task.Commit(func(w *runtime.Writer) error { return inputs.Put(w, "k", strings.Repeat("x", now.Value+1)) })
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	ended := func(loops uint64) {
		t.Helper()
		for e.Stats().WatchLoops != loops {
			if err := e.Submit(t.Context(), 0, func(*runtime.Task) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	ended(1)
	before := calls.Load()
	if before < 64 || before > 66 {
		t.Errorf("%d rounds", before)
	}
	put(t, e, inputs, "k", "1")
	ended(2)
	if n := calls.Load() - before; n < 64 || n > 66 {
		t.Errorf("%d rounds after a commit from elsewhere", n)
	}
}

// BenchmarkCommitBesideWatches is a commit that concerns none of the answers that are watched.
func BenchmarkCommitBesideWatches(b *testing.B) {
	for _, n := range []int{0, 1, 1000} {
		b.Run(fmt.Sprint("watches=", n), func(b *testing.B) {
			e := open(b, "", runtime.Options{Workers: 1})
			var told sync.WaitGroup
			for i := range n {
				key := fmt.Sprint(i)
				put(b, e, inputs, key, "x")
				told.Add(1)
				_, err := length.Watch(b.Context(), e, key, func(*runtime.Task, *runtime.Answer[int], *runtime.Answer[int]) error {
					told.Done()
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			told.Wait()
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				i++
				put(b, e, inputs, "other", fmt.Sprint(i))
			}
		})
	}
}
