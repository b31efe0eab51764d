package memo

import (
	"fmt"
	"strings"
	"testing"
)

// What rests on an answer that much rests on, and that stays as it is, is not walked after the
// first change below it, and all of it is where the answer does not stay.
func TestMarksStopAtWalls(t *testing.T) {
	const readers = 100
	r := newRig(t, 1, Options{})
	part := r.partition("files")
	r.query("hub", func(f *Frame, _ string) (string, error) {
		s, err := r.text(f, part, "list")
		return strings.ToUpper(s), err
	})
	r.query("reader", func(f *Frame, key string) (string, error) {
		s, err := r.get(f, "hub", "")
		return key + s, err
	})
	r.query("top", func(f *Frame, key string) (string, error) { return r.get(f, "reader", key) })
	all := func(want string) {
		for i := range readers {
			r.want("top", fmt.Sprint(i), fmt.Sprint(i, want))
		}
	}
	put := func(s string) { r.put(part, "list", s) }
	put("one")
	r.costs("first", "201/0/99", func() { all("ONE") })
	r.costs("marked, and a wall from now on", "1/200/99", func() { put("ONE"); all("ONE") })
	r.costs("equal again", "1/2/99", func() { put("onE"); all("ONE") })
	r.costs("an undo", "0/3/99", func() { put("ONE"); all("ONE") })
	r.costs("a key that nothing reads", "0/0/100", func() { r.put(part, "other", "x"); all("ONE") })
	r.costs("unequal", "201/0/299", func() { put("two"); all("TWO") })
	r.costs("equal", "1/2/99", func() { put("TWO"); all("TWO") })
	r.costs("back to what was", "1/200/299", func() { put("one"); all("ONE") })
	r.newTable(Options{}) // a restart
	all("ONE")
	put("One")
	all("ONE")
	r.costs("equal, after a restart", "1/2/99", func() { put("oNe"); all("ONE") })
}

// A bit stands for one key for ever, and there are as many as there are.
func TestThereAreSoManyWalls(t *testing.T) {
	r := newRig(t, 1, Options{WallFrom: 1})
	part := r.partition("files")
	r.query("hub", func(f *Frame, key string) (string, error) { return r.text(f, part, key) })
	r.query("reader", func(f *Frame, key string) (string, error) { return r.get(f, "hub", key) })
	for round := range 3 {
		for i := range wallsMost + 6 {
			key := fmt.Sprint(i)
			for _, s := range []string{"a", "b", "b", "c"} {
				r.put(part, key, s+fmt.Sprint(round))
				r.want("reader", key, s+fmt.Sprint(round))
			}
		}
		var set wallSet
		for i := range r.table.walls.at {
			if w := r.table.walls.at[i].Load(); w != nil {
				set |= w.bit
			}
		}
		if set != ^wallSet(0) || len(r.table.walls.keys) != wallsMost {
			t.Errorf("round %d: walls %b of %d keys", round, set, len(r.table.walls.keys))
		}
	}
}

// A key that is forgotten and becomes a wall again has the bit that it had, so keys that come and
// go do not use the bits up.
func TestForgottenWallHasItsBitAgain(t *testing.T) {
	r := newRig(t, 1, Options{WallFrom: 1, TraceBytes: 1})
	part := r.partition("files")
	r.query("hub", func(f *Frame, key string) (string, error) { return r.text(f, part, key) })
	r.query("reader", func(f *Frame, key string) (string, error) { return r.get(f, "hub", key) })
	bits, forgotten := map[string]wallSet{}, 0
	for round := range 5 {
		for _, key := range []string{"a", "b", "c"} {
			for _, s := range []string{"x", "y", "z"} {
				r.put(part, key, s+fmt.Sprint(round))
				r.want("reader", key, s+fmt.Sprint(round))
			}
			w := r.table.entry(r.queries["hub"], key).wall()
			if w == nil || round > 0 && w.bit != bits[key] {
				t.Fatalf("round %d: %s is %+v, and had bit %b", round, key, w, bits[key])
			}
			bits[key] = w.bit
		}
		for range 3 { // the clock forgives what was used once
			r.flush()
		}
		for key := range bits {
			if r.queries["hub"].entry(key) == nil {
				forgotten++
			}
		}
	}
	if forgotten == 0 || len(r.table.walls.keys) != len(bits) {
		t.Errorf("%d times a wall was forgotten; %d keys have bits", forgotten, len(r.table.walls.keys))
	}
}
