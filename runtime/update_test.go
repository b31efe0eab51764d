package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

var counters = runtime.NewPartition[int]("counters")

func increment(n *int) (*int, error) {
	if n == nil {
		one := 1
		return &one, nil
	}
	*n++
	return n, nil
}

// Many count at once, outside of tasks and in them, one key or several in a commit, beside commits
// that read nothing: no count is lost, whatever is committed together.
func TestUpdatesLoseNoCount(t *testing.T) {
	const goroutines, rounds = 8, 60
	e := open(t, t.TempDir(), runtime.Options{})
	var wg sync.WaitGroup
	for g := range goroutines {
		both := func(w *runtime.Writer) error {
			return errors.Join(
				counters.Update(w, "all", increment),
				counters.Update(w, fmt.Sprint("of ", g), increment),
				inputs.Put(w, fmt.Sprint("beside ", g), "x"),
			)
		}
		wg.Go(func() {
			for i := range rounds {
				var err error
				switch i % 3 {
				case 0:
					err = e.Commit(t.Context(), both)
				case 1:
					err = e.Submit(t.Context(), lane.Default, func(t *runtime.Task) error { return t.Commit(both) })
				case 2:
					err = e.Commit(t.Context(), func(w *runtime.Writer) error {
						return errors.Join(both(w), counters.Put(w, fmt.Sprint("other ", g), i))
					})
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	s := e.Snapshot()
	defer s.Release()
	if n, err := counters.Get(s, "all"); n != goroutines*rounds || err != nil {
		t.Errorf("all: %d, %v; want %d", n, err, goroutines*rounds)
	}
	for g := range goroutines {
		if n, err := counters.Get(s, fmt.Sprint("of ", g)); n != rounds || err != nil {
			t.Errorf("of %d: %d, %v; want %d", g, n, err, rounds)
		}
	}
}

// What another commit does to the key between the reading and the commit is not lost, even if it
// leaves there what the update would, and what it does elsewhere costs nothing.
func TestUpdateSeesWhatTheCommitSees(t *testing.T) {
	set := func(n int) func(*runtime.Writer) error {
		return func(w *runtime.Writer) error { return counters.Put(w, "k", n) }
	}
	remove := func(w *runtime.Writer) error { return counters.Delete(w, "k") }
	clear := func(w *runtime.Writer) error { return counters.ClearPrefix(w, "") }
	asItIs := func(n *int) (*int, error) { return n, nil }
	ended := func(*int) (*int, error) { return nil, nil }
	type commits []func(*runtime.Writer) error
	for _, c := range []struct {
		name           string
		before, within commits                  // those within are made while the update is computed first
		ops            commits                  // of the commit itself, nil being the update; none: the update alone
		fn             func(*int) (*int, error) // nil: increment
		calls, want    int                      // want 0: absent
	}{
		{name: "nothing there", calls: 1, want: 1},
		{name: "something there", before: commits{set(5)}, calls: 1, want: 6},
		{name: "changed meanwhile", before: commits{set(5)}, within: commits{set(7)}, calls: 2, want: 8},
		{name: "changed to the same", before: commits{set(5)}, within: commits{set(6)}, calls: 2, want: 7},
		{name: "changed and changed back", before: commits{set(5)}, within: commits{set(6), set(5)}, calls: 1, want: 6},
		{name: "removed meanwhile", before: commits{set(5)}, within: commits{remove}, calls: 2, want: 1},
		{name: "put meanwhile", within: commits{set(3)}, calls: 2, want: 4},
		{name: "cleared meanwhile", before: commits{set(5)}, within: commits{clear}, calls: 2, want: 1},
		{name: "left as it is", before: commits{set(5)}, within: commits{set(7)}, fn: asItIs, calls: 2, want: 7},
		{name: "removed", before: commits{set(5)}, within: commits{set(7)}, fn: ended, calls: 2},
		{name: "removed by both", before: commits{set(5)}, within: commits{remove}, fn: ended, calls: 2},
		{name: "nothing to remove", fn: ended, calls: 1},
		{name: "put before", before: commits{set(5)}, within: commits{set(7)}, ops: commits{set(20), nil}, calls: 1, want: 21},
		{name: "removed before", before: commits{set(5)}, within: commits{set(7)}, ops: commits{remove, nil}, calls: 1, want: 1},
		{
			name: "cleared before", before: commits{set(5)}, within: commits{set(7)}, calls: 1, want: 1,
			ops: commits{clear, nil},
		},
		{
			name: "cleared before it was put", calls: 1, want: 31,
			ops: commits{clear, set(30), nil},
		},
		{
			name: "cleared elsewhere before", before: commits{set(5)}, within: commits{set(7)}, calls: 2, want: 8,
			ops: commits{func(w *runtime.Writer) error { return counters.ClearPrefix(w, "other") }, nil},
		},
		{name: "twice", before: commits{set(5)}, within: commits{set(7)}, ops: commits{nil, nil}, calls: 4, want: 9},
		{name: "put after", before: commits{set(5)}, within: commits{set(7)}, ops: commits{nil, set(50)}, calls: 2, want: 50},
		{name: "put after as it is now", before: commits{set(5)}, within: commits{set(50)}, ops: commits{nil, set(50)}, calls: 2, want: 50},
		{
			name: "changed elsewhere", before: commits{set(5)}, calls: 1, want: 6,
			within: commits{func(w *runtime.Writer) error { return counters.Put(w, "other", 1) }},
		},
		{
			name: "a bulk meanwhile", before: commits{set(5)}, calls: 2, want: 10,
			within: commits{nil},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := open(t, "", runtime.Options{})
			for _, fn := range c.before {
				if err := e.Commit(t.Context(), fn); err != nil {
					t.Fatal(err)
				}
			}
			calls, compute := 0, c.fn
			if compute == nil {
				compute = increment
			}
			fn := func(n *int) (*int, error) {
				if calls++; calls > 1 {
					return compute(n)
				}
				done := make(chan error)
				go func() {
					var err error
					for _, fn := range c.within {
						if fn == nil { // a bulk
							err = errors.Join(err, counters.Bulk(t.Context(), e, func(w *runtime.BulkWriter[int]) error { return w.Put("k", 9) }))
							continue
						}
						err = errors.Join(err, e.Commit(t.Context(), fn))
					}
					done <- err
				}()
				if err := <-done; err != nil {
					t.Error(err)
				}
				return compute(n)
			}
			err := e.Commit(t.Context(), func(w *runtime.Writer) error {
				if c.ops == nil {
					return counters.Update(w, "k", fn)
				}
				for _, op := range c.ops {
					if op == nil {
						op = func(w *runtime.Writer) error { return counters.Update(w, "k", fn) }
					}
					if err := op(w); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			s := e.Snapshot()
			defer s.Release()
			n, err := counters.Get(s, "k")
			if c.want == 0 && !errors.Is(err, runtime.ErrNotFound) || c.want != 0 && (n != c.want || err != nil) {
				t.Errorf("%d, %v; want %d", n, err, c.want)
			}
			if calls != c.calls {
				t.Errorf("computed %d times, want %d", calls, c.calls)
			}
		})
	}
}

// An update that fails leaves all as it was, and one that commits is refused.
func TestUpdateThatFails(t *testing.T) {
	e := open(t, "", runtime.Options{})
	put(t, e, counters, "k", 5)
	gen := e.Stats().Generation
	commit := func(ctx context.Context, fn func(*int) (*int, error)) error {
		return e.Commit(ctx, func(w *runtime.Writer) error {
			return errors.Join(inputs.Put(w, "k", "x"), counters.Update(w, "k", fn), counters.Update(w, "other", increment))
		})
	}
	cause := errors.New("the cause")
	if err := commit(t.Context(), func(*int) (*int, error) { return nil, cause }); !errors.Is(err, cause) {
		t.Errorf("an error: %v", err)
	}
	func() {
		defer func() {
			if r := recover(); r != "boom" {
				t.Errorf("a panic: %v", r)
			}
		}()
		_ = commit(t.Context(), func(*int) (*int, error) { panic("boom") })
	}()
	err := commit(t.Context(), func(*int) (*int, error) {
		return nil, e.Commit(t.Context(), func(w *runtime.Writer) error { return counters.Update(w, "k", increment) })
	})
	if !errors.Is(err, runtime.ErrInTask) {
		t.Errorf("a commit: %v", err)
	}
	err = commit(t.Context(), func(*int) (*int, error) {
		return nil, counters.Bulk(t.Context(), e, func(w *runtime.BulkWriter[int]) error { return nil })
	})
	if !errors.Is(err, runtime.ErrInTask) {
		t.Errorf("a bulk: %v", err)
	}
	var late *runtime.Writer
	err = e.Commit(t.Context(), func(w *runtime.Writer) error {
		late = w
		return counters.Update(w, "k", func(*int) (*int, error) { return nil, counters.Put(late, "k", 1) })
	})
	if !errors.Is(err, runtime.ErrEnded) {
		t.Errorf("writing: %v", err)
	}
	if n := e.Stats().Generation; n != gen {
		t.Errorf("generation %d, want %d", n, gen)
	}

	// One that is refused again and again ends with its context.
	ctx, end := context.WithCancelCause(t.Context())
	calls := 0
	err = commit(ctx, func(n *int) (*int, error) {
		if calls++; calls == 3 {
			end(cause)
		}
		done := make(chan error)
		go func() {
			done <- e.Commit(t.Context(), func(w *runtime.Writer) error { return counters.Put(w, "k", 100+calls) })
		}()
		return n, <-done
	})
	if !errors.Is(err, cause) || calls != 3 {
		t.Errorf("the context's end: %v, after %d calls", err, calls)
	}
	if err := commit(t.Context(), increment); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// A frozen key is not updated, and one that is not there is.
func TestUpdateOfAFrozenPartition(t *testing.T) {
	frozen := runtime.NewPartition[int](t.Name(), runtime.Frozen)
	e := open(t, "", runtime.Options{})
	update := func() error {
		return e.Commit(t.Context(), func(w *runtime.Writer) error { return frozen.Update(w, "k", increment) })
	}
	if err := update(); err != nil {
		t.Error(err)
	}
	if err := update(); !errors.Is(err, runtime.ErrFrozen) {
		t.Errorf("again: %v", err)
	}
}

func BenchmarkUpdate(b *testing.B) {
	for _, together := range []int{1, 16} {
		b.Run("together="+strconv.Itoa(together), func(b *testing.B) {
			e := open(b, "", runtime.Options{Workers: 1})
			b.ReportAllocs()
			b.SetParallelism(together)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					err := e.Commit(b.Context(), func(w *runtime.Writer) error { return counters.Update(w, "k", increment) })
					if err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
