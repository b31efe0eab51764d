package index

import (
	"bytes"
	"testing"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// TestContenders loads every map and runs every case on it twice, so that versions move on.
func TestContenders(t *testing.T) {
	d := newData(&compare.Env{Seed: 7, Logf: t.Logf}, 1000)
	for _, k := range makers {
		t.Run(k.name, func(t *testing.T) {
			if k.skip != "" {
				t.Skip(k.skip)
			}
			l, err := load(t.Context(), k, t.TempDir(), d)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range []measure{getFirst, get, scan, take(10), commit(7), update(250), update(30), commit(9), scan} {
				if _, err := m(l); err != nil {
					t.Error(err)
				}
			}
			if k.beside {
				if _, err := beside(500)(l); err != nil {
					t.Error(err)
				}
			}
			if err := l.checkGroups(0, d.groups()); err != nil {
				t.Error(err)
			}
			if err := l.c.close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestCheckNotices checks that a map whose snapshots see later commits does not pass.
func TestCheckNotices(t *testing.T) {
	d := newData(&compare.Env{Seed: 7, Logf: t.Logf}, 1000)
	leaky := maker{name: "leaky", open: openTidwall}
	l, err := load(t.Context(), leaky, "", d)
	if err != nil {
		t.Fatal(err)
	}
	l.c = inPlace{l.c.(*tidwallTree)}
	if _, err := commit(3)(l); err == nil {
		t.Error("a commit that shows in an older snapshot was not noticed")
	}
}

// inPlace changes the tree that its snapshots read.
type inPlace struct{ *tidwallTree }

func (c inPlace) commit(edits []entry) error {
	for i := range edits {
		c.t.Set(pair{edits[i].key, edits[i].name})
	}
	return nil
}

func (c inPlace) snapshot() (snapshot, error) { return tidwallSnapshot{c.t}, nil }

func TestKeyOrder(t *testing.T) {
	d := newData(&compare.Env{Seed: 3}, 300)
	for i := range d.entries {
		for j := range d.entries {
			a, b := &d.entries[i].key, &d.entries[j].key
			if got, want := a.less(b), bytes.Compare(a[:], b[:]) < 0; got != want {
				t.Fatalf("%x less %x = %v", *a, *b, got)
			}
		}
	}
}
