package runtime_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

var (
	hydrateRuns sync.Map // keys whose query has run
	hydrateLen  = runtime.NewQuery("hydrate length", 1, func(t *runtime.Task, key string) (int, error) {
		hydrateRuns.Store(key, true)
		text, err := inputs.Get(t, key)
		return len(text), err
	})
	hydrateSum = runtime.NewQuery("hydrate sum", 1, func(t *runtime.Task, keys string) (sum int, err error) {
		all, err := hydrateLen.All(t, strings.Fields(keys))
		for _, n := range all {
			sum += n
		}
		return sum, err
	})
)

// What persisted answers can do is done before anything is computed, however the tasks were queued,
// and an answer that has to be computed is, also where the function makes nothing of the error.
func TestHydrateFirst(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	var keys []string
	for i := range 12 {
		keys = append(keys, fmt.Sprint(i))
	}
	stale := []string{"0", "5", "6"}
	e := open(t, dir, runtime.Options{Workers: 1})
	err := e.Commit(ctx, func(w *runtime.Writer) (err error) {
		for _, k := range keys {
			err = errors.Join(err, inputs.Put(w, k, "x"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	sums := []string{strings.Join(keys, " "), "1 2", "2 6"}
	for _, s := range sums {
		if _, err := hydrateSum.Ask(ctx, e, s); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(ctx); err != nil {
		t.Fatal(err)
	}

	// One thread does it all: for a bound worker that is held up, no other thread stands in.
	e = open(t, dir, runtime.Options{Workers: 1, Affinity: affinity.On})
	err = e.Commit(ctx, func(w *runtime.Writer) (err error) {
		for _, k := range stale {
			err = errors.Join(err, inputs.Put(w, k, "longer"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	snap := e.Snapshot()
	defer snap.Release()
	hydrateRuns.Clear()
	var (
		order   []string // of one thread
		handles []*runtime.Handle
		lanes   = map[string]lane.Lane{}
	)
	begin := func(name string, want int, ask func(t *runtime.Task) (int, error)) {
		h, err := e.Go(ctx, lane.Default, func(task *runtime.Task) error {
			n, err := ask(task)
			if task.Context().Err() == nil {
				if n != want || err != nil {
					t.Errorf("%s: %d, %v", name, n, err)
				}
				order, lanes[name] = append(order, name), task.Lane()
			}
			return nil
		}, runtime.HydrateFirst(), runtime.At(snap))
		if err != nil {
			t.Fatal(err)
		}
		handles = append(handles, h)
	}
	gate := make(chan struct{})
	hold, err := e.Go(ctx, lane.Sync, func(*runtime.Task) error { <-gate; return nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		want := 1
		if slices.Contains(stale, k) {
			want = 6
		}
		begin(k, want, func(t *runtime.Task) (int, error) { return hydrateLen.Get(t, k) })
	}
	for i, want := range []int{12 + 3*5, 2, 7} {
		begin(fmt.Sprint("sum ", i), want, func(t *runtime.Task) (int, error) { return hydrateSum.Get(t, sums[i]) })
	}
	close(gate)
	for _, h := range append(handles, hold) {
		if err := h.Wait(ctx); err != nil {
			t.Error(err)
		}
	}
	var computed []string
	for i, name := range order {
		must := slices.Contains(stale, name) || name == "sum 0" || name == "sum 2"
		if want := lane.Default; must && lanes[name] != want || !must && lanes[name] != want.Hydration() {
			t.Errorf("%s ended on lane %v", name, lanes[name])
		}
		if must {
			computed = append(computed, name)
		} else if len(computed) > 0 {
			t.Errorf("%s is number %d, after %q", name, i, computed)
		}
	}
	if len(order) != len(keys)+len(sums) || len(computed) != len(stale)+2 {
		t.Errorf("order %q, computed %q", order, computed)
	}
	hydrateRuns.Range(func(key, _ any) bool {
		if !slices.Contains(stale, key.(string)) {
			t.Errorf("%v was computed", key)
		}
		return true
	})
}

// A task that is cancelled ends no sooner than its function, wherever that is.
func TestCancelledHydrationIsWaitedFor(t *testing.T) {
	e := open(t, "", runtime.Options{})
	began, release := make(chan struct{}), make(chan struct{})
	over := false
	h, err := e.Go(t.Context(), lane.Default, func(task *runtime.Task) error {
		close(began)
		<-release
		over = true
		return nil
	}, runtime.HydrateFirst())
	if err != nil {
		t.Fatal(err)
	}
	<-began
	h.Cancel(nil)
	select {
	case <-h.Ended().Done():
		t.Error("it has ended while its function runs")
	case <-time.After(20 * time.Millisecond): // long enough for a task that does not wait
	}
	close(release)
	<-h.Ended().Done()
	if !over {
		t.Error("the function goes on")
	}
}

// A task that hydrates gives up what another one waits for without harm to that.
func TestHydratingBesideAsking(t *testing.T) {
	e, ctx := open(t, "", runtime.Options{}), t.Context()
	for round := range 200 {
		put(t, e, inputs, "shared", strings.Repeat("x", round))
		var both sync.WaitGroup
		for i := range 4 {
			both.Go(func() {
				var opts []runtime.TaskOption
				if i%2 == 0 {
					opts = append(opts, runtime.HydrateFirst())
				}
				if n, err := hydrateSum.Ask(ctx, e, "shared", opts...); n != round || err != nil {
					t.Errorf("round %d: %d, %v", round, n, err)
				}
			})
		}
		both.Wait()
	}
}

// A call that cannot follow an option of tasks says so.
func TestOptionsThatACallCannotFollow(t *testing.T) {
	e := open(t, "", runtime.Options{})
	s := e.Snapshot()
	defer s.Release()
	hydrates, at := runtime.HydrateFirst(), runtime.At(s)
	soon, key := runtime.Deadline(time.Now().Add(time.Hour)), runtime.Supersede("k")
	never := func(*runtime.Task) error { t.Error("it ran"); return nil }
	calls := map[string]struct {
		call    func(opt runtime.TaskOption) error
		refuses []runtime.TaskOption
	}{
		"Spawn": {func(opt runtime.TaskOption) error {
			return e.Submit(t.Context(), 0, func(t *runtime.Task) error {
				_, err := t.Spawn(0, never, opt)
				return err
			})
		}, []runtime.TaskOption{hydrates}},
		"Engine.Watch": {func(opt runtime.TaskOption) error {
			_, err := e.Watch(inputs, runtime.All(), func(*runtime.Task, runtime.Changes) error { return nil }, opt)
			return err
		}, []runtime.TaskOption{hydrates, at}},
		"Partition.Watch": {func(opt runtime.TaskOption) error {
			_, err := inputs.Watch(e, runtime.All(), func(string, *string, *string) bool { return true }, func(*runtime.Task, runtime.Changes) error { return nil }, opt)
			return err
		}, []runtime.TaskOption{hydrates, at}},
		"Query.Watch": {func(opt runtime.TaskOption) error {
			_, err := length.Watch(t.Context(), e, "k", func(*runtime.Task, *runtime.Answer[int], *runtime.Answer[int]) error { return nil }, opt)
			return err
		}, []runtime.TaskOption{hydrates, at}},
		"GoRestartable": {func(opt runtime.TaskOption) error {
			_, err := e.GoRestartable(t.Context(), 0, never, opt)
			return err
		}, []runtime.TaskOption{hydrates, at, soon, key}},
	}
	for name, c := range calls {
		for i, opt := range c.refuses {
			if err := c.call(opt); !errors.Is(err, runtime.ErrOption) {
				t.Errorf("%s, option %d: %v", name, i, err)
			}
		}
	}
}
