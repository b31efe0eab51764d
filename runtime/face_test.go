package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io"
	"os"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/inspect"
	"github.com/cytisus/cytisus/runtime/lane"
)

var (
	faceLength = runtime.NewQuery("face length", 1, func(t *runtime.Task, key string) (int, error) {
		text, err := inputs.Get(t, key)
		return len(text), err
	})

	faceTable = runtime.NewTable("face table", 1, func(t *runtime.Task, key string) (map[string]int, error) {
		text, err := inputs.Get(t, key)
		return map[string]int{"length": len(text)}, err
	})

	// inFace runs what a test has put under the key.
	faceProbes sync.Map
	inFace     = runtime.NewQuery("in face", 1, func(t *runtime.Task, key string) (string, error) {
		fn, ok := faceProbes.Load(key)
		if !ok {
			return "", errors.New("no such probe")
		}
		return "", fn.(func(*runtime.Task) error)(t)
	})
)

// A face is what calls are made on.
type face struct {
	ctx  context.Context
	e    *runtime.Engine
	r    runtime.Reader // a snapshot, unless the test says otherwise
	w    *runtime.Writer
	bulk *runtime.BulkWriter[string]
	t    *runtime.Task // of calls that take one

	explained runtime.Explanation
	blob      runtime.Blob
}

func fails[T any](_ T, err error) error { return err }

// A call of the public face, by its name in the documentation.
type call struct {
	name string
	fn   func(f *face) error
}

// ownCalls are those of package runtime that take an engine.
var ownCalls = []call{
	{"Engine.Checkpoint", func(f *face) error { return f.e.Checkpoint(f.ctx) }},
	{"Engine.Collect", func(f *face) error { return fails(f.e.Collect(f.ctx)) }},
	{"Engine.Commit", func(f *face) error { return f.e.Commit(f.ctx, func(*runtime.Writer) error { return nil }) }},
	{"Engine.Go", func(f *face) error {
		h, err := f.e.Go(f.ctx, lane.Default, func(*runtime.Task) error { return nil })
		if err != nil {
			return err
		}
		return h.Wait(f.ctx)
	}},
	{"Engine.GoRestartable", func(f *face) error {
		r, err := f.e.GoRestartable(f.ctx, lane.Default, func(*runtime.Task) error { return nil })
		if err != nil {
			return err
		}
		<-r.Ended().Done()
		return r.Err()
	}},
	{"Engine.Snapshot", func(f *face) error {
		s := f.e.Snapshot()
		defer s.Release()
		_ = s.Generation()
		return fails(inputs.Get(s, "k"))
	}},
	{"Engine.SnapshotAt", func(f *face) error {
		s, err := f.e.SnapshotAt(f.e.Stats().Generation)
		if err == nil {
			s.Release()
		}
		return err
	}},
	{"Engine.Submit", func(f *face) error {
		return f.e.Submit(f.ctx, lane.Default, func(*runtime.Task) error { return nil })
	}},
	{"Engine.Tidy", func(f *face) error { return f.e.Tidy(f.ctx) }},
	{"Engine.Watch", func(f *face) error {
		stop, err := f.e.Watch(inputs, runtime.All(), func(*runtime.Task, runtime.Changes) error { return nil })
		if err == nil {
			stop()
		}
		return err
	}},
	{"Evaluate", func(f *face) error {
		return fails(runtime.Evaluate(f.ctx, f.e, lane.Default, func(*runtime.Task) (int, error) { return 0, nil }))
	}},
	{"Explain", func(f *face) error { return fails(runtime.Explain(f.e, faceLength, "k")) }},
	{"GraphAround", func(f *face) error { return fails(runtime.GraphAround(f.e, 1, 10, f.explained)) }},
	{"Partition.Bulk", func(f *face) error {
		return inputs.Bulk(f.ctx, f.e, func(*runtime.BulkWriter[string]) error { return nil })
	}},
	{"Partition.Watch", func(f *face) error {
		stop, err := inputs.Watch(f.e, runtime.All(), func(string, *string, *string) bool { return true }, func(*runtime.Task, runtime.Changes) error { return nil })
		if err == nil {
			stop()
		}
		return err
	}},
	{"Query.Watch", func(f *face) error {
		stop, err := faceLength.Watch(f.ctx, f.e, "k", func(*runtime.Task, *runtime.Answer[int], *runtime.Answer[int]) error { return nil })
		if err == nil {
			stop()
		}
		return err
	}},
	{"Query.Ask", func(f *face) error { return fails(faceLength.Ask(f.ctx, f.e, "k")) }},
	{"Table.Ask", func(f *face) error { _, _, err := faceTable.Ask(f.ctx, f.e, "k", "length"); return err }},
}

// inspectCalls are those of package inspect.
var inspectCalls = []call{
	{"inspect.Bytes", func(f *face) error { return fails(inspect.Bytes(f.e, "inputs")) }},
	{"inspect.Records", func(f *face) error {
		return inspect.Records(f.e, "inputs", runtime.All(), func(inspect.Record) error { return nil })
	}},
	{"inspect.Repair", func(f *face) error { return fails(inspect.Repair(f.ctx, f.e)) }},
	{"inspect.Verify", func(f *face) error { return fails(inspect.Verify(f.ctx, f.e, nil)) }},
	{"inspect.Memory", func(f *face) error { return fails(inspect.Memory(f.e)) }},
	{"inspect.Partitions", func(f *face) error { return fails(inspect.Partitions(f.e)) }},
}

// engineCalls take an engine.
var engineCalls = slices.Concat(ownCalls, inspectCalls)

// byContext are the calls that take a context.
var byContext = []string{
	"Engine.Checkpoint", "Engine.Collect", "Engine.Commit", "Engine.Go", "Engine.GoRestartable", "inspect.Repair", "Engine.Submit", "Engine.Tidy", "inspect.Verify", "Evaluate", "Partition.Bulk", "Query.Ask",
	"Query.Watch", "Table.Ask",
}

// readerCalls read through a snapshot or a task.
var readerCalls = []call{
	{"Partition.Count", func(f *face) error { return fails(inputs.Count(f.r, runtime.All())) }},
	{"Partition.Get", func(f *face) error { return fails(inputs.Get(f.r, "k")) }},
	{"Partition.GetBatch", func(f *face) error { _, _, err := inputs.GetBatch(f.r, []string{"k"}); return err }},
	{"Partition.Has", func(f *face) error { return fails(inputs.Has(f.r, "k")) }},
	{"Partition.Blob", func(f *face) error { return fails(inputs.Blob(f.r, "k")) }},
	{"Partition.Keys", func(f *face) error { return fails(inputs.Keys(f.r, runtime.All())) }},
	{"Partition.Load", func(f *face) error { return fails(inputs.Load(f.r, f.blob)) }},
	{"Partition.Page", func(f *face) error {
		_, _, err := inputs.Page(f.r, runtime.All(), runtime.Cursor{}, 3)
		return err
	}},
	{"Partition.Scan", func(f *face) error {
		return inputs.Scan(f.r, runtime.All(), func(string, string) error { return nil })
	}},
	{"ReadBlob", func(f *face) error { return fails(runtime.ReadBlob(f.r, runtime.Blob{})) }},
	{"ViewBlob", func(f *face) error {
		return runtime.ViewBlob(f.r, runtime.Blob{}, func([]byte) error { return nil })
	}},
	{"Query.Peek", func(f *face) error { _, _, err := faceLength.Peek(f.r, "k"); return err }},
	{"Partition.Intact", func(f *face) error { return fails(inputs.Intact(f.r, "k")) }},
}

// writerCalls write to a writer.
var writerCalls = []call{
	{"Partition.ClearPrefix", func(f *face) error { return inputs.ClearPrefix(f.w, "none") }},
	{"Partition.Delete", func(f *face) error { return inputs.Delete(f.w, "none") }},
	{"Partition.Put", func(f *face) error { return inputs.Put(f.w, "lost", "x") }},
	{"Partition.Update", func(f *face) error {
		return inputs.Update(f.w, "lost", func(*string) (*string, error) { return nil, nil })
	}},
	{"Writer.PutBlob", func(f *face) error { return fails(f.w.PutBlob([]byte("lost"))) }},
	{"BulkWriter.Delete", func(f *face) error { return f.bulk.Delete("lost") }},
	{"BulkWriter.Put", func(f *face) error { return f.bulk.Put("lost", "x") }},
}

// taskCalls take a task, and wait or change something: a query must not.
var taskCalls = []call{
	{"Partition.Pend", func(f *face) error { _, _, err := inputs.Pend(f.t, runtime.Exact("k")); return err }},
	{"Partition.Wait", func(f *face) error { _, _, err := inputs.Wait(f.t, runtime.Exact("k")); return err }},
	{"Partition.WaitUntil", func(f *face) error {
		_, _, err := inputs.WaitUntil(f.t, runtime.Exact("k"), time.Now())
		return err
	}},
	{"Prove", func(f *face) error { return fails(runtime.Prove(f.t, f.explained)) }},
	{"Task.Commit", func(f *face) error { return f.t.Commit(func(*runtime.Writer) error { return nil }) }},
	{"Task.Retry", func(f *face) error { return f.t.Retry(time.Second, io.EOF) }},
	{"Task.Spawn", func(f *face) error {
		return fails(f.t.Spawn(0, func(*runtime.Task) error { return nil }))
	}},
}

// others are the rest of the face, with what becomes of them in a query and after Close.
var others = map[string]string{
	"Engine.CancelClient": "does nothing after Close", "Engine.AddCache": "returns no error", "Engine.Profiling": "does nothing after Close", "Engine.Stats": "returns no error", "Engine.Close": "TestCloseFromWithin", "Snapshot.Generation": "returns no error", "Snapshot.Release": "returns no error",
	"Query.All": "TestStuckTaskOfAClosedEngine", "Query.Get": "TestStuckTaskOfAClosedEngine",
	"Table.Get": "TestStuckTaskOfAClosedEngine", "Table.GetBatch": "TestStuckTaskOfAClosedEngine", "Table.Names": "TestStuckTaskOfAClosedEngine", "Task.Again": "TestNothingElseInAQuery", "Task.Join": "TestClosingCutsShort",
	"Task.Piece": "waits for other tasks, near a limit only", "Task.Blocking": "for cleaning up, too", "Task.Client": "the task's", "Task.Context": "the task's", "Task.Engine": "the task's", "Task.Generation": "not kept in a query", "Task.State": "the task's",
	"Task.Lane": "the task's", "Task.Parent": "the task's", "Task.PutBlob": "TestStuckTaskOfAClosedEngine", "Task.Unrecorded": "TestStuckTaskOfAClosedEngine", "Task.Unstable": "the task's", "Task.Yield": "the task's",
	"Open": "makes one",
}

// noEngine are types all of whose methods know nothing of an engine, and functions that do not.
var noEngine = []string{
	"Blob", "Cursor", "CycleError", "CycleStep", "DecodeError", "DivergenceError", "LimitError", "Pattern", "Durability", "WatchLoopError", "Explanation",
	"Cheap", "Code", "Fixpoint", "KeepErrors", "KeepRuns", "MemoryOnly", "NewPartition", "NewQuery", "NewTable", "Table.Whole", "All", "Exact", "Glob", "Prefix", "Range", "After", "Backward", "Limit",
	"At", "Client", "Deadline", "HydrateFirst", "Named", "On", "Supersede", "Partition.Name", "Query.Name",
}

// Every function and method of the package is in one of the lists above: one that is new has to say
// what becomes of it in a query and after Close.
func TestFaceIsListed(t *testing.T) {
	listed := map[string]bool{}
	for _, list := range [][]call{ownCalls, readerCalls, writerCalls, taskCalls} {
		for _, c := range list {
			listed[c.name] = true
		}
	}
	for name := range others {
		listed[name] = true
	}
	for _, name := range noEngine {
		listed[name] = true
	}
	fset := token.NewFileSet()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			f, err := parser.ParseFile(fset, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
	}
	pkg, err := doc.NewFromFiles(fset, files, "github.com/cytisus/cytisus/runtime")
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	for _, f := range pkg.Funcs {
		there = append(there, f.Name)
	}
	for _, typ := range pkg.Types {
		for _, f := range typ.Funcs {
			there = append(there, f.Name)
		}
		for _, m := range typ.Methods {
			if !listed[typ.Name] {
				there = append(there, typ.Name+"."+m.Name)
			}
		}
	}
	for _, name := range there {
		if !listed[name] {
			t.Errorf("%s is not listed", name)
		}
	}
	for name := range listed {
		if !slices.Contains(there, name) && !slices.ContainsFunc(pkg.Types, func(typ *doc.Type) bool { return typ.Name == name }) {
			t.Errorf("%s is listed and not there", name)
		}
	}
}

// newFace fills an engine with what the calls read.
func newFace(t *testing.T, e *runtime.Engine) *face {
	t.Helper()
	f := &face{ctx: t.Context(), e: e}
	err := e.Commit(t.Context(), func(w *runtime.Writer) error {
		f.w = w
		return inputs.Put(w, "k", "v")
	})
	if err == nil {
		err = inputs.Bulk(t.Context(), e, func(w *runtime.BulkWriter[string]) error { f.bulk = w; return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
	s := e.Snapshot()
	t.Cleanup(s.Release)
	f.r = s
	if f.blob, err = inputs.Blob(s, "k"); err != nil {
		t.Fatal(err)
	}
	if f.explained, err = runtime.Explain(e, faceLength, "k"); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestEveryCallOnAClosedEngine(t *testing.T) {
	e := open(t, t.TempDir(), runtime.Options{})
	f := newFace(t, e)
	for _, c := range slices.Concat(engineCalls, readerCalls) {
		if err := c.fn(f); err != nil {
			t.Errorf("%s, open: %v", c.name, err)
		}
	}
	silent := func() {
		_ = e.Stats()
		e.CancelClient(7, nil)
		e.Profiling(false)
	}
	must := func(when string, c call) {
		t.Helper()
		if err := c.fn(f); !errors.Is(err, runtime.ErrClosed) {
			t.Errorf("%s, %s: %v, want ErrClosed", c.name, when, err)
		}
	}

	// While tasks have time to end: nothing new, but those who read may go on.
	began, release := make(chan struct{}), make(chan struct{})
	h, err := e.Go(t.Context(), lane.Default, func(t *runtime.Task) error {
		close(began)
		<-release
		return errors.Join(fails(inputs.Get(t, "k")), fails(faceLength.Get(t, "k")), t.Commit(func(w *runtime.Writer) error { return inputs.Put(w, "k", "last") }))
	})
	if err != nil {
		t.Fatal(err)
	}
	<-began
	closed := make(chan error)
	go func() { closed <- e.Close(context.Background()) }()
	for e.Commit(t.Context(), func(*runtime.Writer) error { return nil }) == nil {
		time.Sleep(time.Millisecond) // until Close has begun, which nothing tells but this
	}
	for _, c := range slices.Concat(engineCalls, writerCalls) {
		must("closing", c)
	}
	for _, c := range readerCalls {
		if err := c.fn(f); err != nil {
			t.Errorf("%s through a snapshot, closing: %v", c.name, err)
		}
	}
	silent()
	close(release)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := h.Err(); err != nil {
		t.Errorf("a task that was given time to end: %v", err)
	}

	for _, c := range slices.Concat(engineCalls, readerCalls, writerCalls) {
		must("closed", c)
	}
	late := runtime.NewPartition[string]("never met")
	must("closed, new partition", call{"Get", func(f *face) error { return fails(late.Get(f.r, "k")) }})
	must("closed, new partition and snapshot", call{"Get", func(f *face) error { return fails(late.Get(f.e.Snapshot(), "k")) }})
	must("closed, snapshot refused", call{"At", func(f *face) error { return fails(faceLength.Ask(f.ctx, f.e, "k", runtime.At(f.e.Snapshot()))) }})
	silent()
	if err := e.Close(t.Context()); err != nil {
		t.Errorf("Close again: %v", err)
	}
}

// A call without a context is refused, and costs no other call anything: the engine stays open.
func TestNilContextIsRefused(t *testing.T) {
	e := open(t, "", runtime.Options{})
	f := newFace(t, e)
	f.ctx = nil
	for _, c := range append([]call{{"Engine.Close", func(f *face) error { return f.e.Close(f.ctx) }}}, engineCalls...) {
		if c.name != "Engine.Close" && !slices.Contains(byContext, c.name) {
			continue
		}
		if err := c.fn(f); err == nil || !strings.Contains(err.Error(), "the context is nil") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	f.ctx = t.Context()
	for _, c := range engineCalls {
		if err := c.fn(f); err != nil {
			t.Errorf("%s afterwards: %v", c.name, err)
		}
	}
}

// Whatever the closing of an engine cuts short ends with ErrClosed, also if the function makes its
// own error of it.
func TestClosingCutsShort(t *testing.T) {
	e, err := runtime.Open("", runtime.Options{Workers: 2, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	f := newFace(t, e)
	never := runtime.Exact("never")
	cut := map[string]func(t *runtime.Task) error{
		"wait": func(t *runtime.Task) error { _, _, err := inputs.Wait(t, never); return err },
		"context": func(t *runtime.Task) error {
			return t.Blocking(func() error { <-t.Context().Done(); return t.Context().Err() })
		},
		"own error": func(t *runtime.Task) error { _, _, _ = inputs.Wait(t, never); return errors.New("gave up") },
		"join":      func(t *runtime.Task) error { return joinNever(t) },
		"nested": func(t *runtime.Task) error {
			return t.Engine().Submit(context.Background(), 0, func(t *runtime.Task) error { return joinNever(t) })
		},
		"commit": func(t *runtime.Task) error {
			_, _, _ = inputs.Wait(t, never)
			return t.Commit(func(w *runtime.Writer) error { return inputs.Put(w, "k", "x") })
		},
		"spawn": func(t *runtime.Task) error {
			_, _, _ = inputs.Wait(t, never)
			return fails(t.Spawn(0, func(*runtime.Task) error { return nil }))
		},
		"query that waits": func(t *runtime.Task) error { return fails(inFace.Get(t, "cut")) },
		"queries":          func(t *runtime.Task) error { return fails(inFace.All(t, []string{"cut", "cut too"})) },
	}
	var began sync.WaitGroup
	waits := func(t *runtime.Task) error {
		return t.Blocking(func() error { <-t.Context().Done(); return errors.New("gave up") })
	}
	faceProbes.Store("cut", waits)
	faceProbes.Store("cut too", waits)
	ends := map[string]chan error{}
	for name, fn := range cut {
		ch := make(chan error, 1)
		ends[name] = ch
		began.Add(1)
		go func() {
			ch <- e.Submit(context.Background(), lane.Default, func(t *runtime.Task) error { began.Done(); return fn(t) })
		}()
	}
	ends["ask"] = make(chan error, 1)
	go func() { ends["ask"] <- fails(inFace.Ask(context.Background(), e, "cut")) }()
	began.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Close(ctx); !errors.Is(err, runtime.ErrClosed) || !errors.Is(err, context.Canceled) {
		t.Errorf("Close: %v", err)
	}
	for name, ch := range ends {
		if err := <-ch; !errors.Is(err, runtime.ErrClosed) {
			t.Errorf("%s: %v, want ErrClosed", name, err)
		}
	}
	if err := inputs.Put(f.w, "k", "x"); !errors.Is(err, runtime.ErrClosed) || !errors.Is(err, runtime.ErrEnded) {
		t.Errorf("writer: %v", err)
	}
}

// A task that goes on after its engine was closed, because it did not end in time, gets ErrClosed
// from everything.
func TestStuckTaskOfAClosedEngine(t *testing.T) {
	e, err := runtime.Open(t.TempDir(), runtime.Options{Workers: 1, SegmentBytes: 1 << 20, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	f := newFace(t, e)
	began, release := make(chan struct{}), make(chan struct{})
	h, err := e.Go(t.Context(), lane.Default, func(task *runtime.Task) error {
		close(began)
		<-release // whatever its context says
		f := *f
		f.t, f.r = task, task
		calls := slices.Concat(readerCalls, taskCalls, []call{
			{"Task.PutBlob", func(f *face) error { return fails(f.t.PutBlob([]byte("x"))) }},
			{"Query.Get", func(f *face) error { return fails(faceLength.Get(f.t, "k")) }},
			{"Query.All", func(f *face) error { return fails(faceLength.All(f.t, []string{"k"})) }},
			{"Table.Get", func(f *face) error { _, _, err := faceTable.Get(f.t, "k", "length"); return err }},
			{"Table.GetBatch", func(f *face) error { _, _, err := faceTable.GetBatch(f.t, "k", []string{"length"}); return err }},
			{"Table.Names", func(f *face) error { return fails(faceTable.Names(f.t, "k")) }},
			{"Task.Unrecorded", func(f *face) error { return f.t.Unrecorded(func() error { return nil }) }},
			{"Commit of a change", func(f *face) error {
				return f.t.Commit(func(w *runtime.Writer) error { return inputs.Put(w, "k", "x") })
			}},
		})
		for _, c := range calls {
			if c.name == "Partition.WaitUntil" {
				continue // the second wait of a task that was told unwinds it
			}
			if err := c.fn(&f); !errors.Is(err, runtime.ErrClosed) {
				t.Errorf("%s: %v, want ErrClosed", c.name, err)
			}
		}
		return errors.New("its own")
	})
	if err != nil {
		t.Fatal(err)
	}
	<-began
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Close(ctx); !errors.Is(err, runtime.ErrClosed) || !strings.Contains(err.Error(), "do not end") {
		t.Errorf("Close: %v", err)
	}
	close(release)
	if err := h.Wait(t.Context()); !errors.Is(err, runtime.ErrClosed) {
		t.Errorf("the task: %v", err)
	}
}

func joinNever(t *runtime.Task) error {
	h, err := t.Spawn(0, func(t *runtime.Task) error {
		_, _, err := inputs.Wait(t, runtime.Exact("never"))
		return err
	})
	if err != nil {
		return err
	}
	return t.Join(h)
}

// Readers, writers and askers all the time while an engine is closed: each call is answered, or
// says ErrClosed.
func TestClosingUnderLoad(t *testing.T) {
	for round := range 10 {
		e, err := runtime.Open(t.TempDir(), runtime.Options{Workers: 2, SegmentBytes: 1 << 20, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		f := newFace(t, e)
		var wg sync.WaitGroup
		var begun sync.WaitGroup
		for _, list := range [][]call{engineCalls[:4], engineCalls[4:], readerCalls, {
			{"Put", func(f *face) error {
				return f.e.Commit(f.ctx, func(w *runtime.Writer) error { return inputs.Put(w, "k", fmt.Sprint(round)) })
			}},
			{"Bulk", func(f *face) error {
				return inputs.Bulk(f.ctx, f.e, func(w *runtime.BulkWriter[string]) error { return w.Put("k", fmt.Sprint(round)) })
			}},
		}} {
			begun.Add(1)
			wg.Go(func() {
				first := true
				for i := 0; ; i++ {
					c := list[i%len(list)]
					err := c.fn(f)
					if first && i == len(list) {
						first = false
						begun.Done()
					}
					if errors.Is(err, runtime.ErrClosed) {
						if first {
							begun.Done()
						}
						return
					}
					if err != nil {
						t.Errorf("%s: %v", c.name, err)
					}
				}
			})
		}
		begun.Wait()
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
		wg.Wait()
	}
}

// Inside a query everything that is not read through its task is refused, by the goroutine or by
// the context, and with one worker nothing waits for what never comes.
func TestNothingElseInAQuery(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	f := newFace(t, e)
	stopped := false
	stop, err := e.Watch(numbers, runtime.All(), func(*runtime.Task, runtime.Changes) error { stopped = true; return nil })
	if err != nil {
		t.Fatal(err)
	}
	outside, err := e.Go(t.Context(), lane.Idle, func(t *runtime.Task) error {
		_, _, err := inputs.Wait(t, runtime.Exact("go on"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := func(fn func() error) error {
		ch := make(chan error)
		go func() { ch <- fn() }()
		return <-ch
	}
	var outer *runtime.Task
	ways := map[string]struct {
		calls []call
		do    func(t *runtime.Task, f face, fn func(*face) error) error
	}{
		"its goroutine": {slices.Concat(engineCalls, readerCalls, writerCalls), func(_ *runtime.Task, f face, fn func(*face) error) error {
			f.ctx = context.Background()
			return fn(&f)
		}},
		"its goroutine and context": {engineCalls, func(t *runtime.Task, f face, fn func(*face) error) error {
			f.ctx, f.e = t.Context(), t.Engine()
			return fn(&f)
		}},
		"another goroutine with its context": {engineCalls, func(t *runtime.Task, f face, fn func(*face) error) error {
			f.ctx = context.WithValue(t.Context(), &f, 1)
			return elsewhere(func() error { return fn(&f) })
		}},
		"Blocking": {slices.Concat(engineCalls, readerCalls, writerCalls), func(t *runtime.Task, f face, fn func(*face) error) error {
			f.ctx, f.e = context.Background(), t.Engine()
			return t.Blocking(func() error { return fn(&f) })
		}},
		"its task": {taskCalls, func(t *runtime.Task, f face, fn func(*face) error) error {
			f.t = t
			return fn(&f)
		}},
		"the task that asks": {slices.Concat(taskCalls, readerCalls), func(_ *runtime.Task, f face, fn func(*face) error) error {
			f.t, f.r = outer, outer
			return fn(&f)
		}},
	}
	run := func(name string, fn func(t *runtime.Task) error) {
		t.Helper()
		faceProbes.Store(name, fn)
		err := e.Submit(t.Context(), lane.Default, func(t *runtime.Task) error {
			outer = t
			return fails(inFace.Get(t, name))
		})
		if !errors.Is(err, runtime.ErrInQuery) {
			t.Errorf("%s: %v, want ErrInQuery", name, err)
		}
	}
	for way, w := range ways {
		for _, c := range w.calls {
			if way == "another goroutine with its context" && !slices.Contains(byContext, c.name) {
				continue
			}
			run(c.name+" by "+way, func(t *runtime.Task) error { return w.do(t, *f, c.fn) })
		}
	}
	for name, fn := range map[string]func(t *runtime.Task) error{
		"Close":                            func(t *runtime.Task) error { return e.Close(context.Background()) },
		"Close with its context":           func(t *runtime.Task) error { return elsewhere(func() error { return e.Close(t.Context()) }) },
		"Close in Blocking":                func(t *runtime.Task) error { return t.Blocking(func() error { return e.Close(context.Background()) }) },
		"Again":                            func(t *runtime.Task) error { return t.Again(inputs, runtime.All()) },
		"Join":                             func(t *runtime.Task) error { return t.Join(outside) },
		"Handle.Wait":                      func(t *runtime.Task) error { return outside.Wait(context.Background()) },
		"Intact":                           func(t *runtime.Task) error { return fails(inputs.Intact(t, "k")) },
		"Query.Get through the outer task": func(t *runtime.Task) error { return fails(faceLength.Get(outer, "k")) },
		"Query.All through the outer task": func(t *runtime.Task) error { return fails(faceLength.All(outer, []string{"k"})) },
		"Get through the task of a query above": func(t *runtime.Task) error {
			faceProbes.Store("below", func(*runtime.Task) error { return fails(inputs.Get(t, "k")) })
			return fails(inFace.Get(t, "below"))
		},
		"ReadBlob through the outer task": func(*runtime.Task) error { return fails(runtime.ReadBlob(outer, f.blob)) },
	} {
		run(name, fn)
	}
	// Those that return no error: nothing to know, and no wait.
	faceProbes.Store("silent", func(t *runtime.Task) error {
		if st := e.Stats(); st.Generation != 0 {
			return errors.New("counters are told")
		}
		stop()
		return nil
	})
	if err := fails(inFace.Ask(t.Context(), e, "silent")); err != nil {
		t.Error(err)
	}
	put(t, e, numbers, "n", 1)
	put(t, e, inputs, "go on", "x")
	if err := outside.Wait(t.Context()); err != nil || stopped {
		t.Errorf("%v, told after the end of the watch: %t", err, stopped)
	}
}

// A context that has outlived its query is refused as before.
func TestContextOutlivesItsQuery(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	put(t, e, inputs, "k", "v")
	var ctx context.Context
	faceProbes.Store("keep", func(t *runtime.Task) error { ctx = context.WithoutCancel(t.Context()); return nil })
	if err := fails(inFace.Ask(t.Context(), e, "keep")); err != nil {
		t.Fatal(err)
	}
	if err := fails(faceLength.Ask(ctx, e, "k")); !errors.Is(err, runtime.ErrInQuery) {
		t.Errorf("%v, want ErrInQuery", err)
	}
}

// The result of a query that has asked for the generation does not stay when another generation
// comes.
func TestGenerationInAQuery(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	put(t, e, inputs, "k", "v")
	for range 2 {
		if got := ask(t, e, faceGeneration, "k"); got != e.Stats().Generation {
			t.Errorf("generation %d, want %d", got, e.Stats().Generation)
		}
		put(t, e, numbers, "n", int(e.Stats().Generation))
	}
}

// Nor does that of one that has asked for whom it runs.
func TestClientInAQuery(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	for client := range uint64(3) {
		got, err := faceClient.Ask(t.Context(), e, "k", runtime.Client(client))
		if want := fmt.Sprint(client, lane.Default, 0); err != nil || got != want {
			t.Errorf("%q, want %q, %v", got, want, err)
		}
	}
}

var faceClient = runtime.NewQuery("face client", 1, func(t *runtime.Task, _ string) (string, error) {
	return fmt.Sprint(t.Client(), t.Lane(), t.Parent()), nil
})

// A collection waits for commit functions, so a task must not wait for one in its own.
func TestCollectInACommit(t *testing.T) {
	e := open(t, t.TempDir(), runtime.Options{Workers: 1})
	collects := map[string]func(t *runtime.Task) error{
		"Collect":             func(t *runtime.Task) error { return fails(e.Collect(t.Context())) },
		"Tidy":                func(t *runtime.Task) error { return e.Tidy(context.Background()) },
		"Collect in Blocking": func(t *runtime.Task) error { return t.Blocking(func() error { return fails(e.Collect(t.Context())) }) },
	}
	for name, collect := range collects {
		for way, commit := range map[string]func(t *runtime.Task) error{
			"a commit of the task": func(t *runtime.Task) error { return t.Commit(func(*runtime.Writer) error { return collect(t) }) },
			"a commit of the engine": func(t *runtime.Task) error {
				return e.Commit(t.Context(), func(*runtime.Writer) error { return collect(t) })
			},
			"a bulk": func(t *runtime.Task) error {
				return inputs.Bulk(t.Context(), e, func(*runtime.BulkWriter[string]) error { return collect(t) })
			},
		} {
			err := e.Submit(t.Context(), lane.Default, func(t *runtime.Task) error {
				if err := commit(t); !errors.Is(err, runtime.ErrInTask) {
					return fmt.Errorf("%s in %s: %w", name, way, err)
				}
				return collect(t)
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
}

// What waits for a collection would wait for the commit in which it is called, whoever commits.
func TestCollectInACommitOutsideOfTasks(t *testing.T) {
	e := open(t, t.TempDir(), runtime.Options{Workers: 1})
	collects := map[string]func() error{
		"Collect": func() error { return fails(e.Collect(t.Context())) },
		"Tidy":    func() error { return e.Tidy(t.Context()) },
		"Repair":  func() error { return fails(inspect.Repair(t.Context(), e)) },
	}
	told := map[string]error{}
	stop, err := inputs.Watch(e, runtime.Exact("condition"), func(string, *string, *string) bool {
		for name, collect := range collects {
			told[name] = collect()
		}
		return false
	}, func(*runtime.Task, runtime.Changes) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for name, collect := range collects {
		for way, commit := range map[string]func() error{
			"a commit": func() error { return e.Commit(t.Context(), func(*runtime.Writer) error { return collect() }) },
			"a bulk": func() error {
				return inputs.Bulk(t.Context(), e, func(*runtime.BulkWriter[string]) error { return collect() })
			},
			"a commit after another in a commit": func() error {
				return e.Commit(t.Context(), func(*runtime.Writer) error {
					return errors.Join(e.Commit(t.Context(), func(*runtime.Writer) error { return nil }), collect())
				})
			},
			"Blocking of a task, in a commit": func() error {
				return e.Submit(t.Context(), lane.Default, func(t *runtime.Task) error {
					return t.Blocking(func() error {
						return e.Commit(context.Background(), func(*runtime.Writer) error { return collect() })
					})
				})
			},
			"a condition": func() error {
				clear(told)
				err := e.Commit(t.Context(), func(w *runtime.Writer) error { return inputs.Put(w, "condition", name+"!") })
				return errors.Join(err, told[name])
			},
		} {
			if err := commit(); !errors.Is(err, runtime.ErrInTask) {
				t.Errorf("%s in %s: %v, want ErrInTask", name, way, err)
			}
			if err := collect(); err != nil {
				t.Errorf("%s after %s: %v", name, way, err)
			}
		}
	}
}

// Close goes on while a commit function of no task runs, and that commit is refused.
func TestCloseDuringACommit(t *testing.T) {
	e := open(t, t.TempDir(), runtime.Options{Workers: 1})
	err := e.Commit(t.Context(), func(w *runtime.Writer) error {
		return errors.Join(inputs.Put(w, "k", "v"), e.Close(t.Context()))
	})
	if !errors.Is(err, runtime.ErrClosed) {
		t.Errorf("%v, want ErrClosed", err)
	}
}

var faceGeneration = runtime.NewQuery("face generation", 1, func(t *runtime.Task, key string) (uint64, error) {
	_, err := inputs.Get(t, key)
	return t.Generation(), err
})

// A task that is in no query may call the engine, and the one worker is not held meanwhile.
func TestEngineFromATask(t *testing.T) {
	e := open(t, t.TempDir(), runtime.Options{Workers: 1})
	f := newFace(t, e)
	for _, c := range slices.Concat(engineCalls, readerCalls) {
		for way, ctx := range map[string]func(t *runtime.Task) context.Context{
			"its context": func(t *runtime.Task) context.Context { return t.Context() },
			"another":     func(t *runtime.Task) context.Context { return context.Background() },
		} {
			err := e.Submit(t.Context(), lane.Default, func(t *runtime.Task) error {
				f := *f
				f.ctx = ctx(t)
				return errors.Join(c.fn(&f), t.Blocking(func() error { return c.fn(&f) }))
			})
			if err != nil {
				t.Errorf("%s with %s: %v", c.name, way, err)
			}
		}
	}
	// A wait that is given up, and one that waits for itself.
	err := e.Submit(t.Context(), lane.Default, func(t *runtime.Task) error {
		ctx, cancel := context.WithCancel(context.Background())
		h, err := t.Engine().Go(ctx, lane.Default, func(t *runtime.Task) error {
			cancel()
			_, _, err := inputs.Wait(t, runtime.Exact("never"))
			return err
		})
		if err != nil {
			return err
		}
		return h.Wait(ctx)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	// More than there is room for in a lane.
	var wg sync.WaitGroup
	err = e.Submit(t.Context(), lane.Default, func(t *runtime.Task) error {
		for range 5000 {
			wg.Add(1)
			if _, err := t.Engine().Go(context.Background(), lane.Default, func(*runtime.Task) error { wg.Done(); return nil }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	wg.Wait()
}

// Close from within is refused, and the engine goes on.
func TestCloseFromWithin(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	closing := map[string]func(t *runtime.Task) error{
		"task":                 func(t *runtime.Task) error { return e.Close(context.Background()) },
		"task, by its context": func(t *runtime.Task) error { return e.Close(t.Context()) },
		"goroutine": func(t *runtime.Task) error {
			ch := make(chan error)
			go func() { ch <- e.Close(t.Context()) }()
			return <-ch
		},
		"Blocking": func(t *runtime.Task) error { return t.Blocking(func() error { return e.Close(context.Background()) }) },
	}
	for name, fn := range closing {
		if err := e.Submit(t.Context(), lane.Default, fn); !errors.Is(err, runtime.ErrInTask) {
			t.Errorf("%s: %v, want ErrInTask", name, err)
		}
	}
	errs := make(chan error, 1)
	watch(t, e, inputs, runtime.All(), func(t *runtime.Task, _ runtime.Changes) error { errs <- e.Close(t.Context()); return nil })
	put(t, e, inputs, "k", "v")
	if err := <-errs; !errors.Is(err, runtime.ErrInTask) {
		t.Errorf("watcher: %v, want ErrInTask", err)
	}
	// Of another engine, and with the context of a task that has ended, it is nothing special.
	var ctx context.Context
	err := e.Submit(t.Context(), lane.Default, func(t *runtime.Task) error {
		other, err := runtime.Open("", runtime.Options{Workers: 1, Logger: quiet})
		if err != nil {
			return err
		}
		ctx = context.WithoutCancel(t.Context())
		return other.Close(t.Context())
	})
	if err != nil {
		t.Error(err)
	}
	if err := e.Close(ctx); err != nil {
		t.Error(err)
	}
}

// A watch may be ended from within its run, and from another task on the only worker.
func TestWatchIsEndedFromWithin(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	var stop func()
	runs := make(chan struct{}, 4)
	stop, err := e.Watch(inputs, runtime.All(), func(t *runtime.Task, _ runtime.Changes) error {
		stop()
		return t.Blocking(func() error { stop(); runs <- struct{}{}; return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	put(t, e, inputs, "k", "1")
	<-runs
	put(t, e, inputs, "k", "2")

	began, release := make(chan struct{}), make(chan struct{})
	over := false
	second, err := e.Watch(numbers, runtime.All(), func(t *runtime.Task, _ runtime.Changes) error {
		close(began)
		err := t.Blocking(func() error { <-release; return nil })
		over = true
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	put(t, e, numbers, "n", 1)
	<-began
	h, err := e.Go(t.Context(), lane.Default, func(*runtime.Task) error {
		second()
		if !over {
			return errors.New("the end of the watch did not wait for the run")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	close(release)
	if err := h.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if len(runs) != 0 {
		t.Error("told after the end of the watch")
	}
}

// A writer that outlives its commit function, whether or not that succeeded, takes nothing more,
// from whichever goroutine.
func TestWriterEnds(t *testing.T) {
	e := open(t, "", runtime.Options{})
	f := newFace(t, e)
	failed := errors.New("failed")
	kept := map[string]*face{"of a commit": f}
	g := *f
	if err := e.Commit(t.Context(), func(w *runtime.Writer) error { g.w = w; return failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
	if err := inputs.Bulk(t.Context(), e, func(w *runtime.BulkWriter[string]) error { g.bulk = w; return failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
	kept["of a failed commit"] = &g
	h := *f
	func() {
		defer func() { _ = recover() }()
		_ = e.Commit(t.Context(), func(w *runtime.Writer) error { h.w = w; panic("no") })
	}()
	func() {
		defer func() { _ = recover() }()
		_ = inputs.Bulk(t.Context(), e, func(w *runtime.BulkWriter[string]) error { h.bulk = w; panic("no") })
	}()
	kept["of a commit that panicked"] = &h
	for name, f := range kept {
		for _, c := range writerCalls {
			if err := c.fn(f); !errors.Is(err, runtime.ErrEnded) {
				t.Errorf("%s %s: %v, want ErrEnded", c.name, name, err)
			}
		}
	}
	// Puts that race with the end are in the commit, or say that they are not.
	for round := range 50 {
		taken := make([]bool, 4)
		var wg sync.WaitGroup
		err := e.Commit(t.Context(), func(w *runtime.Writer) error {
			for i := range taken {
				wg.Go(func() {
					err := numbers.Put(w, fmt.Sprint("r", i), round)
					if taken[i] = err == nil; err != nil && !errors.Is(err, runtime.ErrEnded) {
						t.Error(err)
					}
				})
			}
			return nil
		})
		wg.Wait()
		if err != nil {
			t.Fatal(err)
		}
		s := e.Snapshot()
		for i := range taken {
			n, err := numbers.Get(s, fmt.Sprint("r", i))
			if there := err == nil && n == round; there != taken[i] {
				t.Errorf("round %d, put %d: there %t, taken %t", round, i, there, taken[i])
			}
		}
		s.Release()
	}
}

// Watchers that commit by way of the engine, and not of their task, are a loop all the same.
func TestWatcherLoopByTheEngine(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	runs := 0
	watch(t, e, numbers, runtime.All(), func(t *runtime.Task, _ runtime.Changes) error {
		runs++
		return t.Engine().Commit(context.Background(), func(w *runtime.Writer) error { return numbers.Put(w, "n", runs) })
	})
	put(t, e, numbers, "n", -1)
	for e.Stats().WatchLoops == 0 {
		put(t, e, inputs, "k", "let the last commit through")
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if runs != 64 {
		t.Errorf("%d runs", runs)
	}
}

// A query that calls Goexit ends its task, whose failure names the query and the key; so does one
// below it. The next task knows nothing of that, and the query can be asked again.
func TestQueryExits(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	faceProbes.Store("exit", func(*runtime.Task) error { goruntime.Goexit(); return nil })
	faceProbes.Store("exit below", func(t *runtime.Task) error {
		_, err := inFace.Get(t, "exit")
		return err
	})
	for _, key := range []string{"exit", "exit below"} {
		err := fails(inFace.Ask(t.Context(), e, key))
		if !errors.Is(err, runtime.ErrGoexit) || !strings.Contains(err.Error(), "query in face(exit)") {
			t.Errorf("%s: %v", key, err)
		}
	}
	err := e.Submit(t.Context(), lane.Default, func(*runtime.Task) error { goruntime.Goexit(); return nil })
	if !errors.Is(err, runtime.ErrGoexit) || strings.Contains(err.Error(), "exit)") {
		t.Errorf("a task that has asked nothing: %v", err)
	}
	faceProbes.Store("exit", func(*runtime.Task) error { return nil })
	if err := fails(inFace.Ask(t.Context(), e, "exit below")); err != nil {
		t.Errorf("asked again: %v", err)
	}
}

// A query that leaves its thread locked fails the task that asks, by name, and the engine goes on.
func TestQueryLeavesItsThreadLocked(t *testing.T) {
	if goruntime.GOARCH != "amd64" && goruntime.GOARCH != "arm64" {
		t.Skip("the lock count of a thread is not known here")
	}
	e := open(t, "", runtime.Options{Workers: 1})
	put(t, e, inputs, "k", "v")
	faceProbes.Store("lock", func(*runtime.Task) error { goruntime.LockOSThread(); return nil })
	faceProbes.Store("lock and wait", func(t *runtime.Task) error {
		goruntime.LockOSThread()
		return t.Blocking(func() error { return nil })
	})
	for _, key := range []string{"lock", "lock and wait"} {
		if err := fails(inFace.Ask(t.Context(), e, key)); !errors.Is(err, runtime.ErrThreadLocked) || !strings.Contains(err.Error(), "ask in face") {
			t.Errorf("%s: %v", key, err)
		}
		err := e.Submit(t.Context(), lane.Default, func(t *runtime.Task) error {
			return errors.Join(t.Blocking(func() error { return nil }), fails(faceLength.Get(t, "k")))
		})
		if err != nil {
			t.Error(err)
		}
	}
}
