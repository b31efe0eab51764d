package simtest

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/mmapcas/vfs"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/internal/inside"
	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/sched"
)

var (
	seedFlag = flag.Uint64("simtest.seed", 0, "the seed of the only run of each simulated test; 0 takes new ones")
	runsFlag = flag.Int("simtest.runs", 0, "runs of each simulated test, each with a seed of its own; 0 leaves it to the test")
)

// Run runs a test so often, each time in a World with a seed of its own, until it fails. The seed
// is the name of a subtest.
func Run(t *testing.T, runs int, test func(w *World)) {
	t.Helper()
	seed := rand.Uint64()
	switch {
	case *seedFlag != 0:
		seed, runs = *seedFlag, 1
	case *runsFlag > 0:
		runs = *runsFlag
	}
	for i := range uint64(max(runs, 1)) {
		passed := t.Run(fmt.Sprintf("seed=%d", seed+i), func(t *testing.T) {
			digest := inWorld(t, seed+i, test)
			if i == 0 && !t.Failed() && inWorld(t, seed, test) != digest {
				t.Error("another run with the same seed went another way: the test depends on more than its World")
			}
			if t.Failed() {
				t.Logf("replay with -simtest.seed=%d", seed+i)
			}
		})
		if !passed {
			return
		}
	}
}

// inWorld runs a test once, and returns a digest of all choices that were made.
func inWorld(t *testing.T, seed uint64, test func(w *World)) uint64 {
	w := &World{T: t, Rand: rand.New(rand.NewPCG(seed, 0x7465)), choices: rand.New(rand.NewPCG(seed, 0x6368)), mem: vfs.NewMem()}
	defer w.end(context.Background())
	test(w)
	w.end(context.Background())
	return w.digest
}

// A World is an engine's workers, clock and disk in a simulation. It belongs to the test's
// goroutine, and a failure of its T is that of the seed.
type World struct {
	*testing.T
	Rand *rand.Rand // for what the test chooses

	choices *rand.Rand // for what the World chooses
	mem     *vfs.Mem
	fs      *vfs.Failing // of the engine, over mem
	eng     *runtime.Engine
	log     *logged // nil, or of the engine
	digest  uint64  // of the engines that have ended
}

// A logged writes to the log of a test until the process that logs has ended.
type logged struct {
	io.Writer
	ended atomic.Bool
}

func (l *logged) Write(p []byte) (int, error) {
	if l.ended.Load() {
		return len(p), nil
	}
	return l.Writer.Write(p)
}

// dir is where the store of a World lies.
const dir = "/world"

// Open opens the store of the World, which is empty at first. One engine can be open at a time; the
// World closes it in the end. Workers are some, from 1 to 4, where o does not say how many, and
// warnings go to the test's log where o has no Logger.
func (w *World) Open(o runtime.Options) *runtime.Engine {
	w.Helper()
	if w.eng != nil {
		w.Fatal("simtest: an engine is open already")
	}
	if o.Workers == 0 {
		o.Workers = 1 + w.choices.IntN(4)
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = 1 << 20
	}
	if o.Logger == nil {
		w.log = &logged{Writer: w.Output()}
		o.Logger = slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	o.CollectEvery, o.StallAfter = -1, -1 // both go by another clock
	w.fs = vfs.FailFrom(w.mem, math.MaxInt64, nil)
	how := &sched.Deterministic{Seed: w.choices.Uint64()}
	o, _ = inside.Simulated(o, how, w.fs).(runtime.Options)
	eng, err := runtime.Open(dir, o)
	if err != nil {
		w.Fatal(err)
	}
	w.eng = eng
	return eng
}

// Go starts a task. An error that it ends with fails the test.
func (w *World) Go(l lane.Lane, fn func(*runtime.Task) error, opts ...runtime.TaskOption) {
	w.Helper()
	h, err := w.eng.Go(w.Context(), l, fn, opts...)
	if err != nil {
		w.Fatal(err)
	}
	h.Ended().OnFire(func() {
		if err := h.Err(); err != nil && w.eng != nil {
			w.Errorf("a task failed: %v", err)
		}
	})
}

// Settle lets all tasks and watchers go on until none can, whatever the time.
func (w *World) Settle() { inside.Of(w.eng).Scheduler.Simulate(nil) }

// Now is the time in the World.
func (w *World) Now() time.Time { return inside.Of(w.eng).Scheduler.Now() }

// Kill ends the process as a signal would: what was committed is there for the next Open, and no
// task goes on.
func (w *World) Kill() {
	w.kill()
	w.mem = w.mem.Clone()
}

// CutPower ends the machine: what was not made durable is there in part, as the seed says.
// Options.Sync says what is.
func (w *World) CutPower() {
	w.kill()
	w.mem = w.mem.CrashClone(w.choices.Uint64())
}

// kill ends the engine when nothing that it does reaches the disk any more.
func (w *World) kill() {
	w.fs.FailNow()
	if w.log != nil {
		w.log.ended.Store(true)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w.end(ctx)
}

// end closes the engine, if there is one. Tasks that ctx leaves no time for are cancelled.
func (w *World) end(ctx context.Context) {
	eng := w.eng
	if eng == nil {
		return
	}
	w.eng = nil
	scheduler := inside.Of(eng).Scheduler
	if err := eng.Close(ctx); err != nil && ctx.Err() == nil {
		w.Error(err)
	}
	_, digest := scheduler.Choices()
	w.digest = w.digest*31 + digest
}
