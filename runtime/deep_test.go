package runtime_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	rt "runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime"
)

var (
	deepLevels = flag.Int("deep.levels", 20_000, "levels of the chain of TestDeepChain")
	deepAlone  = flag.Bool("deep.alone", false, "this process is the one in which TestDeepChain may end")
)

// deepStack is the most that a goroutine's stack, and all stacks of the process, may take.
const deepStack = 64 << 20

var (
	deepInputs = runtime.NewPartition[string]("deep inputs")

	deepChain *runtime.Query[int, int]
	deepRing  *runtime.Query[int, int]
)

func init() {
	deepChain = runtime.NewQuery("deep chain", 1, func(t *runtime.Task, n int) (int, error) {
		if n == 0 {
			s, err := deepInputs.Get(t, "root")
			return len(s), err
		}
		v, err := deepChain.Get(t, n-1)
		return v + 1, err
	})
	deepRing = runtime.NewQuery("deep ring", 1, func(t *runtime.Task, n int) (int, error) {
		v, err := deepRing.Get(t, (n+1)%*deepLevels)
		return v + 1, err
	})
}

// A chain of queries is computed, found to hold, changed, undone and read again by another process,
// all in a stack that is bounded. A stack that grows beyond its bound ends the process, so it is a
// child.
func TestDeepChain(t *testing.T) {
	if *deepAlone {
		deepChainAlone(t)
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^TestDeepChain$", "-test.v", "-test.timeout=0", "-deep.alone", fmt.Sprint("-deep.levels=", *deepLevels))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%.4000s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "deep_test.go") {
			t.Log(strings.TrimSpace(line))
		}
	}
}

func deepChainAlone(t *testing.T) {
	debug.SetMaxStack(deepStack)
	n, dir := *deepLevels, t.TempDir()
	e := open(t, dir, runtime.Options{SegmentBytes: 64 << 20})
	// On a machine that is busy enough the answers may be measured to be quicker to compute than to
	// load. Those are in no store, and only those run again in the next process.
	again := uint64(0)
	step := func(what string, want int, ran uint64, within func()) {
		t.Helper()
		within()
		before := e.Stats().Queries["deep chain"].Ran
		began := time.Now()
		v, err := deepChain.Ask(t.Context(), e, n)
		took := time.Since(began)
		if err != nil || v != want {
			t.Fatalf("%s: %d, %v; want %d", what, v, err, want)
		}
		if got := e.Stats().Queries["deep chain"].Ran - before; got < ran || got > ran+again {
			t.Errorf("%s: %d runs, want %d, and at most %d more", what, got, ran, again)
		}
		var mem rt.MemStats
		rt.ReadMemStats(&mem)
		if mem.StackInuse > deepStack {
			t.Errorf("%s: the stacks are %d MiB", what, mem.StackInuse>>20)
		}
		t.Logf("%s: %v, stacks %d KiB", what, took.Round(time.Millisecond), mem.StackInuse>>10)
	}
	write := func(key, text string) func() { return func() { put(t, e, deepInputs, key, text) } }
	all := uint64(n + 1)

	step("cold", n+5, all, write("root", "12345"))
	step("verified", n+5, 0, write("unread", "x"))
	step("equal result", n+5, 1, write("root", "54321"))
	step("changed", n+6, all, write("root", "123456"))
	step("undone", n+5, 0, write("root", "54321"))
	again = min(e.Stats().Queries["deep chain"].Unstored, all)
	if err := e.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	e = open(t, dir, runtime.Options{SegmentBytes: 64 << 20})
	step("reopened", n+5, 0, func() {})
	again = 0
	step("verified after reopening", n+5, 0, write("unread", "y"))
	step("changed after reopening", n+7, all, write("root", "1234567"))

	_, err := deepRing.Ask(t.Context(), e, 0)
	var cycle *runtime.CycleError
	if !errors.As(err, &cycle) || len(cycle.Path) != n+1 || len(err.Error()) > 4000 {
		t.Errorf("the ring: %.200v, path of %d queries", err, len(cycle.Path))
	}
}
