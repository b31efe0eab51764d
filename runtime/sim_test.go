package runtime_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/sched"
)

var (
	simSeed = flag.Uint64("sim.seed", 0, "seed of TestSimulatedEngine; 0 takes a new one")
	simRuns = flag.Int("sim.runs", 0, "runs of TestSimulatedEngine, each with a seed of its own; 0 is few")
)

var (
	mirror  = runtime.NewPartition[int]("mirror")  // holds what numbers holds
	doubles = runtime.NewPartition[int]("doubles") // a watcher of numbers keeps them
)

// A view is what a watcher makes of what it is told.
type view struct {
	name    string
	values  map[string]runtime.Blob
	gen     uint64
	running bool
}

// told adds changes to the view. It is interrupted in the midst.
func (v *view) told(t *runtime.Task, c runtime.Changes, fail func(string, ...any)) {
	if v.running {
		fail("%s: two runs at the same time", v.name)
	}
	v.running = true
	if c.Generation <= v.gen || t.Generation() < c.Generation {
		fail("%s: told of generation %d after %d, reads %d", v.name, c.Generation, v.gen, t.Generation())
	}
	v.gen = c.Generation
	for _, ch := range c.List {
		if v.values[ch.Key] != ch.Old || ch.Deleted != ch.New.IsZero() {
			fail("%s: generation %d: a gap at %s", v.name, c.Generation, ch.Key)
		}
		t.Yield()
		if v.values[ch.Key] = ch.New; ch.Deleted {
			delete(v.values, ch.Key)
		}
	}
	v.running = false
}

// simulateEngine runs writers, readers, waiting tasks and watchers as tasks of a simulated engine.
func simulateEngine(t *testing.T, seed uint64) (steps int, digest uint64) {
	rng := rand.New(rand.NewPCG(seed, 0x656e67))
	e, err := runtime.Open("", runtime.Simulated(runtime.Options{
		Workers: 1 + rng.IntN(4), CollectEvery: -1, StallAfter: -1, Logger: quiet, SegmentBytes: 1 << 20,
	}, &sched.Deterministic{Seed: rng.Uint64()}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	fail := func(format string, args ...any) {
		t.Errorf("replay with -sim.seed=%d -sim.runs=1: %s", seed, fmt.Sprintf(format, args...))
	}
	var views []*view
	watchAll := func(name string, pat runtime.Pattern, more func(*runtime.Task, runtime.Changes) error, opts ...runtime.TaskOption) {
		v := &view{name: name, values: map[string]runtime.Blob{}}
		views = append(views, v)
		// Not stopped: that waits for a run, which nobody would move.
		_, err := e.Watch(numbers, pat, func(t *runtime.Task, c runtime.Changes) error {
			v.told(t, c, fail)
			if more != nil {
				return more(t, c)
			}
			return nil
		}, opts...)
		if err != nil {
			t.Fatal(err)
		}
	}
	watchAll("all", runtime.All(), nil)
	watchAll("one", runtime.Exact("k3"), nil, runtime.On(lane.Idle))
	watchAll("doubling", runtime.All(), func(t *runtime.Task, c runtime.Changes) error {
		return t.Commit(func(w *runtime.Writer) error {
			for _, ch := range c.List {
				if ch.Deleted {
					if err := doubles.Delete(w, ch.Key); err != nil {
						return err
					}
					continue
				}
				n, err := numbers.Load(t, ch.New)
				if err == nil {
					err = doubles.Put(w, ch.Key, 2*n)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
	submit := func(fn func(*runtime.Task) error) {
		h, err := e.Go(t.Context(), lane.Default, fn)
		if err != nil {
			t.Fatal(err)
		}
		h.Ended().OnFire(func() {
			if err := h.Err(); err != nil {
				fail("%v", err)
			}
		})
	}
	const waits = 4
	waited := 0
	for i := range waits {
		submit(func(t *runtime.Task) error {
			key, n, err := mirror.Wait(t, runtime.Prefix(fmt.Sprint("wanted", i)))
			if err == nil && (key != fmt.Sprint("wanted", i, "!") || n != i) {
				fail("waited for %d, got %s=%d", i, key, n)
			}
			waited++
			return err
		})
	}
	for w := range 3 {
		rng := rand.New(rand.NewPCG(seed, uint64(w)))
		submit(func(t *runtime.Task) error {
			for round := range 12 {
				err := t.Commit(func(out *runtime.Writer) error {
					if round == 6 {
						for i := w; i < waits; i += 3 {
							if err := mirror.Put(out, fmt.Sprint("wanted", i, "!"), i); err != nil {
								return err
							}
						}
					}
					for range 1 + rng.IntN(3) {
						k, n := fmt.Sprint("k", rng.IntN(6)), rng.IntN(50)
						for _, p := range []*runtime.Partition[int]{numbers, mirror} {
							var err error
							if n < 12 {
								err = p.Delete(out, k)
							} else {
								err = p.Put(out, k, n)
							}
							if err != nil {
								return err
							}
						}
					}
					return nil
				})
				if err != nil {
					return err
				}
				t.Yield()
			}
			return nil
		})
	}
	contents := func(r runtime.Reader, p *runtime.Partition[int], between func()) map[string]int {
		out := map[string]int{}
		err := p.Scan(r, runtime.Prefix("k"), func(k string, n int) error {
			out[k] = n
			between()
			return nil
		})
		if err != nil {
			fail("%v", err)
		}
		return out
	}
	for range 2 {
		submit(func(t *runtime.Task) error {
			for range 8 {
				s := t.Engine().Snapshot()
				if a, b := contents(s, numbers, t.Yield), contents(s, mirror, t.Yield); !maps.Equal(a, b) {
					fail("generation %d: %v and %v", s.Generation(), a, b)
				}
				s.Release()
			}
			return nil
		})
	}
	e.Simulate()

	if waited != waits {
		fail("%d of %d waits have ended", waited, waits)
	}
	s := e.Snapshot()
	defer s.Release()
	final := contents(s, numbers, func() {})
	for k, n := range contents(s, doubles, func() {}) {
		if final[k]*2 != n || n == 0 {
			fail("the double of %s=%d is %d", k, final[k], n)
		}
		final[k] = 0
	}
	for k, n := range final {
		if n != 0 {
			fail("%s=%d has no double", k, n)
		}
	}
	for _, v := range views {
		for k := range final {
			if _, ok := v.values[k]; !ok && (v.name != "one" || k == "k3") {
				fail("%s was not told of %s", v.name, k)
			}
		}
		for k := range v.values {
			if _, ok := final[k]; !ok {
				fail("%s was not told that %s is gone", v.name, k)
			}
		}
	}
	return e.Choices()
}

// TestSimulatedEngine: writers, readers, tasks that wait for keys, and watchers, one of which
// commits, in every order that so many seeds make.
func TestSimulatedEngine(t *testing.T) {
	seed, runs := *simSeed, *simRuns
	if runs == 0 {
		runs = 15
	}
	if seed == 0 {
		seed = rand.Uint64()
	}
	sum := 0
	for i := range uint64(runs) {
		steps, digest := simulateEngine(t, seed+i)
		if sum += steps; i == 0 && !t.Failed() {
			if _, again := simulateEngine(t, seed); again != digest {
				t.Errorf("seed %d does not repeat itself", seed)
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d runs, %d choices", runs, sum)
}
