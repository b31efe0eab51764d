package store

import (
	"testing"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// TestContenders loads every store, with and without sync, reads everything back, and looks for
// what is not there.
func TestContenders(t *testing.T) {
	env := &compare.Env{Seed: 7, Dir: t.TempDir(), Logf: t.Logf}
	d := newData(env, 3*batch/2)
	for _, m := range makers {
		for _, sync := range []bool{false, true} {
			if sync && !m.durable {
				continue
			}
			name := m.name
			if sync {
				name += "/sync"
			}
			t.Run(name, func(t *testing.T) {
				if m.skip != "" {
					t.Skip(m.skip)
				}
				c, err := m.open(t.Context(), t.TempDir(), len(d.records), sync)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := load(c, d.records); err != nil {
					t.Fatal(err)
				}
				l := &loaded{c: c}
				for i := range l.readers {
					if l.readers[i], err = c.reader(); err != nil {
						t.Fatal(err)
					}
				}
				for _, ms := range []measure{
					uniform(d, 1, readAll), uniform(d, 2, readAll), uniform(d, 2, readGroups), hot(d), absent(d, 1), absent(d, 2),
				} {
					if _, err := ms(l); err != nil {
						t.Error(err)
					}
				}
				if err := spotCheck(c, d.records); err != nil {
					t.Error(err)
				}
				for _, r := range l.readers {
					if err := r.close(); err != nil {
						t.Error(err)
					}
				}
				if err := c.close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestCheckNotices checks that a store that has lost a record does not pass.
func TestCheckNotices(t *testing.T) {
	env := &compare.Env{Seed: 7, Logf: t.Logf}
	d := newData(env, 100)
	c, err := openMap(t.Context(), "", 100, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := load(c, d.records[:99]); err != nil {
		t.Fatal(err)
	}
	r, err := c.reader()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := uniform(d, 1, readAll)(&loaded{c: c, readers: [2]reader{r, r}}); err == nil {
		t.Error("a lost record was not noticed")
	}
}
