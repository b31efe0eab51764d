package runtime_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A run that begins while a condition is being asked is told of nothing of that commit.
func TestWatcherIsToldOfNoHalf(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	runs := make(chan runtime.Changes, 4)
	openGate := func() {}
	stop, err := numbers.Watch(e, runtime.All(), func(key string, _, _ *int) bool {
		if key == "c" { // a and b are judged already, and the task for x waits for the worker
			openGate()
			c := <-runs
			if len(c.List) != 1 || c.List[0].Key != "x" {
				t.Errorf("generation %d comes with %v", c.Generation, c.List)
			}
		}
		return true
	}, func(_ *runtime.Task, c runtime.Changes) error {
		runs <- c
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	openGate = gate(t, e)
	put(t, e, numbers, "x", 1)
	err = e.Commit(t.Context(), func(w *runtime.Writer) error {
		for _, key := range []string{"a", "b", "c", "d"} {
			if err := numbers.Put(w, key, 1); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if c := <-runs; len(c.List) != 4 || c.Generation != e.Stats().Generation {
		t.Errorf("generation %d comes with %v", c.Generation, c.List)
	}
}

// A condition that panics counts as met, and keeps no other watcher from being told.
func TestWatcherConditionPanics(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	first, second := newTold(), newTold()
	stop, err := numbers.Watch(e, runtime.All(), func(string, *int, *int) bool { panic("no") },
		func(_ *runtime.Task, c runtime.Changes) error { first.tell(c); return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	watch(t, e, numbers, runtime.All(), func(_ *runtime.Task, c runtime.Changes) error { second.tell(c); return nil })
	func() {
		defer func() {
			if r := recover(); r != "no" {
				t.Errorf("the committer recovers %v", r)
			}
		}()
		put(t, e, numbers, "a", 1)
	}()
	first.await(1)
	second.await(1)
}

// Whatever the commits are, and however long its task waits in its lane: a run that is told of a
// generation is told of everything in it.
func TestWatcherIsToldOfWholeCommits(t *testing.T) {
	const keys, commits = 200, 60
	group := func(k int) string { return fmt.Sprintf("%d/%04d", k%2, k) }
	putAll := func(e *runtime.Engine, fn func(w *runtime.Writer) error) error {
		return e.Commit(context.Background(), fn)
	}
	ways := map[string]func(e *runtime.Engine, i int) error{
		"puts": func(e *runtime.Engine, i int) error {
			return putAll(e, func(w *runtime.Writer) error {
				for k := range keys {
					if err := numbers.Put(w, group(k), i); err != nil {
						return err
					}
				}
				return nil
			})
		},
		"clear and puts": func(e *runtime.Engine, i int) error {
			return putAll(e, func(w *runtime.Writer) error {
				if err := numbers.ClearPrefix(w, ""); err != nil {
					return err
				}
				for k := range keys {
					if err := numbers.Put(w, group(k), i); err != nil {
						return err
					}
				}
				return nil
			})
		},
		"clears": func(e *runtime.Engine, i int) error {
			return putAll(e, func(w *runtime.Writer) error {
				if i%2 == 1 {
					return numbers.ClearPrefix(w, "")
				}
				for k := range keys {
					if err := numbers.Put(w, group(k), i); err != nil {
						return err
					}
				}
				return nil
			})
		},
		"bulks": func(e *runtime.Engine, i int) error {
			return numbers.Bulk(context.Background(), e, func(w *runtime.BulkWriter[int]) error {
				for half := range 2 {
					for k := half; k < keys; k += 2 {
						if err := w.Put(group(k), i); err != nil {
							return err
						}
					}
				}
				return nil
			})
		},
	}
	for name, commit := range ways {
		t.Run(name, func(t *testing.T) {
			e := open(t, "", runtime.Options{Workers: 1})
			var runs atomic.Int64
			whole := func(want int) func(*runtime.Task, runtime.Changes) error {
				last := uint64(0)
				return func(_ *runtime.Task, c runtime.Changes) error {
					runs.Add(1)
					if len(c.List) != want || c.Generation <= last {
						t.Errorf("generation %d after %d comes with %d of the %d keys that each commit changes", c.Generation, last, len(c.List), want)
					}
					last = c.Generation
					return nil
				}
			}
			watch(t, e, numbers, runtime.All(), whole(keys))
			watch(t, e, numbers, runtime.Prefix("0/"), whole(keys/2), runtime.On(lane.RPC3))
			watch(t, e, numbers, runtime.Glob("{1,2}/**"), whole(keys/2), runtime.On(lane.Idle))
			stop, err := numbers.Watch(e, runtime.All(), func(string, *int, *int) bool { return true }, whole(keys))
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			var wg sync.WaitGroup
			over := make(chan struct{})
			wg.Go(func() { // other work on the only worker
				for i := 0; ; i++ {
					select {
					case <-over:
						return
					default:
					}
					if err := e.Submit(context.Background(), lane.RPC1, func(t *runtime.Task) error {
						for range i % 50 {
							t.Yield()
						}
						return nil
					}); err != nil {
						t.Error(err)
					}
				}
			})
			for i := range commits {
				if err := commit(e, i); err != nil {
					t.Fatal(err)
				}
			}
			close(over)
			wg.Wait()
			if err := e.Close(t.Context()); err != nil { // lets what is queued run
				t.Fatal(err)
			}
			t.Logf("%d runs", runs.Load())
		})
	}
}

// What is committed from elsewhere in whichever round of a loop is told, and so is what a watcher
// makes of it for another one.
func TestChangeFromElsewhereInALoopIsTold(t *testing.T) {
	for at := 1; at <= 70; at++ {
		e := open(t, "", runtime.Options{Workers: 1, Logger: quiet})
		rounds := 0
		told := map[string]bool{}
		over := make(chan struct{})
		turn := func(mine, yours string) func(*runtime.Task, runtime.Changes) error {
			return func(tk *runtime.Task, c runtime.Changes) error {
				rounds++
				elsewhere := false
				for _, x := range c.List {
					elsewhere = elsewhere || strings.HasSuffix(x.Key, "elsewhere")
				}
				if elsewhere {
					if told[mine] = true; told[yours] {
						close(over)
						return nil
					}
				}
				if rounds == at {
					err := tk.Blocking(func() error { // of no task
						return e.Commit(context.Background(), func(w *runtime.Writer) error { return numbers.Put(w, mine+"elsewhere", 1) })
					})
					if err != nil {
						return err
					}
				}
				return tk.Commit(func(w *runtime.Writer) error {
					if elsewhere {
						if err := numbers.Put(w, yours+"elsewhere", 1); err != nil {
							return err
						}
					}
					return numbers.Put(w, yours+"n", rounds)
				})
			}
		}
		watch(t, e, numbers, runtime.Prefix("a/"), turn("a/", "b/"))
		watch(t, e, numbers, runtime.Prefix("b/"), turn("b/", "a/"))
		put(t, e, numbers, "a/n", -1)
		if at > 64 { // the loop is over by then
			for e.Stats().WatchLoops == 0 {
				put(t, e, inputs, "k", "let the last commit through")
			}
			put(t, e, numbers, "a/elsewhere", 1)
		}
		<-over
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rounds > at+2+64 {
			t.Errorf("%d rounds with a commit from elsewhere in round %d", rounds, at)
		}
	}
}

// A panic of a watcher is logged.
func TestWatcherPanicIsLogged(t *testing.T) {
	log := &syncBuffer{}
	e := open(t, "", runtime.Options{Workers: 1, Logger: slog.New(slog.NewTextHandler(log, nil))})
	runs := newTold()
	watch(t, e, inputs, runtime.All(), func(_ *runtime.Task, c runtime.Changes) error {
		runs.tell(c)
		if c.List[0].Key == "bad" {
			panic("no such luck")
		}
		return nil
	})
	put(t, e, inputs, "bad", "1")
	runs.await(1)
	put(t, e, inputs, "good", "1")
	runs.await(2)
	if line := log.String(); !strings.Contains(line, "watcher failed") || !strings.Contains(line, "no such luck") {
		t.Errorf("the log: %q", line)
	}
}
