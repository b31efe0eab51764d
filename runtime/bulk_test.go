package runtime_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// What a bulk changes concerns the same watchers, waits and queries as if it had been an ordinary
// commit, across a collection and a restart.
func TestBulkIsSeenByAll(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, runtime.Options{Workers: 2})
	put(t, e, inputs, "a/gone", "old")
	put(t, e, inputs, "a/same", "same")
	put(t, e, inputs, "b/changed", "old")
	length := runtime.NewQuery("bulk length", 1, func(t *runtime.Task, key string) (int, error) {
		v, err := inputs.Get(t, key)
		return len(v), err
	})
	if n, err := length.Ask(t.Context(), e, "b/changed"); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	told := make(chan string, 10)
	tell := func(who string) func(*runtime.Task, runtime.Changes) error {
		return func(t *runtime.Task, c runtime.Changes) error {
			out := who
			for _, ch := range c.List {
				before, after := "-", "-"
				var err, err2 error
				if !ch.Old.IsZero() {
					before, err = inputs.Load(t, ch.Old)
				}
				if !ch.New.IsZero() {
					after, err2 = inputs.Load(t, ch.New)
				}
				if err = errors.Join(err, err2); err != nil {
					return err
				}
				out += fmt.Sprintf(" %s:%s:%s", ch.Key, before, after)
			}
			told <- out
			return nil
		}
	}
	watch(t, e, inputs, runtime.Prefix("a/"), tell("a"))
	watch(t, e, inputs, runtime.Glob("b/*"), tell("b"))
	watch(t, e, inputs, runtime.Prefix("c/"), tell("c"))
	stop, err := inputs.Watch(e, runtime.All(), func(_ string, old, new *string) bool { return old != nil && new != nil }, tell("changed"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	waiting := make(chan string, 1)
	h, err := e.Go(t.Context(), lane.Default, func(t *runtime.Task) error {
		waiting <- ""
		key, v, err := inputs.Wait(t, runtime.Prefix("new/"))
		waiting <- key + "=" + v
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	<-waiting

	err = inputs.Bulk(t.Context(), e, func(w *runtime.BulkWriter[string]) error {
		if err := errors.Join(w.Delete("a/gone"), w.Put("a/same", "same"), w.Put("b/changed", "longer")); err != nil {
			return err
		}
		if err := w.Put("a/late", ""); !errors.Is(err, runtime.ErrOrder) {
			t.Error("out of order:", err)
		}
		for i := range 1000 {
			if err := w.Put(fmt.Sprintf("new/%03d", i), fmt.Sprint(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{<-told, <-told, <-told}
	slices.Sort(got)
	if want := []string{"a a/gone:old:-", "b b/changed:old:longer", "changed b/changed:old:longer"}; !slices.Equal(got, want) {
		t.Errorf("watchers were told %q, want %q", got, want)
	}
	if got := <-waiting; got != "new/000=0" {
		t.Errorf("who waited got %q", got)
	}
	if err := h.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := length.Ask(t.Context(), e, "b/changed"); n != 6 || err != nil {
		t.Errorf("the query says %d, %v", n, err)
	}
	if _, err := e.Collect(t.Context()); err != nil { // which waits for sessions: none is left
		t.Fatal(err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	e = open(t, dir, runtime.Options{Workers: 1})
	snap := e.Snapshot()
	defer snap.Release()
	if n, err := inputs.Count(snap, runtime.All()); n != 1002 || err != nil {
		t.Errorf("%d keys after a restart, %v", n, err)
	}
	if v, err := inputs.Get(snap, "new/999"); v != "999" || err != nil {
		t.Error(v, err)
	}
	select {
	case out := <-told:
		t.Errorf("also told: %s", out)
	default:
	}
}

// A bulk that fails, in whatever way, leaves nothing behind: no change, no session that a
// collection would wait for.
func TestBulkThatFails(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	put(t, e, inputs, "k", "v")
	failed := errors.New("on purpose")
	err := inputs.Bulk(t.Context(), e, func(w *runtime.BulkWriter[string]) error {
		return errors.Join(w.Put("k", "other"), failed)
	})
	if !errors.Is(err, failed) {
		t.Error(err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = inputs.Bulk(t.Context(), e, func(w *runtime.BulkWriter[string]) error { panic("on purpose") })
	}()
	var late *runtime.BulkWriter[string]
	if err := inputs.Bulk(t.Context(), e, func(w *runtime.BulkWriter[string]) error { late = w; return nil }); err != nil {
		t.Error(err)
	}
	if err := late.Put("x", "y"); !errors.Is(err, runtime.ErrEnded) {
		t.Error("a writer that has ended:", err)
	}
	if _, err := e.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	snap := e.Snapshot()
	defer snap.Release()
	if v, err := inputs.Get(snap, "k"); v != "v" || err != nil {
		t.Error(v, err)
	}
}
