package index

import (
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/mmapcas/record"
)

var seedFlag = flag.Uint64("seed", 0, "replay a random test")

// seeded returns a source whose seed a failing test prints.
func seeded(t testing.TB) *rand.Rand {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("replay with -seed=%d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// headRoom is where the first record of a segment lies: not at an address that is no record's.
const headRoom = 64

// indexRig is an index over a segment in which a record is no more than a header with a name.
type indexRig struct {
	*Index
	d   *epoch.Domain
	a   *arena.Arena
	seg *arena.Segment
	mu  sync.Mutex
	app arena.Appender
}

func newIndexRig(t testing.TB) *indexRig {
	t.Helper()
	a, err := arena.New(arena.Options{SegmentBytes: 16 << 20, ReserveBytes: 64 << 20, Table: raceEnabled})
	if err != nil {
		t.Fatal(err)
	}
	seg, err := a.Map(arena.Spec{Source: arena.Anonymous(), Length: headRoom})
	if err != nil {
		t.Fatal(err)
	}
	d := epoch.NewDomain()
	x, err := New(a, d, 0)
	if err != nil {
		t.Fatal(err)
	}
	r := &indexRig{Index: x, d: d, a: a, seg: seg}
	if err := r.app.Attach(seg); err != nil {
		t.Fatal(err)
	}
	return r
}

// record writes a header that names h.
func (r *indexRig) record(h record.Hash) arena.Addr {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, b, err := r.app.Reserve(record.HeaderBytes)
	if err != nil {
		panic(err)
	}
	copy(b[8:], h[:])
	r.app.Commit()
	return at
}

// A namer makes names; the degenerate ones crowd into one place of the table.
var namers = map[string]func(i int) record.Hash{
	"spread": func(i int) record.Hash { return record.NameOf(0, binary.LittleEndian.AppendUint64(nil, uint64(i))) },
	"one shard": func(i int) record.Hash {
		h := record.NameOf(0, binary.LittleEndian.AppendUint64(nil, uint64(i)))
		h[5] = 7
		return h
	},
	"one bucket, one tag": func(i int) (h record.Hash) {
		binary.LittleEndian.PutUint32(h[8:], uint32(i)) // neither shard, nor bucket, nor tag depend on it
		return h
	},
	"one bucket": func(i int) (h record.Hash) {
		binary.LittleEndian.PutUint32(h[12:], uint32(i)*2654435761)
		binary.LittleEndian.PutUint32(h[8:], uint32(i))
		return h
	},
}

// TestIndexModel: random inserts, changes, drops and lookups on the index and on a map.
func TestIndexModel(t *testing.T) {
	for name, namer := range namers {
		t.Run(name, func(t *testing.T) {
			rng := seeded(t)
			r := newIndexRig(t)
			model := map[record.Hash]arena.Addr{}
			names, steps := 1500, 6000
			if name == "one bucket, one tag" {
				names, steps = 150, 600 // every lookup compares all
			}
			for range steps {
				h := namer(rng.IntN(names))
				switch rng.IntN(7) {
				case 0, 1, 2:
					at := r.record(h)
					other, err := r.Insert(h, at)
					if err != nil {
						t.Fatal(err)
					}
					if other != model[h] {
						t.Fatalf("insert: %d is there, want %d", other, model[h])
					}
					if other == arena.Nil {
						model[h] = at
					}
				case 3:
					from, to := model[h], r.record(h)
					if got := r.Change(h, from, to); got != (from != arena.Nil) {
						t.Fatalf("change: %v", got)
					}
					if from != arena.Nil {
						model[h] = to
					}
				case 4:
					if got := r.Change(h, model[h], arena.Nil); got != (model[h] != arena.Nil) {
						t.Fatalf("drop: %v", got)
					}
					delete(model, h)
				case 5:
					at, agrees, asked := model[h], rng.IntN(2) == 0, false
					if rng.IntN(4) == 0 {
						at = r.record(h) // where no entry leads
					}
					is := at != arena.Nil && at == model[h]
					there, dropped := r.DropIf(h, at, func() bool { asked = true; return agrees })
					if there != is || asked != is || dropped != (is && agrees) {
						t.Fatalf("drop if %v: there %v, asked %v, dropped %v; want %v", agrees, there, asked, dropped, is)
					}
					if dropped {
						delete(model, h)
					}
				}
				if got := r.Find(h); got != model[h] {
					t.Fatalf("find: %d, want %d", got, model[h])
				}
				if r.Leads(h, model[h]) != (model[h] != arena.Nil) || r.Leads(h, r.record(h)) {
					t.Fatalf("it does not lead to %d, or leads elsewhere", model[h])
				}
				for _, near := range []arena.Addr{arena.Nil, model[h], r.record(namer(names))} {
					if got := r.FindNear(KeyOf(&h), near); got != model[h] {
						t.Fatalf("find near %d: %d, want %d", near, got, model[h])
					}
				}
				// The header has no checksum, so that glance vouches for none.
				at, word := r.Glance(KeyOf(&h))
				if at == Absent && model[h] != arena.Nil || at > Absent && at != model[h] || word != 0 {
					t.Fatalf("glance: %d and %x, want %d", at, word, model[h])
				}
			}
			for i := range names {
				if got := r.Find(namer(i)); got != model[namer(i)] {
					t.Fatalf("at the end, find: %d, want %d", got, model[namer(i)])
				}
			}
			if r.Count() != int64(len(model)) {
				t.Fatalf("count %d, want %d", r.Count(), len(model))
			}
			n := 0
			for i := range r.shards {
				r.Each(i, func(e Entry) {
					if !e.Current() {
						t.Error("entry is gone")
					}
					n++
				})
			}
			if n != len(model) {
				t.Fatalf("%d entries, want %d", n, len(model))
			}
		})
	}
}

// TestIndexRace: goroutines insert the same names in different orders, from the smallest tables
// through all growths, while others look them up. Each name is entered once, and once seen stays
// seen.
func TestIndexRace(t *testing.T) {
	for name, namer := range namers {
		t.Run(name, func(t *testing.T) {
			r := newIndexRig(t)
			names := 8000
			switch {
			case name == "one bucket, one tag":
				names = 150
			case raceEnabled:
				names = 700
			}
			const writers = 4
			entered := make([]int, writers)
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					rng := rand.New(rand.NewPCG(uint64(w), 5))
					for _, i := range rng.Perm(names) {
						h := namer(i)
						at := r.record(h)
						g := r.d.Pin()
						other, err := r.Insert(h, at)
						if err != nil {
							t.Error(err)
						}
						if other == arena.Nil {
							entered[w]++
							other = at
						}
						if got := r.Find(h); got != other {
							t.Errorf("name %d: found at %d, entered at %d", i, got, other)
						}
						g.Unpin()
						if i%512 == 0 {
							r.d.Collect()
						}
					}
				})
			}
			wg.Wait()
			sum := 0
			for _, n := range entered {
				sum += n
			}
			if sum != names || r.Count() != int64(names) {
				t.Fatalf("%d entered, %d counted, want %d", sum, r.Count(), names)
			}
		})
	}
}

// TestIndexChangeDuringGrowth: entries that are moved while tables grow are not lost and not
// doubled (S1).
func TestIndexChangeDuringGrowth(t *testing.T) {
	r := newIndexRig(t)
	namer := namers["one shard"]
	const moved = 50
	at := map[record.Hash]arena.Addr{}
	for i := range moved {
		h := namer(i)
		at[h] = r.record(h)
		if _, err := r.Insert(h, at[h]); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 4000 {
			h := namer(moved + i)
			g := r.d.Pin()
			if _, err := r.Insert(h, r.record(h)); err != nil {
				t.Error(err)
			}
			g.Unpin()
		}
	})
	wg.Go(func() {
		for round := range 40 {
			for i := range moved {
				h := namer(i)
				to := r.record(h)
				g := r.d.Pin()
				if !r.Change(h, at[h], to) || r.Find(h) != to {
					t.Errorf("round %d: entry %d is lost", round, i)
				}
				g.Unpin()
				at[h] = to
			}
		}
	})
	wg.Wait()
	if r.Count() != moved+4000 {
		t.Errorf("count %d", r.Count())
	}
}

// TestIndexChangeBesideRehash is TestIndexChangeDuringGrowth with nothing but growth: a change that
// did not take the shard's mutex would be lost to a copy made before it.
func TestIndexChangeBesideRehash(t *testing.T) {
	r := newIndexRig(t)
	namer := namers["one shard"]
	const entries = 60
	var names []record.Hash
	at := map[record.Hash]arena.Addr{}
	other := map[record.Hash]arena.Addr{}
	for i := range entries {
		h := namer(i)
		names = append(names, h)
		at[h], other[h] = r.record(h), r.record(h)
		if _, err := r.Insert(h, at[h]); err != nil {
			t.Fatal(err)
		}
	}
	s := &r.shards[ShardOf(names[0])]
	rounds := 6000
	if raceEnabled {
		rounds = 1000
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(stop)
		for range rounds {
			if err := r.grow(s, s.table.Load()); err != nil {
				t.Error(err)
			}
			r.d.Collect()
		}
	})
	wg.Go(func() {
		for going := true; going; {
			select {
			case <-stop:
				going = false
			default:
			}
			for _, h := range names {
				g := r.d.Pin()
				if !r.Change(h, at[h], other[h]) || r.Find(h) != other[h] {
					t.Errorf("entry %v is lost", h)
					g.Unpin()
					return
				}
				g.Unpin()
				at[h], other[h] = other[h], at[h]
			}
		}
	})
	wg.Wait()
}

func TestMatch(t *testing.T) {
	rng := seeded(t)
	r := newIndexRig(t)
	tab := r.shards[0].table.Load()
	b := tab.bucket(3)
	for range 5000 {
		tag := rng.Uint64() >> tagShift << tagShift
		if rng.IntN(8) == 0 {
			tag = 0
		}
		var same uint32
		for i := range b {
			w := []uint64{slotEmpty, slotFrozen, slotDead, tag | 77, tag ^ 1<<63 | 77, tag ^ 1<<48, rng.Uint64()}[rng.IntN(7)]
			b[i].Store(w)
			if w>>tagShift<<tagShift == tag {
				same |= 1 << i
			}
		}
		if m := match(b, tag); m != same {
			t.Fatalf("%b, want %b", m, same)
		}
		last := b[bucketSlots-1].Load()
		if ends(b) != (last == slotEmpty || last == slotFrozen) {
			t.Fatalf("ends with %x: %v", last, ends(b))
		}
	}
}

func TestBucketsFor(t *testing.T) {
	for _, n := range []int64{0, 1, 84, 85, 86, 1000, 1 << 20} {
		b := int64(bucketsFor(n))
		if b&(b-1) != 0 || b < bucketsMin || n >= b*bucketSlots*loadNum/loadDe {
			t.Errorf("%d entries: %d buckets", n, b)
		}
	}
}

// After entries have left, a table has no more than 8 slots for each that is there; and where half
// of them left one that had just grown, it stays.
func TestShrinkLeavesEightSlotsForAnEntry(t *testing.T) {
	r := newIndexRig(t)
	name := namers["one shard"]
	h0 := name(0)
	s := r.shardFor(KeyOf(&h0))
	const n = 5000
	for i := range n {
		h := name(i)
		if _, err := r.Insert(h, r.record(h)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.grow(s, s.table.Load()); err != nil {
		t.Fatal(err)
	}
	grown := s.table.Load()
	for left := n; left > 500; left-- {
		h := name(left - 1)
		if !r.Change(h, r.Find(h), arena.Nil) {
			t.Fatal("an entry is not there")
		}
		if left%100 != 0 {
			continue
		}
		r.Shrink()
		now := s.table.Load()
		if slots := len(now.slots); slots > 8*(left-1) {
			t.Fatalf("%d slots for %d entries", slots, left-1)
		}
		if left > n/2 && now != grown {
			t.Fatalf("the table was replaced although %d of %d entries are left", left-1, n)
		}
	}
}
