package index

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// A steps is one shard moved by one goroutine: calls of several threads, cut where they let go of
// the table, in an order that a seed gives. The steps themselves are those of the product.
type steps struct {
	t     *testing.T
	r     *indexRig
	s     *shard
	names []record.Hash
	truth map[record.Hash]arena.Addr

	frozen, grown *table // of the growth under way
	// early: the grower copies the entries before it freezes the table.
	early bool
	lost  string // what went wrong, "" if nothing did
}

// A call has loaded a table and knows what has been right since.
type call struct {
	name  int
	table *table
	right []arena.Addr
	put   arena.Addr // Nil for a lookup
}

func (w *steps) begin(name int, put arena.Addr) *call {
	return &call{name: name, table: w.s.table.Load(), right: []arena.Addr{w.truth[w.names[name]]}, put: put}
}

// becomes tells the calls under way that a name has another address.
func (w *steps) becomes(calls []*call, name int, at arena.Addr) {
	w.truth[w.names[name]] = at
	for _, c := range calls {
		if c.name == name {
			c.right = append(c.right, at)
		}
	}
}

// goOn takes a call on, and reports whether it has ended.
func (w *steps) goOn(c *call, calls []*call) bool {
	k := KeyOf(&w.names[c.name])
	if c.put == arena.Nil {
		if at := w.r.findIn(c.table, k); !slices.Contains(c.right, at) {
			w.lost = "a lookup is told what was not so while it asked"
		}
		return true
	}
	existing, done := w.r.tryInsert(c.table, k, c.put)
	switch {
	case !done:
		// Insert waits for the shard's mutex here, and so for the growth to end.
		if w.frozen == nil {
			c.table = w.s.table.Load()
		}
		return false
	case existing != arena.Nil:
		if !slices.Contains(c.right, existing) {
			w.lost = "a put finds what was not there"
		}
	default:
		if w.truth[w.names[c.name]] != arena.Nil {
			w.lost = "a name has two entries"
		}
		c.table.used.Add(1)
		w.becomes(calls, c.name, c.put)
	}
	return true
}

// growOn is one step of a growth.
func (w *steps) growOn() {
	copyEntries := func(t *table) {
		n, err := w.r.rehash(t)
		if err != nil {
			w.t.Fatal(err)
		}
		w.grown = n
	}
	switch {
	case w.frozen == nil:
		w.frozen = w.s.table.Load()
		if w.early {
			copyEntries(w.frozen)
		} else {
			w.frozen.freeze()
		}
	case w.early:
		w.frozen.freeze()
		w.s.table.Store(w.grown)
		w.frozen, w.grown = nil, nil
	case w.grown == nil:
		copyEntries(w.frozen)
	default:
		w.s.table.Store(w.grown)
		w.frozen, w.grown = nil, nil
	}
}

// run makes steps until one goes wrong, or all are done.
func (w *steps) run(rng *rand.Rand, n int) {
	var calls []*call
	for range n {
		switch x := rng.IntN(10); {
		case x < 2 && len(calls) < 6:
			calls = append(calls, w.begin(rng.IntN(len(w.names)), arena.Nil))
		case x < 4 && len(calls) < 6:
			name := rng.IntN(len(w.names))
			calls = append(calls, w.begin(name, w.r.record(w.names[name])))
		case x < 5 && rng.IntN(4) == 0:
			w.growOn()
		case x < 6 && w.frozen == nil: // a change holds the mutex, as the grower does
			name := rng.IntN(len(w.names))
			from, to := w.truth[w.names[name]], arena.Nil
			if from == arena.Nil {
				continue
			}
			if rng.IntN(2) == 0 {
				to = w.r.record(w.names[name])
			}
			if !w.r.changeIn(w.s.table.Load(), KeyOf(&w.names[name]), from, to) {
				w.lost = "the entry to be changed is not there"
			}
			w.becomes(calls, name, to)
		case len(calls) > 0:
			i := rng.IntN(len(calls))
			if w.goOn(calls[i], calls) {
				calls = slices.Delete(calls, i, i+1)
			}
		}
		if w.lost != "" {
			return
		}
	}
}

func newSteps(t *testing.T, names int) *steps {
	w := &steps{t: t, r: newIndexRig(t), truth: map[record.Hash]arena.Addr{}}
	for i := range names {
		w.names = append(w.names, namers["one bucket"](i))
	}
	w.s = &w.r.shards[ShardOf(w.names[0])]
	return w
}

// TestStepsInAnyOrder runs the steps of puts, lookups, changes and growth in random orders: every
// answer was right at some moment of its call, and no name has two entries. A grower that copied
// before it froze the table would be found.
func TestStepsInAnyOrder(t *testing.T) {
	rng := seeded(t)
	rounds := 60
	if raceEnabled {
		rounds = 5
	}
	for range rounds {
		w := newSteps(t, 2+rng.IntN(30))
		if w.run(rng, 4000); w.lost != "" {
			t.Fatal(w.lost)
		}
	}
	for range 200 {
		w := newSteps(t, 6)
		w.early = true
		if w.run(rng, 4000); w.lost != "" {
			t.Logf("copying first is found: %s", w.lost)
			return
		}
	}
	t.Error("a grower that copies before it freezes is not found")
}
