// Package crash kills a real process while it commits, reopens what it left, and checks the promise
// that matters: what was acknowledged is there, what was not is wholly there or wholly absent,
// every hash is right, and every query answers as from scratch.
//
// A writer process (Write) commits numbered rounds to a store and acknowledges each on its standard
// output. The driver (Drive) starts one, kills it with SIGKILL after a random number of
// acknowledgements, and looks at the store (Check). The numbers come from a seed; where exactly the
// signal lands is up to the kernel.
package crash

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/inspect"
)

const (
	keysPerRound = 40
	segmentBytes = 256 << 10 // small, so that segments fill, seal and are collected within a run
)

var (
	rounds = runtime.NewPartition[int]("crash/rounds")
	texts  = runtime.NewPartition[string]("crash/texts")

	// sum depends on every text, through one query for each.
	size = runtime.NewQuery("crash/size", 1, func(t *runtime.Task, key string) (int, error) {
		s, err := texts.Get(t, key)
		return len(s), err
	})
	sum = runtime.NewQuery("crash/sum", 1, func(t *runtime.Task, _ string) (int, error) {
		keys, err := texts.Keys(t, runtime.All())
		if err != nil {
			return 0, err
		}
		ns, err := size.All(t, keys)
		total := 0
		for _, n := range ns {
			total += n
		}
		return total, err
	})
)

// round returns the texts that a round writes: a function of its number alone, so that the checker
// knows them.
func round(n int) map[string]string {
	rng := rand.New(rand.NewPCG(uint64(n), 7))
	out := map[string]string{}
	for range keysPerRound {
		out[fmt.Sprintf("k%03d", rng.IntN(200))] = strings.Repeat(strconv.Itoa(n)+" ", rng.IntN(400))
	}
	return out
}

// world returns all texts after rounds 1 to n.
func world(n int) map[string]string {
	out := map[string]string{}
	for i := 1; i <= n; i++ {
		for k, v := range round(i) {
			out[k] = v
		}
	}
	return out
}

func open(dir string) (*runtime.Engine, error) {
	return runtime.Open(dir, runtime.Options{
		Workers: 1, SegmentBytes: segmentBytes, CollectEvery: 1 << 20, Holder: "crash test",
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
}

// Write commits rounds for ever, from where the store is, and writes the number of each to ack once
// Commit has returned.
func Write(ctx context.Context, dir string, ack io.Writer) error {
	e, err := open(dir)
	if err != nil {
		return err
	}
	s := e.Snapshot()
	n, err := rounds.Get(s, "n")
	s.Release()
	if err != nil && !errors.Is(err, runtime.ErrNotFound) {
		return err
	}
	for n++; ; n++ {
		err := e.Commit(ctx, func(w *runtime.Writer) error {
			for k, v := range round(n) {
				if err := texts.Put(w, k, v); err != nil {
					return err
				}
			}
			return rounds.Put(w, "n", n)
		})
		if err != nil {
			return fmt.Errorf("round %d: %w", n, err)
		}
		if _, err := fmt.Fprintln(ack, n); err != nil {
			return err
		}
		switch n % 7 {
		case 2:
			if _, err := sum.Ask(ctx, e, ""); err != nil {
				return err
			}
		case 4:
			if err := e.Checkpoint(ctx); err != nil {
				return err
			}
		case 6:
			if _, err := e.Collect(ctx); err != nil {
				return err
			}
		}
	}
}

// Check opens the store and checks it against what was acknowledged. It returns the number of the
// last round that is there.
func Check(ctx context.Context, dir string, acked int) (last int, err error) {
	e, err := open(dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, e.Close(ctx)) }()
	s := e.Snapshot()
	defer s.Release()
	last, err = rounds.Get(s, "n")
	if err != nil && (acked > 0 || !errors.Is(err, runtime.ErrNotFound)) {
		return 0, err
	}
	if last < acked {
		return last, fmt.Errorf("round %d was acknowledged, the store ends with round %d", acked, last)
	}
	want := world(last)
	wantSum := 0
	for k, v := range want {
		wantSum += len(v)
		got, err := texts.Get(s, k)
		if err != nil {
			return last, fmt.Errorf("round %d: %w", last, err)
		}
		if got != v {
			return last, fmt.Errorf("round %d: %s is %.20q…, want %.20q…", last, k, got, v)
		}
	}
	if n, err := texts.Count(s, runtime.All()); err != nil || n != len(want) {
		return last, fmt.Errorf("round %d: %d texts, want %d: %w", last, n, len(want), err)
	}
	if got, err := sum.Ask(ctx, e, ""); err != nil || got != wantSum {
		return last, fmt.Errorf("round %d: sum is %d, from scratch %d: %w", last, got, wantSum, err)
	}
	rep, err := inspect.Verify(ctx, e, nil)
	if err != nil {
		return last, fmt.Errorf("verify: %w", err)
	}
	if !rep.Clean() {
		return last, fmt.Errorf("verify: %+v", rep)
	}
	return last, nil
}

// Drive runs cycles of writing, killing and checking over one store. writer makes the command that
// runs Write on dir.
func Drive(ctx context.Context, dir string, seed uint64, cycles int, writer func(dir string) *exec.Cmd, log func(format string, args ...any)) error {
	rng := rand.New(rand.NewPCG(seed, 1))
	last := 0
	for c := range cycles {
		after := 1 + rng.IntN(20)
		acked, err := killAfter(writer(dir), after)
		if err != nil {
			return fmt.Errorf("cycle %d (seed %d): %w", c, seed, err)
		}
		acked = max(acked, last)
		if last, err = Check(ctx, dir, acked); err != nil {
			return fmt.Errorf("cycle %d (seed %d), killed after %d acknowledgements: %w", c, seed, after, err)
		}
		log("cycle %d: killed after round %d, %d there", c, acked, last)
	}
	return nil
}

// killAfter starts a writer, kills it after n acknowledgements and returns the last number that it
// acknowledged.
func killAfter(cmd *exec.Cmd, n int) (acked int, err error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(out)
	for seen := 0; lines.Scan(); {
		if acked, err = strconv.Atoi(lines.Text()); err != nil {
			break
		}
		// Killed, it may have acknowledged more already: those lines are read too, and count.
		if seen++; seen == n {
			if err := cmd.Process.Kill(); err != nil {
				return acked, err
			}
		}
	}
	werr := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(werr, &exit) && !exit.Exited() {
		return acked, err // by our signal
	}
	return acked, fmt.Errorf("the writer ended by itself: %w: %s", werr, complaints.String())
}
