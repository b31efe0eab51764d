package memo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime/db"
)

// letters is a set of letters, in order.
func letters(s ...string) string {
	all := []byte(strings.Join(s, ""))
	slices.Sort(all)
	return string(slices.Compact(all))
}

// fixed makes a query of letters one that may be in cycles.
func (r *rig) fixed(name string, stepsMax int, fn func(f *Frame, key string) (string, error)) {
	r.query(name, fn)
	give := func(s string) (Result, error) { return Result{Kind: kindTest, Payload: []byte(s), Value: s}, nil }
	r.queries[name].Fixpoint = &Fixpoint{
		Initial:  func(string) (Result, error) { return give("") },
		Join:     func(_ string, a, b Result) (Result, error) { return give(letters(a.Value.(string), b.Value.(string))) },
		StepsMax: stepsMax,
	}
}

// A mesh is a program of sets of letters over records that say what each key does: words, of which
// "=abc" adds letters, ">k" the set of another key, "a?k" that of k if there is an a already, "a:p"
// the letters of record p if there is no a yet, and all letters if there is one, and "!" fails.
// All of them are monotone.
type mesh struct {
	*rig
	part    db.PartID
	history map[uint64]map[string]string
	now     map[string]string
}

const (
	meshKeys    = 6
	meshLetters = "abcdef"
)

func newMesh(r *rig) *mesh {
	m := &mesh{rig: r, part: r.partition("mesh"), history: map[uint64]map[string]string{}, now: map[string]string{}}
	m.define()
	return m
}

func (m *mesh) define() {
	m.fixed("set", 1+len(meshLetters), func(f *Frame, key string) (string, error) {
		return m.run(key, func(key string) (string, error) {
			f.strand.Task.Yield()
			return m.text(f, m.part, key)
		}, func(key string) (string, error) { return m.get(f, "set", key) })
	})
	m.query("top", func(f *Frame, key string) (string, error) {
		text, err := m.text(f, m.part, key)
		if err != nil {
			return "", err
		}
		as, err := m.table.All(f, m.queries["set"], strings.Fields(text), 2, m.spawner(f))
		var all []string
		for _, a := range as {
			all = append(all, a.Value.(string))
		}
		return strings.Join(all, "|"), err
	})
}

var errMesh = errors.New("the mesh says so")

// run is the function of sets.
func (m *mesh) run(key string, record, set func(key string) (string, error)) (string, error) {
	text, err := record(key)
	if err != nil {
		return "", err
	}
	got := ""
	for _, word := range strings.Fields(text) {
		more := ""
		switch {
		case word == "!":
			return "", errMesh
		case word[0] == '=':
			more = word[1:]
		case word[0] == '>':
			more, err = set(word[1:])
		case word[1] == '?':
			if strings.Contains(got, word[:1]) {
				more, err = set(word[2:])
			}
		default:
			if strings.Contains(got, word[:1]) {
				more = meshLetters
			} else {
				more, err = record(word[2:])
			}
		}
		if err != nil {
			return "", err
		}
		got = letters(got, more)
	}
	return got, nil
}

// scratch returns all sets from nothing but records: Kleene's iteration. "!" is what fails, or
// needs what does.
func (m *mesh) scratch(records map[string]string) map[string]string {
	sets, reads := map[string]string{}, map[string]map[string]bool{}
	failed := map[string]bool{}
	for changed := true; changed; {
		changed = false
		next := map[string]string{}
		for k := range meshKeys {
			key := strconv.Itoa(k)
			reads[key] = map[string]bool{}
			got, err := m.run(key,
				func(key string) (string, error) { return records[key], nil },
				func(of string) (string, error) { reads[key][of] = true; return sets[of], nil })
			failed[key] = err != nil
			next[key] = letters(sets[key], got)
			changed = changed || next[key] != sets[key]
		}
		sets = next
	}
	for changed := true; changed; {
		changed = false
		for key, of := range reads {
			for k := range of {
				if failed[k] && !failed[key] {
					failed[key], changed = true, true
				}
			}
		}
	}
	for key := range failed {
		if failed[key] {
			sets[key] = "!"
		}
	}
	return sets
}

// edit changes some records in one commit.
func (m *mesh) edit(rng *rand.Rand) {
	now := map[string]string{}
	for k, v := range m.now {
		now[k] = v
	}
	var pairs []string
	for range 1 + rng.IntN(3) {
		var words []string
		for range 1 + rng.IntN(4) {
			letter, to := string(meshLetters[rng.IntN(len(meshLetters))]), strconv.Itoa(rng.IntN(meshKeys))
			switch n := rng.IntN(20); {
			case n < 6:
				words = append(words, "="+letter)
			case n < 13:
				words = append(words, ">"+to)
			case n < 16:
				words = append(words, letter+"?"+to)
			case n < 19:
				words = append(words, letter+":p"+strconv.Itoa(rng.IntN(2)))
			case rng.IntN(2) == 0:
				words = append(words, "!")
			}
		}
		key, text := strconv.Itoa(rng.IntN(meshKeys)), strings.Join(words, " ")
		switch rng.IntN(5) {
		case 0:
			key, text = "p"+strconv.Itoa(rng.IntN(2)), string(meshLetters[rng.IntN(len(meshLetters))])
		case 1:
			key, text = "t"+strconv.Itoa(rng.IntN(2)), fmt.Sprint(rng.IntN(meshKeys), " ", rng.IntN(meshKeys), " ", rng.IntN(meshKeys))
		}
		if pairs = append(pairs, key, text); text == "" {
			delete(now, key)
		} else {
			now[key] = text
		}
	}
	m.put(m.part, pairs...)
	m.now = now
	m.history[m.db.Generation()] = now
}

// ask asks at several places at once, some of them cancelled, and compares.
func (m *mesh) ask(rng *rand.Rand) {
	type question struct {
		*asked
		query, key string
		gone       bool
	}
	var asks []*question
	for range 1 + rng.IntN(4) {
		q := &question{query: "set", key: strconv.Itoa(rng.IntN(meshKeys)), gone: rng.IntN(6) == 0}
		if rng.IntN(4) == 0 {
			q.query, q.key = "top", "t"+strconv.Itoa(rng.IntN(2))
		}
		q.asked = m.rig.ask(q.query, q.key)
		asks = append(asks, q)
		if q.gone {
			turns := rng.IntN(12)
			m.task(context.Background(), func(f *Frame) error {
				for range turns {
					f.strand.Task.Yield()
				}
				q.Cancel(errWhy)
				return nil
			})
		}
	}
	m.settle()
	sets := m.scratch(m.now)
	for _, q := range asks {
		err := q.Wait(context.Background())
		if q.gone && errors.Is(err, errWhy) {
			continue
		}
		want := sets[q.key]
		if q.query == "top" {
			var all []string
			for _, key := range strings.Fields(m.now[q.key]) {
				all = append(all, sets[key])
			}
			if want = strings.Join(all, "|"); strings.Contains(want, "!") {
				want = "!"
			}
		}
		got := q.answer
		if errors.Is(err, errMesh) {
			got = "!"
		} else if err != nil {
			m.t.Errorf("%s(%s): %v", q.query, q.key, err)
		}
		if got != want {
			m.t.Errorf("%s(%s) is %q, from scratch %q; records %v", q.query, q.key, got, want, m.now)
		}
	}
	m.landed()
}

// audit computes what was reused again. All functions are pure.
func (m *mesh) audit() {
	m.task(context.Background(), func(f *Frame) error {
		for more := true; more; {
			_, more = m.table.Audit(f.strand)
		}
		return nil
	})
	m.settle()
	for name, q := range m.queries {
		if n := q.Counts.Impure.Load(); n != 0 {
			m.t.Errorf("%d answers of %s are said to be impure", n, name)
		}
	}
}

// check compares all that traces in memory are said to hold for with what is so.
func (m *mesh) check() {
	snap := m.db.Snapshot()
	defer snap.Release()
	m.queries["set"].entries.each(func(x *source) bool {
		key, e := x.key(), x.asEntry()
		if e.inUse() {
			m.t.Errorf("set(%s) is being computed", key)
		}
		for tr := e.traces; tr != nil; tr = tr.next {
			for iv := tr.holds.Load(); iv != nil; iv = iv.next {
				m.checkInterval(e, tr, iv, snap)
			}
		}
		return true
	})
}

func (m *mesh) checkInterval(e *entry, tr *trace, iv *interval, snap *db.Snapshot) {
	to, newest := iv.to, min(m.table.marked.Load(), snap.Gen())
	stands := iv.links != nil && max(e.changed.Load(), m.table.floor.Load()) <= iv.to && iv.stamps.unchangedSince(snap, iv.to)
	if stands && iv.walls == 0 {
		to = max(to, newest)
	}
	var gens []uint64
	for gen := iv.from; gen <= to; gen++ {
		gens = append(gens, gen)
	}
	if stands && iv.walls != 0 && newest == snap.Gen() && newest > iv.to { // there, and perhaps not between
		if parts, ok := m.table.wallsStand(iv.walls, iv.to, snap); ok {
			tr.dependsOn(parts)
			gens = append(gens, newest)
		}
	}
	for _, gen := range gens {
		records, there := m.history[gen]
		if !there {
			continue
		}
		want := m.scratch(records)[e.key()]
		if want == "!" || resultName(kindTest, []byte(want)) != tr.result {
			m.t.Errorf("a trace of set(%s) is said to hold in generation %d, where the set is %q", e.key(), gen, want)
		}
	}
}

// Sets that need each other are the least ones, wherever they are asked for first: by several
// strands at once, after edits, cancellations and restarts, in stacks that hold two or all of them,
// with little memory and much; and nothing is said to hold that is not so.
func TestFixpointsAgainstKleene(t *testing.T) {
	seed := *modelSeed
	if seed == 0 {
		seed = rand.Uint64N(1 << 48)
	}
	for run := range *modelRuns {
		seed := seed + uint64(run)
		ok := t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 4))
			o := Options{TraceBytes: pick(rng, []int64{1, 0}), CacheBytes: pick(rng, []int64{1, 0}), WallFrom: pick(rng, []int{1, 2, 0}), AuditShare: pick(rng, []float64{0, 0.3})}
			r := newRig(t, seed, o)
			levels := pick(rng, []int{2, 3, 5, levelsMax})
			r.table.levels = levels
			m := newMesh(r)
			for step := range *modelSteps {
				m.edit(rng)
				for range 1 + rng.IntN(2) {
					m.ask(rng)
				}
				if rng.IntN(5) == 0 {
					if err := m.table.Flush(context.Background()); err != nil {
						t.Fatal(err)
					}
					if rng.IntN(2) == 0 {
						m.newTable(o)
						m.table.levels = levels
					}
				}
				m.audit()
				if m.check(); t.Failed() {
					t.Fatalf("step %d; replay with -run FixpointsAgainstKleene -memo.runs=1 -memo.seed=%d", step, seed)
				}
			}
		})
		if !ok {
			return
		}
	}
}

// A ring is declared: each adds its own letter to what the next has.
func (r *rig) ring(n int) (runs *int) {
	runs = new(int)
	p := r.partition("ring")
	r.fixed("ring", 30, func(f *Frame, key string) (string, error) {
		*runs++
		own, err := r.text(f, p, key)
		if err != nil {
			return "", err
		}
		k, _ := strconv.Atoi(key)
		next, err := r.get(f, "ring", strconv.Itoa((k+1)%n))
		return letters(own, next), err
	})
	return runs
}

// A declared ring may be longer than the stack; functions run a few times for each key.
func TestRingLongerThanTheStack(t *testing.T) {
	depths(t, func(t *testing.T, r *rig) {
		const n = 200
		runs := r.ring(n)
		p := r.partition("ring")
		r.put(p, "7", "a", "100", "b", "150", "c")
		r.want("ring", "42", "abc")
		if *runs > 5*n {
			t.Errorf("%d runs for %d keys", *runs, n)
		}
		*runs = 0
		for k := range n {
			r.want("ring", strconv.Itoa(k), "abc")
		}
		if *runs != 0 {
			t.Errorf("%d runs although the cycle was closed", *runs)
		}
		r.put(p, "100", "d")
		r.want("ring", "0", "acd")
		r.want("ring", "42", "acd")
		if *runs > 5*n {
			t.Errorf("%d runs for %d keys after a change", *runs, n)
		}
	})
}

// What a cycle came to is verified after a restart, member by member, and what only an early run
// has read counts: the last ones read it no more.
func TestClosedCycleIsKept(t *testing.T) {
	r := newRig(t, 1, Options{})
	p := r.partition("p")
	runs := map[string]int{}
	r.fixed("a", 30, func(f *Frame, key string) (string, error) {
		runs["a"]++
		b, err := r.get(f, "b", key)
		if err != nil || b != "" {
			return "xyz", err
		}
		return r.text(f, p, "seed")
	})
	r.fixed("b", 30, func(f *Frame, key string) (string, error) {
		runs["b"]++
		return r.get(f, "a", key)
	})
	r.query("reader", func(f *Frame, key string) (string, error) {
		runs["reader"]++
		a, err := r.get(f, "a", key)
		return "<" + a + ">", err
	})
	r.put(p, "seed", "x")
	r.want("reader", "k", "<xyz>")
	step := func(what, answer, ran string) {
		t.Helper()
		clear(runs)
		r.want("reader", "k", answer)
		r.want("b", "k", strings.Trim(answer, "<>"))
		if got := fmt.Sprintf("%d %d %d", min(runs["a"], 1), min(runs["b"], 1), runs["reader"]); got != ran {
			t.Errorf("%s: a, b and their reader ran %s, want %s", what, got, ran)
		}
	}
	flush := func() {
		t.Helper()
		if err := r.table.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	step("asked again", "<xyz>", "0 0 0")
	flush()
	r.newTable(Options{})
	step("after a restart", "<xyz>", "0 0 0")
	r.put(p, "unread", "x")
	step("after a change elsewhere", "<xyz>", "0 0 0")
	r.put(p, "seed", "y")
	step("after a change without effect", "<xyz>", "1 1 0")
	r.put(p, "seed", "")
	step("after the seed is gone", "<>", "1 1 1")
	r.put(p, "seed", "y")
	step("undone", "<xyz>", "0 0 0")
	flush()
	r.queries["b"].Version++
	r.newTable(Options{})
	step("with another version of one function", "<xyz>", "1 1 0")
}

// An undo of a change in a cycle costs no run, whichever of its keys had been its head when.
func TestUndoInACycleWithAnotherHead(t *testing.T) {
	r := newRig(t, 1, Options{})
	runs := r.ring(2)
	p := r.partition("ring")
	r.want("ring", "1", "") // the head is 1
	r.put(p, "0", "a")
	r.want("ring", "0", "a") // the head is 0
	r.want("ring", "1", "a")
	for i, want := range []string{"", "a", "", "a"} {
		*runs = 0
		r.put(p, "0", want)
		r.want("ring", "0", want)
		r.want("ring", "1", want)
		if *runs != 0 {
			t.Errorf("undo %d: %d runs", i, *runs)
		}
	}
}

// What closed a cycle around the final value of another cell is verified after what closed all of
// it, or the cell would run for an undo: its own trace is of a member of the head that is verified.
func TestUndoInACycleThatWasClosedInParts(t *testing.T) {
	m := newMesh(newRig(t, 1, Options{}))
	m.queries["set"].TracesMax = 2
	m.put(m.part, "0", ">0 >1")
	for i, step := range []struct{ record, asked string }{
		{"=x >0", "1"},    // 1 is the head
		{">0 =x", "0"},    // 0 is
		{">0 =x =x", "0"}, // and knows no more that it was with 1
		{"=x >0", "0"},    // which 1 knows: 0 is a cycle by itself
	} {
		m.put(m.part, "1", step.record)
		ran := m.queries["set"].Counts.Ran.Load()
		m.want("set", step.asked, "x")
		if n := m.queries["set"].Counts.Ran.Load() - ran; i == 3 && n != 2 {
			t.Errorf("%d runs, want those of 0 alone, whose value grew once", n)
		}
	}
	m.put(m.part, "1", ">0 =x =x")
	ran := m.queries["set"].Counts.Ran.Load()
	m.want("set", "0", "x")
	if n := m.queries["set"].Counts.Ran.Load() - ran; n != 0 {
		t.Errorf("the undo took %d runs", n)
	}
}

// The cause of a run in a cycle is what changed for it, whether the key was its head or a member,
// in the process that ran it and after a restart.
func TestCausesInACycle(t *testing.T) {
	r := newRig(t, 1, Options{})
	r.ring(3)
	p := r.partition("ring")
	for _, own := range []string{"a", "b"} {
		r.put(p, "1", own)
		for key := range 3 {
			r.want("ring", strconv.Itoa(key), own)
		}
		r.put(p, "unread", own)
	}
	for _, when := range []string{"in the process", "after a restart"} {
		for key := range 3 {
			proof := r.prove("ring", strconv.Itoa(key))
			if proof.Due || proof.Problem != "" || len(proof.Changes) != 1 || proof.Changes[0].Key != "1" {
				t.Errorf("%s, ring(%d): %+v", when, key, proof)
			}
		}
		r.end()
		r.newTable(Options{})
	}
}

// A value is joined with those before, so a function that gives less than it did loses nothing.
func TestValuesAreJoined(t *testing.T) {
	r := newRig(t, 1, Options{})
	r.fixed("a", 30, func(f *Frame, key string) (string, error) {
		if b, err := r.get(f, "b", key); err != nil || b == "" {
			return "x", err
		}
		return "y", nil
	})
	r.fixed("b", 30, func(f *Frame, key string) (string, error) { return r.get(f, "a", key) })
	r.want("a", "k", "xy")
	r.want("b", "k", "xy")
}

// A value that goes on growing is an error that says so, wherever the cycle is entered, and nothing
// of it is kept.
func TestDivergence(t *testing.T) {
	r := newRig(t, 1, Options{})
	p := r.partition("p")
	r.fixed("grow", 10, func(f *Frame, key string) (string, error) {
		other := map[string]string{"x": "y", "y": "x"}[key]
		s, err := r.get(f, "grow", other)
		if err != nil {
			return "", err
		}
		stop, err := r.text(f, p, "stop")
		if stop != "" || err != nil {
			return s, err
		}
		return s + string(rune('a'+len(s))), nil
	})
	for _, key := range []string{"x", "y", "x"} {
		err := r.ask("grow", key).Wait(context.Background())
		var d *DivergenceError
		if !errors.Is(err, ErrDiverges) || !errors.As(err, &d) || d.Query != "grow" || d.Steps != 10 {
			t.Errorf("grow(%s): %v", key, err)
		}
		r.landed()
	}
	r.put(p, "stop", "now")
	r.want("grow", "x", "")
}

// A cycle is an error if one of its queries is not declared, whichever is asked first, and the path
// is that cycle's.
func TestCycleOfWhichOneIsNotDeclared(t *testing.T) {
	r := newRig(t, 1, Options{})
	reads := map[string]string{"a": "b", "b": "u", "c": "a"}
	fn := func(name string) func(*Frame, string) (string, error) {
		return func(f *Frame, key string) (string, error) { return r.get(f, reads[name], key) }
	}
	for _, name := range []string{"a", "b", "c"} {
		r.fixed(name, 30, fn(name))
	}
	r.query("u", func(f *Frame, key string) (string, error) {
		return r.get(f, "c", key)
	})
	paths := map[string]string{
		"a": "[a(k) b(k) u(k) c(k) a(k)]", "b": "[b(k) u(k) c(k) a(k) b(k)]",
		"c": "[c(k) a(k) b(k) u(k) c(k)]", "u": "[u(k) c(k) a(k) b(k) u(k)]",
	}
	for name, want := range paths {
		err := r.ask(name, "k").Wait(context.Background())
		var cycle *CycleError
		if !errors.As(err, &cycle) || fmt.Sprint(cycle.Path) != want {
			t.Errorf("%s: %v, want the path %s", name, err, want)
		}
		r.landed()
	}
}

// What was only looked at, to verify what a key was before, is no part of its cycle: not where it
// fails, and not where it rests on what is below.
func TestWhatIsLookedAtIsNotOfTheCycle(t *testing.T) {
	steps := func(t *testing.T, records ...string) *mesh {
		m := newMesh(newRig(t, 1, Options{}))
		m.put(m.part, records...)
		return m
	}
	t.Run("it fails", func(t *testing.T) {
		m := steps(t, "0", ">1", "1", ">0 =a")
		m.want("set", "0", "a") // the head
		m.put(m.part, "0", ">0 >1 !", "1", ">1 =b")
		m.want("set", "1", "b")
	})
	t.Run("it rests on what is below", func(t *testing.T) {
		const h, v, z, w = "0", "1", "2", "3"
		m := steps(t, z, ">"+v, v, ">"+z)
		m.want("set", z, "")
		m.put(m.part, h, ">"+v+" =a", v, ">"+w, z, ">"+w+" >"+h, w, ">"+z)
		m.want("set", h, "a")
		for _, key := range []string{h, v, z, w} {
			m.want("set", key, "a")
		}
	})
}
