package memo

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// aside reads a part of a table in a whole that is read unrecorded, and records that part, or
// another.
func (r *rig) aside(f *Frame, query, key, name, recorded string) (v string, err error) {
	f.Unrecorded(func() {
		var a Answer
		if a, err = r.table.Get(f, r.queries[query], key); err == nil {
			v = "absent"
			for _, word := range strings.Fields(a.Value.(*testTable).String()) {
				if is, value, _ := strings.Cut(word, "="); is == name {
					v = value
				}
			}
		}
	})
	if err == nil {
		_, err = r.part(f, query, key, recorded)
	}
	return v, err
}

// What works on a whole table depends on what it records of it, and fails and is not kept as what
// reads it does.
func TestUnrecorded(t *testing.T) {
	w := newWords(t, newRig(t, 1, Options{}))
	w.query("aside", func(f *Frame, key string) (string, error) { return w.aside(f, "words", key, "a", "a") })
	ran := &w.queries["aside"].Counts.Ran
	for _, step := range []struct {
		text, want string
		ran        uint64
	}{
		{"a=1 b=1", "1", 1},
		{"a=1 b=2", "1", 1},
		{"b=2 c=1", "absent", 2},
		{"c=1 d=1", "absent", 2},
		{"a=1 b=3", "1", 2}, // has a trace of that
		{"a=3 taint", "3", 3},
		{"a=3 b=1 taint", "3", 4}, // what is tainted is computed again
		{"a=3", "3", 5},
	} {
		w.put(step.text)
		w.want("aside", "k", step.want)
		if n := ran.Load(); n != step.ran {
			t.Errorf("with %q it has run %d times, want %d", step.text, n, step.ran)
		}
	}
	w.put("fail")
	if err := w.ask("aside", "k").Wait(context.Background()); !errors.Is(err, errWhy) {
		t.Errorf("what fails below gives %v", err)
	}
	w.put("a=4")
	w.want("aside", "k", "4")
}

// What depends on more than it has recorded is found by an audit.
func TestUnrecordedIsAudited(t *testing.T) {
	for _, honest := range []bool{true, false} {
		w := newWords(t, newRig(t, 1, Options{AuditShare: 1}))
		w.query("aside", func(f *Frame, key string) (string, error) {
			name := "a"
			if !honest {
				name = "b"
			}
			return w.aside(f, "words", key, name, "a")
		})
		w.put("a=1 b=1")
		w.want("aside", "k", "1")
		w.put("a=1 b=2")
		w.want("aside", "k", "1")
		w.audit()
		found := w.table.Impurities()
		if honest != (len(found) == 0) {
			t.Errorf("honest: %v, found %+v", honest, found)
		}
		if !honest && (found[0].Query != "aside" || found[0].Kept != "1" || found[0].Now != "2") {
			t.Errorf("found %+v", found)
		}
	}
}

// A provisional value that is read unrecorded is none that something may be kept for.
func TestUnrecordedInACycle(t *testing.T) {
	r := newRig(t, 1, Options{})
	p := r.partition("letters")
	r.fixed("set", 10, func(f *Frame, key string) (_ string, err error) {
		own, err := r.text(f, p, key)
		other := map[string]string{"x": "y", "y": "z", "z": "x"}[key]
		var below string
		f.Unrecorded(func() {
			if err == nil {
				below, err = r.get(f, "set", other)
			}
		})
		return letters(own, below), err
	})
	r.put(p, "x", "a", "y", "b", "z", "c")
	for _, key := range []string{"y", "x", "z"} {
		r.want("set", key, "abc")
	}
}

// Of many keys that are asked for at once and unrecorded, no batch is remembered, and none of the
// run before is taken over.
func TestUnrecordedAll(t *testing.T) {
	w := newWords(t, newRig(t, 1, Options{}))
	keys := []string{"k", "l", "m"}
	w.query("aside", func(f *Frame, key string) (v string, err error) {
		f.Unrecorded(func() {
			if _, remembers := f.ReadsSoFar(); remembers {
				t.Error("it would remember")
			}
			if w.table.Repeat(f, w.queries["words"]) != nil {
				t.Error("it would take over")
			}
			var as []Answer
			if as, err = w.table.All(f, w.queries["words"], keys, 2, w.spawner(f)); err != nil {
				return
			}
			for _, a := range as {
				v += a.Value.(*testTable).String() + ";"
			}
		})
		if err == nil {
			_, err = w.part(f, "words", "k", "a")
		}
		return v, err
	})
	w.put("a=1")
	w.want("aside", "k", "a=1;;;")
	if n := len(w.queries["aside"].entry("k").traces.reads); n != 1 {
		t.Errorf("%d reads are recorded", n)
	}
}
