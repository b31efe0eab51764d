package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// An answer that is known is given though no worker is free, also after commits that it does not
// rest on, and costs no memory.
func TestKnownAnswerNeedsNoTask(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	put(t, e, inputs, "k", "four")
	ask(t, e, length, "k")
	tasks := func() (n uint64) {
		for _, l := range e.Stats().Scheduler.Lanes {
			n += l.Submitted
		}
		return n
	}
	before := tasks()
	if n := testing.AllocsPerRun(100, func() {
		if n, err := length.Ask(t.Context(), e, "k"); n != 4 || err != nil {
			t.Error(n, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	for i := range 3 {
		put(t, e, inputs, "other", strconv.Itoa(i))
		if n := ask(t, e, length, "k"); n != 4 {
			t.Errorf("after a commit elsewhere: %d", n)
		}
	}
	if n := tasks(); n != before {
		t.Errorf("%d tasks", n-before)
	}
	put(t, e, inputs, "k", "three")
	if n := ask(t, e, length, "k"); n != 5 {
		t.Errorf("after a change: %d", n)
	}
	if n := tasks(); n == before {
		t.Error("no task found out")
	}
}

// A known answer is refused where any other is.
func TestKnownAnswerIsRefused(t *testing.T) {
	e := open(t, "", runtime.Options{})
	put(t, e, inputs, "k", "four")
	ask(t, e, length, "k")
	cause := errors.New("the cause")
	ended, end := context.WithCancelCause(t.Context())
	end(cause)
	if n, err := length.Ask(ended, e, "k"); n != 0 || !errors.Is(err, cause) {
		t.Errorf("after the context's end: %d, %v", n, err)
	}
	inQuery := func(fn func(t *runtime.Task) error) {
		t.Helper()
		faceProbes.Store(t.Name(), fn)
		if _, err := inFace.Ask(t.Context(), e, t.Name()); err == nil {
			t.Error("the query has not failed")
		}
	}
	inQuery(func(task *runtime.Task) error {
		n, err := length.Ask(context.Background(), e, "k")
		if n != 0 || !errors.Is(err, runtime.ErrInQuery) {
			t.Errorf("in a query: %d, %v", n, err)
		}
		ctx := task.Context()
		elsewhere := make(chan error)
		go func() { elsewhere <- fails(length.Ask(ctx, e, "k")) }()
		if err := <-elsewhere; !errors.Is(err, runtime.ErrInQuery) {
			t.Errorf("with a query's context: %v", err)
		}
		_, _, err = length.Peek(task, "k")
		if !errors.Is(err, runtime.ErrInQuery) {
			t.Errorf("Peek in a query: %v", err)
		}
		return err
	})
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := length.Ask(t.Context(), e, "k"); n != 0 || !errors.Is(err, runtime.ErrClosed) {
		t.Errorf("after Close: %d, %v", n, err)
	}
}

// What is not kept is never known.
func TestUnstableAnswerIsNotKnown(t *testing.T) {
	e := open(t, "", runtime.Options{})
	var ran atomic.Int64
	unstable := runtime.NewQuery(t.Name(), 1, func(t *runtime.Task, key string) (int64, error) {
		t.Unstable()
		return ran.Add(1), nil
	})
	for i := int64(1); i <= 3; i++ {
		if n := ask(t, e, unstable, "k"); n != i {
			t.Errorf("run %d gave %d", i, n)
		}
	}
	s := e.Snapshot()
	defer s.Release()
	if n, ok, err := unstable.Peek(s, "k"); ok || err != nil {
		t.Errorf("Peek: %d, %v, %v", n, ok, err)
	}
}

// Ask At a snapshot is answered in it, whatever is known of the newest generation.
func TestKnownAnswerAtASnapshot(t *testing.T) {
	e := open(t, "", runtime.Options{})
	put(t, e, inputs, "k", "1")
	old := e.Snapshot()
	defer old.Release()
	ask(t, e, length, "k")
	put(t, e, inputs, "k", "22")
	for range 3 {
		if n := ask(t, e, length, "k"); n != 2 {
			t.Errorf("newest: %d", n)
		}
		if n, err := length.Ask(t.Context(), e, "k", runtime.At(old)); n != 1 || err != nil {
			t.Errorf("at the old snapshot: %d, %v", n, err)
		}
	}
}

// Ask with Supersede takes the place of a task, also when the answer is known.
func TestKnownAnswerSupersedes(t *testing.T) {
	e := open(t, "", runtime.Options{})
	put(t, e, inputs, "k", "four")
	ask(t, e, length, "k")
	h, err := e.Go(t.Context(), lane.Default, func(t *runtime.Task) error {
		<-t.Context().Done()
		return context.Cause(t.Context())
	}, runtime.Supersede("same"))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := length.Ask(t.Context(), e, "k", runtime.Supersede("same")); n != 4 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if err := h.Wait(t.Context()); !errors.Is(err, runtime.ErrSuperseded) {
		t.Errorf("the task before: %v", err)
	}
}

// Peek runs nothing: it tells what is known, in the generation of the reader.
func TestPeek(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, runtime.Options{})
	peek := func(when string, r runtime.Reader, want int) {
		t.Helper()
		n, ok, err := length.Peek(r, "k")
		if err != nil || ok != (want > 0) || n != want {
			t.Errorf("%s: %d, %v, %v; want %d", when, n, ok, err, want)
		}
	}
	ran := runs{e: e}
	newest := func(when string, want int) {
		t.Helper()
		s := e.Snapshot()
		defer s.Release()
		peek(when, s, want)
	}
	put(t, e, inputs, "k", "1")
	newest("never asked", 0)
	ran.want(t, "never asked", map[string]uint64{"length": 0})
	ask(t, e, length, "k")
	old := e.Snapshot()
	peek("asked", old, 1)
	put(t, e, inputs, "k", "22")
	newest("changed", 0)
	peek("the generation before", old, 1)
	ran.want(t, "changed", map[string]uint64{"length": 1})
	ask(t, e, length, "k")
	newest("asked again", 2)
	peek("the generation before, still", old, 1)
	err := e.Submit(t.Context(), lane.Default, func(t *runtime.Task) error {
		peek("a task at the generation before", t, 1)
		return nil
	}, runtime.At(old))
	if err != nil {
		t.Fatal(err)
	}
	old.Release()
	put(t, e, inputs, "other", "x")
	newest("changed elsewhere", 2)
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	e = open(t, dir, runtime.Options{})
	newest("opened again", 2)
	if n := e.Stats().Queries["length"].Ran; n != 0 {
		t.Errorf("it ran %d times", n)
	}
	if _, _, err := length.Peek(old, "k"); !errors.Is(err, runtime.ErrClosed) {
		t.Errorf("a snapshot of a closed engine: %v", err)
	}
}

// asksBlob gives an answer that refers to a record, and counts its runs.
var (
	asksBlobRuns atomic.Int64
	asksBlob     = runtime.NewQuery("asks blob", 1, func(t *runtime.Task, key string) (runtime.Blob, error) {
		asksBlobRuns.Add(1)
		s, err := inputs.Get(t, key)
		if err != nil {
			return runtime.Blob{}, err
		}
		return t.PutBlob([]byte(s + " and what makes it long enough to be found on the disk"))
	})
)

// An answer that refers to what turns out to be damaged is not known any more.
func TestKnownAnswerOfADamagedRecord(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, runtime.Options{})
	put(t, e, inputs, "k", "a text")
	blob := ask(t, e, asksBlob, "k")
	if again := ask(t, e, asksBlob, "k"); again != blob {
		t.Fatal("another answer")
	}
	before := asksBlobRuns.Load()
	if n := hurtText(t, dir, "a text and what makes"); n == 0 {
		t.Fatal("nothing was damaged")
	}
	s := e.Snapshot()
	defer s.Release()
	if _, err := runtime.ReadBlob(s, blob); !errors.Is(err, runtime.ErrDamaged) {
		t.Fatalf("reading what is damaged: %v", err)
	}
	if _, ok, err := asksBlob.Peek(s, "k"); ok || err != nil {
		t.Errorf("Peek: %v, %v", ok, err)
	}
	blob = ask(t, e, asksBlob, "k")
	if n := asksBlobRuns.Load() - before; n != 1 {
		t.Errorf("it ran %d times", n)
	}
	if text, err := runtime.ReadBlob(s, blob); err != nil || len(text) == 0 {
		t.Errorf("reading it then: %q, %v", text, err)
	}
}

// Goroutines ask for what others change, while keys and values are forgotten, written, collected
// and at last closed: an answer is never older than what its caller has committed, nor one that
// never was.
func TestAsksRaceEvictionAndClose(t *testing.T) {
	const goroutines, rounds = 4, 300
	e := open(t, t.TempDir(), runtime.Options{TraceBytes: 4 << 10, CacheBytes: 4 << 10})
	for i := range 64 {
		put(t, e, inputs, fmt.Sprint("filler ", i), "x")
	}
	var (
		wg     sync.WaitGroup
		closed atomic.Bool
	)
	refused := func(err error) bool { return closed.Load() && errors.Is(err, runtime.ErrClosed) }
	for g := range goroutines {
		wg.Go(func() {
			key := fmt.Sprint("of ", g)
			for i := 1; i <= rounds || !closed.Load(); i++ {
				if i%3 == 0 || i > rounds {
					if _, err := length.Ask(t.Context(), e, fmt.Sprint("filler ", (i*7+g)%64)); err != nil && !refused(err) {
						t.Error(err)
						return
					}
				}
				text := strconv.Itoa(i)
				err := e.Commit(t.Context(), func(w *runtime.Writer) error { return inputs.Put(w, key, text) })
				if refused(err) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				for range 3 {
					got, err := upper.Ask(t.Context(), e, key)
					if refused(err) {
						return
					}
					if got != text || err != nil {
						t.Errorf("round %d of %d: %q, %v", i, g, got, err)
						return
					}
				}
				s := e.Snapshot()
				if got, ok, err := upper.Peek(s, key); err != nil && !refused(err) || ok && got != text {
					t.Errorf("peeking in round %d of %d: %q, %v", i, g, got, err)
				}
				s.Release()
				if i == rounds/2 && g == 0 {
					if _, err := e.Collect(t.Context()); err != nil {
						t.Error(err)
					}
				}
				if i == rounds && g == 0 {
					closed.Store(true)
					if err := e.Close(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkAskKnown(b *testing.B) {
	e := open(b, "", runtime.Options{Workers: 1})
	put(b, e, inputs, "k", "text")
	ask(b, e, length, "k")
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if n, err := length.Ask(ctx, e, "k"); n != 4 || err != nil {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkPeek(b *testing.B) {
	e := open(b, "", runtime.Options{Workers: 1})
	put(b, e, inputs, "k", "text")
	ask(b, e, length, "k")
	s := e.Snapshot()
	b.Cleanup(s.Release)
	b.ReportAllocs()
	for b.Loop() {
		if n, ok, err := length.Peek(s, "k"); n != 4 || !ok || err != nil {
			b.Fatal(n, ok, err)
		}
	}
}

// A question after an edit answers while the run that the edit has made stale is held; one after an
// edit elsewhere has its answer of the run that goes on.
func TestAskWaitsForNoStaleRun(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 2})
	gate, began := make(chan struct{}), make(chan string, 10)
	held := runtime.NewQuery("held while stale", 1, func(t *runtime.Task, key string) (string, error) {
		text, err := inputs.Get(t, key)
		if err != nil {
			return "", err
		}
		began <- text
		if strings.HasSuffix(text, "1") {
			err = t.Blocking(func() error { <-gate; return nil })
		}
		return "got " + text, err
	})
	put(t, e, inputs, "stale", "a1")
	put(t, e, inputs, "equal", "b1")
	type asked struct {
		text string
		err  error
	}
	answers := map[string]chan asked{}
	start := func(name, key string) {
		answer := make(chan asked, 1)
		answers[name] = answer
		s := e.Snapshot()
		go func() {
			defer s.Release()
			text, err := held.Ask(t.Context(), e, key, runtime.At(s))
			answer <- asked{text, err}
		}()
	}
	start("stale", "stale")
	start("equal", "equal")
	for range 2 {
		<-began
	}
	put(t, e, inputs, "stale", "a2")
	start("newer", "stale")
	start("joined", "equal")
	if got := <-answers["newer"]; got != (asked{"got a2", nil}) {
		t.Errorf("the newer question got %v", got)
	}
	close(gate)
	for name, want := range map[string]string{"stale": "got a1", "equal": "got b1", "joined": "got b1"} {
		if got := <-answers[name]; got != (asked{want, nil}) {
			t.Errorf("%s got %v", name, got)
		}
	}
	if n := e.Stats().Queries["held while stale"].Ran; n > 4 || n < 3 {
		t.Errorf("%d runs", n)
	}
}
