package runtime_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime"
)

// told collects what a watcher is told and lets a test wait for it.
type told struct {
	mu   sync.Mutex
	cond *sync.Cond
	keys []string
	runs int
}

func newTold() *told {
	w := &told{}
	w.cond = sync.NewCond(&w.mu)
	return w
}

func (w *told) tell(c runtime.Changes) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.runs++
	for _, ch := range c.List {
		key := ch.Key
		if ch.Deleted {
			key = "-" + key
		}
		w.keys = append(w.keys, key)
	}
	w.cond.Broadcast()
}

// await waits until n keys were told and returns them.
func (w *told) await(n int) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.keys) < n {
		w.cond.Wait()
	}
	return slices.Clone(w.keys)
}

func TestWatcherIsToldOfItsPattern(t *testing.T) {
	e := open(t, "", runtime.Options{})
	w := newTold()
	stop, err := e.Watch(inputs, runtime.Glob("src/**/*.go"), func(t *runtime.Task, c runtime.Changes) error {
		for _, ch := range c.List {
			if has, err := inputs.Has(t, ch.Key); err != nil || has == ch.Deleted {
				panic("the watcher reads a generation from before the change")
			}
		}
		w.tell(c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	put(t, e, inputs, "src/a/b.go", "1")
	put(t, e, inputs, "src/a/b.txt", "1")
	w.await(1)
	remove(t, e, inputs, "src/a/b.go")
	if got := w.await(2); !slices.Equal(got, []string{"src/a/b.go", "-src/a/b.go"}) {
		t.Errorf("told %q", got)
	}
}

// The reference reports only content that is new to the store; both of these were missed by it.
func TestWatcherSeesRevertAndSharedContent(t *testing.T) {
	e := open(t, "", runtime.Options{})
	w := newTold()
	stop, err := e.Watch(inputs, runtime.All(), func(t *runtime.Task, c runtime.Changes) error { w.tell(c); return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for i, text := range []string{"A", "B", "A"} {
		put(t, e, inputs, "k", text)
		w.await(i + 1)
	}
	put(t, e, inputs, "j", "A")
	if got := w.await(4); !slices.Equal(got, []string{"k", "k", "k", "j"}) {
		t.Errorf("told %q", got)
	}
}

func TestEqualPutTellsNobody(t *testing.T) {
	e := open(t, "", runtime.Options{})
	put(t, e, inputs, "k", "same")
	w := newTold()
	stop, err := e.Watch(inputs, runtime.All(), func(t *runtime.Task, c runtime.Changes) error { w.tell(c); return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	gen := e.Stats().Generation
	put(t, e, inputs, "k", "same")
	if got := e.Stats().Generation; got != gen {
		t.Errorf("generation went from %d to %d", gen, got)
	}
	put(t, e, inputs, "end", "x")
	if got := w.await(1); !slices.Equal(got, []string{"end"}) {
		t.Errorf("told %q", got)
	}
}

// A deadline would cancel each run, which would be made up for, for ever.
func TestWatcherHasNoDeadline(t *testing.T) {
	e := open(t, "", runtime.Options{})
	told := make(chan error, 1)
	stop, err := e.Watch(inputs, runtime.Glob("k"), func(t *runtime.Task, c runtime.Changes) error {
		told <- t.Context().Err()
		return nil
	}, runtime.Deadline(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	put(t, e, inputs, "k", "v")
	if err := <-told; err != nil {
		t.Errorf("the run has ended before it began: %v", err)
	}
}
