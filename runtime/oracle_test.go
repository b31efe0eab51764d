package runtime_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime"
)

var (
	oracleSeed  = flag.Uint64("oracle.seed", 0, "seed of TestIncrementalEqualsClean; 0 takes a new one")
	oracleSteps = flag.Int("oracle.steps", 300, "steps of TestIncrementalEqualsClean")
)

// A tiny build language. The text of module m is a list of lines: a number, or the name of another module to include. value(m) is the
// sum; a module that is missing counts 0; names of at least the module's own rank are ignored, so that there is no cycle.
var (
	modules = runtime.NewPartition[string]("modules")

	includes = runtime.NewQuery("includes", 1, func(t *runtime.Task, m string) ([]string, error) {
		text, err := textOf(t, m)
		if err != nil {
			return nil, err
		}
		var names []string
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "m") && line < m {
				names = append(names, line)
			}
		}
		return names, nil
	})

	value = runtime.NewQuery("value", 1, func(t *runtime.Task, m string) (int, error) {
		names, err := includes.Get(t, m)
		if err != nil {
			return 0, err
		}
		sum := 0
		vs, err := value2.All(t, names)
		if err != nil {
			return 0, err
		}
		for _, v := range vs {
			sum += v
		}
		text, err := textOf(t, m)
		for line := range strings.Lines(text) {
			var n int
			if _, err := fmt.Sscanf(line, "%d", &n); err == nil {
				sum += n
			}
		}
		return sum % 1000, err
	})

	largest = runtime.NewQuery("largest", 1, func(t *runtime.Task, prefix string) (string, error) {
		names, err := modules.Keys(t, runtime.Prefix(prefix))
		if err != nil {
			return "", err
		}
		best, at := -1, ""
		vs, err := value.All(t, names)
		for i, v := range vs {
			if v > best {
				best, at = v, names[i]
			}
		}
		return fmt.Sprint(at, "=", best), err
	})
)

// Reads of every form, over the same modules: what they leave out must not matter, and what they include must.
var looks = runtime.NewQuery("looks", 1, func(t *runtime.Task, prefix string) (string, error) {
	first, err := modules.Keys(t, runtime.Prefix(prefix), runtime.Limit(2))
	if err != nil {
		return "", err
	}
	last, err := modules.Keys(t, runtime.Glob(prefix+"*[02468]"), runtime.Backward(), runtime.Limit(3))
	if err != nil {
		return "", err
	}
	n, err := modules.Count(t, runtime.Prefix(prefix))
	if err != nil {
		return "", err
	}
	odd, err := modules.Count(t, runtime.Glob(prefix+"*[13579]"))
	if err != nil {
		return "", err
	}
	has, err := modules.Has(t, prefix+"7")
	if err != nil {
		return "", err
	}
	page, next, err := modules.Page(t, runtime.Prefix(prefix), runtime.Cursor{}, 3)
	if err != nil {
		return "", err
	}
	if !next.IsZero() {
		if page, next, err = modules.Page(t, runtime.Prefix(prefix), next, 2); err != nil {
			return "", err
		}
	}
	texts, there, err := modules.GetBatch(t, append([]string{prefix + "1"}, first...))
	if err != nil {
		return "", err
	}
	long := ""
	err = modules.Scan(t, runtime.Prefix(prefix), func(key, text string) error {
		if long = key; len(text) > 8 {
			return errEnough
		}
		return nil
	}, runtime.Backward())
	if err != nil && !errors.Is(err, errEnough) {
		return "", err
	}
	return fmt.Sprintf("%q", []any{first, last, n, odd, has, page, next.IsZero(), texts, there, long}), nil
})

var compared = []*runtime.Query[string, string]{largest, looks}

var errEnough = errors.New("enough")

// value2 breaks the initialisation cycle of value.
var value2 *runtime.Query[string, int]

func init() { value2 = value }

func textOf(t *runtime.Task, m string) (string, error) {
	has, err := modules.Has(t, m)
	if err != nil || !has {
		return "", err
	}
	return modules.Get(t, m)
}

func TestIncrementalEqualsClean(t *testing.T) {
	seed := *oracleSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("replay with -oracle.seed=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	opts := runtime.Options{Workers: 2, Logger: quiet, SegmentBytes: 1 << 20, CollectEvery: -1}
	if rng.IntN(2) == 0 {
		opts.TraceBytes, opts.CacheBytes = 8<<10, 2<<10 // what is known is forgotten and read back all the time
	}
	e, err := runtime.Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { e.Close(t.Context()) }()
	world := map[string]string{}
	name := func() string { return fmt.Sprintf("m%02d", rng.IntN(30)) }

	for step := range *oracleSteps {
		switch r := rng.IntN(100); {
		case r < 60:
			m := name()
			var lines []string
			for range rng.IntN(5) {
				if rng.IntN(2) == 0 {
					lines = append(lines, name())
				} else {
					lines = append(lines, fmt.Sprint(rng.IntN(5)))
				}
			}
			world[m] = strings.Join(lines, "\n")
			put(t, e, modules, m, world[m])
		case r < 75:
			m := name()
			delete(world, m)
			remove(t, e, modules, m)
		case r < 80:
			if err := e.Checkpoint(t.Context()); err != nil {
				t.Fatal(err)
			}
		case r < 86:
			if _, err := e.Collect(t.Context()); err != nil {
				t.Fatal(err)
			}
		case r < 92:
			if err := e.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if e, err = runtime.Open(dir, opts); err != nil {
				t.Fatal(err)
			}
		}
		if rng.IntN(3) > 0 {
			prefix := []string{"m", "m0", "m1"}[rng.IntN(3)]
			want := clean(t, world, prefix)
			for i, q := range compared {
				got, err := q.Ask(t.Context(), e, prefix)
				if err != nil {
					t.Fatalf("step %d: %v", step, err)
				}
				if got != want[i] {
					t.Fatalf("step %d: %s(%s) is %s, from scratch %s", step, q.Name(), prefix, got, want[i])
				}
			}
		}
	}
	if st := e.Stats().Collector; st.Missing != 0 {
		t.Errorf("the collector met %d references to nothing", st.Missing)
	}
}

// clean computes the same in a new engine that has never seen anything else.
func clean(t *testing.T, world map[string]string, prefix string) (answers []string) {
	fresh, err := runtime.Open("", runtime.Options{Workers: 1, Logger: quiet, SegmentBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close(t.Context())
	err = fresh.Commit(t.Context(), func(w *runtime.Writer) error {
		for m, text := range world {
			if err := modules.Put(w, m, text); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range compared {
		answers = append(answers, ask(t, fresh, q, prefix))
	}
	return answers
}
