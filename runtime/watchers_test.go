package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

var numbers = runtime.NewPartition[int]("numbers")

// watch registers a watcher that the test stops.
func watch(t testing.TB, e *runtime.Engine, p runtime.AnyPartition, pat runtime.Pattern, fn func(*runtime.Task, runtime.Changes) error, opts ...runtime.TaskOption) {
	t.Helper()
	stop, err := e.Watch(p, pat, fn, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
}

// TestWatcherOrderOfDeliveries: who commits second is not told of before who committed first,
// though the first is held up.
func TestWatcherOrderOfDeliveries(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	asked, answer := make(chan struct{}), make(chan struct{})
	stop, err := numbers.Watch(e, runtime.Exact("first"), func(string, *int, *int) bool {
		close(asked)
		<-answer
		return false
	}, func(*runtime.Task, runtime.Changes) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	var mu sync.Mutex
	var keys []string
	all := newTold()
	watch(t, e, numbers, runtime.All(), func(_ *runtime.Task, c runtime.Changes) error {
		mu.Lock()
		defer mu.Unlock()
		for _, ch := range c.List {
			keys = append(keys, ch.Key)
		}
		all.tell(c)
		return nil
	})
	var wg sync.WaitGroup
	wg.Go(func() { put(t, e, numbers, "first", 1) })
	<-asked
	put(t, e, numbers, "second", 2)
	// Whatever was queued by now runs before this.
	if err := e.Submit(t.Context(), lane.Default, func(*runtime.Task) error { return nil }); err != nil {
		t.Error(err)
	}
	mu.Lock()
	if len(keys) > 0 {
		t.Errorf("told of %v while the first commit was not told of", keys)
	}
	mu.Unlock()
	close(answer)
	wg.Wait()
	all.await(2)
}

// A gate keeps the only worker of an engine busy, so that what is submitted meanwhile stays queued.
func gate(t *testing.T, e *runtime.Engine) (open func()) {
	t.Helper()
	began, release := make(chan struct{}), make(chan struct{})
	h, err := e.Go(t.Context(), lane.Sync, func(*runtime.Task) error { close(began); <-release; return nil })
	if err != nil {
		t.Fatal(err)
	}
	<-began
	return func() {
		close(release)
		if err := h.Wait(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

func TestWatcherPatterns(t *testing.T) {
	e := open(t, "", runtime.Options{})
	keys := []string{"a", "a.go", "a/b.go", "a/b/c.go", "a/b/c.txt", "ab", "b/x.go", "\xff\xff"}
	cases := map[string]struct {
		pat  runtime.Pattern
		want string
	}{
		"exact":                 {runtime.Exact("a/b.go"), "a/b.go"},
		"exact of a prefix":     {runtime.Exact("a"), "a"},
		"prefix":                {runtime.Prefix("a/"), "a/b.go a/b/c.go a/b/c.txt"},
		"prefix without an end": {runtime.Prefix("\xff"), "\xff\xff"},
		"range":                 {runtime.Range("a/b", "ab"), "a/b.go a/b/c.go a/b/c.txt"},
		"open range":            {runtime.Range("ab", ""), "ab b/x.go \xff\xff"},
		"glob, one element":     {runtime.Glob("*.go"), "a.go"},
		"glob, any depth":       {runtime.Glob("**/*.go"), "a.go a/b.go a/b/c.go b/x.go"},
		"glob below":            {runtime.Glob("a/**"), "a/b.go a/b/c.go a/b/c.txt"},
		"glob, alternatives":    {runtime.Glob("a/**/*.{txt,md}"), "a/b/c.txt"},
		"glob, class":           {runtime.Glob("[b-c]/?.go"), "b/x.go"},
		"malformed":             {runtime.Glob("a/[b"), ""},
		"all":                   {runtime.All(), strings.Join(keys, " ")},
	}
	var mu sync.Mutex
	got := map[string][]string{}
	for name, c := range cases {
		watch(t, e, inputs, c.pat, func(_ *runtime.Task, ch runtime.Changes) error {
			mu.Lock()
			defer mu.Unlock()
			for _, x := range ch.List {
				got[name] = append(got[name], x.Key)
			}
			return nil
		})
	}
	err := e.Commit(t.Context(), func(w *runtime.Writer) error {
		for _, key := range keys {
			if err := inputs.Put(w, key, "x"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Closing lets what is queued run.
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, c := range cases {
		if g := strings.Join(got[name], " "); g != c.want {
			t.Errorf("%s: told %q, want %q", name, g, c.want)
		}
	}
}

// A typed condition looks at the values before and after.
func TestWatcherCondition(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	type change struct {
		key      string
		old, new string
	}
	told := make(chan change, 16)
	show := func(v *int) string {
		if v == nil {
			return "none"
		}
		return fmt.Sprint(*v)
	}
	text := func(t *runtime.Task, b runtime.Blob) string {
		if b.IsZero() {
			return "none"
		}
		v, err := numbers.Load(t, b)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(v)
	}
	var asked []string
	stop, err := numbers.Watch(e, runtime.Prefix("n"), func(key string, old, now *int) bool {
		asked = append(asked, key+":"+show(old)+">"+show(now))
		return (old == nil || *old < 10) && now != nil && *now >= 10
	}, func(t *runtime.Task, c runtime.Changes) error {
		for _, ch := range c.List {
			told <- change{ch.Key, text(t, ch.Old), text(t, ch.New)}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	put(t, e, numbers, "n1", 3)
	put(t, e, numbers, "n1", 12)
	if c := <-told; c != (change{"n1", "3", "12"}) {
		t.Errorf("told %v", c)
	}
	put(t, e, numbers, "n1", 13) // was met before
	put(t, e, numbers, "m", 20)  // another key
	remove(t, e, numbers, "n1")
	put(t, e, numbers, "n2", 10)
	if c := <-told; c != (change{"n2", "none", "10"}) {
		t.Errorf("told %v", c)
	}
	want := []string{"n1:none>3", "n1:3>12", "n1:12>13", "n1:13>none", "n2:none>10"}
	if !slices.Equal(asked, want) {
		t.Errorf("the condition was asked for %q, want %q", asked, want)
	}

	// Once a commit has met it, what becomes of the key until the run belongs to it.
	openGate := gate(t, e)
	put(t, e, numbers, "n3", 11)
	put(t, e, numbers, "n3", 1)
	openGate()
	if c := <-told; c != (change{"n3", "none", "1"}) {
		t.Errorf("told %v", c)
	}
}

// Commits that come while the watcher is queued make one batch, with the two ends of each key; what
// changed back is not in it.
func TestWatcherCoalescesWhileQueued(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	put(t, e, inputs, "back", "same")
	var runs []runtime.Changes
	over := make(chan struct{})
	watch(t, e, inputs, runtime.All(), func(_ *runtime.Task, c runtime.Changes) error {
		runs = append(runs, c)
		close(over)
		return nil
	})
	openGate := gate(t, e)
	for i := range 50 {
		put(t, e, inputs, "often", fmt.Sprint(i))
	}
	put(t, e, inputs, "back", "other")
	put(t, e, inputs, "back", "same")
	put(t, e, inputs, "short", "life")
	remove(t, e, inputs, "short")
	put(t, e, inputs, "once", "x")
	gen := e.Stats().Generation
	openGate()
	<-over
	if len(runs) != 1 || runs[0].Generation != gen {
		t.Fatalf("%d runs, the first of generation %d", len(runs), runs[0].Generation)
	}
	var keys []string
	for _, c := range runs[0].List {
		keys = append(keys, c.Key)
		if !c.Old.IsZero() || c.New.IsZero() || c.Deleted {
			t.Errorf("%s: %+v", c.Key, c)
		}
	}
	if !slices.Equal(keys, []string{"often", "once"}) {
		t.Errorf("told %q", keys)
	}
}

// Under many concurrent commits: runs do not overlap, generations ascend, and what one run is told
// continues what the last one was.
func TestWatcherOrder(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 2})
	const writers, rounds, keys = 4, 60, 5
	var (
		running sync.Mutex
		gen     uint64
		last    = map[string]runtime.Blob{}
		all     = newTold()
	)
	watch(t, e, numbers, runtime.Prefix("k"), func(_ *runtime.Task, c runtime.Changes) error {
		if !running.TryLock() {
			t.Error("two runs at the same time")
			return nil
		}
		defer running.Unlock()
		if c.Generation <= gen {
			t.Errorf("generation %d after %d", c.Generation, gen)
		}
		gen = c.Generation
		for _, ch := range c.List {
			if last[ch.Key] != ch.Old {
				t.Errorf("%s: a gap", ch.Key)
			}
			last[ch.Key] = ch.New
		}
		return nil
	})
	watch(t, e, numbers, runtime.Prefix("end"), func(_ *runtime.Task, c runtime.Changes) error { all.tell(c); return nil })
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range rounds {
				put(t, e, numbers, fmt.Sprint("k", (w+i)%keys), w*rounds+i)
			}
		})
	}
	wg.Wait()
	put(t, e, numbers, "end", 1)
	all.await(1)
}

func TestWatcherWritingWhatItWatches(t *testing.T) {
	e := open(t, "", runtime.Options{})
	done := make(chan int, 1)
	watch(t, e, numbers, runtime.Exact("n"), func(t *runtime.Task, c runtime.Changes) error {
		n, err := numbers.Get(t, "n")
		if err != nil {
			return err
		}
		if n == 10 {
			done <- n
		}
		return t.Commit(func(w *runtime.Writer) error { return numbers.Put(w, "n", min(n+1, 10)) }) // settles: an equal put is no change
	})
	put(t, e, numbers, "n", 1)
	<-done
	if n := e.Stats().WatchLoops; n != 0 {
		t.Errorf("%d loops were reported", n)
	}
}

// Two watchers that set each other off for ever are stopped, and the report names both of them; the
// next commit from elsewhere sets them off again.
func TestWatcherLoopIsReported(t *testing.T) {
	var log syncBuffer
	e := open(t, "", runtime.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	runs := newTold()
	bump := func(from, to string) func(*runtime.Task, runtime.Changes) error {
		return func(t *runtime.Task, c runtime.Changes) error {
			n, err := numbers.Get(t, from)
			if err != nil {
				return err
			}
			runs.tell(c)
			return t.Commit(func(w *runtime.Writer) error { return numbers.Put(w, to, n+1) })
		}
	}
	for from, to := range map[string]string{"ping": "pong", "pong": "ping"} {
		stop, err := e.Watch(numbers, runtime.Exact(from), bump(from, to))
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
	}
	for round := range 2 {
		put(t, e, numbers, "ping", -1000*(round+1))
		runs.await(64 * (round + 1))
		for e.Stats().WatchLoops != uint64(round+1) {
			put(t, e, inputs, "k", "let the last commit through") // it counts the loop after its commit
		}
	}
	if n := len(runs.await(0)); n != 128 {
		t.Errorf("%d runs in two loops of 64", n)
	}
	line := log.String()
	if strings.Count(line, "watchers_test.go") != 2*2 || !strings.Contains(line, "watches numbers[\\\"ping\\\"]) -> ") || !strings.Contains(line, "64 rounds") {
		t.Errorf("the report: %s", line)
	}
}

// A syncBuffer is a bytes.Buffer for several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestWatcherLaneClientAndParent(t *testing.T) {
	e := open(t, "", runtime.Options{})
	type from struct {
		lane           lane.Lane
		client, parent uint64
	}
	inherits, chooses := make(chan from, 1), make(chan from, 1)
	report := func(ch chan from) func(*runtime.Task, runtime.Changes) error {
		return func(t *runtime.Task, _ runtime.Changes) error {
			ch <- from{t.Lane(), t.Client(), t.Parent()}
			return nil
		}
	}
	watch(t, e, inputs, runtime.All(), report(inherits))
	watch(t, e, inputs, runtime.All(), report(chooses), runtime.On(lane.Idle), runtime.Client(8))
	h, err := e.Go(t.Context(), lane.Sync, func(t *runtime.Task) error {
		return t.Commit(func(w *runtime.Writer) error { return inputs.Put(w, "k", "v") })
	}, runtime.Client(7))
	if err != nil {
		t.Fatal(err)
	}
	if g := <-inherits; g != (from{lane.Sync, 7, h.ID()}) {
		t.Errorf("inherited %+v", g)
	}
	if g := <-chooses; g != (from{lane.Idle, 8, h.ID()}) {
		t.Errorf("chose %+v", g)
	}
	put(t, e, inputs, "k", "from outside of any task")
	if g := <-inherits; g != (from{lane.Default, 0, 0}) {
		t.Errorf("from outside %+v", g)
	}
	<-chooses
}

// What a watcher was to be told on behalf of a client that goes away, it is told on behalf of the
// engine.
func TestWatcherSurvivesItsClient(t *testing.T) {
	gone := errors.New("the editor is gone")
	commit := func(t *testing.T, e *runtime.Engine, key string) {
		err := e.Submit(t.Context(), lane.Default, func(t *runtime.Task) error {
			return t.Commit(func(w *runtime.Writer) error { return inputs.Put(w, key, "v") })
		}, runtime.Client(7))
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Run("queued", func(t *testing.T) {
		e := open(t, "", runtime.Options{Workers: 1})
		told := make(chan uint64, 4)
		watch(t, e, inputs, runtime.All(), func(t *runtime.Task, c runtime.Changes) error { told <- t.Client(); return nil }, runtime.On(lane.Idle))
		openGate := gate(t, e)
		committed, release := make(chan struct{}), make(chan struct{})
		for client, fn := range map[uint64]func(*runtime.Task) error{
			7: func(t *runtime.Task) error {
				return t.Commit(func(w *runtime.Writer) error { return inputs.Put(w, "k", "v") })
			},
			8: func(*runtime.Task) error { close(committed); <-release; return nil },
		} {
			l := map[uint64]lane.Lane{7: lane.Sync, 8: lane.Input}[client] // one after the other, and both before the watcher
			if _, err := e.Go(t.Context(), l, fn, runtime.Client(client)); err != nil {
				t.Fatal(err)
			}
		}
		openGate()
		<-committed
		e.CancelClient(7, gone)
		close(release)
		if c := <-told; c != 0 {
			t.Errorf("told for client %d", c)
		}
	})
	t.Run("running", func(t *testing.T) {
		e := open(t, "", runtime.Options{Workers: 2})
		type run struct {
			client uint64
			keys   int
		}
		runs := make(chan run, 4)
		watch(t, e, inputs, runtime.All(), func(t *runtime.Task, c runtime.Changes) error {
			runs <- run{t.Client(), len(c.List)}
			if t.Client() == 7 {
				<-t.Context().Done()
				return context.Cause(t.Context())
			}
			return nil
		})
		commit(t, e, "k")
		if r := <-runs; r != (run{7, 1}) {
			t.Fatalf("%+v", r)
		}
		e.CancelClient(7, gone)
		if r := <-runs; r != (run{0, 1}) {
			t.Errorf("made up for by %+v", r)
		}
		commit(t, e, "j") // and the watcher goes on as before
		if r := <-runs; r != (run{7, 1}) {
			t.Errorf("%+v", r)
		}
		e.CancelClient(7, gone)
		<-runs
	})
}

// A watcher that looked for something in vain is run once more when that is there, with what it was
// told.
func TestWatcherIsRunAgainForWhatWasAbsent(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	type run struct {
		keys  string
		found bool
	}
	runs := make(chan run, 8)
	early := make(chan struct{}, 1) // told to let the key appear between the look and the call of Again
	stop, err := e.Watch(inputs, runtime.Prefix("use/"), func(t *runtime.Task, c runtime.Changes) error {
		var keys []string
		for _, ch := range c.List {
			keys = append(keys, ch.Key)
		}
		found, err := numbers.Has(t, "def")
		if err != nil {
			return err
		}
		runs <- run{strings.Join(keys, " "), found}
		if found {
			return nil
		}
		select {
		case <-early:
			err := t.Commit(func(w *runtime.Writer) error { return numbers.Put(w, "def", 9) })
			if err != nil {
				return err
			}
		default:
		}
		for range 2 { // asking twice is asking once
			if err := t.Again(numbers, runtime.Prefix("def")); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	next := func(want run) {
		t.Helper()
		if r := <-runs; r != want {
			t.Errorf("run with %+v, want %+v", r, want)
		}
	}
	put(t, e, inputs, "use/a", "1")
	next(run{"use/a", false})
	put(t, e, inputs, "use/b", "1")
	next(run{"use/b", false})
	put(t, e, numbers, "other", 1) // not what is missing
	put(t, e, numbers, "def", 1)
	next(run{"use/a use/b", true})
	put(t, e, numbers, "def", 2) // once only
	remove(t, e, numbers, "def")

	early <- struct{}{}
	put(t, e, inputs, "use/c", "1")
	next(run{"use/c", false})
	next(run{"use/c", true})
	remove(t, e, numbers, "def")

	put(t, e, inputs, "use/d", "1")
	next(run{"use/d", false})
	stop()
	put(t, e, numbers, "def", 3)
	if err := e.Submit(t.Context(), lane.Idle, func(*runtime.Task) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if len(runs) != 0 {
		t.Errorf("run after the watch was stopped: %+v", <-runs)
	}
	err = e.Submit(t.Context(), lane.Default, func(t *runtime.Task) error { return t.Again(inputs, runtime.All()) })
	if !errors.Is(err, runtime.ErrNoWatcher) {
		t.Errorf("outside of a watcher: %v", err)
	}
}

// stop returns when the run that has begun is over, and none begins after it.
func TestWatcherStopWaitsForTheRun(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 2})
	began, release := make(chan struct{}, 8), make(chan struct{})
	runs, over := 0, false
	stop, err := e.Watch(inputs, runtime.All(), func(*runtime.Task, runtime.Changes) error {
		runs++
		over = false
		began <- struct{}{}
		<-release
		over = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	put(t, e, inputs, "k", "1")
	<-began
	put(t, e, inputs, "k", "2") // pending while stop is called
	stopped := make(chan bool)
	go func() {
		stop()
		stopped <- over
	}()
	close(release)
	if !<-stopped {
		t.Error("stop did not wait")
	}
	before := runs
	put(t, e, inputs, "k", "3")
	stop()                                       // again: nothing
	if err := e.Close(t.Context()); err != nil { // lets what is queued run
		t.Fatal(err)
	}
	if runs != before {
		t.Errorf("%d runs after stop", runs-before)
	}
}
