package memo

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
)

// A tiny result is in no record of the store, comes back with its trace, cuts off, and is read by
// others; a longer one is in the store.
func TestTinyResults(t *testing.T) {
	for length := range tinyMost + 3 {
		r := newRig(t, 1, Options{})
		r.keepsTiny = length%2 == 0
		texts := r.partition("texts")
		r.query("first", func(f *Frame, key string) (string, error) {
			s, err := r.text(f, texts, key)
			return s[:min(len(s), length)], err
		})
		r.query("above", func(f *Frame, key string) (string, error) {
			s, err := r.get(f, "first", key)
			return "above " + s, err
		})
		r.put(texts, "k", "some text of a key")
		want := "some text of a key"[:length]
		r.want("above", "k", "above "+want)
		if err := r.table.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		if there := r.store.Has(mmapcas.HashOf(kindTest, []byte(want))); there != (length > tinyMost) {
			t.Errorf("a result of %d bytes is in the store: %t", length, there)
		}
		name := resultName(kindTest, []byte(want))
		if isTiny(name) != (length <= tinyMost) {
			t.Fatalf("%d bytes have the name %v", length, name)
		}
		if refs := Refs(KindTrace, r.traceRecord("first", "k")); len(refs) != 0 && isTiny(name) {
			t.Errorf("the collector is told of %v", refs)
		}
		r.newTable(Options{})
		r.put(texts, "other", "x")
		r.want("first", "k", want)
		r.want("above", "k", "above "+want)
		r.put(texts, "k", "some text of a key, changed")
		r.want("above", "k", "above "+want)
		if ran, above := r.queries["first"].Counts.Ran.Load(), r.queries["above"].Counts.Ran.Load(); ran != 1 || above != 0 {
			t.Errorf("%d bytes: ran %d times after a restart and a change, and what is above %d times", length, ran, above)
		}
	}
}

// traceRecord returns what is stored of the traces of a key.
func (r *rig) traceRecord(query, key string) (payload []byte) {
	r.t.Helper()
	h, ok, err := r.db.Latest(r.table.part, storeKey(r.queries[query], key))
	if err == nil && ok {
		payload, _, err = r.store.Get(h, nil)
	}
	if !ok || err != nil {
		r.t.Fatalf("the stored traces of %s(%s): %t, %v", query, key, ok, err)
	}
	return payload
}

// Tiny results and their names are one to one, and a name of another form is none.
func TestNamesOfTinyResults(t *testing.T) {
	seen := map[mmapcas.Hash]string{}
	for n := range tinyMost + 1 {
		for _, c := range []string{"\x00", "\x01", "a", "\xff"} {
			for _, kind := range []mmapcas.Kind{1, 35, 255} {
				payload := strings.Repeat(c, n)
				what := fmt.Sprintf("%d %q", kind, payload)
				h := resultName(kind, []byte(payload))
				if other, there := seen[h]; there && other != what {
					t.Errorf("%s and %s have the name %v", what, other, h)
				}
				seen[h] = what
				if !isTiny(h) || h.IsZero() {
					t.Errorf("%s: %v is not the name of a tiny result", what, h)
				}
				if k, p := tiny(&h); k != kind || string(p) != payload {
					t.Errorf("%s comes back as %d %q", what, k, p)
				}
			}
		}
	}
	for _, h := range []mmapcas.Hash{{}, {tinyMost + 2}, {1, 1, 0, 1}, {tinyMost + 1, 15: 1}} {
		if isTiny(h) {
			t.Errorf("%v counts as the name of a tiny result", h)
		}
	}
}
