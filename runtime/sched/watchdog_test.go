package sched

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A logBuffer is a concurrent buffer for log lines.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// until fails the test if the log does not come to contain the text.
func (l *logBuffer) until(t *testing.T, want string) {
	t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(l.String(), want); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %q in\n%s", want, l.String())
		}
	}
}

// A watchedPool is a pool with a watchdog that looks when a test says so, at times that a test
// says.
type watchedPool struct {
	*Pool
	t   *testing.T
	d   *watchdog
	log logBuffer
	now time.Time
}

const limit = 10 * time.Second

func newWatched(t *testing.T, workers int, d *epoch.Domain) *watchedPool {
	w := &watchedPool{t: t, now: time.Unix(0, 0)}
	w.Pool = newPool(t, Options{Workers: workers, StallAfter: -1, Epochs: d})
	// Read by the watchdog alone, as nothing else is logged from now on.
	w.Pool.stallAfter = limit
	w.Pool.log = slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.d = newWatchdog(w.Pool, d)
	return w
}

// says lets time pass, with a look each second, and compares what is said: the level and the
// message.
func (w *watchedPool) says(passed time.Duration, want ...string) {
	w.t.Helper()
	from := len(w.log.String())
	for end := w.now.Add(passed); w.now.Before(end); {
		w.now = w.now.Add(time.Second)
		w.d.look(w.now)
	}
	var got []string
	for line := range strings.Lines(w.log.String()[from:]) {
		_, line, _ = strings.Cut(line, "level=")
		level, line, _ := strings.Cut(line, " msg=\"sched: ")
		msg, _, _ := strings.Cut(line, "\"")
		if got = append(got, level+" "+msg); level == "WARN" {
			w.t.Log(line)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.t.Errorf("in %v it says %q, want %q", passed, got, want)
	}
}

// areWaiting returns when so many tasks wait, as one that has started may be on its way.
func (w *watchedPool) areWaiting(n int) {
	for len(w.Stats().Waiting) != n {
		time.Sleep(time.Microsecond)
	}
}

// Work that takes long, and waits that do, are no reason for a warning as long as they let others
// go on.
func TestWatchdogIsQuietAboutWork(t *testing.T) {
	w := newWatched(t, 2, nil)
	var e Event
	release := make(chan struct{})
	var all []*Handle
	all = append(all, started(t, w.Pool, bg, Spec{Name: "computes"}, func(*Task) error { <-release; return nil }))
	inner := started(t, w.Pool, bg, Spec{Name: "inner"}, func(task *Task) error { return task.AwaitReason(&e, Reason{What: "the moon"}) })
	all = append(all, inner, started(t, w.Pool, bg, Spec{Name: "outer"}, func(task *Task) error { return task.Join(inner) }))
	w.areWaiting(2)
	w.says(limit)
	w.says(time.Second, "DEBUG task holds its worker", "DEBUG task waits", "DEBUG task waits")
	if line := w.log.String(); !strings.Contains(line, `waits for task`) || !strings.Contains(line, "waits for the moon") {
		t.Errorf("the chain is missing: %s", line)
	}
	// A queue that moves, however long.
	for range 15 {
		if err := wait(t, submit(t, w.Pool, Spec{}, func(*Task) error { return nil })); err != nil {
			t.Error(err)
		}
		w.now = w.now.Add(time.Second)
		w.d.look(w.now)
	}
	if line := w.log.String(); strings.Contains(line, "WARN") {
		t.Errorf("a warning: %s", line)
	}
	close(release)
	e.Fire()
	for _, h := range all {
		if err := wait(t, h); err != nil {
			t.Error(err)
		}
	}
}

// What lets others wait is warned of, when it has for the limit, and again when that has doubled.
func TestWatchdogWarns(t *testing.T) {
	w := newWatched(t, 1, nil)
	var e Event
	parked := started(t, w.Pool, bg, Spec{Name: "parked"}, func(task *Task) error { return task.Await(&e) })
	w.areWaiting(1)
	release := make(chan struct{})
	greedy := started(t, w.Pool, bg, Spec{Name: "greedy"}, func(*Task) error { <-release; return nil })
	w.says(limit+time.Second, "DEBUG task holds its worker", "DEBUG task waits")
	queued := submit(t, w.Pool, Spec{Lane: lane.Transition5}, func(*Task) error { return nil })
	w.says(limit - time.Second)
	w.says(2*time.Second, "WARN nothing moves", "DEBUG lane is not served", "DEBUG task holds its worker", "DEBUG task waits")
	e.Fire() // parked may go on, and cannot
	w.says(limit+time.Second, "WARN task holds its worker, and others wait to go on there", "WARN nothing moves", "DEBUG lane is not served")
	if line := w.log.String(); !strings.Contains(line, `held="worker 0 by task`) || !strings.Contains(line, "behind=1") {
		t.Errorf("the holder is not named: %s", line)
	}
	close(release)
	for _, h := range []*Handle{parked, greedy, queued} {
		if err := wait(t, h); err != nil {
			t.Error(err)
		}
	}
	w.says(3 * limit)
}

// A reader that holds back memory is warned of if there is any.
func TestWatchdogNamesReaders(t *testing.T) {
	d := epoch.NewDomain()
	var log logBuffer
	p := newPool(t, Options{Workers: 1, StallAfter: 4 * time.Millisecond, Epochs: d, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	release := make(chan struct{})
	greedy := started(t, p, bg, Spec{Name: "greedy"}, func(*Task) error { <-release; return nil })
	d.TryAdvance()
	d.TryAdvance()
	w := newWatchdog(p, d)
	for i := range 100 {
		w.look(time.Unix(int64(i), 0))
	}
	if line := log.String(); line != "" {
		t.Errorf("nothing waits to be freed: %s", line)
	}
	d.Retire(1, func() {})
	log.until(t, `reader="worker 0"`)
	close(release)
	if err := wait(t, greedy); err != nil {
		t.Error(err)
	}
}

// A crowd that waits in a circle is reported as one.
func TestWatchdogNamesCycles(t *testing.T) {
	var log logBuffer
	p := newPool(t, Options{Workers: 1, StallAfter: 4 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	var hs [2]atomic.Pointer[Handle]
	var known Event
	join := func(other int) func(*Task) error {
		return func(task *Task) error {
			if err := task.Await(&known); err != nil {
				return err
			}
			return task.Join(hs[other].Load())
		}
	}
	hs[0].Store(submit(t, p, Spec{Name: "a"}, join(1)))
	hs[1].Store(submit(t, p, Spec{Name: "b"}, join(0)))
	known.Fire()
	log.until(t, ": a cycle")
	for line := range strings.Lines(log.String()) {
		// On a busy machine the one may also hold the worker for long enough to be told of.
		if strings.Contains(line, ": a cycle") && (!strings.Contains(line, "tasks wait for each other") || strings.Contains(line, "name=b")) {
			t.Errorf("a circle of two is told: %s", line)
		}
	}
	hs[0].Load().Cancel(nil)
	wait(t, hs[0].Load())
	wait(t, hs[1].Load())
}

// The log does not fill up: a stall is told again only after it has doubled.
func TestWatchdogDoubles(t *testing.T) {
	d := &watchdog{pool: &Pool{stallAfter: time.Second}, seen: make(map[standing]*stall)}
	k := standing{kind: "running", id: 1}
	start := time.Unix(0, 0)
	told := 0
	for i := range 4 * 64 {
		if _, due := d.due(k, start.Add(time.Duration(i)*time.Second/4)); due {
			told++
		}
	}
	if told != 6 { // after 1, 2, 4, 8, 16, 32 seconds
		t.Errorf("told %d times in 64 s", told)
	}
}

func TestStarvedSettingIsLogged(t *testing.T) {
	var log logBuffer
	newPool(t, Options{Workers: 64, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if !strings.Contains(log.String(), "raise GOMAXPROCS") {
		t.Error("not logged")
	}
}

func TestStatsNameTasks(t *testing.T) {
	p := newPool(t, Options{Workers: 2})
	var e Event
	release := make(chan struct{})
	waits := started(t, p, bg, Spec{Name: "waits", Client: 3, Lane: lane.RPC1}, func(task *Task) error {
		return task.AwaitReason(&e, Reason{What: "key", On: 77})
	})
	runs := started(t, p, bg, Spec{Name: "runs"}, func(*Task) error { <-release; return nil })
	var st Stats
	// One that is going to wait is listed as waiting before its worker has let go of it.
	for st = p.Stats(); len(st.Waiting) == 0 || len(st.Running) > 1; st = p.Stats() {
		time.Sleep(time.Microsecond)
	}
	want := TaskInfo{ID: waits.ID(), Name: "waits", Lane: lane.RPC1, Client: 3, Worker: st.Waiting[0].Worker}
	if w := st.Waiting[0]; w.TaskInfo != want || w.Reason != (Reason{"key", 77}) || w.Waits != 1 {
		t.Errorf("%+v", w)
	}
	if len(st.Running) != 1 || st.Running[0].Name != "runs" {
		t.Errorf("%+v", st.Running)
	}
	e.Fire()
	close(release)
	wait(t, waits)
	wait(t, runs)
}

func TestHooks(t *testing.T) {
	var mu sync.Mutex
	var got []string
	note := func(what string) func(TaskInfo) {
		return func(i TaskInfo) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, fmt.Sprintf("%s %s", what, i.Name))
		}
	}
	p := newPool(t, Options{Workers: 1, Hooks: Hooks{
		OnSubmit: note("submit"), OnStart: note("start"), OnWait: note("wait"), OnResume: note("resume"),
		OnEnd: func(i TaskInfo, o Outcome, err error) { note(fmt.Sprintf("%v(%v)", o, err))(i) },
	}})
	wait(t, submit(t, p, Spec{Name: "a"}, func(task *Task) error {
		return task.Join(spawn(t, task, Spec{Name: "b"}, func(*Task) error { return io.EOF }))
	}))
	cancelled := submit(t, p, Spec{Name: "c", Deadline: time.Unix(0, 0)}, forever)
	wait(t, cancelled)
	if err := p.Close(bg); err != nil {
		t.Fatal(err)
	}
	want := "submit a, start a, submit b, wait a, start b, failed(EOF) b, resume a, failed(EOF) a, submit c"
	mu.Lock()
	defer mu.Unlock()
	if s := strings.Join(got, ", "); !strings.HasPrefix(s, want) || !strings.HasSuffix(s, "cancelled(context deadline exceeded) c") {
		t.Errorf("got %s", s)
	}
}

// Labels stick to what a task runs, across waits, only while profiling is on.
func TestProfilingLabels(t *testing.T) {
	p := newPool(t, Options{Workers: 1})
	labels := func() string {
		var b strings.Builder
		_ = pprof.Lookup("goroutine").WriteTo(&b, 1)
		return b.String()
	}
	var inside string
	look := func(task *Task) error {
		if err := task.Sleep(time.Microsecond); err != nil {
			return err
		}
		inside = labels()
		return nil
	}
	spec := Spec{Name: "labelled", Client: 9, Lane: lane.RPC0}
	wait(t, submit(t, p, spec, look))
	if strings.Contains(inside, "labelled") {
		t.Error("labels without profiling")
	}
	p.Profiling(true)
	wait(t, submit(t, p, spec, look))
	for _, want := range []string{`"task":"labelled"`, `"lane":"rpc-0"`, `"client":"9"`} {
		if !strings.Contains(inside, want) {
			t.Errorf("no %s in\n%s", want, inside)
		}
	}
	p.Profiling(false)
	wait(t, submit(t, p, spec, look))
	if strings.Contains(inside, "labelled") {
		t.Error("labels stay")
	}
}

// An execution trace has a region for each task, which a wait does not tear.
func TestTraceRegions(t *testing.T) {
	if trace.IsEnabled() {
		t.Skip("a trace of the test itself is being taken")
	}
	var b bytes.Buffer
	if err := trace.Start(&b); err != nil {
		t.Fatal(err)
	}
	p := newPool(t, Options{Workers: 1})
	wait(t, submit(t, p, Spec{Name: "a traced task"}, func(task *Task) error { return task.Sleep(time.Microsecond) }))
	trace.Stop()
	if !bytes.Contains(b.Bytes(), []byte("a traced task")) {
		t.Error("no region in the trace")
	}
}
