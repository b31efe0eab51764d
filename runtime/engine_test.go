package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// open returns an engine that the test closes.
func open(t testing.TB, dir string, o runtime.Options) *runtime.Engine {
	t.Helper()
	if o.Logger == nil {
		o.Logger = quiet
	}
	if o.Workers == 0 {
		o.Workers = 2
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = 1 << 20
	}
	if o.AuditShare == 0 {
		o.AuditShare = -1 // tests count calls of their functions
	}
	e, err := runtime.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return e
}

func put[V any](t testing.TB, e *runtime.Engine, p *runtime.Partition[V], key string, v V) {
	t.Helper()
	if err := e.Commit(t.Context(), func(w *runtime.Writer) error { return p.Put(w, key, v) }); err != nil {
		t.Fatal(err)
	}
}

func remove[V any](t testing.TB, e *runtime.Engine, p *runtime.Partition[V], key string) {
	t.Helper()
	if err := e.Commit(t.Context(), func(w *runtime.Writer) error { return p.Delete(w, key) }); err != nil {
		t.Fatal(err)
	}
}

func ask[K comparable, V any](t testing.TB, e *runtime.Engine, q *runtime.Query[K, V], k K) V {
	t.Helper()
	v, err := q.Ask(t.Context(), e, k)
	if err != nil {
		t.Fatalf("%s(%v): %v", q.Name(), k, err)
	}
	return v
}

// ran returns how often a query's function ran since it was last asked, by name.
type runs struct {
	e    *runtime.Engine
	last map[string]uint64
}

func (r *runs) since(name string) uint64 {
	if r.last == nil {
		r.last = map[string]uint64{}
	}
	now := r.e.Stats().Queries[name].Ran
	n := now - r.last[name]
	r.last[name] = now
	return n
}

func (r *runs) want(t *testing.T, when string, want map[string]uint64) {
	t.Helper()
	for name, n := range want {
		if got := r.since(name); got != n {
			t.Errorf("%s: %s ran %d times, want %d", when, name, got, n)
		}
	}
}

var (
	inputs = runtime.NewPartition[string]("inputs")

	upper = runtime.NewQuery("upper", 1, func(t *runtime.Task, key string) (string, error) {
		s, err := inputs.Get(t, key)
		return strings.ToUpper(s), err
	})

	// length cuts off: many texts have one length.
	length = runtime.NewQuery("length", 1, func(t *runtime.Task, key string) (int, error) {
		s, err := upper.Get(t, key)
		return len(s), err
	})

	sumOfLengths = runtime.NewQuery("sumOfLengths", 1, func(t *runtime.Task, prefix string) (int, error) {
		keys, err := inputs.Keys(t, runtime.Prefix(prefix))
		if err != nil {
			return 0, err
		}
		ns, err := length.All(t, keys)
		sum := 0
		for _, n := range ns {
			sum += n
		}
		return sum, err
	})

	orDefault = runtime.NewQuery("orDefault", 1, func(t *runtime.Task, key string) (string, error) {
		s, err := inputs.Get(t, key)
		if errors.Is(err, runtime.ErrNotFound) {
			return "default", nil
		}
		return s, err
	})
)

func TestEarlyCutOff(t *testing.T) {
	e := open(t, "", runtime.Options{})
	r := &runs{e: e}
	put(t, e, inputs, "a/1", "one")
	put(t, e, inputs, "a/2", "three")
	if got := ask(t, e, sumOfLengths, "a/"); got != 8 {
		t.Fatalf("sum is %d, want 8", got)
	}
	r.want(t, "cold", map[string]uint64{"upper": 2, "length": 2, "sumOfLengths": 1})

	put(t, e, inputs, "a/1", "ONE") // same after upper
	ask(t, e, sumOfLengths, "a/")
	r.want(t, "equal after upper", map[string]uint64{"upper": 1, "length": 0, "sumOfLengths": 0})

	put(t, e, inputs, "a/1", "two") // same length
	ask(t, e, sumOfLengths, "a/")
	r.want(t, "equal length", map[string]uint64{"upper": 1, "length": 1, "sumOfLengths": 0})

	put(t, e, inputs, "a/1", "seven")
	if got := ask(t, e, sumOfLengths, "a/"); got != 10 {
		t.Fatalf("sum is %d, want 10", got)
	}
	r.want(t, "changed", map[string]uint64{"upper": 1, "length": 1, "sumOfLengths": 1})

	put(t, e, inputs, "b/1", "elsewhere")
	ask(t, e, sumOfLengths, "a/")
	r.want(t, "unrelated key", map[string]uint64{"upper": 0, "length": 0, "sumOfLengths": 0})

	put(t, e, inputs, "a/3", "")
	ask(t, e, sumOfLengths, "a/")
	r.want(t, "new key", map[string]uint64{"upper": 1, "length": 1, "sumOfLengths": 1})
}

func TestEditAndUndoRunsNothing(t *testing.T) {
	e := open(t, "", runtime.Options{})
	r := &runs{e: e}
	for _, text := range []string{"A", "bb", "ccc"} {
		put(t, e, inputs, "k", text)
		ask(t, e, length, "k")
	}
	r.since("upper")
	r.since("length")
	for _, text := range []string{"A", "bb", "ccc", "A"} {
		put(t, e, inputs, "k", text)
		if got := ask(t, e, length, "k"); got != len(text) {
			t.Fatalf("length of %q is %d", text, got)
		}
	}
	r.want(t, "undo", map[string]uint64{"upper": 0, "length": 0})
}

func TestAbsentKeyIsARead(t *testing.T) {
	e := open(t, "", runtime.Options{})
	r := &runs{e: e}
	if got := ask(t, e, orDefault, "k"); got != "default" {
		t.Fatalf("got %q", got)
	}
	ask(t, e, orDefault, "k")
	r.want(t, "absent", map[string]uint64{"orDefault": 1})
	put(t, e, inputs, "k", "there")
	if got := ask(t, e, orDefault, "k"); got != "there" {
		t.Fatalf("got %q", got)
	}
	remove(t, e, inputs, "k")
	if got := ask(t, e, orDefault, "k"); got != "default" {
		t.Fatalf("got %q", got)
	}
	r.want(t, "there and gone", map[string]uint64{"orDefault": 1})
}

func TestErrorsAreNotKept(t *testing.T) {
	e := open(t, "", runtime.Options{})
	for range 2 {
		if _, err := length.Ask(t.Context(), e, "none"); !errors.Is(err, runtime.ErrNotFound) {
			t.Fatalf("error is %v, want ErrNotFound", err)
		}
	}
	if got := e.Stats().Queries["upper"]; got.Failed != 2 || got.Ran != 0 {
		t.Errorf("upper: %+v, want 2 failures", got)
	}
	put(t, e, inputs, "none", "now there")
	if got := ask(t, e, length, "none"); got != 9 {
		t.Errorf("length is %d, want 9", got)
	}
}

func TestRestartRunsNothing(t *testing.T) {
	dir := t.TempDir()
	first, err := runtime.Open(dir, runtime.Options{Workers: 1, SegmentBytes: 1 << 20, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		put(t, first, inputs, fmt.Sprintf("a/%03d", i), strings.Repeat("x", i))
	}
	want := ask(t, first, sumOfLengths, "a/")
	gen := first.Stats().Generation
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}

	e := open(t, dir, runtime.Options{})
	if got := e.Stats().Generation; got != gen {
		t.Errorf("generation is %d after reopening, was %d", got, gen)
	}
	if got := ask(t, e, sumOfLengths, "a/"); got != want {
		t.Errorf("sum is %d after reopening, was %d", got, want)
	}
	r := &runs{e: e}
	r.want(t, "reopened", map[string]uint64{"upper": 0, "length": 0, "sumOfLengths": 0})
	if got := e.Stats().Queries["length"]; got.Validated != 0 {
		t.Errorf("%d traces of length were walked although nothing changed", got.Validated)
	}
	put(t, e, inputs, "a/007", "changed")
	ask(t, e, sumOfLengths, "a/")
	r.want(t, "reopened and changed", map[string]uint64{"upper": 1, "length": 1})
}

func TestVersionInvalidatesItsQueryOnly(t *testing.T) {
	dir := t.TempDir()
	run := func(version int, want map[string]uint64) {
		e, err := runtime.Open(dir, runtime.Options{Workers: 1, Logger: quiet, SegmentBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		put(t, e, inputs, "k", "text")
		low := runtime.NewQuery(fmt.Sprintf("versioned-low-%p", &dir), 1, func(t *runtime.Task, key string) (string, error) { return inputs.Get(t, key) })
		high := runtime.NewQuery(fmt.Sprintf("versioned-high-%p", &dir), version, func(t *runtime.Task, key string) (string, error) {
			s, err := low.Get(t, key)
			return s + fmt.Sprint(version), err
		})
		if got := ask(t, e, high, "k"); got != "text"+fmt.Sprint(version) {
			t.Errorf("version %d answers %q", version, got)
		}
		(&runs{e: e}).want(t, fmt.Sprint("version ", version), map[string]uint64{low.Name(): want["low"], high.Name(): want["high"]})
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	run(1, map[string]uint64{"low": 1, "high": 1})
	run(1, map[string]uint64{"low": 0, "high": 0})
	run(2, map[string]uint64{"low": 0, "high": 1})
}

func TestCycleNamesItsPath(t *testing.T) {
	e := open(t, "", runtime.Options{})
	var ring *runtime.Query[int, int]
	ring = runtime.NewQuery("ring", 1, func(t *runtime.Task, n int) (int, error) {
		return ring.Get(t, (n+1)%3)
	})
	_, err := ring.Ask(t.Context(), e, 0)
	var cycle *runtime.CycleError
	if !errors.As(err, &cycle) || !errors.Is(err, runtime.ErrCycle) {
		t.Fatalf("error is %v, want a CycleError", err)
	}
	if got, want := fmt.Sprint(cycle.Path), "[ring(0) ring(1) ring(2) ring(0)]"; got != want {
		t.Errorf("path is %s, want %s", got, want)
	}
	where := regexp.MustCompile(`ring\(1\) \[\S*engine_test.go:\d+\] -> ring\(2\) \[`)
	if !where.MatchString(err.Error()) {
		t.Errorf("the error does not say where the queries are: %v", err)
	}
}

// Two tasks that enter a cycle at different places must not wait for each other for ever.
func TestCycleAcrossTasks(t *testing.T) {
	e := open(t, "", runtime.Options{})
	var knot *runtime.Query[int, int]
	knot = runtime.NewQuery("knot", 1, func(t *runtime.Task, n int) (int, error) {
		vs, err := knot.All(t, []int{(n + 1) % 4, (n + 2) % 4, (n + 3) % 4})
		if err != nil {
			return 0, err
		}
		return vs[0], nil
	})
	for round := range 50 {
		put(t, e, inputs, "round", fmt.Sprint(round))
		errs := make(chan error, 4)
		for n := range 4 {
			go func() {
				_, err := knot.Ask(t.Context(), e, n)
				errs <- err
			}()
		}
		for range 4 {
			if err := <-errs; !errors.Is(err, runtime.ErrCycle) {
				t.Fatalf("round %d: error is %v, want ErrCycle", round, err)
			}
		}
	}
}

func TestPanicFailsItsTaskOnly(t *testing.T) {
	e := open(t, "", runtime.Options{})
	boom := runtime.NewQuery("boom", 1, func(t *runtime.Task, key string) (string, error) { panic("boom " + key) })
	_, err := boom.Ask(t.Context(), e, "k")
	var p *runtime.PanicError
	if !errors.As(err, &p) || !strings.Contains(string(p.Stack), "engine_test.go") {
		t.Fatalf("error is %v, want a PanicError with the stack of the query", err)
	}
	put(t, e, inputs, "k", "fine")
	if got := ask(t, e, upper, "k"); got != "FINE" {
		t.Errorf("after the panic: %q", got)
	}
}

func TestConflictingNames(t *testing.T) {
	e := open(t, "", runtime.Options{})
	a, b := runtime.NewPartition[string]("same"), runtime.NewPartition[int]("same")
	put(t, e, a, "k", "v")
	err := e.Commit(t.Context(), func(w *runtime.Writer) error { return b.Put(w, "k", 1) })
	if !errors.Is(err, runtime.ErrConflict) || strings.Count(err.Error(), "engine_test.go:") != 2 {
		t.Errorf("error is %v, want ErrConflict naming both places", err)
	}
	reserved := runtime.NewPartition[string]("$memo")
	err = e.Commit(t.Context(), func(w *runtime.Writer) error { return reserved.Put(w, "k", "v") })
	if !errors.Is(err, runtime.ErrReserved) {
		t.Errorf("error is %v, want ErrReserved", err)
	}
}

func TestSnapshotStandsStill(t *testing.T) {
	e := open(t, "", runtime.Options{})
	put(t, e, inputs, "k", "old")
	s := e.Snapshot()
	defer s.Release()
	put(t, e, inputs, "k", "newer")
	put(t, e, inputs, "j", "newer")
	if got, err := inputs.Get(s, "k"); err != nil || got != "old" {
		t.Errorf("snapshot reads %q, %v", got, err)
	}
	if keys, err := inputs.Keys(s, runtime.All()); err != nil || len(keys) != 1 {
		t.Errorf("snapshot has keys %q, %v", keys, err)
	}
	n, err := length.Ask(t.Context(), e, "k", runtime.At(s))
	if err != nil || n != 3 {
		t.Errorf("query in the snapshot: %d, %v", n, err)
	}
	if got := ask(t, e, length, "k"); got != 5 {
		t.Errorf("query now: %d", got)
	}
	// And back: the newer answer must not have replaced the older one.
	if n, err := length.Ask(t.Context(), e, "k", runtime.At(s)); err != nil || n != 3 {
		t.Errorf("query in the snapshot, again: %d, %v", n, err)
	}
}

func TestCommitInsideAQueryIsRefused(t *testing.T) {
	e := open(t, "", runtime.Options{})
	impure := runtime.NewQuery("commits", 1, func(t *runtime.Task, key string) (int, error) {
		return 0, t.Commit(func(w *runtime.Writer) error { return inputs.Put(w, key, "x") })
	})
	if _, err := impure.Ask(t.Context(), e, "k"); !errors.Is(err, runtime.ErrInQuery) {
		t.Errorf("error is %v, want ErrInQuery", err)
	}
}

func TestTaskInvalidLane(t *testing.T) {
	e := open(t, "", runtime.Options{})
	for _, l := range []lane.Lane{1 << 31, 3} {
		if err := e.Submit(t.Context(), l, func(*runtime.Task) error { return nil }); err == nil {
			t.Errorf("lane %#x was accepted", uint32(l))
		}
	}
}

func TestClosedEngineRefuses(t *testing.T) {
	e, err := runtime.Open("", runtime.Options{Workers: 1, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := upper.Ask(t.Context(), e, "k"); !errors.Is(err, runtime.ErrClosed) {
		t.Errorf("Ask: %v, want ErrClosed", err)
	}
	if err := e.Commit(t.Context(), func(*runtime.Writer) error { return nil }); !errors.Is(err, runtime.ErrClosed) {
		t.Errorf("Commit: %v, want ErrClosed", err)
	}
	if err := e.Checkpoint(context.Background()); !errors.Is(err, runtime.ErrClosed) {
		t.Errorf("Checkpoint: %v, want ErrClosed", err)
	}
}

// A strand that was woken but has not run yet still shows the flight it waited for; taking it for
// one that waits made a cycle out of two tasks that merely share work.
func TestSharedWorkIsNoCycle(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 3})
	var dag *runtime.Query[int, int]
	dag = runtime.NewQuery("dag", 1, func(t *runtime.Task, n int) (int, error) {
		round, err := inputs.Get(t, "round")
		if err != nil {
			return 0, err
		}
		var below []int
		for i := 1; i <= 3 && n-i >= 0; i++ {
			below = append(below, n-i)
		}
		vs, err := dag.All(t, below)
		sum := len(round)
		for _, v := range vs {
			sum += v % 1000
		}
		return sum, err
	})
	for round := range 100 {
		put(t, e, inputs, "round", fmt.Sprint(round))
		errs := make(chan error, 4)
		for n := range 4 {
			go func() {
				_, err := dag.Ask(t.Context(), e, 20-n)
				errs <- err
			}()
		}
		for range 4 {
			if err := <-errs; err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
	}
}

// Verifying in an older generation was not remembered once the trace was known to hold in a newer
// one, so every look walked everything below again: the work doubled with each level.
func TestOlderGenerationIsVerifiedOnce(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	var ladder *runtime.Query[int, int]
	ladder = runtime.NewQuery("ladder", 1, func(t *runtime.Task, n int) (int, error) {
		if n == 0 {
			s, err := inputs.Get(t, "k")
			return len(s), err
		}
		a, err := ladder.Get(t, n-1)
		if err != nil {
			return 0, err
		}
		// A second way down: with the first, 2 to the power of the rungs walks.
		b, err := ladder.Get(t, max(0, n-2))
		return a ^ b, err
	})
	const rungs = 60
	put(t, e, inputs, "k", "v")
	ask(t, e, ladder, rungs)
	put(t, e, inputs, "other", "1")
	older := e.Snapshot()
	defer older.Release()
	put(t, e, inputs, "other", "2")
	ask(t, e, ladder, rungs)
	before := e.Stats().Queries["ladder"].Validated
	if _, err := ladder.Ask(t.Context(), e, rungs, runtime.At(older)); err != nil {
		t.Fatal(err)
	}
	if n := e.Stats().Queries["ladder"].Validated - before; n > rungs+1 {
		t.Errorf("%d traces were walked in the older generation, there are %d", n, rungs+1)
	}
}

var (
	first  = runtime.NewPartition[string]("first")
	second = runtime.NewPartition[string]("second")

	// either reads second only when first has nothing.
	either = runtime.NewQuery("either", 1, func(t *runtime.Task, key string) (string, error) {
		s, err := first.Get(t, key)
		if errors.Is(err, runtime.ErrNotFound) {
			return second.Get(t, key)
		}
		return s, err
	})
	shout = runtime.NewQuery("shout", 1, func(t *runtime.Task, key string) (string, error) {
		s, err := either.Get(t, key)
		return strings.ToUpper(s), err
	})
)

// The same answer of a query below may come from other partitions than before. The query above did
// not take note of them, and was believed to hold when they changed.
func TestSameAnswerFromAnotherPartition(t *testing.T) {
	e := open(t, "", runtime.Options{})
	put(t, e, first, "k", "text")
	if got := ask(t, e, shout, "k"); got != "TEXT" {
		t.Fatalf("got %q", got)
	}
	err := e.Commit(t.Context(), func(w *runtime.Writer) error {
		if err := first.Delete(w, "k"); err != nil {
			return err
		}
		return second.Put(w, "k", "text")
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(t, e, shout, "k"); got != "TEXT" {
		t.Fatalf("got %q", got)
	}
	put(t, e, second, "k", "changed")
	if got := ask(t, e, shout, "k"); got != "CHANGED" {
		t.Errorf("got %q, want CHANGED", got)
	}
}
