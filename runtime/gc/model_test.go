package gc

import (
	"context"
	"flag"
	"iter"
	"math/rand/v2"
	goruntime "runtime"
	"sync"
	"testing"
	"time"
)

var (
	modelSeed = flag.Uint64("model.seed", 0, "seed of TestModel; 0 takes new ones")
	modelRuns = flag.Int("model.runs", 0, "runs of TestModel; 0 is few")
)

const (
	modelSteps = 3000  // of a run, before all that goes on is brought to its end
	modelEnd   = 50000 // steps after that: what has not ended then never ends
)

// play has the actors of a world take turns as the seed says, until steps are over and all have
// ended.
func play(w *world, collectors int) {
	var actors []func() bool
	act := func(body func(yield func())) {
		next, _ := iter.Pull(func(yield func(struct{}) bool) { body(func() { yield(struct{}{}) }) })
		actors = append(actors, func() bool { _, more := next(); return more })
	}
	var running func() // the yield of the actor that has its turn
	forever := func(do func(yield func())) {
		act(func(yield func()) {
			for !w.isOver() {
				running = yield
				do(func() { yield(); running = yield })
				yield()
			}
		})
	}
	w.c.clockBytes = []int{1, 4 << 10, 64 << 10}[w.n(3)] // a slice is a record, a few, or many
	if w.n(3) == 0 {
		w.long, w.often = 400, 12 // over more than one cycle
	}
	pause := 1 + w.n(40)
	w.c.gate.at = func(string) {
		yield := running
		for range w.n(6) {
			yield()
		}
		running = yield
	}
	for range 3 {
		forever(w.writer)
	}
	forever(w.query)
	forever(w.query)
	forever(w.reader)
	forever(w.lease)
	forever(w.lease)
	forever(func(yield func()) { // who assists, and sends another on errands
		for range w.n(20) {
			yield()
		}
		var errands []func()
		did := w.c.Assist(Aid{Most: 1 + int64(w.n(1<<14)), Begin: w.n(4) == 0, Apart: func(fn func()) {
			errands = append(errands, fn)
		}})
		w.mu.Lock()
		w.counts["assisted"] += min(int(did), 1)
		w.counts["errands of assistants"] += len(errands)
		w.mu.Unlock()
		for _, errand := range errands {
			for range w.n(20) {
				yield()
			}
			errand()
		}
	})
	forever(func(yield func()) {
		for range w.n(60) {
			yield()
		}
		if w.n(2) == 0 {
			w.flush(context.Background())
		} else if err := w.d.Checkpoint(context.Background()); err != nil {
			w.fail("checkpoint: %v", err)
		}
	})
	for range collectors {
		forever(func(yield func()) {
			for range w.n(pause) {
				yield()
			}
			collect := w.collect
			if w.n(3) > 0 {
				collect = w.collectNew
			}
			collect(Pace{Wait: yield, Block: func(fn func() error) error {
				yield()
				defer yield()
				return fn()
			}})
		})
	}
	for len(actors) > 0 {
		w.mu.Lock()
		w.steps++
		if w.steps >= modelSteps {
			w.over = true
		}
		i, late := w.rng.IntN(len(actors)), w.steps > modelSteps+modelEnd
		w.mu.Unlock()
		if late {
			w.fail("a collection does not end")
			return
		}
		if !actors[i]() {
			actors = append(actors[:i], actors[i+1:]...)
		}
		if w.check(); w.err != nil {
			return
		}
	}
}

// TestModel: a random graph of objects, with those who change it in sessions, queries whose traces
// are written later, readers, leases, checkpoints, and collectors, one record or one step of a
// protocol at a time, in an order that the seed says. Nothing that is reached from a key, a result,
// a session, a snapshot or a lease is ever freed; what was unreachable when a collection was called
// is gone at its end; and each ends.
func TestModel(t *testing.T) {
	seed, runs := *modelSeed, *modelRuns
	if seed != 0 {
		runs = 1
	} else if seed = rand.Uint64(); runs == 0 {
		if runs = 40; raceEnabled || testing.Short() {
			runs = 6
		}
	}
	sum := map[string]int{}
	for range runs {
		w := newWorld(t, seed)
		play(w, 1+int(seed%2))
		if w.err != nil {
			t.Fatalf("replay with -model.seed=%d: %v", seed, w.err)
		}
		quiet(t, w)
		for k, n := range w.counts {
			sum[k] += n
		}
		w.close(t)
		seed++
	}
	t.Logf("%d runs: %v", runs, sum)
	for _, what := range []string{"commits", "put again", "traces", "unwritten", "cycles", "freed", "short cycles", "freed by these", "assisted", "errands of assistants"} {
		if sum[what] == 0 {
			t.Errorf("never: %s", what)
		}
	}
}

// quiet collects once more, with nobody at work, and finds that the store holds what is reachable
// and nothing else.
func quiet(t *testing.T, w *world) {
	t.Helper()
	for len(w.unwritten) > 0 {
		w.flush(context.Background())
	}
	w.c.gate.at = nil
	w.over = false
	w.collect(Pace{Wait: func() {}})
	if w.check(); w.err != nil {
		t.Fatal(w.err)
	}
	rep, err := w.c.Walk(context.Background())
	if err != nil || rep.Missing > 0 {
		t.Fatalf("walk: %+v, %v", rep, err)
	}
	if st := w.st.Stats(); st.Records != rep.Records {
		t.Fatalf("with nobody at work a collection leaves %d records, %d are reachable", st.Records, rep.Records)
	}
}

// TestModelBeside is TestModel with goroutines in place of turns: no order, and the race detector.
func TestModelBeside(t *testing.T) {
	w := newWorld(t, rand.Uint64())
	w.c.clockBytes, w.c.check.Every = 1, 0 // a check takes long beside a slice, and others go on
	var wg sync.WaitGroup
	forever := func(do func(yield func())) {
		wg.Go(func() {
			for !w.isOver() {
				do(goruntime.Gosched)
			}
		})
	}
	for range 3 {
		forever(w.writer)
	}
	forever(w.query)
	forever(w.reader)
	forever(w.lease)
	forever(func(func()) {
		w.c.Assist(Aid{
			Most: 1 << 14, Begin: w.n(4) == 0, Patience: time.Millisecond, Apart: func(fn func()) { wg.Go(fn) },
		})
	})
	forever(func(func()) { w.flush(context.Background()) })
	forever(func(func()) {
		if err := w.d.Checkpoint(context.Background()); err != nil {
			w.fail("checkpoint: %v", err)
		}
	})
	cycles := 30
	if raceEnabled || testing.Short() {
		cycles = 10
	}
	for range cycles {
		collect := w.c.Collect
		if w.n(2) == 0 {
			collect = w.c.CollectNew
		}
		if err := collect(t.Context(), Pace{Wait: goruntime.Gosched}); err != nil {
			w.fail("collect: %v", err)
		}
		w.check()
		w.mu.Lock()
		w.steps++
		w.mu.Unlock()
	}
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
	wg.Wait()
	if w.err != nil {
		t.Fatal(w.err)
	}
	quiet(t, w)
	w.close(t)
}
