package runtime_test

import (
	"errors"
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/cytisus/cytisus/fuzz/oracle/queries"
	"github.com/cytisus/cytisus/runtime"
)

var (
	oracleSeed   = flag.Uint64("oracle.seed", 0, "seed of the first history of TestOracle; 0 takes a new one")
	oracleSteps  = flag.Int("oracle.steps", 0, "steps of TestOracle, in histories of -oracle.length steps, each with a seed of its own; 0: 20,000, and 4,000 under the race detector")
	oracleLength = flag.Int("oracle.length", 200, "steps of a history of TestOracle")
	oracleShrink = flag.Int("oracle.shrink", 4000, "attempts to make a history smaller in which TestOracle has found a fault")
)

var oracleHost = queries.Host{
	OnFS:        runtime.OnFS,
	Walled:      runtime.Walled,
	Shallow:     runtime.Shallow,
	Repeating:   runtime.Repeating,
	Measuring:   runtime.Measuring,
	Simulated:   runtime.Simulated,
	Simulate:    (*runtime.Engine).Simulate,
	WriteTraces: (*runtime.Engine).WriteTraces,
	CursorAt:    runtime.CursorAt,
}

// Every answer is that of a plain interpreter, and no query runs that need not, in any history.
func TestOracle(t *testing.T) {
	seed := *oracleSeed
	if seed == 0 {
		seed = rand.Uint64N(1 << 48)
	}
	most := *oracleSteps
	switch {
	case most == 0 && raceEnabled:
		most = 4_000
	case most == 0:
		most = 20_000
	}
	t.Logf("%d steps, seeds from %d on", most, seed)
	for steps := 0; steps < most; steps += *oracleLength {
		h := queries.Generate(seed, *oracleLength)
		if err := queries.Play(oracleHost, h); err != nil {
			t.Fatalf("found in step %d: %v\nreplay with -run '^TestOracle$' -oracle.steps=1 -oracle.length=%d -oracle.seed=%d\n%v",
				steps+err.(*queries.Fault).Step+1, err, *oracleLength, seed, smaller(h, err))
		}
		seed++
	}
}

// smaller describes the smallest history found that breaks the same rule.
func smaller(h *queries.History, err error) string {
	fault := err.(*queries.Fault)
	h = queries.Shrink(h, *oracleShrink, func(h *queries.History) bool {
		found, ok := errors.AsType[*queries.Fault](queries.Play(oracleHost, h))
		if ok = ok && found.Kind == fault.Kind; ok {
			fault = found
		}
		return ok
	})
	return h.String() + fault.Error()
}
