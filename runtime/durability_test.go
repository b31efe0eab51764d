package runtime_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/inspect"
)

var (
	deps    = runtime.NewPartition[string]("deps", runtime.Dependency)
	modsums = runtime.NewPartition[string]("modsums", runtime.Frozen)
	session = runtime.NewPartition[string]("session", runtime.Volatile)

	depText = runtime.NewQuery("depText", 1, func(t *runtime.Task, key string) (string, error) {
		sum, err := modsums.Get(t, key)
		if err != nil {
			return "", err
		}
		text, err := deps.Get(t, key)
		return sum + ":" + text, err
	})
	depFace = runtime.NewQuery("depFace", 1, func(t *runtime.Task, key string) (string, error) {
		text, err := depText.Get(t, key)
		return strings.ToUpper(text), err
	})
	fileCheck = runtime.NewQuery("fileCheck", 1, func(t *runtime.Task, key string) (string, error) {
		text, err := inputs.Get(t, key)
		if err != nil {
			return "", err
		}
		face, err := depFace.Get(t, "lib")
		return text + " " + face, err
	})
	greeting = runtime.NewQuery("greeting", 1, func(t *runtime.Task, key string) (string, error) {
		who, err := session.Get(t, key)
		if errors.Is(err, runtime.ErrNotFound) {
			return "nobody", nil
		}
		return who, err
	})
)

// After commits to the workspace, what rests on dependencies alone is not walked. In the process
// that ran it changes would be told to it; in a new one its durability says so, and the counters
// show it.
func TestDependenciesAreNotWalked(t *testing.T) {
	dir := t.TempDir()
	o := runtime.Options{Workers: 1, SegmentBytes: 1 << 20, Logger: quiet}
	e, err := runtime.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	put(t, e, modsums, "lib", "v1")
	put(t, e, deps, "lib", "face")
	put(t, e, inputs, "a", "1")
	ask(t, e, fileCheck, "a")
	edits := func(e *runtime.Engine, byDurability int, texts ...string) {
		t.Helper()
		before := e.Stats().Queries
		for _, text := range texts {
			put(t, e, inputs, "a", text)
			if got := ask(t, e, fileCheck, "a"); got != text+" V1:FACE" {
				t.Errorf("got %q", got)
			}
		}
		now := e.Stats().Queries
		if n := now["depFace"].Steady - before["depFace"].Steady; n != uint64(byDurability) {
			t.Errorf("depFace was known to hold by its durability %d times, want %d", n, byDurability)
		}
		for _, name := range []string{"depFace", "depText"} {
			if now[name].Validated != before[name].Validated || now[name].Ran != before[name].Ran {
				t.Errorf("%s was looked at: %+v, before %+v", name, now[name], before[name])
			}
		}
		if now["fileCheck"].Steady != 0 {
			t.Errorf("fileCheck read the workspace: %+v", now["fileCheck"])
		}
	}
	edits(e, 0, "2", "3", "4")
	put(t, e, deps, "other", "x") // another dependency changes
	if ask(t, e, fileCheck, "a"); e.Stats().Queries["depText"].Validated != 0 {
		t.Errorf("depText: %+v", e.Stats().Queries["depText"])
	}
	put(t, e, deps, "lib", "other face")
	if got := ask(t, e, fileCheck, "a"); got != "4 V1:OTHER FACE" {
		t.Errorf("got %q", got)
	}
	put(t, e, deps, "lib", "face")
	ask(t, e, fileCheck, "a")
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	e = open(t, dir, o)
	edits(e, 2, "5", "6")
}

func TestVolatileIsEmptyWhenOpened(t *testing.T) {
	dir := t.TempDir()
	o := runtime.Options{Workers: 1, SegmentBytes: 1 << 20, Logger: quiet}
	for round := range 3 {
		e, err := runtime.Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		// The query first: what was known of the last process must not be believed before the
		// partition is met in this one.
		if got := ask(t, e, greeting, "who"); got != "nobody" {
			t.Errorf("round %d: %q is still there", round, got)
		}
		put(t, e, session, "who", "me")
		put(t, e, inputs, "kept", "x")
		if got := ask(t, e, greeting, "who"); got != "me" {
			t.Errorf("round %d: %q", round, got)
		}
		if round == 1 {
			if err := e.Checkpoint(t.Context()); err != nil { // it is in the store then, and yet must go
				t.Fatal(err)
			}
		}
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	e := open(t, dir, o)
	all, err := inspect.Partitions(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.Name == "session" && (p.Entries != 0 || p.Durability != runtime.Volatile) || p.Name == "inputs" && p.Entries != 1 {
			t.Errorf("%+v", p)
		}
	}
}

func TestFrozenIsNotChanged(t *testing.T) {
	e := open(t, "", runtime.Options{})
	put(t, e, modsums, "a/1", "x")
	put(t, e, modsums, "a/1", "x") // the same is no change
	gen := e.Stats().Generation
	for name, fn := range map[string]func(w *runtime.Writer) error{
		"another value": func(w *runtime.Writer) error { return modsums.Put(w, "a/1", "y") },
		"delete":        func(w *runtime.Writer) error { return modsums.Delete(w, "a/1") },
		"clear":         func(w *runtime.Writer) error { return modsums.ClearPrefix(w, "a") },
	} {
		err := e.Commit(t.Context(), func(w *runtime.Writer) error {
			if err := inputs.Put(w, "k", name); err != nil {
				return err
			}
			return fn(w)
		})
		if !errors.Is(err, runtime.ErrFrozen) {
			t.Errorf("%s: %v, want ErrFrozen", name, err)
		}
	}
	if got := e.Stats().Generation; got != gen {
		t.Errorf("refused commits changed something")
	}
	for name, fn := range map[string]func(w *runtime.Writer) error{
		"a new key":         func(w *runtime.Writer) error { return modsums.Put(w, "a/2", "y") },
		"nothing to delete": func(w *runtime.Writer) error { return modsums.Delete(w, "b") },
		"nothing to clear":  func(w *runtime.Writer) error { return modsums.ClearPrefix(w, "b") },
		"another partition": func(w *runtime.Writer) error { return inputs.Put(w, "a/1", "y") },
	} {
		if err := e.Commit(t.Context(), fn); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Of two who write a new key at the same time with different values one is refused.
	errs := make(chan error, 2)
	for _, v := range []string{"1", "2"} {
		go func() {
			errs <- e.Commit(t.Context(), func(w *runtime.Writer) error { return modsums.Put(w, "race", v) })
		}()
	}
	a, b := <-errs, <-errs
	if errors.Is(a, runtime.ErrFrozen) == errors.Is(b, runtime.ErrFrozen) {
		t.Errorf("%v and %v, want one ErrFrozen", a, b)
	}
}

func TestDurabilityIsPartOfTheDefinition(t *testing.T) {
	e := open(t, "", runtime.Options{})
	put(t, e, deps, "k", "v")
	other := runtime.NewPartition[string]("deps", runtime.Frozen)
	err := e.Commit(t.Context(), func(w *runtime.Writer) error { return other.Put(w, "k", "v") })
	if !errors.Is(err, runtime.ErrConflict) || !strings.Contains(err.Error(), "dependency") || !strings.Contains(err.Error(), "frozen") {
		t.Errorf("error is %v, want ErrConflict naming both", err)
	}
}

// A program that says another durability than the one before: the new one holds from the first use
// on.
func TestDurabilityMayChangeBetweenProcesses(t *testing.T) {
	dir := t.TempDir()
	o := runtime.Options{Workers: 1, SegmentBytes: 1 << 20, Logger: quiet}
	for i, durability := range []runtime.Durability{runtime.Workspace, runtime.Frozen, runtime.Volatile, runtime.Workspace, runtime.Workspace} {
		e, err := runtime.Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		p := runtime.NewPartition[int]("changing", durability)
		s := e.Snapshot()
		if _, err := p.Has(s, "k"); err != nil { // meets it
			t.Fatal(err)
		}
		s.Release()
		s = e.Snapshot()
		there, err := p.Has(s, "k")
		s.Release()
		if want := i == 1 || i == 4; err != nil || there != want {
			t.Errorf("process %d, %v: there is %t, want %t, %v", i, durability, there, want, err)
		}
		put(t, e, p, "k", 1)
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// Commits to volatile partitions leave nothing in the store but values that it did not have.
func TestVolatileIsNotLogged(t *testing.T) {
	e := open(t, t.TempDir(), runtime.Options{Workers: 1, SegmentBytes: 1 << 20, Logger: quiet})
	put(t, e, session, "who", "a")
	put(t, e, session, "who", "b")
	before, gen := e.Stats().Store.Records, e.Stats().Generation
	told := make(chan struct{}, 201)
	watch(t, e, session, runtime.All(), func(*runtime.Task, runtime.Changes) error { told <- struct{}{}; return nil })
	for range 100 {
		put(t, e, session, "who", "a")
		put(t, e, session, "who", "b")
	}
	put(t, e, session, "who", "a") // another value than in the beginning: the watcher is told, however late it comes
	<-told
	if now := e.Stats(); now.Store.Records != before || now.Generation != gen+201 {
		t.Errorf("%d records more, generation %d, want %d", now.Store.Records-before, now.Generation, gen+201)
	}
	// The collector knows that the value is needed.
	if _, err := e.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, e, greeting, "who"); got != "a" {
		t.Errorf("got %q", got)
	}
}

// What a process that ends without Close leaves: volatile partitions are empty, and what was known
// of them, under generations that may be given out again, is not believed.
func TestVolatileAfterACrash(t *testing.T) {
	dir := t.TempDir()
	o := runtime.Options{Workers: 1, SegmentBytes: 1 << 20, Logger: quiet, History: 4}
	e := open(t, dir, o)
	put(t, e, inputs, "a", "1")
	for round := range 3 {
		who := strings.Repeat("me", round+1)
		put(t, e, session, "who", who)
		if got := ask(t, e, greeting, "who"); got != who {
			t.Errorf("got %q", got)
		}
		if round < 2 { // the last round is in no checkpoint
			if err := e.Checkpoint(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		gen := e.Stats().Generation
		put(t, e, session, "who", "somebody else")
		crashed := t.TempDir()
		if err := os.CopyFS(crashed, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		after := open(t, crashed, o)
		found := after.Stats().Generation
		if found > gen+2 { // traces may have been written meanwhile, and opening makes one
			t.Errorf("generation %d, there were %d", found, gen+1)
		}
		for range 4 { // also in the generations that were there before
			if got := ask(t, after, greeting, "who"); got != "nobody" {
				t.Errorf("round %d: %q in generation %d", round, got, after.Stats().Generation)
			}
			put(t, after, inputs, "b", fmt.Sprint(after.Stats().Generation))
		}
		if s, err := after.SnapshotAt(found - 1); err == nil {
			t.Errorf("generation %d, of the process before, can be read", found-1)
			s.Release()
		}
		put(t, after, session, "who", "x")
		if got := ask(t, after, greeting, "who"); got != "x" {
			t.Errorf("got %q", got)
		}
	}
}

// What rests on a volatile partition is not believed in the next process, also where damage has
// taken the knowledge that it was one, and before anybody has named it.
func TestVolatileWhenDurabilitiesAreLost(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, runtime.Options{Workers: 1, Logger: quiet})
	for life, who := range []string{"me", "another", "a third"} {
		put(t, e, session, "who", who)
		if got := ask(t, e, greeting, "who"); got != who {
			t.Errorf("life %d: %q, want %q", life, got, who)
		}
		if life != 1 { // in between nothing is lost
			if err := e.LoseDurabilities(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		e = open(t, dir, runtime.Options{Workers: 1, Logger: quiet})
		if got := ask(t, e, greeting, "who"); got != "nobody" {
			t.Errorf("after life %d: %q, and nobody is there", life, got)
		}
	}
}

// A commit that leaves everything as it was makes no generation, whatever it did on the way, and
// also if it is the first to use a partition.
func TestCommitThatChangesNothing(t *testing.T) {
	for _, durability := range []runtime.Durability{runtime.Workspace, runtime.Volatile, runtime.Dependency, runtime.Frozen} {
		t.Run(durability.String(), func(t *testing.T) {
			e := open(t, t.TempDir(), runtime.Options{Workers: 1, SegmentBytes: 1 << 20, Logger: quiet, History: 4})
			put(t, e, inputs, "k", "v")
			p := runtime.NewPartition[string]("first used in "+t.Name(), durability)
			both := func(ops ...func() error) error {
				for _, op := range ops {
					if err := op(); err != nil {
						return err
					}
				}
				return nil
			}
			unchanged := func(what string, fn func(w *runtime.Writer) error) {
				t.Helper()
				gen := e.Stats().Generation
				if err := e.Commit(t.Context(), fn); err != nil {
					t.Errorf("%s: %v", what, err)
				}
				if got := e.Stats().Generation; got != gen {
					t.Errorf("%s: generation went from %d to %d", what, gen, got)
				}
			}
			unchanged("delete what is not there, first use", func(w *runtime.Writer) error { return p.Delete(w, "a") })
			unchanged("put and delete", func(w *runtime.Writer) error {
				return both(func() error { return p.Put(w, "a", "x") }, func() error { return p.Delete(w, "a") })
			})
			gen := e.Stats().Generation
			put(t, e, p, "a", "x")
			if got := e.Stats().Generation; got != gen+1 {
				t.Errorf("one commit went from generation %d to %d", gen, got)
			}
			if s, err := e.SnapshotAt(gen); err != nil {
				t.Errorf("the generation before the first use: %v", err)
			} else {
				s.Release()
			}
			unchanged("the same value", func(w *runtime.Writer) error { return p.Put(w, "a", "x") })
			unchanged("another value and the same again", func(w *runtime.Writer) error {
				return both(func() error { return p.Put(w, "a", "y") }, func() error { return p.Put(w, "a", "x") })
			})
			unchanged("delete and put again", func(w *runtime.Writer) error {
				return both(func() error { return p.Delete(w, "a") }, func() error { return p.Put(w, "a", "x") })
			})
			unchanged("clear and put again", func(w *runtime.Writer) error {
				return both(func() error { return p.ClearPrefix(w, "") }, func() error { return p.Put(w, "a", "x") })
			})
			if durability == runtime.Frozen {
				err := e.Commit(t.Context(), func(w *runtime.Writer) error {
					return both(func() error { return p.Put(w, "a", "x") }, func() error { return p.Put(w, "a", "y") })
				})
				if !errors.Is(err, runtime.ErrFrozen) {
					t.Errorf("the same value and then another: %v", err)
				}
				return
			}
			gen = e.Stats().Generation
			if err := p.Bulk(t.Context(), e, func(w *runtime.BulkWriter[string]) error { return w.Put("a", "x") }); err != nil {
				t.Error(err)
			}
			if got := e.Stats().Generation; got != gen {
				t.Errorf("a bulk of what is there: generation went from %d to %d", gen, got)
			}
		})
	}
}
