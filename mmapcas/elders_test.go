package mmapcas

import (
	"errors"
	"testing"
)

// A short cycle frees what was put since the last one and is not marked, neither traces nor frees
// what was there then, and tells which of that was put again. It needs a cycle before it after
// which all that is needed was there.
func TestShortCycle(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		s := mustOpen(t, dir, o)
		defer s.Close()
		put := func(text string) Hash {
			t.Helper()
			h, _, err := s.Put(1, []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
		begin := func(begin func() (*Cycle, error), marked ...Hash) *Cycle {
			t.Helper()
			c, err := begin()
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range marked {
				if _, err := c.Mark(h); err != nil {
					t.Fatal(err)
				}
			}
			return c
		}
		if _, err := s.BeginShortCycle(); !errors.Is(err, ErrNoElders) {
			t.Fatalf("a short cycle with none before it: %v", err)
		}
		a, b, gone := put("a"), put("b"), put("gone")
		for _, whole := range []bool{false, true} {
			c := begin(s.BeginCycle, a, b)
			c.Whole(whole)
			sweepAll(t, c)
			if s.HasElders() != whole {
				t.Fatalf("after a cycle that says %t of all that is needed there are elders: %t", whole, !whole)
			}
		}
		for range 3 { // what a short cycle leaves is elder for the next
			fresh, dead := put("fresh"), put("dead")
			if again := put("a"); again != a {
				t.Fatal("another name")
			}
			c := begin(s.BeginShortCycle, fresh)
			if first, err := c.Mark(a); first || err != nil {
				t.Errorf("an elder is to be traced: %t, %v", first, err)
			}
			put("b")
			for _, want := range []struct {
				h    Hash
				is   Colour
				name string
			}{{a, Elder, "a"}, {b, Elder, "b"}, {fresh, Marked, "fresh"}, {dead, White, "dead"}, {gone, Absent, "gone"}} {
				// What was put again is kept either way; fresh is an elder from the second round
				// on.
				if is, err := c.Colour(want.h); err != nil || is != want.is && (is != Elder || want.h != fresh) && (is != Marked || want.h != b) {
					t.Errorf("%s is %v, %v, want %v", want.name, is, err, want.is)
				}
			}
			again := map[Hash]bool{}
			for _, h := range append(c.Again(), c.Shaded()...) {
				again[h] = true
			}
			if !again[a] || !again[b] || again[dead] {
				t.Errorf("put again are %v, want %v and %v", again, a, b)
			}
			c.Whole(true)
			if st := sweepAll(t, c); st.Dropped != 1 || s.Has(dead) || !s.Has(fresh) || !s.Has(a) || !s.Has(b) {
				t.Errorf("%d records were dropped, want the one that nothing marked", st.Dropped)
			}
		}
		collectAllOf := begin(s.BeginCycle, a)
		if s.HasElders() {
			t.Error("there are elders while a cycle of everything goes on")
		}
		collectAllOf.Whole(true)
		if sweepAll(t, collectAllOf); s.Has(b) {
			t.Error("an elder outlives a cycle of everything that did not mark it")
		}
	})
}
