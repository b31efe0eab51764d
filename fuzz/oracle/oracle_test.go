package oracle

import (
	"flag"
	"fmt"
	"go/scanner"
	"go/token"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime/inspect"
	"go.uber.org/goleak"
)

var (
	seed   = flag.Uint64("seed", 1, "seed of the history; 0 takes a new one")
	steps  = flag.Int("steps", 8, "steps of the history")
	places = flag.Int("places", 12, "positions asked about after each step")
)

// patience is how long published diagnostics may take to become right.
const patience = time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestIncrementalEqualsFromScratch(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("replay with -seed=%d -steps=%d -places=%d", *seed, *steps, *places)
	rng := rand.New(rand.NewPCG(*seed, 0))
	w, store := newWorld(t, rng), t.TempDir()
	long := open(t, w, store)
	defer func() { long.close() }()
	history := []string{"index"}
	compare := func() {
		t.Helper()
		fresh := open(t, w, "")
		defer fresh.close()
		want := fresh.published()
		if got, ok := long.await(want); !ok {
			t.Errorf("history: %s\npublished diagnostics differ:\n%s", strings.Join(history, "\n\t"), diff(got, want))
			if got, want := long.answers(nil), fresh.answers(nil); got == want {
				t.Fatal("what is computed is right")
			} else {
				t.Fatalf("so does what is computed:\n%s", diff(got, want))
			}
		}
		asked := w.questions(*places)
		if got, want := long.answers(asked), fresh.answers(asked); got != want {
			t.Fatalf("history: %s\nanswers differ:\n%s", strings.Join(history, "\n\t"), diff(got, want))
		}
		if got := long.published(); got != want {
			t.Fatalf("history: %s\npublished diagnostics did not stay (O2):\n%s", strings.Join(history, "\n\t"), diff(got, want))
		}
	}
	compare()
	if got := long.published(); got != "" {
		t.Fatalf("the first world does not compile (O3):\n%s", got)
	}
	for range *steps {
		before := long.published()
		if before != long.last {
			t.Fatalf("history: %s\npublished diagnostics did not stay (O2):\n%s", strings.Join(history, "\n\t"), diff(before, long.last))
		}
		switch r := rng.IntN(100); {
		case r < 60: // edits on each other's heels
			for range 1 + rng.IntN(3) {
				e := w.edit()
				history = append(history, e.what+" "+e.path)
				long.tell(e)
			}
		case r < 75: // behind its back; only unsaved texts are always told
			for range 1 + rng.IntN(3) {
				e := w.edit()
				history = append(history, e.what+" "+e.path+", untold")
				if e.set || e.clear {
					long.tell(e)
				}
			}
			long.index()
			history = append(history, "index")
		case r < 83:
			history = append(history, "checkpoint")
			if err := long.eng.Checkpoint(t.Context()); err != nil {
				t.Fatal(err)
			}
		case r < 92:
			history = append(history, "collect")
			if _, err := long.eng.Collect(t.Context()); err != nil {
				t.Fatal(err)
			}
		default: // an edit while closed; unsaved texts are handed over anew, or were lost with the editor
			long.close()
			if rng.IntN(2) == 0 {
				clear(w.unsaved)
			}
			e := w.edit()
			history = append(history, "close, "+e.what+" "+e.path+", open")
			long = open(t, w, store)
		}
		compare()
	}
	if st := long.eng.Stats().Collector; st.Missing != 0 {
		t.Errorf("history: %s\nthe collector met %d references to nothing", strings.Join(history, "\n\t"), st.Missing)
	}
	rep, err := inspect.Verify(t.Context(), long.eng, nil)
	if err != nil || !rep.Clean() {
		t.Errorf("history: %s\nthe store is not clean: %+v %v", strings.Join(history, "\n\t"), rep, err)
	}
}

// await waits until what is published is want.
func (s *subject) await(want string) (got string, ok bool) {
	end := time.NewTimer(patience)
	defer end.Stop()
	for {
		got = s.published()
		if got == want {
			s.last = got
			return got, true
		}
		select {
		case <-s.moved:
		case <-end.C:
			return got, false
		}
	}
}

// questions chooses places: names mostly, and anywhere.
func (w *world) questions(n int) []question {
	var list []question
	for range n {
		path, ok := choose(w.rng, w.paths())
		if !ok {
			return nil
		}
		text := w.current(path).render()
		at := w.rng.IntN(len(text) + 2) // one behind the end is a place, two are not
		if names := identifiers(text); w.rng.IntN(5) > 0 && len(names) > 0 {
			at, _ = choose(w.rng, names)
		}
		list = append(list, question{path, at})
	}
	return list
}

// identifiers are the offsets of the names in a text.
func identifiers(text string) []int {
	var (
		list []int
		s    scanner.Scanner
		f    = token.NewFileSet().AddFile("", -1, len(text))
	)
	s.Init(f, []byte(text), nil, 0)
	for {
		pos, tok, _ := s.Scan()
		switch tok {
		case token.EOF:
			return list
		case token.IDENT:
			list = append(list, f.Offset(pos))
		}
	}
}

// diff shows the lines that only one of two texts has.
func diff(got, want string) string {
	count := map[string]int{}
	for line := range strings.Lines(got) {
		count[line]++
	}
	for line := range strings.Lines(want) {
		count[line]--
	}
	var b strings.Builder
	for _, line := range slices.Sorted(maps.Keys(count)) {
		switch n := count[line]; {
		case n > 0:
			fmt.Fprintf(&b, "  incremental  %s", line)
		case n < 0:
			fmt.Fprintf(&b, "  from scratch %s", line)
		}
	}
	if b.Len() == 0 {
		return "  the same lines in another order\n"
	}
	return b.String()
}

// The comparison must be able to fail: an edit that the engine under test is not told of is missed.
func TestUntoldEditIsFound(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	w := newWorld(t, rng)
	long := open(t, w, "")
	defer long.close()
	s := w.disk["p1/f0.go"].clone()
	s.damage = damage{at: 1000, text: "}"}
	w.save("p1/f0.go", s)
	fresh := open(t, w, "")
	defer fresh.close()
	if long.published() == fresh.published() {
		t.Error("a syntax error nobody told of is not a difference")
	}
}
