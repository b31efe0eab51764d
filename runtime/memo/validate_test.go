package memo

import (
	"context"
	"slices"
	"strings"
	"testing"
)

// upper and length: two queries over one partition, where the second cuts off.
func (r *rig) ladder() (put func(pairs ...string)) {
	p := r.partition("files")
	r.query("upper", func(f *Frame, key string) (string, error) {
		s, err := r.text(f, p, key)
		return strings.ToUpper(s), err
	})
	r.query("length", func(f *Frame, key string) (string, error) {
		s, err := r.get(f, "upper", key)
		return strings.Repeat("x", len(s)), err
	})
	return func(pairs ...string) { r.put(p, pairs...) }
}

func TestFirstDifferenceEndsTheWalk(t *testing.T) {
	r := newRig(t, 1, Options{})
	p := r.partition("files")
	r.query("of", func(f *Frame, key string) (string, error) { return r.text(f, p, key) })
	r.query("list", func(f *Frame, _ string) (string, error) {
		names, err := r.text(f, p, "names")
		if err != nil {
			return "", err
		}
		var parts []string
		for _, name := range strings.Fields(names) {
			s, err := r.get(f, "of", name)
			if err != nil {
				return "", err
			}
			parts = append(parts, s)
		}
		return strings.Join(parts, ","), nil
	})
	r.put(p, "names", "a b c", "a", "1", "b", "2", "c", "3")
	r.want("list", "", "1,2,3")
	r.put(p, "a", "one", "b", "two", "c", "three", "names", "a")
	r.want("list", "", "one")
	// The list of names differs and was read first: b and c were not even looked at, as they may
	// make no sense any more.
	if got := r.counted("of"); got != "4/0/0" {
		t.Errorf("of ran/validated/reused %s, want 4/0/0: a, b, c and then a again", got)
	}
	e := r.table.entry(r.queries["list"], "")
	if e.reason().Verdict != RanChanged || e.reason().Read != `files["names"]` {
		t.Errorf("why: %v", e.reason())
	}
	// A difference in the middle: what comes before is verified, what comes after is not, by the
	// walk; the run reads it then.
	r.put(p, "names", "a b c")
	r.want("list", "", "one,two,three")
	r.put(p, "b", "zwei")
	r.want("list", "", "one,zwei,three")
	if _, reads := r.table.Explain(r.queries["list"], ""); !slices.Equal(reads, []string{`files["names"]`, "of(a)", "of(b)", "of(c)"}) {
		t.Errorf("reads %q", reads)
	}
}

func TestEqualResultCutsOff(t *testing.T) {
	r := newRig(t, 1, Options{})
	put := r.ladder()
	put("k", "abc")
	r.want("length", "k", "xxx")
	put("k", "ABC") // equal after upper
	r.want("length", "k", "xxx")
	if u, l := r.counted("upper"), r.counted("length"); u != "2/0/0" || l != "1/1/0" {
		t.Errorf("upper %s, length %s; want 2/0/0 and 1/1/0", u, l)
	}
	put("k", "xyz") // equal after length
	r.want("length", "k", "xxx")
	if u, l := r.counted("upper"), r.counted("length"); u != "3/0/1" || l != "2/1/0" {
		t.Errorf("upper %s, length %s; want 3/0/1 (the run reads it after the walk) and 2/1/0", u, l)
	}
}

// As many versions as traces are kept can be gone back to without a run, and not one more.
func TestSeveralTracesAndUndo(t *testing.T) {
	r := newRig(t, 1, Options{})
	put := r.ladder()
	var texts []string
	for i := range tracesKept {
		texts = append(texts, strings.Repeat("t", i+1))
	}
	for _, s := range texts {
		put("k", s)
		r.want("upper", "k", strings.ToUpper(s))
	}
	ran := r.queries["upper"].Counts.Ran.Load()
	for range 3 {
		for _, s := range texts {
			put("k", s)
			r.want("upper", "k", strings.ToUpper(s))
		}
	}
	if n := r.queries["upper"].Counts.Ran.Load() - ran; n != 0 {
		t.Errorf("going back ran %d times", n)
	}
	put("k", "one more")
	r.want("upper", "k", "ONE MORE")
	put("k", texts[0]) // the one that was used longest ago
	r.want("upper", "k", strings.ToUpper(texts[0]))
	if n := r.queries["upper"].Counts.Ran.Load() - ran; n != 2 {
		t.Errorf("ran %d times, want 2: the new one, and the forgotten one", n)
	}
	if n := len(r.table.entry(r.queries["upper"], "k").appendTraces(nil)); n != tracesKept {
		t.Errorf("%d traces are kept, want %d", n, tracesKept)
	}
}

// Commits of what a query did not read, itself or below, cost no walk; a commit of what it did read
// costs one.
func TestOnlyWhatWasReadIsWalked(t *testing.T) {
	r := newRig(t, 1, Options{})
	put := r.ladder()
	other := r.partition("other")
	put("k", "abc")
	r.want("length", "k", "xxx")
	for i := range 5 {
		r.put(other, "k", strings.Repeat("o", i+1))
		r.want("length", "k", "xxx")
	}
	if u, l := r.counted("upper"), r.counted("length"); u != "1/0/0" || l != "1/0/5" {
		t.Errorf("upper %s, length %s; want 1/0/0 and 1/0/5", u, l)
	}
	put("j", "elsewhere")
	r.want("length", "k", "xxx")
	if u, l := r.counted("upper"), r.counted("length"); u != "1/0/0" || l != "1/0/6" {
		t.Errorf("after a commit of another key: upper %s, length %s; want 1/0/0 and 1/0/6", u, l)
	}
	put("k", "abd")
	r.want("length", "k", "xxx")
	if u, l := r.counted("upper"), r.counted("length"); u != "2/0/1" || l != "2/0/6" {
		t.Errorf("after a commit to what was read: upper %s, length %s; want 2/0/1 (the run reads it after the walk) and 2/0/6", u, l)
	}
}

// A trace that holds at both ends of an edit and its undo does not hold between them.
func TestIntervalsDoNotSpanAnUndo(t *testing.T) {
	r := newRig(t, 1, Options{})
	put := r.ladder()
	put("k", "a")
	r.want("upper", "k", "A")
	put("k", "b")
	between := r.db.Snapshot()
	defer between.Release()
	put("k", "a")
	r.want("upper", "k", "A")
	h := r.task(context.Background(), func(f *Frame) error {
		f.strand.Snap = between
		if s, err := r.get(f, "upper", "k"); err != nil || s != "B" {
			t.Errorf("between: %q, %v", s, err)
		}
		return nil
	})
	if err := h.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// What was flushed answers in a new table without a run, and without a walk where nothing changed.
func TestFlushedTracesAnswerInANewTable(t *testing.T) {
	r := newRig(t, 1, Options{})
	put := r.ladder()
	put("k", "abc", "j", "defg")
	r.want("length", "k", "xxx")
	r.want("length", "j", "xxxx")
	if n := r.table.Dirty(); n != 4 {
		t.Errorf("%d keys are dirty, want 4", n)
	}
	if err := r.table.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	r.newTableAlone(Options{})
	r.want("length", "k", "xxx")
	if l := r.counted("length"); l != "0/0/1" {
		t.Errorf("length ran/validated/reused %s, want 0/0/1", l)
	}
	put("j", "GH")
	r.want("length", "k", "xxx")
	r.want("length", "j", "xx")
	if u, l := r.counted("upper"), r.counted("length"); u != "1/1/1" || l != "1/1/1" {
		t.Errorf("upper %s, length %s; want 1/1/1 and 1/1/1", u, l)
	}
}

// To say that a read of a query differed costs no more than to write its key: each run after a
// change says so.
func TestReasonOfARunLooksForNoPartition(t *testing.T) {
	r := newRig(t, 1, Options{})
	q := r.queries[r.query("q", func(f *Frame, key string) (string, error) { return key, nil })]
	about := read{kind: readQuery, about: q.about, key: "k"}
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	var text, want string
	shown := testing.AllocsPerRun(100, func() { want = q.show("k") })
	got := testing.AllocsPerRun(100, func() { text = r.table.describe(&about) })
	if text != want || got > shown {
		t.Errorf("%q in %v allocations, and %q in %v to write the key", text, got, want, shown)
	}
}
