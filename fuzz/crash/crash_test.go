package crash

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
)

var (
	seed   = flag.Uint64("seed", 0, "seed; 0 takes a new one")
	cycles = flag.Int("cycles", 8, "how often to kill")
)

// The test binary is its own writer.
const writerEnv = "CYTISUS_CRASH_WRITER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerEnv); dir != "" {
		fmt.Fprintln(os.Stderr, Write(context.Background(), dir, os.Stdout))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestKilledWriterLosesNothing(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("replay with -seed=%d", *seed)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	err = Drive(t.Context(), t.TempDir(), *seed, *cycles, func(dir string) *exec.Cmd {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), writerEnv+"="+dir)
		return cmd
	}, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
}

// The checker must be able to fail: a round that nobody wrote is missed.
func TestCheckFindsALostRound(t *testing.T) {
	if _, err := Check(t.Context(), t.TempDir(), 1); err == nil {
		t.Error("an empty store passes for one with an acknowledged round")
	}
}
