package memo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime/sched"
)

// chain defines a query of which key n reads key n-1, and key 0 does what end says. calls counts
// how often its function was called.
func (r *rig) chain(end func(f *Frame) (string, error)) (calls *int) {
	calls = new(int)
	r.query("chain", func(f *Frame, key string) (string, error) {
		*calls++
		n, err := strconv.Atoi(key)
		if err != nil || n == 0 {
			return end(f)
		}
		return r.get(f, "chain", strconv.Itoa(n-1))
	})
	return calls
}

// landed reports what a strand that has nothing to do must not have left.
func (r *rig) landed() {
	r.t.Helper()
	for name, q := range r.queries {
		q.entries.each(func(x *source) bool {
			key, e := x.key(), x.asEntry()
			e.mu.Lock()
			defer e.mu.Unlock()
			if e.flights != nil {
				r.t.Errorf("%s(%s) has a flight although nothing is being computed", name, key)
			}
			return true
		})
	}
}

// depths runs a test with stacks of few levels, one of them with fewer once it has unwound, and
// with one that is never too deep.
func depths(t *testing.T, fn func(t *testing.T, r *rig)) {
	for _, levels := range []int{2, 3, 5, 8, 40, levelsMax} {
		t.Run(fmt.Sprint("levels=", levels), func(t *testing.T) {
			r := newRig(t, 1, Options{})
			r.table.levels = levels
			fn(t, r)
			r.landed()
		})
	}
}

// A chain that is many times deeper than the stack is computed, found to hold, changed, undone and
// read again; each function gives one result for each time that it must, and is called at most
// three times for it.
func TestChainDeeperThanTheStack(t *testing.T) {
	depths(t, func(t *testing.T, r *rig) {
		const n = 300
		p, other := r.partition("files"), r.partition("others")
		calls := r.chain(func(f *Frame) (string, error) {
			if _, err := f.Has(other, "k"); err != nil {
				return "", err
			}
			return r.text(f, p, "k")
		})
		top := fmt.Sprint(n - 1)
		step := func(what, answer string, ran uint64) {
			t.Helper()
			before, called := r.queries["chain"].Counts.Ran.Load(), *calls
			r.want("chain", top, answer)
			if got := r.queries["chain"].Counts.Ran.Load() - before; got != ran {
				t.Errorf("%s: %d runs, want %d", what, got, ran)
			}
			if called = *calls - called; uint64(called) > 3*ran {
				t.Errorf("%s: functions were called %d times for %d runs", what, called, ran)
			}
			r.landed()
		}
		r.put(p, "k", "one")
		step("cold", "one", n)
		r.put(other, "unread", "x")
		step("nothing changed", "one", 0)
		r.put(other, "k", "x")
		step("an equal result", "one", 1)
		r.put(p, "k", "two")
		step("changed", "two", n)
		r.put(p, "k", "one")
		step("undone", "one", 0)
		if err := r.table.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		levels := r.table.levels
		r.newTable(Options{})
		r.table.levels = levels
		r.put(other, "unread", "y")
		step("reopened", "one", 0)
		r.put(p, "k", "three")
		step("changed after reopening", "three", n)
	})
}

// What a function reads one after the other may all be deep: each function is called once for each
// deep read, and once more.
func TestWideQueryOverDeepOnes(t *testing.T) {
	depths(t, func(t *testing.T, r *rig) {
		const wide, deep = 20, 30
		calls := map[string]int{}
		r.query("comb", func(f *Frame, key string) (string, error) {
			calls["comb"]++
			for i := range wide {
				if _, err := r.get(f, "tooth", fmt.Sprint(i, "/", deep)); err != nil {
					return "", err
				}
			}
			return "comb", nil
		})
		r.query("tooth", func(f *Frame, key string) (string, error) {
			calls[key]++
			var i, n int
			if _, err := fmt.Sscanf(key, "%d/%d", &i, &n); err != nil || n == 0 {
				return key, err
			}
			return r.get(f, "tooth", fmt.Sprint(i, "/", n-1))
		})
		r.want("comb", "", "comb")
		for key, n := range calls {
			if most := 3; key != "comb" && n > most || n > wide+1 {
				t.Errorf("%s: called %d times", key, n)
			}
		}
	})
}

// A function that makes something else of the panic by which it is left has said nothing, whatever
// it returns.
func TestUnwindingCannotBeSwallowed(t *testing.T) {
	depths(t, func(t *testing.T, r *rig) {
		r.query("greedy", func(f *Frame, key string) (s string, err error) {
			n, _ := strconv.Atoi(key)
			if n == 0 {
				return "bottom", nil
			}
			ask := func(key int) (s string) {
				defer func() {
					if recover() != nil {
						s = "caught"
					}
				}()
				s, _ = r.get(f, "greedy", strconv.Itoa(key))
				return s
			}
			s = ask(n - 1)
			if s == "caught" {
				switch n % 4 {
				case 0:
					return "", errors.New("greedy")
				case 1:
					panic("greedy")
				case 2:
					s = ask(n-1) + ask(n/2) // once more, and another
				}
			}
			return s, nil
		})
		r.want("greedy", "100", "bottom")
		c := &r.queries["greedy"].Counts
		if c.Ran.Load() != 101 || c.Failed.Load() != 0 {
			t.Errorf("%d runs and %d failures, want 101 and none", c.Ran.Load(), c.Failed.Load())
		}
	})
}

// The path of a cycle is whole, wherever it was entered and however often the stack was unwound.
func TestCycleLongerThanTheStack(t *testing.T) {
	depths(t, func(t *testing.T, r *rig) {
		const stem, ring = 40, 60
		calls := 0
		r.query("knot", func(f *Frame, key string) (string, error) {
			calls++
			n, _ := strconv.Atoi(key)
			if n++; n == stem+ring {
				n = stem
			}
			return r.get(f, "knot", strconv.Itoa(n))
		})
		a := r.ask("knot", "0")
		err := a.Wait(context.Background())
		var cycle *CycleError
		if !errors.As(err, &cycle) {
			t.Fatalf("error is %v, want a CycleError", err)
		}
		var want []CycleStep
		for n := stem; n < stem+ring; n++ {
			want = append(want, CycleStep{Query: "knot", Key: strconv.Itoa(n)})
		}
		if want = append(want, want[0]); !slices.Equal(cycle.Path, want) {
			t.Errorf("path is %v", cycle.Path)
		}
		if calls > 3*(stem+ring) {
			t.Errorf("functions were called %d times", calls)
		}
		if text := err.Error(); !strings.Contains(text, "-> knot(55) -> (29 more) -> knot(85) ->") {
			t.Errorf("%s", text)
		}
	})
}

// A panic at the bottom is the error of the query that it is in; Goexit there ends the task, and
// whoever waits for a level above goes on alone.
func TestEndAtTheBottomOfADeepChain(t *testing.T) {
	depths(t, func(t *testing.T, r *rig) {
		how := "panic"
		var gate sched.Event
		calls := r.chain(func(f *Frame) (string, error) {
			switch how {
			case "panic":
				panic("at the bottom")
			case "exit":
				if err := f.strand.Task.Await(&gate); err != nil {
					return "", err
				}
				if how == "exit" {
					how = ""
					runtime.Goexit()
				}
			}
			return "bottom", nil
		})
		err := r.ask("chain", "50").Wait(context.Background())
		var p *sched.PanicError
		if !errors.As(err, &p) || p.Value != "at the bottom" || !strings.Contains(err.Error(), "chain(0)") {
			t.Errorf("error is %v", err)
		}
		if *calls > 3*51 {
			t.Errorf("functions were called %d times, although a question shares what is not kept", *calls)
		}
		r.landed()
		how = "exit"
		a := r.ask("chain", "50")
		r.settle()
		b := r.ask("chain", "45")
		r.settle()
		gate.Fire()
		r.settle()
		errA, errB := a.Wait(context.Background()), b.Wait(context.Background())
		if !errors.Is(errA, sched.ErrGoexit) || errB != nil || b.answer != "bottom" {
			t.Errorf("the task that ended: %v; the other: %q, %v", errA, b.answer, errB)
		}
		r.want("chain", "50", "bottom")
	})
}

// A cancelled task goes on with all that it has suspended while somebody waits for any of it, and
// gives all of it up otherwise.
func TestCancelDeepInAChain(t *testing.T) {
	for _, waited := range []bool{true, false} {
		depths(t, func(t *testing.T, r *rig) {
			var gate sched.Event
			began := 0
			ended := map[uint64]int{} // by task
			r.query("chain", func(f *Frame, key string) (string, error) {
				if key == "0" {
					began++
					err := f.strand.Task.Await(&gate)
					return "bottom", err
				}
				n, _ := strconv.Atoi(key)
				s, err := r.get(f, "chain", strconv.Itoa(n-1))
				ended[f.strand.Task.ID()]++
				return s, err
			})
			a := r.ask("chain", "50")
			r.settle()
			var b *asked
			if waited {
				b = r.ask("chain", "49")
				r.settle()
			}
			a.Cancel(errWhy)
			r.settle()
			gate.Fire()
			r.settle()
			if err := a.Wait(context.Background()); !waited && !errors.Is(err, errWhy) {
				t.Errorf("the task that was cancelled: %v", err)
			}
			r.landed()
			if waited {
				if ended[a.ID()] < 49 || ended[b.ID()] > 0 {
					t.Errorf("the cancelled task ended %d functions, the one that waits %d", ended[a.ID()], ended[b.ID()])
				}
				if err := b.Wait(context.Background()); err != nil || b.answer != "bottom" {
					t.Errorf("the one that waits: %q, %v", b.answer, err)
				}
			}
			r.want("chain", "50", "bottom")
			if waited && began != 1 {
				t.Errorf("the bottom ran %d times", began)
			}
		})
	}
}

// The same, cancelled between two levels: nothing is running then.
func TestCancelBetweenLevels(t *testing.T) {
	for after := range 40 {
		r := newRig(t, uint64(after), Options{})
		r.table.levels = 3
		var a *asked
		calls := 0
		r.query("chain", func(f *Frame, key string) (string, error) {
			if calls++; calls == after {
				a.Cancel(errWhy)
			}
			if key == "" {
				return "bottom", nil
			}
			return r.get(f, "chain", key[1:])
		})
		a = r.ask("chain", strings.Repeat("x", 12))
		r.settle()
		if err := a.Wait(context.Background()); err != nil && !errors.Is(err, errWhy) {
			t.Errorf("after %d calls: %v", after, err)
		}
		r.landed()
		r.want("chain", strings.Repeat("x", 12), "bottom")
	}
}

// Each level asks for two keys at once, and helpers may have the deeper one.
func TestAllDeeperThanTheStack(t *testing.T) {
	seeds(t, 10, func(t *testing.T, r *rig) {
		r.table.levels = 4
		r.query("pair", func(f *Frame, key string) (string, error) {
			n, err := strconv.Atoi(key)
			if err != nil || n < 2 {
				return "1", err
			}
			as, err := r.table.All(f, r.queries["pair"], []string{strconv.Itoa(n - 2), strconv.Itoa(n - 1)}, 2, r.spawner(f))
			if err != nil {
				return "", err
			}
			a, _ := strconv.Atoi(as[0].Value.(string))
			b, _ := strconv.Atoi(as[1].Value.(string))
			return strconv.Itoa((a + b) % 1009), nil
		})
		a, b := 1, 1
		for range 149 {
			a, b = b, (a+b)%1009
		}
		r.want("pair", "150", strconv.Itoa(b))
		r.settle()
		r.landed()
	})
}

// Where a helper gets the deeper key at each level its own helper gets the next, but not without
// end: each strand that waits keeps a stack.
func TestHelpersOfHelpersEnd(t *testing.T) {
	seeds(t, 5, func(t *testing.T, r *rig) {
		r.table.levels = 4
		hops := 0
		r.query("leaf", func(f *Frame, key string) (string, error) {
			for range 20 {
				f.strand.Task.Yield()
			}
			return "leaf", nil
		})
		r.query("relay", func(f *Frame, key string) (string, error) {
			hops = max(hops, f.strand.hops)
			n, err := strconv.Atoi(strings.TrimPrefix(key, "leaf"))
			if err != nil || n == 0 {
				return "end", err
			}
			if key[0] == 'l' {
				return r.get(f, "leaf", key)
			}
			as, err := r.table.All(f, r.queries["relay"], []string{fmt.Sprint("leaf", n), strconv.Itoa(n - 1)}, 1, r.spawner(f))
			if err != nil {
				return "", err
			}
			return as[1].Value.(string), nil
		})
		r.want("relay", "200", "end")
		if hops != hopsMax {
			t.Errorf("helpers were %d tasks away from the one that asked, want %d", hops, hopsMax)
		}
		r.settle()
		r.landed()
	})
}

// A web is a random graph of queries with cycles, errors, panics and functions that go on in spite
// of an error. What each gives depends on who asked for it.
type web struct {
	reads [][]int
	how   []int // 0: passes errors on; 1: tolerates them; 2: panics with them

	helpers int // of All, by which nodes ask for all that they read before they ask again; 0: it is not used
}

func newWeb(rng *rand.Rand, nodes int) *web {
	w := &web{}
	for n := range nodes {
		var reads []int
		for range rng.IntN(4) {
			to := rng.IntN(nodes)
			if rng.IntN(3) > 0 {
				to = min(n+1+rng.IntN(3), nodes-1) // mostly a deep one
			}
			reads = append(reads, to)
		}
		w.reads = append(w.reads, reads)
		w.how = append(w.how, rng.IntN(3))
	}
	return w
}

// define makes the web's query over a partition that says for each node what it mixes in, or
// that it fails.
func (w *web) define(r *rig) {
	p := r.partition("nodes")
	r.query("node", func(f *Frame, key string) (string, error) {
		n, err := strconv.Atoi(key)
		if err != nil {
			return "", err
		}
		text, err := r.text(f, p, key)
		if err != nil {
			return "", err
		}
		if text == "fail" {
			return "", fmt.Errorf("node %d fails", n)
		}
		mix := []string{text}
		take := func(s string, err error) error {
			switch {
			case err == nil:
				mix = append(mix, s)
			case w.how[n] == 1:
				mix = append(mix, "E")
			case w.how[n] == 2 && !errors.Is(err, ErrCycle):
				panic("cannot go on")
			default:
				return err
			}
			return nil
		}
		if w.helpers > 0 {
			if err := w.askAll(r, f, n, &mix); err != nil {
				return "", err
			}
		}
		f.strand.Task.Yield()
		for _, to := range w.reads[n] {
			if err := take(r.get(f, "node", strconv.Itoa(to))); err != nil {
				return "", err
			}
		}
		sum := 7
		for _, c := range strings.Join(mix, "+") {
			sum = (sum*31 + int(c)) % 11
		}
		return strconv.Itoa(sum), nil
	})
}

func (w *web) askAll(r *rig, f *Frame, n int, mix *[]string) error {
	var keys []string
	for _, to := range w.reads[n] {
		keys = append(keys, strconv.Itoa(to))
	}
	as, err := r.table.All(f, r.queries["node"], keys, w.helpers, r.spawner(f))
	for _, a := range as {
		*mix = append(*mix, a.Value.(string))
	}
	return err
}

// One strand gives the same answers, errors and paths of cycles whatever the stack holds, cold and
// after changes.
func TestDepthMakesNoDifference(t *testing.T) {
	seed := *modelSeed
	if seed == 0 {
		seed = rand.Uint64N(1 << 48)
	}
	for run := range *modelRuns {
		seed := seed + uint64(run)
		ok := t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			if sameAtEachDepth(t, rand.New(rand.NewPCG(seed, 2))); t.Failed() {
				t.Fatalf("replay with -run DepthMakesNoDifference -memo.runs=1 -memo.seed=%d", seed)
			}
		})
		if !ok {
			return
		}
	}
}

func sameAtEachDepth(t *testing.T, rng *rand.Rand) {
	const nodes = 14
	w := newWeb(rng, nodes)
	var rigs []*rig
	for _, levels := range []int{levelsMax, 2, 3, 4, 6, 8} {
		r := newRig(t, 1, Options{})
		r.table.levels = levels
		w.define(r)
		rigs = append(rigs, r)
	}
	for step := range 12 {
		key, text := strconv.Itoa(rng.IntN(nodes)), pick(rng, []string{"a", "b", "c", "fail"})
		asked := strconv.Itoa(rng.IntN(1 + rng.IntN(nodes)))
		want := ""
		for i, r := range rigs {
			r.put(r.partition("nodes"), key, text)
			got := r.outcome("node", asked)
			if i == 0 {
				want = got
			} else if got != want {
				t.Errorf("step %d: with %d levels node(%s) is %s; with a stack that holds all it is %s",
					step, r.table.levels, asked, got, want)
			}
			r.landed()
		}
	}
}

// Several strands that enter a web of cycles at different places, with helpers, some of them
// cancelled, wait for no end, and each is given what a strand that is alone is given: the same
// answers, the same errors, and the same paths of cycles.
func TestStrandsInDeepCycles(t *testing.T) {
	seed := *modelSeed
	if seed == 0 {
		seed = rand.Uint64N(1 << 48)
	}
	for run := range *modelRuns {
		seed := seed + uint64(run)
		ok := t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			if askTogether(t, seed); t.Failed() {
				t.Fatalf("replay with -run StrandsInDeepCycles -memo.runs=1 -memo.seed=%d", seed)
			}
		})
		if !ok {
			return
		}
	}
}

func askTogether(t *testing.T, seed uint64) {
	const nodes = 16
	rng := rand.New(rand.NewPCG(seed, 3))
	w := newWeb(rng, nodes)
	w.helpers = rng.IntN(3)
	r, single := newRig(t, seed, Options{}), newRig(t, seed, Options{})
	r.table.levels = 2 + rng.IntN(5)
	for _, r := range []*rig{r, single} {
		w.define(r)
	}
	for range 6 {
		key, text := strconv.Itoa(rng.IntN(nodes)), pick(rng, []string{"a", "b", "c", "fail"})
		r.put(r.partition("nodes"), key, text)
		single.put(single.partition("nodes"), key, text)
		asks := map[*asked]int{}
		var gone *asked
		for range 2 + rng.IntN(3) {
			n := rng.IntN(nodes)
			a := r.ask("node", strconv.Itoa(n))
			if asks[a] = n; rng.IntN(4) == 0 {
				gone = a
			}
		}
		if gone != nil {
			r.task(context.Background(), func(f *Frame) error {
				for range rng.IntN(8) {
					f.strand.Task.Yield()
				}
				gone.Cancel(errWhy)
				return nil
			})
		}
		r.settle()
		for a, n := range asks {
			err := a.Wait(context.Background())
			if a == gone && errors.Is(err, errWhy) {
				continue
			}
			key := strconv.Itoa(n)
			if got, want := outcomeOf(a, err), single.outcome("node", key); got != want {
				t.Errorf("node(%s): %s; alone it is %s", key, got, want)
			}
		}
		r.landed()
	}
}

// outcome asks, and returns the answer or the first line of the error, with the path of a cycle.
func (r *rig) outcome(query, key string) string {
	a := r.ask(query, key)
	return outcomeOf(a, a.Wait(context.Background()))
}

func outcomeOf(a *asked, err error) string {
	if err == nil {
		return a.answer
	}
	var cycle *CycleError
	if errors.As(err, &cycle) {
		return fmt.Sprint("cycle ", cycle.Path)
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return "error " + line
}

// Each query of a cycle is told the same error, and what is remembered of it for each costs nothing
// more, however long the path is.
func TestTextOfALongCycleIsMadeOnce(t *testing.T) {
	path := make([]CycleStep, 100_000)
	for i := range path {
		path[i] = CycleStep{Query: "q", Key: fmt.Sprint(i)}
	}
	err := newCycleError(path)
	if n := testing.AllocsPerRun(100, func() { failure(err) }); n > 0 {
		t.Errorf("%v allocations for each query", n)
	}
	if text := err.Error(); text != (&CycleError{Path: path}).Error() || !strings.HasSuffix(text, "-> q(99999)") {
		t.Errorf("the text is %q", text)
	}
}
