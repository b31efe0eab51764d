package memo

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime/db"
)

// forest defines "leaf", the text of a file, and "tree", the number of texts under a prefix that
// are not "", read one by one.
func (r *rig) forest(width int) (part db.PartID, put func(pairs ...string)) {
	part = r.partition("files")
	r.query("leaf", func(f *Frame, key string) (string, error) { return r.text(f, part, key) })
	r.query("tree", func(f *Frame, key string) (string, error) {
		n := 0
		for i := range width {
			s, err := r.get(f, "leaf", fmt.Sprint(key, i))
			if err != nil {
				return "", err
			}
			if s != "" {
				n++
			}
		}
		return fmt.Sprint(n), nil
	})
	r.query("top", func(f *Frame, _ string) (string, error) {
		var parts []string
		for _, key := range []string{"a", "b", "c"} {
			s, err := r.get(f, "tree", key)
			if err != nil {
				return "", err
			}
			parts = append(parts, s)
		}
		return strings.Join(parts, ","), nil
	})
	return part, func(pairs ...string) { r.put(part, pairs...) }
}

// all is what all queries counted: ran/validated/reused.
func (r *rig) all() string {
	var ran, validated, reused uint64
	for _, q := range r.queries {
		ran += q.Counts.Ran.Load()
		validated += q.Counts.Validated.Load()
		reused += q.Counts.Reused.Load()
	}
	return fmt.Sprintf("%d/%d/%d", ran, validated, reused)
}

// costs runs fn and compares what it made the queries do.
func (r *rig) costs(what, want string, fn func()) {
	r.t.Helper()
	if got := r.cost(fn); got != want {
		r.t.Errorf("%s: ran/validated/reused %s, want %s", what, got, want)
	}
}

// cost is how many answers ran, were validated and reused while fn went on.
func (r *rig) cost(fn func()) string {
	r.t.Helper()
	for _, q := range r.queries {
		q.Counts.Ran.Store(0)
		q.Counts.Validated.Store(0)
		q.Counts.Reused.Store(0)
	}
	fn()
	return r.all()
}

// Of 364 answers only those are looked at that rest on what changed.
func TestChangesAreTold(t *testing.T) {
	r := newRig(t, 1, Options{})
	_, put := r.forest(120)
	put("a0", "x", "b0", "x")
	r.want("top", "", "1,1,0")
	r.costs("a key that nothing reads", "0/0/1", func() { put("other", "x"); r.want("top", "", "1,1,0") })
	r.costs("equal result", "2/1/120", func() { put("a0", "y"); r.want("top", "", "1,1,0") })
	r.costs("a key that was absent", "3/0/123", func() { put("b7", "x"); r.want("top", "", "1,2,0") })
	r.costs("undo", "0/3/2", func() { put("b7", ""); r.want("top", "", "1,1,0") })
	r.costs("many commits, no question between", "0/3/2", func() {
		for range 10 {
			put("b7", "x")
		}
		r.want("top", "", "1,2,0")
	})
	r.costs("there and back between two questions", "0/3/0", func() { put("b7", ""); put("b7", "x"); r.want("top", "", "1,2,0") })
}

// A change is told to those who read of a range what changed, and to no others.
func TestRangesAreTold(t *testing.T) {
	r := newRig(t, 1, Options{})
	p := r.partition("files")
	ranged := func(name string, read func(f *Frame) (int, error)) {
		r.query(name, func(f *Frame, _ string) (string, error) {
			n, err := read(f)
			return fmt.Sprint(n), err
		})
	}
	scan := func(sp db.Span, glob string, withHashes bool) func(f *Frame) (int, error) {
		return func(f *Frame) (n int, err error) {
			err = f.Scan(p, sp, glob, withHashes, func(string, db.Hash) bool { n++; return true })
			return n, err
		}
	}
	ranged("empty", scan(db.Span{Lo: "x", Hi: "y"}, "", false))
	ranged("keys", scan(db.Span{Lo: "a", Hi: "b"}, "", false))
	ranged("records", scan(db.Span{Lo: "a", Hi: "b"}, "", true))
	ranged("page", scan(db.Span{Lo: "a", Limit: 2}, "", true))
	ranged("last", scan(db.Span{Reverse: true, Limit: 1}, "", true))
	ranged("glob", scan(db.Span{Lo: "a"}, "*.go", true))
	ranged("count", func(f *Frame) (int, error) { n, err := f.Count(p, "a", "", ""); return int(n), err })
	ranged("counted", func(f *Frame) (int, error) { n, err := f.Count(p, "a", "", "*.go"); return int(n), err })
	ranged("has", func(f *Frame) (int, error) { ok, err := f.Has(p, "a1"); return map[bool]int{true: 1}[ok], err })
	r.put(p, "a1", "1", "a3", "1", "a5", "1", "b.go", "1")
	told := func(want string, pairs ...string) {
		t.Helper()
		for name := range r.queries {
			if err := r.ask(name, "").Wait(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		r.put(p, pairs...)
		gen := r.db.Generation()
		var got []string
		r.table.catchUp(gen)
		for _, name := range []string{"empty", "keys", "records", "page", "last", "glob", "count", "counted", "has"} {
			if r.table.entry(r.queries[name], "").changed.Load() == gen {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: told %v, want %s", pairs, got, want)
		}
	}
	told("records page", "a1", "2")
	told("records page", "a3", "2")
	told("records", "a5", "2")
	told("keys records page count", "a2", "1")
	told("keys records count", "a4", "1")
	told("keys records page count has", "a1", "")
	told("last glob", "b.go", "2")
	told("last glob count counted", "c.go", "1")
	told("empty last count", "x", "1", "0", "1")
	told("empty last glob count counted", "x", "", "x.go", "1")
}

// An edit and its undo, an older snapshot between them.
func TestOlderGenerationsBesideMarks(t *testing.T) {
	r := newRig(t, 1, Options{})
	_, put := r.forest(3)
	put("a0", "x")
	r.want("top", "", "1,0,0")
	put("a1", "x")
	older := r.db.Snapshot()
	defer older.Release()
	put("a1", "")
	r.want("top", "", "1,0,0")
	for range 2 {
		h := r.task(context.Background(), func(f *Frame) error {
			f.strand.Snap = older
			if s, err := r.get(f, "top", ""); err != nil || s != "2,0,0" {
				t.Errorf("between: %q, %v", s, err)
			}
			return nil
		})
		if err := h.Wait(context.Background()); err != nil {
			t.Fatal(err)
		}
		r.want("top", "", "1,0,0")
	}
	r.costs("a key that nothing reads", "0/0/1", func() { put("other", "x"); r.want("top", "", "1,0,0") })
}

// What is forgotten is loaded, walked and linked again; what rests on it is walked once.
func TestForgottenAnswersAreLinkedAgain(t *testing.T) {
	r := newRig(t, 1, Options{})
	_, put := r.forest(3)
	put("a0", "x")
	r.want("top", "", "1,0,0")
	if err := r.table.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !r.table.evict(r.table.entry(r.queries["leaf"], "a0")) {
		t.Fatal("not evicted")
	}
	r.costs("forgotten below", "0/3/0", func() { put("other", "x"); r.want("top", "", "1,0,0") })
	r.costs("linked again", "0/0/1", func() { put("other", "y"); r.want("top", "", "1,0,0") })
	r.costs("told again", "3/0/6", func() { put("a0", ""); r.want("top", "", "0,0,0") })
}

// While what rests on a forgotten answer holds by stamps, it is linked to nothing.
func TestStampsDoNotLink(t *testing.T) {
	r := newRig(t, 1, Options{})
	_, put := r.forest(3)
	other := r.partition("other")
	put("a0", "x")
	r.want("top", "", "1,0,0")
	if err := r.table.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !r.table.evict(r.table.entry(r.queries["leaf"], "a0")) {
		t.Fatal("not evicted")
	}
	r.costs("by stamps", "0/0/1", func() { r.put(other, "k", "x"); r.want("top", "", "1,0,0") })
	put("a0", "")
	r.want("top", "", "0,0,0")
}

// After a restart stamps answer, the first walk links, and then changes are told.
func TestLinkingAfterARestart(t *testing.T) {
	r := newRig(t, 1, Options{})
	_, put := r.forest(3)
	other := r.partition("other")
	put("a0", "x")
	r.want("top", "", "1,0,0")
	if err := r.table.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	r.newTableAlone(Options{})
	r.costs("nothing changed", "0/0/1", func() { r.want("top", "", "1,0,0") })
	r.costs("another partition changed", "0/0/1", func() { r.put(other, "k", "x"); r.want("top", "", "1,0,0") })
	r.costs("the first change", "0/13/0", func() { put("nothing", "x"); r.want("top", "", "1,0,0") })
	r.costs("the second", "0/0/1", func() { put("nothing", "y"); r.want("top", "", "1,0,0") })
	r.costs("one that is read", "3/0/6", func() { put("a1", "x"); r.want("top", "", "2,0,0") })
}

// What stamps answer for is not loaded: what is above rests on its partitions, and is linked for
// the rest.
func TestStampsStandInForLinks(t *testing.T) {
	r := newRig(t, 1, Options{})
	_, put := r.forest(3)
	own := r.partition("own")
	r.query("both", func(f *Frame, _ string) (string, error) {
		s, err := r.get(f, "top", "")
		if err != nil {
			return "", err
		}
		mine, err := r.text(f, own, "k")
		return s + mine, err
	})
	put("a0", "x")
	r.want("both", "", "1,0,0")
	if err := r.table.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	r.newTableAlone(Options{})
	r.costs("an own key", "1/0/2", func() { r.put(own, "k", "!"); r.want("both", "", "1,0,0!") })
	r.costs("no own key", "0/0/1", func() { r.put(own, "j", "!"); r.want("both", "", "1,0,0!") })
	if n := r.table.Entries(); n != 2 {
		t.Errorf("%d keys in memory, want 2", n)
	}
	// The walk passes over the read of top, and the interval that it makes rests on stamps as well.
	r.costs("an own key there and back", "0/1/0", func() {
		r.put(own, "k", "?")
		r.put(own, "k", "!")
		r.want("both", "", "1,0,0!")
	})
	r.costs("what stamps answered for", "4/10/5", func() { put("a1", "x"); r.want("both", "", "2,0,0!") })
	r.costs("linked now", "0/0/1", func() { put("other", "x"); r.want("both", "", "2,0,0!") })
}

// More changes than the journal holds, and changes without a list: all is walked once.
func TestOverflowOfChanges(t *testing.T) {
	r := newRig(t, 1, Options{})
	part, put := r.forest(3)
	put("a0", "x")
	r.want("top", "", "1,0,0")
	pairs := make([]string, 0, 2*changesQueued+2)
	for i := range changesQueued + 1 {
		pairs = append(pairs, fmt.Sprint("many", i), "x")
	}
	r.costs("a large commit", "0/13/0", func() { put(pairs...); r.want("top", "", "1,0,0") })
	r.costs("a small one", "0/0/1", func() { put("other", "x"); r.want("top", "", "1,0,0") })
	if err := r.db.Reset(context.Background(), part); err != nil {
		t.Fatal(err)
	}
	r.want("top", "", "0,0,0")
}

// Nodes that nothing reads any more are taken out, and those that are read stay.
func TestSweepOfNodes(t *testing.T) {
	r := newRig(t, 1, Options{TraceBytes: 1})
	p := r.partition("files")
	r.query("leaf", func(f *Frame, key string) (string, error) { return r.text(f, p, key) })
	r.query("range", func(f *Frame, key string) (string, error) {
		n, err := f.Count(p, key, key+"\xff", "")
		return fmt.Sprint(n), err
	})
	r.put(p, "k", "1")
	for i := range 3000 {
		r.ask("leaf", fmt.Sprint(i)).Wait(context.Background())
		r.ask("range", fmt.Sprint(i)).Wait(context.Background())
	}
	for range 2 { // the first only takes notice of what was not used since
		if err := r.table.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		r.want("leaf", "k", "1")
		r.want("range", "k", "1")
	}
	if n, entries := r.table.nodes.made.Load(), r.table.Entries(); n > 1100 || entries > 1100 {
		t.Errorf("%d nodes and %d entries are left", n, entries)
	}
	r.put(p, "k", "2", "k2", "1")
	r.want("leaf", "k", "2")
	r.want("range", "k", "2")
}

// A list of dependents does not grow with the runs of the one that is in it.
func TestDependentsDoNotRepeat(t *testing.T) {
	r := newRig(t, 1, Options{})
	_, put := r.forest(3)
	order := r.partition("order")
	r.query("shuffled", func(f *Frame, _ string) (string, error) {
		keys, err := r.text(f, order, "keys")
		for _, key := range strings.Fields(keys) {
			if err == nil {
				_, err = r.get(f, "leaf", key)
			}
		}
		return keys, err
	})
	for i := range 400 {
		put("a0", fmt.Sprint(i))
		keys := fmt.Sprintf("a0 x%d a1 y%d a2", i, i)
		if i%2 == 0 {
			keys = fmt.Sprintf("a2 a1 z%d a0", i)
		}
		r.put(order, "keys", keys)
		r.want("shuffled", "", keys)
		r.want("tree", "a", "1")
	}
	for i := range 3 {
		e := r.table.entry(r.queries["leaf"], fmt.Sprint("a", i))
		if n := e.count(); n > manyDependents {
			t.Errorf("a%d has %d dependents, which are two entries", i, n)
		}
	}
}

// A read is passed over by what the interval was linked to. What is there since may have been
// linked in an older generation, for other reads.
func TestPassingOverGoesByTheOwnLinks(t *testing.T) {
	r := newRig(t, 1, Options{})
	p := r.partition("files")
	r.query("pick", func(f *Frame, _ string) (string, error) {
		which, err := r.text(f, p, "which")
		if err != nil || which == "none" {
			return "", err
		}
		return r.text(f, p, which)
	})
	r.query("above", func(f *Frame, _ string) (string, error) { return r.get(f, "pick", "") })
	r.put(p, "which", "none")
	older := r.db.Snapshot()
	defer older.Release()
	r.put(p, "which", "a")
	r.want("above", "", "")
	if err := r.table.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !r.table.evict(r.table.entry(r.queries["pick"], "")) {
		t.Fatal("not evicted")
	}
	h := r.task(context.Background(), func(f *Frame) error {
		f.strand.Snap = older
		s, err := r.get(f, "above", "")
		if s != "" {
			t.Errorf("in the older generation: %q", s)
		}
		return err
	})
	if err := h.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	r.put(p, "a", "text")
	r.want("above", "", "text")
}
