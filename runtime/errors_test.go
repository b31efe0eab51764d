package runtime_test

import (
	"errors"
	"math"
	goruntime "runtime"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/mmapcas/vfs"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// What lower packages refuse matches an error of this one.
func TestErrorsAreThoseOfTheFace(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, runtime.Options{Holder: "the test"})
	if _, err := runtime.Open(dir, runtime.Options{}); !errors.Is(err, runtime.ErrLocked) {
		t.Errorf("a store that is open: %v", err)
	} else if held, ok := errors.AsType[*runtime.LockedError](err); !ok || held.Holder != "the test" {
		t.Errorf("a store that is open: %v", err)
	}
	if _, err := runtime.Open(t.TempDir(), runtime.Options{MustExist: true}); !errors.Is(err, runtime.ErrNoStore) {
		t.Errorf("no store: %v", err)
	}
	long := strings.Repeat("k", 16<<10+1)
	err := e.Commit(t.Context(), func(w *runtime.Writer) error { return inputs.Put(w, long, "") })
	if !errors.Is(err, runtime.ErrKeyTooLong) {
		t.Errorf("a long key: %v", err)
	}
	s := e.Snapshot()
	s.Release()
	if _, err := inputs.Get(s, "k"); !errors.Is(err, runtime.ErrReleased) {
		t.Errorf("a snapshot that was released: %v", err)
	}
	err = e.Submit(t.Context(), lane.Default, func(*runtime.Task) error { goruntime.Goexit(); return nil })
	if !errors.Is(err, runtime.ErrGoexit) {
		t.Errorf("Goexit: %v", err)
	}
}

// A commit whose sync fails is seen, and may be lost with the power.
func TestCommitThatIsNotDurable(t *testing.T) {
	fs := vfs.FailFrom(vfs.NewMem(), math.MaxInt64, nil)
	e, err := runtime.Open("/s", runtime.OnFS(runtime.Options{
		Workers: 1, SegmentBytes: 1 << 20, Sync: mmapcas.SyncGroup, CollectEvery: -1, Logger: quiet,
	}, fs))
	if err != nil {
		t.Fatal(err)
	}
	put(t, e, inputs, "k", "before")
	fs.FailNow()
	err = e.Commit(t.Context(), func(w *runtime.Writer) error { return inputs.Put(w, "k", "after") })
	if !errors.Is(err, runtime.ErrNotDurable) || !errors.Is(err, runtime.ErrSync) {
		t.Errorf("%v", err)
	}
	s := e.Snapshot()
	if v, err := inputs.Get(s, "k"); err != nil || v != "after" {
		t.Errorf("%q, %v", v, err)
	}
	s.Release()
	if err := e.Close(t.Context()); err == nil {
		t.Error("a store that could not be written was closed as if nothing had been")
	}
}
