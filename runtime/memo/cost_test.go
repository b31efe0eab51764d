package memo

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
)

// stored reports how many keys the trace partition has.
func (r *rig) stored() (n uint64) {
	r.t.Helper()
	if err := r.table.Flush(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	err := r.db.LatestRange(r.table.part, "", "", false, func(key string, _ mmapcas.Hash) bool {
		if key != ledgerKey {
			n++
		}
		return true
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

// copies defines a query that gives a record's text.
func (r *rig) copies(name string) (runs *int) {
	runs = new(int)
	p := r.partition("p")
	r.query(name, func(f *Frame, key string) (string, error) {
		*runs++
		return r.text(f, p, key)
	})
	return runs
}

// Answers of a query in memory only hold and cut off as others do, and are not in the store.
func TestMemoryOnly(t *testing.T) {
	r := newRig(t, 1, Options{CacheBytes: 1})
	p := r.partition("p")
	runs := r.copies("copy")
	r.queries["copy"].MemoryOnly = true
	above := 0
	r.query("above", func(f *Frame, key string) (string, error) {
		above++
		return r.get(f, "copy", key)
	})
	step := func(what, want string, ran, ranAbove int) {
		t.Helper()
		*runs, above = 0, 0
		r.want("above", "k", want)
		r.want("copy", "k", want)
		if *runs != ran || above != ranAbove {
			t.Errorf("%s: %d and %d runs, want %d and %d", what, *runs, above, ran, ranAbove)
		}
	}
	r.put(p, "k", "one")
	step("first", "one", 1, 1)
	step("again", "one", 0, 0)
	r.put(p, "k", "two")
	step("changed", "two", 1, 1)
	r.put(p, "k", "one")
	step("undone", "one", 0, 0)
	r.table.Distrust()
	step("after a damage elsewhere", "one", 0, 0)
	if n := r.stored(); n != 1 {
		t.Errorf("%d keys are stored, want that of the query above", n)
	}
	if n := r.queries["copy"].Counts.Unstored.Load(); n != 2 {
		t.Errorf("%d results count as not stored, want 2", n)
	}
	r.newTable(Options{})
	r.put(p, "other", "x")
	step("after a restart", "one", 1, 0)
}

// A key has as many traces as its query says.
func TestTracesMax(t *testing.T) {
	r := newRig(t, 1, Options{})
	p := r.partition("p")
	runs := r.copies("copy")
	r.queries["copy"].TracesMax = 1
	for _, text := range []string{"one", "two", "one"} {
		r.put(p, "k", text)
		r.want("copy", "k", text)
	}
	if *runs != 3 {
		t.Errorf("%d runs: an older trace was there", *runs)
	}
	if n := len(r.table.entry(r.queries["copy"], "k").appendTraces(nil)); n != 1 {
		t.Errorf("%d traces", n)
	}
}

// Answers of a query that is said to be cheap are not stored, until computing is measured to take
// longer than loading, and then again when it takes less than half.
func TestCheapAnswersAreNotStored(t *testing.T) {
	r := newRig(t, 1, Options{})
	p := r.partition("p")
	r.copies("copy")
	key, keys := "", uint64(0)
	step := func(what string, stored bool) {
		t.Helper()
		key += "x"
		r.put(p, key, "text")
		r.want("copy", key, "text")
		if stored {
			keys++
		}
		if n := r.stored(); n != keys {
			t.Errorf("%s: %d keys are stored, want %d", what, n, keys)
		}
	}
	measure := func(run, load time.Duration) {
		q := r.queries["copy"]
		for range 200 {
			q.ran(ranFor{own: run, known: true}, 1)
			q.loaded(load, 1)
		}
	}
	step("not said to be cheap", true)
	r.queries["copy"].Cost = Cheap
	measure(time.Hour, 3*time.Hour)
	step("cheap", false)
	measure(2*time.Hour, 3*time.Hour)
	step("cheap still", false)
	measure(4*time.Hour, 3*time.Hour)
	step("not cheap", true)
	measure(2*time.Hour, 3*time.Hour)
	step("not cheap yet", true)
	measure(time.Hour, 3*time.Hour)
	step("cheap again", false)
}

// A thread that is preempted while one of the first answers is loaded does not make a query cheap
// (C2): its answers would be in no store because the machine was busy.
func TestOneSlowLoadDoesNotMakeAQueryCheap(t *testing.T) {
	for at := range runsMeasured {
		r := newRig(t, 1, Options{})
		r.copies("copy")
		q := r.queries["copy"]
		for i := range 2 * runsMeasured {
			q.Counts.Ran.Add(1)
			q.ran(ranFor{own: time.Millisecond, known: true}, 1)
			load := time.Millisecond
			if i == at {
				load = time.Hour
			}
			q.loaded(load, 1)
			if q.Costs().Cheap {
				t.Fatalf("load %d took an hour, and after load %d the query counts as cheap: %+v", at, i, q.Costs())
			}
		}
	}
}

// What runs and loading take is measured, a run without what queries below it take.
func TestCostsAreMeasured(t *testing.T) {
	r := newRig(t, 1, Options{})
	p := r.partition("p")
	const slow = 20 * time.Millisecond
	r.query("below", func(f *Frame, key string) (string, error) {
		for end := time.Now().Add(slow); time.Now().Before(end); {
		}
		return r.text(f, p, key)
	})
	r.query("above", func(f *Frame, key string) (string, error) {
		as, err := r.table.All(f, r.queries["below"], []string{key, key + "'"}, 0, nil)
		if err != nil {
			return "", err
		}
		s, err := r.get(f, "below", key+"''")
		return as[0].Value.(string) + s, err
	})
	r.want("above", "k", "")
	r.stored()
	of := r.queries["above"].Costs()
	above, load := of.Run, of.Load
	below := r.queries["below"].Costs().Run
	if below < slow || above <= 0 || load <= 0 {
		t.Errorf("above %v, below %v, loading %v", above, below, load)
	}
	if all := time.Duration(r.queries["above"].runMean.Load()); above > all-3*slow {
		t.Errorf("the query above is said to have taken %v itself, of %v in all", above, all)
	}
}

// What was brought back from the store is measured at the next Flush, so a process that need not
// run anything knows what loading takes, of each query.
func TestLoadsOfAProcessThatRunsNothingAreMeasured(t *testing.T) {
	r := newRig(t, 1, Options{})
	p := r.partition("p")
	queries := []string{"a", "b", "c", "d", "e", "f"} // more than one Flush looks at
	for _, name := range queries {
		r.query(name, func(f *Frame, key string) (string, error) { return r.text(f, p, key) })
	}
	r.put(p, "k", "text", "l", "text")
	all := func() {
		for _, name := range queries {
			r.want(name, "k", "text")
			r.want(name, "l", "text")
		}
	}
	all()
	r.end()
	r.newTable(Options{})
	all()
	r.flush()
	r.flush()
	for _, name := range queries {
		of := r.queries[name].Costs()
		if of.Load == 0 || of.Run != 0 || r.queries[name].Counts.Ran.Load() != 0 {
			t.Errorf("%s ran %d times in %v; loading takes %v", name, r.queries[name].Counts.Ran.Load(), of.Run, of.Load)
		}
	}
	if n := r.queries["a"].costs.loads.Load(); n != 1 {
		t.Errorf("%d loads of one query were tried between two flushes, want 1", n)
	}
}

// Explain says of a result that is in no store why that is so, and of others nothing.
func TestExplainSaysWhatIsNotStored(t *testing.T) {
	r := newRig(t, 1, Options{})
	r.table.cache.tinyMax = tinyBytes
	for _, name := range []string{"memory", "said", "measured", "stored"} {
		r.copies(name)
	}
	r.queries["memory"].MemoryOnly = true
	r.queries["said"].Cost = Cheap
	for range 10 {
		for _, name := range []string{"said", "measured"} {
			r.queries[name].ran(ranFor{own: time.Millisecond, known: true}, 0)
			r.queries[name].loaded(time.Hour, 0)
		}
	}
	r.put(r.partition("p"), "k", "text")
	for name, want := range map[string]string{
		"memory":   "ran: no earlier run is known; the result is not stored: the query's answers are in memory only",
		"said":     "ran: no earlier run is known; the result is not stored: the query is said to be quicker to compute than to load (",
		"measured": "ran: no earlier run is known; the result is not stored: computing one is measured to be quicker than loading one (",
		"stored":   "ran: no earlier run is known",
	} {
		r.want(name, "k", "text")
		why, _ := r.table.Explain(r.queries[name], "k")
		if got := why.String(); !strings.HasPrefix(got, want) || name == "stored" && got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	for range 60 {
		r.queries["measured"].ran(ranFor{own: 10 * time.Hour, known: true}, 0)
	}
	if why, _ := r.table.Explain(r.queries["measured"], "k"); !strings.HasSuffix(why.Unstored, "as it was when it ran") {
		t.Errorf("when it is not cheap any more: %s", why)
	}
}
