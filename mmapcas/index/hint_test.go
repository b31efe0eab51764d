package index

import (
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/cytisus/cytisus/arena"
)

// hintedTable is a table of so many buckets, three quarters full, and the keys of its entries by
// their addresses. Probes for the keys begin where start says.
func hintedTable(t *testing.T, rng *rand.Rand, buckets int, start func() uint64) (*table, map[arena.Addr]Key) {
	t.Helper()
	tab, err := newTable(buckets)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tab.block.Free() })
	words, keys := tab.block.Plain(), map[arena.Addr]Key{}
	for at := arena.Addr(2); int64(len(keys)) < tab.limit; at++ {
		keys[at] = Key{start() & (1<<40 - 1), rng.Uint64()}
		tab.copyEntry(words, keys[at].start(), tab.word(keys[at], at))
	}
	return tab, keys
}

// What hints tell is where probes for a name begin in a larger table, or nothing. They tell it of
// nearly all entries where names are spread as names are. Where most begin in a few buckets, so
// that many lie far behind, what they do not tell is not made up.
func TestHintsTellStarts(t *testing.T) {
	rng := seeded(t)
	for from := hintFromBit - 2; from <= hintFromBit+2; from++ {
		for name, start := range map[string]func() uint64{
			"spread":   rng.Uint64,
			"together": func() uint64 { return rng.Uint64()>>20<<20 | uint64(rng.IntN(1<<from))&^0xfe },
			"at the end": func() uint64 {
				return rng.Uint64()>>20<<20 | uint64(1<<from-1-rng.IntN(20))
			},
		} {
			tab, keys := hintedTable(t, rng, 1<<from, start)
			untold, full := 0, tab.fullBefore(0)
			for i := range tab.mask + 1 {
				for j := range tab.bucket(i) {
					w := tab.bucket(i)[j].Load()
					if !isEntry(w) {
						continue
					}
					k := keys[arena.Addr(w&addrMask)]
					got, ok := tab.hintedStart(w, i, full)
					if !ok {
						untold++
						continue
					}
					told := hintEndBit
					if from < hintFromBit {
						told = hintFromBit - 1 // what a table of the same form may ask for
					}
					if mask := uint64(1)<<told - 1; got&mask != k.start()&mask {
						t.Fatalf("%s, %d buckets: an entry in bucket %d behind %d full ones begins at %x, want %x", name, 1<<from, i, full, got&mask, k.start()&mask)
					}
				}
				if full++; ends(tab.bucket(i)) {
					full = 0
				}
			}
			few := 0
			if from >= hintFromBit {
				few = len(keys) / 50
			}
			if name == "spread" && untold > few || name != "spread" && (untold == 0) != (few == 0) {
				t.Errorf("%s, %d buckets: of %d entries %d are not told", name, 1<<from, len(keys), untold)
			}
		}
	}
}

// Hints are asked for tables that they are for.
func TestHinted(t *testing.T) {
	for _, c := range []struct {
		from, to int // bits
		want     bool
	}{
		{hintFromBit - 1, hintFromBit, false},
		{hintFromBit - 1, hintFromBit - 1, true},
		{hintLowBits, hintFromBit - 1, true},
		{hintLowBits, hintFromBit, false},
		{hintFromBit - 1, hintLowBits, true},
		{0, hintLowBits, true},
		{hintFromBit, hintFromBit + 1, true},
		{hintFromBit, hintFromBit, true},
		{hintFromBit, hintFromBit - 2, true},
		{hintEndBit - 1, hintEndBit, true},
		{hintEndBit, hintEndBit + 1, false},
		{hintEndBit + 1, hintEndBit + 1, true},
		{hintEndBit + 2, hintEndBit, true},
	} {
		if hinted(1<<c.from, 1<<c.to) != c.want {
			t.Errorf("from 2^%d buckets to 2^%d: %t", c.from, c.to, !c.want)
		}
	}
}

// A small table grows, as far as small tables do, and shrinks without a look at the records, and
// every entry is where a probe for its name comes by.
func TestGrowthOfSmallTablesWithoutHeaders(t *testing.T) {
	r := newIndexRig(t)
	name := namers["one shard"]
	const n = bucketsMin * bucketSlots / 2
	h0 := name(0)
	s := r.shardFor(KeyOf(&h0))
	at := map[int]arena.Addr{}
	for i := range n {
		at[i] = r.record(name(i))
		if other, err := r.Insert(name(i), at[i]); err != nil || other != arena.Nil {
			t.Fatal(other, err)
		}
	}
	clear(r.seg.Mem()[headRoom:]) // a header that is read leads to where no probe comes by
	check := func(from int) {
		t.Helper()
		for i := range from {
			if !r.Change(name(i), at[i], at[i]) {
				t.Fatalf("2^%d buckets: entry %d of %d is not where a probe comes by", s.table.Load().bits(), i, from)
			}
		}
	}
	check(n)
	for s.table.Load().bits() < hintFromBit-1 {
		larger, err := newTable(2 * int(s.table.Load().mask+1))
		if err != nil {
			t.Fatal(err)
		}
		larger.used.Store(r.moveByHints(s.table.Load(), larger, larger.block.Plain()))
		s.table.Store(larger)
		check(n)
	}
	r.Shrink()
	if got := s.table.Load().mask + 1; got != bucketsMin {
		t.Fatalf("%d buckets after shrinking", got)
	}
	check(n)
}

// A table that grew from a small one to a large one, and back, has the hints of its own form in
// each slot: they are what the next growth goes by.
func TestHintsAreOfTheTablesForm(t *testing.T) {
	r := newIndexRig(t)
	name := namers["one shard"]
	h0 := name(0)
	s := r.shardFor(KeyOf(&h0))
	at := map[int]arena.Addr{}
	check := func(n int) {
		t.Helper()
		for i := range n {
			if !r.Change(name(i), at[i], at[i]) { // which compares the whole slot
				t.Fatalf("2^%d buckets: the slot of entry %d of %d has the hint of another table", s.table.Load().bits(), i, n)
			}
		}
	}
	const most = 1 << hintFromBit * bucketSlots
	for i := range most {
		at[i] = r.record(name(i))
		before := s.table.Load()
		if other, err := r.Insert(name(i), at[i]); err != nil || other != arena.Nil {
			t.Fatal(other, err)
		}
		if s.table.Load() != before {
			check(i + 1)
		}
	}
	if s.table.Load().bits() <= hintFromBit {
		t.Fatalf("2^%d buckets are not of the large form", s.table.Load().bits())
	}
	const left = 100
	for i := left; i < most; i++ {
		r.Change(name(i), at[i], arena.Nil)
	}
	r.Shrink()
	if s.table.Load().bits() >= hintFromBit {
		t.Fatalf("2^%d buckets after shrinking are not of the small form", s.table.Load().bits())
	}
	check(left)
}

// A large table grows and shrinks without a look at the records, and every entry is where a probe
// for its name comes by.
func TestGrowthWithoutHeaders(t *testing.T) {
	r := newIndexRig(t)
	name := namers["one shard"]
	const n = 20_000
	h0 := name(0)
	s := r.shardFor(KeyOf(&h0))
	for i := range n {
		h := name(i)
		if other, err := r.Insert(h, r.record(h)); err != nil || other != arena.Nil {
			t.Fatal(other, err)
		}
	}
	if got := bits.Len64(s.table.Load().mask); got <= hintFromBit {
		t.Fatalf("the table has 2^%d buckets, and hints are for more", got)
	}
	at := map[int]arena.Addr{}
	for i := range n {
		at[i] = r.Find(name(i))
	}
	clear(r.seg.Mem()[headRoom:]) // a header that is read leads to where nobody looks
	untold := 0
	check := func(what string) {
		for i := range n {
			h := name(i)
			if !r.Change(h, at[i], at[i]) {
				untold++
			}
		}
		if untold > n/1000 {
			t.Fatalf("%s: %d of %d entries are not where a probe comes by", what, untold, n)
		}
	}
	for range 2 {
		if err := r.grow(s, s.table.Load()); err != nil {
			t.Fatal(err)
		}
		check("grown")
	}
	for i := n / 8; i < n; i++ {
		h := name(i)
		r.Change(h, at[i], arena.Nil)
	}
	r.Shrink()
	for i := range n / 8 {
		h := name(i)
		if !r.Change(h, at[i], at[i]) {
			untold++
		}
	}
	if untold > n/500 {
		t.Errorf("shrunk: %d of %d entries are not where a probe comes by", untold, n/8)
	}
}
