package runtime_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/mmapcas/vfs"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/gc"
	"github.com/cytisus/cytisus/runtime/inspect"
	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/sched"
)

var (
	gcSimSeed  = flag.Uint64("gcsim.seed", 0, "seed of TestCollectorSimulation; 0 takes a new one")
	gcSimSteps = flag.Int("gcsim.steps", 20_000, "steps of TestCollectorSimulation")
)

const (
	gcSimWriters = 3
	gcSimKeys    = 4     // of each writer
	gcSimTexts   = 24    // contents come again, so that records are put again
	gcSimLife    = 2_500 // steps between two openings, at most
)

// collected holds, beside each key of inputs, what was made of it.
var collected = runtime.NewPartition[report]("collected")

// A gcSim is a store that lives through processes, each with writers, questions, snapshots,
// cancellations, collections and checkpoints in an order that the seed says, and each ended by
// closing, a kill or a power cut.
type gcSim struct {
	t     *testing.T
	rng   *rand.Rand
	mem   *vfs.Mem
	e     *runtime.Engine
	left  int // steps
	made  int // steps of this process
	err   error
	known map[string]map[string]bool // what may be at each key: the last that was acknowledged, and one under way
	busy  [gcSimWriters]bool

	before string // how the process before ended

	counts struct{ lives, kills, cuts, commits, asked, cancelled, snapshots, collected, assisted int }
}

func (s *gcSim) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

func (s *gcSim) text(n int) string { return noise(uint64(n), 200+n*n*40) }

// live runs one process.
func (s *gcSim) live() {
	s.counts.lives++
	fs := vfs.FailFrom(s.mem, math.MaxInt64, nil)
	o := runtime.Checked(runtime.Simulated(runtime.OnFS(runtime.Options{
		Workers: 1 + s.rng.IntN(4), CollectEvery: -1, StallAfter: -1, Logger: quiet, SegmentBytes: 256 << 10, Sync: mmapcas.SyncGroup,
	}, fs), &sched.Deterministic{Seed: s.rng.Uint64()}), &gc.Check{
		Fail: func(err error) { s.fail("%w", err) }, Every: 1 + s.rng.IntN(60), Fine: s.rng.IntN(3) > 0,
	})
	e, err := runtime.Open("/s", o)
	if err != nil {
		s.fail("open: %w", err)
		return
	}
	s.e, s.made, s.busy = e, 0, [gcSimWriters]bool{}
	s.compare()
	end := s.rng.IntN(gcSimLife)
	for range 3 + s.rng.IntN(6) {
		s.spawn()
	}
	stopped := e.SimulateUntil(func() bool {
		s.made++
		return s.err != nil || s.made >= end
	})
	s.left -= max(s.made, 1)
	ctx := s.t.Context()
	how := s.rng.IntN(3)
	if how < 2 {
		fs.FailNow()
		gone, cancel := context.WithCancel(ctx)
		cancel()
		ctx = gone
	} else if stopped {
		e.Simulate()
	}
	s.e = nil // what fails from here on is no fault
	if err := e.Close(ctx); err != nil && how == 2 {
		s.fail("close: %w", err)
	}
	s.before = [...]string{"a kill", "a power cut", "closing"}[how]
	switch how {
	case 0:
		s.counts.kills++
		s.mem = s.mem.Clone()
	case 1:
		s.counts.cuts++
		s.mem = s.mem.CrashClone(s.rng.Uint64())
	}
}

// compare finds at each key what was acknowledged, or a later one, and that nothing is missing.
func (s *gcSim) compare() {
	snap := s.e.Snapshot()
	defer snap.Release()
	for key, may := range s.known {
		text, err := inputs.Get(snap, key)
		if errors.Is(err, runtime.ErrNotFound) {
			text, err = "", nil
		}
		if err != nil || !may[text] {
			s.fail("after opening, %s is %.20q, %w", key, text, err)
		}
		s.known[key] = map[string]bool{text: true}
	}
	s.all(snap)
	rep, err := inspect.Verify(s.t.Context(), s.e, nil)
	if err != nil || !rep.Clean() {
		s.fail("after %s: %+v, %v: missing %s", s.before, rep, err, s.e.FirstMissing())
	}
}

// all reads everything in a snapshot.
func (s *gcSim) all(r runtime.Reader) map[string]string {
	out := map[string]string{}
	err := inputs.Scan(r, runtime.All(), func(k, text string) error {
		out[k] = text
		return nil
	})
	if err == nil {
		err = collected.Scan(r, runtime.All(), func(k string, rep report) error {
			b, err := runtime.ReadBlob(r, rep.Parts[0])
			if err == nil && string(b) != out[k]+"!" {
				s.fail("what was made of %s has %.20q, and is of %.20q", k, b, out[k])
			}
			return err
		})
	}
	if err != nil {
		s.fail("reading a snapshot: %w", err)
	}
	return out
}

// spawn starts a task of a random kind.
func (s *gcSim) spawn() {
	rng := rand.New(rand.NewPCG(s.rng.Uint64(), 0))
	ctx, cancel := context.WithCancel(s.t.Context())
	var do func(*runtime.Task) error
	mayFail := false
	switch s.rng.IntN(9) {
	case 0, 1:
		do = func(t *runtime.Task) error { return s.write(t, rng, rng.IntN(gcSimWriters)) }
	case 2:
		do = func(t *runtime.Task) error { return s.ask(t, rng) }
	case 3: // somebody asks, and somebody else takes it back
		mayFail = true
		do = func(t *runtime.Task) error { return s.ask(t, rng) }
		s.task(context.Background(), false, func(t *runtime.Task) error {
			for range rng.IntN(30) {
				t.Yield()
			}
			cancel()
			s.counts.cancelled++
			return nil
		})
	case 4:
		do = func(t *runtime.Task) error { return s.hold(t, rng) }
	case 5, 6:
		do = func(t *runtime.Task) error {
			defer func() { s.counts.collected++ }()
			if rng.IntN(2) == 0 {
				return t.Engine().CollectNewInSteps(t.Context(), t.Yield)
			}
			return t.Engine().CollectInSteps(t.Context(), t.Yield)
		}
	case 7:
		do = func(t *runtime.Task) error {
			for range rng.IntN(20) {
				t.Yield()
			}
			if rng.IntN(2) == 0 {
				t.Engine().WriteTraces(t.Context())
				return nil
			}
			return t.Engine().Checkpoint(t.Context())
		}
	case 8: // commits assist the collector until a cycle is over
		do = func(t *runtime.Task) error {
			t.Engine().FallBehind(rng.Int64N(1 << 17))
			for range 1000 {
				if t.Yield(); !t.Engine().Assisting() {
					s.counts.assisted++
					break
				}
			}
			return nil
		}
	}
	s.task(ctx, mayFail, func(t *runtime.Task) error {
		defer cancel()
		err := do(t)
		if s.err == nil && s.e != nil && s.rng.IntN(8) > 0 {
			s.spawn() // another in its place, of whatever kind
		}
		return err
	})
}

func (s *gcSim) task(ctx context.Context, mayFail bool, fn func(*runtime.Task) error) {
	e := s.e
	h, err := e.Go(ctx, []lane.Lane{lane.Input, lane.Default, lane.Idle}[s.rng.IntN(3)], fn)
	if err != nil {
		return // it is being closed
	}
	h.Ended().OnFire(func() {
		if err := h.Err(); err != nil && !mayFail && s.e == e && !errors.Is(err, context.Canceled) && !strings.Contains(err.Error(), "vfs") {
			s.fail("a task failed: %w", err)
		}
	})
}

// write changes keys that no other task changes at the same time, some of them at once.
func (s *gcSim) write(t *runtime.Task, rng *rand.Rand, writer int) error {
	if s.busy[writer] {
		return nil
	}
	s.busy[writer] = true
	defer func() { s.busy[writer] = false }()
	for range 1 + rng.IntN(6) {
		key := fmt.Sprint("w", writer, "/", rng.IntN(gcSimKeys))
		text := ""
		if rng.IntN(4) > 0 {
			text = s.text(rng.IntN(gcSimTexts))
		}
		if s.known[key] == nil {
			s.known[key] = map[string]bool{"": true}
		}
		s.known[key][text] = true
		err := t.Commit(func(w *runtime.Writer) error {
			if text == "" {
				return errors.Join(inputs.Delete(w, key), collected.Delete(w, key))
			}
			b, err := w.PutBlob([]byte(text + "!"))
			if err != nil {
				return err
			}
			t.Yield()
			return errors.Join(inputs.Put(w, key, text), collected.Put(w, key, report{key, []runtime.Blob{b}}))
		})
		if err != nil {
			return err
		}
		s.known[key] = map[string]bool{text: true}
		s.counts.commits++
		t.Yield()
	}
	return nil
}

// ask asks for what a run, a trace, or a reuse gives, and reads what it refers to.
func (s *gcSim) ask(t *runtime.Task, rng *rand.Rand) error {
	keys, err := inputs.Keys(t, runtime.All())
	if err != nil || len(keys) == 0 {
		return err
	}
	key := keys[rng.IntN(len(keys))]
	text, err := inputs.Get(t, key)
	if err != nil {
		return err
	}
	t.Yield()
	rep, err := doubled.Get(t, key)
	if err != nil {
		return err
	}
	t.Yield()
	b, err := runtime.ReadBlob(t, rep.Parts[0])
	if err != nil {
		return err
	}
	if string(b) != text+text {
		s.fail("the double of %.20q is %.20q", text, b)
	}
	s.counts.asked++
	return nil
}

// hold reads a snapshot twice, with a while between.
func (s *gcSim) hold(t *runtime.Task, rng *rand.Rand) error {
	snap := t.Engine().Snapshot()
	defer snap.Release()
	first := s.all(snap)
	for range rng.IntN(200) {
		t.Yield()
	}
	if again := s.all(snap); !maps.Equal(first, again) {
		s.fail("a snapshot of generation %d has changed", snap.Generation())
	}
	s.counts.snapshots++
	return nil
}

// TestCollectorSimulation: random programs of commits, questions, snapshots, cancellations,
// collections in the smallest slices, commits that assist them, checkpoints, kills and power cuts,
// interrupted wherever a task calls the engine. After each phase of a collection, and some slices,
// all that is needed is walked; after each opening the store has what was acknowledged, and misses
// nothing.
func TestCollectorSimulation(t *testing.T) {
	seed := *gcSimSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	s := &gcSim{t: t, rng: rand.New(rand.NewPCG(seed, 0x67637369)), mem: vfs.NewMem(), left: *gcSimSteps, known: map[string]map[string]bool{}}
	for s.left > 0 && s.err == nil {
		s.live()
	}
	if s.err != nil {
		t.Fatalf("replay with -gcsim.seed=%d -gcsim.steps=%d: %v", seed, *gcSimSteps, s.err)
	}
	t.Logf("seed %d: %+v", seed, s.counts)
	if c := s.counts; c.commits == 0 || c.asked == 0 || c.snapshots == 0 || c.collected == 0 || c.assisted == 0 || c.kills+c.cuts == 0 {
		t.Errorf("something was never done: %+v", c)
	}
}
