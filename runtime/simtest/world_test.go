package simtest_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/simtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	stock  = runtime.NewPartition[int]("stock")
	orders = runtime.NewPartition[int]("orders")

	total = runtime.NewQuery("total", 1, func(t *runtime.Task, _ string) (int, error) {
		sum := 0
		err := stock.Scan(t, runtime.All(), func(_ string, n int) error { sum += n; return nil })
		return sum, err
	})
)

// moves has tasks move goods between places, n times each. Read and write say how: in one commit or
// in two steps between which others come.
func moves(w *simtest.World, n int, move func(t *runtime.Task, from, to string) error) {
	eng := w.Open(runtime.Options{})
	places := []string{"a", "b", "c"}
	err := eng.Commit(w.Context(), func(c *runtime.Writer) error {
		for _, p := range places {
			if err := stock.Put(c, p, 10); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	for range 3 {
		from, to := w.Rand.IntN(3), 1+w.Rand.IntN(2)
		w.Go(lane.Default, func(t *runtime.Task) error {
			for range n {
				if err := move(t, places[from], places[(from+to)%3]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	w.Settle()
	if sum, err := total.Ask(w.Context(), eng, ""); err != nil || sum != 30 {
		w.Errorf("%d in stock, %v", sum, err)
	}
}

func moveInOneCommit(t *runtime.Task, from, to string) error {
	by := func(n int) func(*int) (*int, error) {
		return func(old *int) (*int, error) { now := *old + n; return &now, nil }
	}
	return t.Commit(func(c *runtime.Writer) error {
		return errors.Join(stock.Update(c, from, by(-1)), stock.Update(c, to, by(1)))
	})
}

func moveInTwoSteps(t *runtime.Task, from, to string) error {
	s := t.Engine().Snapshot()
	defer s.Release()
	a, err := stock.Get(s, from)
	if err != nil {
		return err
	}
	b, err := stock.Get(s, to)
	if err != nil {
		return err
	}
	t.Yield()
	return t.Commit(func(c *runtime.Writer) error {
		return errors.Join(stock.Put(c, from, a-1), stock.Put(c, to, b+1))
	})
}

func TestUpdatesLoseNothing(t *testing.T) {
	simtest.Run(t, 20, func(w *simtest.World) { moves(w, 5, moveInOneCommit) })
}

// mistake is set in processes that a test starts in order to fail.
const mistake = "SIMTEST_MISTAKE"

// failing runs a test in such a process and returns what it printed.
func failing(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], append(args, "-test.run=^"+t.Name()+"$", "-test.v")...)
	cmd.Env = append(os.Environ(), mistake+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("%q finds nothing:\n%s", args, out)
	}
	return string(out)
}

// A mistake that needs an unlucky order is found, and a seed that found it finds it again.
func TestMistakesAreFoundAndReplayed(t *testing.T) {
	if os.Getenv(mistake) != "" {
		simtest.Run(t, 1000, func(w *simtest.World) { moves(w, 1, moveInTwoSteps) })
		return
	}
	out := failing(t)
	_, replay, ok := strings.Cut(out, "replay with ")
	replay, _, _ = strings.Cut(replay, "\n")
	if !ok {
		t.Fatalf("no way to replay:\n%s", out)
	}
	told := func(out string) string {
		for line := range strings.Lines(out) {
			if strings.Contains(line, "in stock") {
				return line
			}
		}
		return "nothing"
	}
	if again := failing(t, strings.TrimSpace(replay)); told(again) != told(out) {
		t.Errorf("with %s:\n%s\nat first:\n%s", replay, again, out)
	}
}

// A test that does not repeat itself is told so.
func TestRunsRepeatThemselves(t *testing.T) {
	if os.Getenv(mistake) != "" {
		n := 0
		simtest.Run(t, 1, func(w *simtest.World) {
			n++
			moves(w, n, func(t *runtime.Task, _, _ string) error { t.Yield(); return nil })
		})
		return
	}
	if out := failing(t); !strings.Contains(out, "another run with the same seed went another way") {
		t.Errorf("it says\n%s", out)
	}
}

// What was committed is there after the end of a process, and of a machine where commits wait for
// the disk. Tasks that were going on end with it.
func TestKillAndPowerCut(t *testing.T) {
	simtest.Run(t, 10, func(w *simtest.World) {
		last := map[string]int{}
		for life := range 4 {
			eng := w.Open(runtime.Options{Sync: mmapcas.SyncGroup})
			s := eng.Snapshot()
			for k, n := range last {
				if got, err := orders.Get(s, k); err != nil || got != n {
					w.Errorf("life %d: %s is %d, %v; %d was committed", life, k, got, err, n)
				}
			}
			s.Release()
			for range w.Rand.IntN(5) {
				k, n := fmt.Sprint("k", w.Rand.IntN(3)), w.Rand.Int()
				err := eng.Commit(w.Context(), func(c *runtime.Writer) error { return orders.Put(c, k, n) })
				if err != nil {
					w.Fatal(err)
				}
				last[k] = n
			}
			w.Go(lane.Default, func(t *runtime.Task) error { // which never ends by itself
				_, _, err := orders.Wait(t, runtime.Exact("never"))
				return err
			})
			w.Settle()
			if w.Rand.IntN(2) == 0 {
				w.Kill()
			} else {
				w.CutPower()
			}
		}
	})
}

// A commit that many tasks wait for wakes them in an order that repeats itself.
func TestCrowdsRepeatThemselves(t *testing.T) {
	simtest.Run(t, 5, func(w *simtest.World) {
		eng := w.Open(runtime.Options{})
		woken := 0
		for i := range 8 {
			w.Go(lane.Default, func(t *runtime.Task) error {
				_, _, err := orders.Wait(t, runtime.Exact("awaited"))
				for range i * i { // which tells them apart
					t.Yield()
				}
				woken++
				return err
			})
		}
		w.Settle()
		if err := eng.Commit(w.Context(), func(c *runtime.Writer) error { return orders.Put(c, "awaited", 1) }); err != nil {
			w.Fatal(err)
		}
		w.Settle()
		if woken != 8 {
			w.Errorf("%d of 8 tasks were woken", woken)
		}
	})
}

// Hours of waiting take no time, and end when they are over.
func TestTimePassesWhereAllWait(t *testing.T) {
	simtest.Run(t, 10, func(w *simtest.World) {
		w.Open(runtime.Options{})
		start := w.Now()
		ended := 0
		for _, hours := range []int{3, 1, 2} {
			w.Go(lane.Default, func(t *runtime.Task) error {
				_, _, err := orders.WaitUntil(t, runtime.Exact("never"), start.Add(time.Duration(hours)*time.Hour))
				ended++
				if took := w.Now().Sub(start); !errors.Is(err, runtime.ErrTimeout) || took < time.Duration(hours)*time.Hour {
					return fmt.Errorf("waited %v in the place of %d hours: %w", took, hours, err)
				}
				return nil
			})
		}
		w.Settle()
		if ended != 3 {
			w.Errorf("%d of three waits ended", ended)
		}
	})
}
