package runtime_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

type tinyKey struct{ From, To int }

var (
	tinyInputs = runtime.NewPartition[string]("tinyInputs")
	tiny       = runtime.NewQuery("tiny", 1, func(t *runtime.Task, i int) (int, error) {
		text, err := tinyInputs.Get(t, tinyInput(i))
		return len(text), err
	})
	tinySpan = runtime.NewQuery("tinySpan", 1, func(t *runtime.Task, k tinyKey) (tinyKey, error) {
		text, err := tinyInputs.Get(t, tinyInput(k.From))
		return tinyKey{len(text), k.To}, err
	})
	tinyAbove = runtime.NewQuery("tinyAbove", 1, func(t *runtime.Task, i int) (int, error) { return tiny.Get(t, i) })
)

// tinyNames are made beforehand, so that what makes them is not counted.
var tinyNames = func() (names [4096]string) {
	for i := range names {
		names[i] = fmt.Sprintf("input %04d", i)
	}
	return names
}()

func tinyInput(i int) string { return tinyNames[i%len(tinyNames)] }

type chainKey struct {
	N   int
	Pad string
}

var keyChain = func() (q *runtime.Query[chainKey, chainKey]) {
	q = runtime.NewQuery("chainOfKeys", 1, func(t *runtime.Task, k chainKey) (chainKey, error) {
		if k.N == 0 {
			return k, nil
		}
		below := chainKey{k.N - 1, strings.Repeat(fmt.Sprint(k.N-1, " "), 10)}
		for range 2 { // the second time it is known, deeper down as well
			if v, err := q.Get(t, below); err != nil || v != below {
				return k, fmt.Errorf("%v of %v: %w", v, below, err)
			}
		}
		return k, nil
	})
	return q
}()

// The keys of calls within calls, which lie in memory that is used again, and results, which do,
// too, are those that were given.
func TestKeysAndResultsOfCallsWithinCalls(t *testing.T) {
	dir := t.TempDir()
	for _, depth := range []int{300, 300, 3000} { // the last is too deep for one stack
		e := open(t, dir, runtime.Options{Workers: 1})
		top := chainKey{depth, "top"}
		for range 2 {
			if v := ask(t, e, keyChain, top); v != top {
				t.Errorf("%v of %v", v, top)
			}
		}
		snap := e.Snapshot()
		for i := range depth {
			k := chainKey{i, strings.Repeat(fmt.Sprint(i, " "), 10)}
			if v, known, err := keyChain.Peek(snap, k); v != k || !known || err != nil {
				t.Fatalf("%v of %v, known %v, %v", v, k, known, err)
			}
		}
		snap.Release()
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// A known answer costs no memory, whatever its key is.
func TestKnownAnswersAllocateNothing(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	put(t, e, tinyInputs, tinyInput(1000), "text")
	none := func(where string, ask func() error) {
		least := 1e9
		for range 5 {
			least = min(least, testing.AllocsPerRun(100, func() {
				if err := ask(); err != nil {
					t.Error(err)
				}
			}))
		}
		if least != 0 && !raceEnabled {
			t.Errorf("%s: %v allocations", where, least)
		}
	}
	if err := e.Submit(t.Context(), lane.Default, func(task *runtime.Task) error {
		none("in a task", func() error {
			_, err := tiny.Get(task, 1000)
			_, err2 := tinySpan.Get(task, tinyKey{1000, math.MaxInt32})
			return errors.Join(err, err2)
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	none("without a task", func() error {
		_, err := tiny.Ask(t.Context(), e, 1000)
		_, err2 := tinySpan.Ask(t.Context(), e, tinyKey{1000, math.MaxInt32})
		return errors.Join(err, err2)
	})
}

// What a run allocates is what is kept of it: the entry with its key, the trace with its reads, and
// the node of what was read; and the text, which is the function's.
// Nothing is allocated that only the run needs, be it the outermost of its task, which is shielded,
// or not, and whether or not answers are stored.
func TestAllocationsOfARun(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const warm, runs = 1000, 400
	for _, c := range []struct {
		name string
		get  func(*runtime.Task, int) error
		most float64
	}{
		{"number", func(t *runtime.Task, i int) error { _, err := tiny.Get(t, i); return err }, 4},
		{"struct", func(t *runtime.Task, i int) error { _, err := tinySpan.Get(t, tinyKey{i, i + 1}); return err }, 5}, // the result has a place of its own
		{"two levels", func(t *runtime.Task, i int) error { _, err := tinyAbove.Get(t, i); return err }, 4 + 4},        // the upper one reads no partition, but has a basis
	} {
		for _, stored := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/stored=%v", c.name, stored), func(t *testing.T) {
				dir := ""
				if stored {
					dir = t.TempDir()
				}
				e := open(t, dir, runtime.Options{Workers: 1})
				if err := e.Commit(t.Context(), func(w *runtime.Writer) error {
					for _, name := range tinyNames {
						if err := tinyInputs.Put(w, name, "text"); err != nil {
							return err
						}
					}
					return nil
				}); err != nil {
					t.Fatal(err)
				}
				least := 1e9 // of several tries: a flush in the background allocates, too
				if err := e.Submit(t.Context(), lane.Default, func(task *runtime.Task) error {
					i := 0
					next := func() {
						if err := c.get(task, i); err != nil {
							t.Error(err)
						}
						i++
					}
					for range warm {
						next()
					}
					for range 5 {
						least = min(least, testing.AllocsPerRun(runs, next))
					}
					return nil
				}); err != nil {
					t.Fatal(err)
				}
				if least > c.most {
					t.Errorf("%v allocations, want %v at most", least, c.most)
				}
				t.Logf("%v allocations", least)
			})
		}
	}
}
