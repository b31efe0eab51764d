package disk

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/fuzz/tape"
	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

var (
	seed   = flag.Uint64("seed", 1, "seed; 0 takes a new one")
	cycles = flag.Int("cycles", 1000, "sessions of the random lives")
	say    = flag.Bool("say", false, "say what the lives do, call by call")
	played = flag.String("tape", "", "choices of a life, as a failure printed them, for TestTape")
	stride = flag.Int64("stride", 0, "every how manyth call of a script fails, from a random start; 0 is all, or few under the race detector")
)

func newSeed(t *testing.T) uint64 {
	t.Helper()
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("replay with -seed=%d", s)
	return s
}

// sessionsOfALife is how long a life is. A failure names the seed of its life, which alone repeats
// it.
const sessionsOfALife = 25

// TestLives runs random lives, two at a time.
func TestLives(t *testing.T) {
	first := newSeed(t)
	if *say {
		Trace = t.Logf
	}
	lives := uint64(*cycles+sessionsOfALife-1) / sessionsOfALife
	for half := range min(lives, 2) {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for i := half; i < lives; i += 2 {
				choices := recorded(first + i)
				if err := live(choices, sessionsOfALife); err != nil {
					less := shorter(choices.Numbers(), func(err error) bool { return err != nil })
					t.Fatalf("replay with -seed=%d -cycles=%d, or the shortest life that fails, of %d choices of %d, with -run TestTape -say -tape=%s: %v",
						first+i, sessionsOfALife, len(less), len(choices.Numbers()), tape.Text(less), err)
				}
			}
		})
	}
}

// shorter leaves out choices of a life as long as what comes of it is as it was. Saves of the index
// run beside a life, so one that fails by chance may not become shorter.
func shorter(choices []uint64, same func(error) bool) []uint64 {
	return tape.Shorter(choices, 2000, func(less []uint64) bool { return same(live(tape.Play(less), sessionsOfALife)) })
}

// A life that fails becomes a few operations that fail again when they are played, and do not
// without the mistake.
func TestFailingLifeBecomesShort(t *testing.T) {
	mistaken = true
	defer func() { mistaken, Trace = false, nil }()
	operations := 0
	Trace = func(format string, args ...any) {
		if strings.HasPrefix(format, "     %s: ") {
			operations++
		}
	}
	for life := newSeed(t); ; life++ {
		choices := recorded(life)
		operations = 0
		if live(choices, sessionsOfALife) == nil {
			continue
		}
		before := operations
		less := shorter(choices.Numbers(), func(err error) bool { return err != nil })
		operations = 0
		again := live(tape.Play(less), sessionsOfALife)
		t.Logf("%d choices of %d, %d operations of %d: %v", len(less), len(choices.Numbers()), operations, before, again)
		if again == nil {
			t.Error("it does not fail again")
		}
		if operations > 8 {
			t.Errorf("%d operations are left", operations)
		}
		mistaken = false
		if err := live(tape.Play(less), sessionsOfALife); err != nil {
			t.Errorf("without the mistake: %v", err)
		}
		return
	}
}

// TestTape lives the life of -tape.
func TestTape(t *testing.T) {
	if *played == "" {
		t.Skip("no -tape")
	}
	choices, err := tape.Parse(*played)
	if err != nil {
		t.Fatal(err)
	}
	if *say {
		Trace = t.Logf
	}
	if err := live(tape.Play(choices), sessionsOfALife); err != nil {
		t.Fatal(err)
	}
}

func every(t *testing.T) int64 {
	t.Helper()
	switch {
	case *stride > 0:
		return *stride
	case raceEnabled || testing.Short():
		return 41
	default:
		return 1
	}
}

// eachCall runs two scripted sessions over one disk again and again, with the call that plan is
// given in the focus.
func eachCall(t *testing.T, sync mmapcas.SyncMode, planFor func(n int64, rng *rand.Rand) plan) {
	t.Helper()
	step := every(t)
	rng := rand.New(rand.NewPCG(newSeed(t), 1))
	n, again := 1+rng.Int64N(step), rng.Uint64()
	for tried := 0; ; n += step {
		work := rand.New(rand.NewPCG(again, 2))
		l := newLedger()
		p := planFor(n, rng)
		p.sync, p.seed, p.save = sync, rng.Uint64(), 1
		mem, calls, err := run(l, vfs.NewMem(), plan{sync: sync, save: 1}, work, (*session).script)
		if err == nil {
			mem, calls, err = run(l, mem, p, work, (*session).script)
		}
		if err == nil {
			err = healthy(l, mem)
		}
		if err != nil {
			t.Fatalf("%v: %v", p, err)
		}
		if n > calls && tried > 0 {
			t.Logf("%d of %d calls", tried, calls)
			return
		}
		tried++
	}
}

// settings runs fn for each setting of durability.
func settings(t *testing.T, fn func(t *testing.T, sync mmapcas.SyncMode)) {
	for _, sync := range []mmapcas.SyncMode{mmapcas.SyncNone, mmapcas.SyncGroup, mmapcas.SyncEvery} {
		t.Run(sync.String(), func(t *testing.T) { fn(t, sync) })
	}
}

// TestEachCallFails: each call of opening, putting, committing, collecting and closing fails once;
// what comes after goes on, or fails with an error. Then the process is killed, or the power goes.
func TestEachCallFails(t *testing.T) {
	settings(t, func(t *testing.T, sync mmapcas.SyncMode) {
		eachCall(t, sync, func(n int64, rng *rand.Rand) plan {
			return plan{failAt: n, fails: 1, err: errs[rng.IntN(len(errs))], end: ending(rng.IntN(int(endings)))}
		})
	})
}

// TestEndAtEachCall: at each call the process is killed, or the power goes.
func TestEndAtEachCall(t *testing.T) {
	settings(t, func(t *testing.T, sync mmapcas.SyncMode) {
		for _, end := range []ending{killed, cut, cutUnordered} {
			t.Run(end.String(), func(t *testing.T) {
				eachCall(t, sync, func(n int64, _ *rand.Rand) plan { return plan{end: end, endAt: n} })
			})
		}
	})
}
