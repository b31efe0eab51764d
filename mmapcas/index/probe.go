package index

import (
	"math/bits"
	"sync/atomic"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// Steps in one table. None of them takes a lock or looks at the shard: insert, change, growth and
// lookup are made of these, and so are the tests that go through all their interleavings.

// match compares the tags of 8 slots without a branch: bit i says that slot i may be it. That is a
// hint: slots change, so a slot that is acted upon is loaded again.
func match(b *bucket, tag uint64) uint32 {
	// Equal tags leave 0 of 16 bits, of which one less is negative.
	return uint32(((b[0].Load()^tag)>>tagShift-1)>>63 |
		((b[1].Load()^tag)>>tagShift-1)>>62&(1<<1) |
		((b[2].Load()^tag)>>tagShift-1)>>61&(1<<2) |
		((b[3].Load()^tag)>>tagShift-1)>>60&(1<<3) |
		((b[4].Load()^tag)>>tagShift-1)>>59&(1<<4) |
		((b[5].Load()^tag)>>tagShift-1)>>58&(1<<5) |
		((b[6].Load()^tag)>>tagShift-1)>>57&(1<<6) |
		((b[7].Load()^tag)>>tagShift-1)>>56&(1<<7))
}

// slotOf returns the first slot that match found.
func slotOf(same uint32) int { return bits.TrailingZeros32(same) & (bucketSlots - 1) }

// keyAt returns the name in the header at a.
func (x *Index) keyAt(a arena.Addr) Key {
	if x.arena.Frugal() {
		return x.keyRead(a)
	}
	lo, hi := x.arena.Pair(a, record.HashAt)
	return Key{lo, hi}
}

// keyRead is keyAt while memory is short. A name that cannot be read so is looked at in place.
func (x *Index) keyRead(a arena.Addr) Key {
	var b [record.PayloadSumAt]byte
	if x.arena.Read(a, b[:], len(b)) < len(b) {
		lo, hi := x.arena.Pair(a, record.HashAt)
		return Key{lo, hi}
	}
	return KeyOf((*record.Hash)(b[record.HashAt:]))
}

func (x *Index) findIn(t *table, k Key) arena.Addr {
	for i := uint64(0); i <= t.mask; i++ {
		b := t.bucket(k.start() + i)
		for same := match(b, k.tag()); same != 0; same &= same - 1 {
			if w := b[slotOf(same)].Load(); isEntry(w) && x.keyAt(arena.Addr(w&addrMask)) == k {
				return arena.Addr(w & addrMask)
			}
		}
		if ends(b) {
			return arena.Nil
		}
	}
	return arena.Nil
}

// tryInsert reports done=false when t is full or frozen where k belongs.
func (x *Index) tryInsert(t *table, k Key, addr arena.Addr) (existing arena.Addr, done bool) {
	for i := uint64(0); i <= t.mask; i++ {
		b := t.bucket(k.start() + i)
		for j := 0; j < bucketSlots; {
			w := b[j].Load()
			switch {
			case w == slotEmpty:
				if b[j].CompareAndSwap(slotEmpty, t.word(k, addr)) {
					return arena.Nil, true
				}
				continue // the same slot again: the winner may have entered k (S1)
			case w == slotFrozen:
				return arena.Nil, false
			case (w^k.tag())>>tagShift == 0 && isEntry(w) && x.keyAt(arena.Addr(w&addrMask)) == k:
				return arena.Addr(w & addrMask), true
			}
			j++
		}
	}
	return arena.Nil, false
}

// changeIn is Change in one table, for the owner of its shard's mutex.
func (x *Index) changeIn(t *table, k Key, from, to arena.Addr) bool {
	slot := t.slotWith(k, from)
	if slot == nil {
		return false
	}
	if to == arena.Nil {
		slot.Store(slotDead)
	} else {
		slot.Store(t.word(k, to))
	}
	return true
}

// slotWith returns the slot in which the entry of k leads to at, nil if there is none. The owner of
// the shard's mutex may store into it.
func (t *table) slotWith(k Key, at arena.Addr) *atomic.Uint64 {
	word := t.word(k, at)
	for i := uint64(0); i <= t.mask; i++ {
		b := t.bucket(k.start() + i)
		for j := range b {
			switch b[j].Load() {
			case word:
				return &b[j]
			case slotEmpty, slotFrozen:
				return nil
			}
		}
	}
	return nil
}

// dropUnreadableIn is DropUnreadable in one table, for the owner of its shard's mutex. It returns
// how many it dropped.
func (x *Index) dropUnreadableIn(t *table, k Key) (dropped int64) {
	for i := uint64(0); i <= t.mask; i++ {
		b := t.bucket(k.start() + i)
		for j := range b {
			w := b[j].Load()
			if w == slotEmpty || w == slotFrozen {
				return dropped
			}
			if (w^k.tag())>>tagShift != 0 || !isEntry(w) {
				continue
			}
			err := x.arena.Confine(func() error {
				touch(x.arena.Bytes(arena.Addr(w&addrMask), record.HeaderBytes))
				return nil
			})
			if err != nil {
				b[j].Store(slotDead)
				dropped++
			}
		}
	}
	return dropped
}

// touch reads the first byte of b. It is not inlined, so that the read is not found to be useless.
//
//go:noinline
func touch(b []byte) byte { return b[0] }

// sink takes what was read only to be read.
//
//go:noinline
func sink(byte) {}

// rehash returns a table with room for more entries than t has, into which nothing is inserted
// meanwhile. Where its hint does not tell the place of an entry its record's header is read, and it
// is lost if that cannot be.
func (x *Index) rehash(t *table) (n *table, err error) {
	if n, err = newTable(t.next(t.count())); err != nil {
		return nil, err
	}
	words := n.block.Plain()
	if hinted(int(t.mask+1), int(n.mask+1)) {
		n.used.Store(x.moveByHints(t, n, words))
		return n, nil
	}
	var entered int64
	for from := 0; from < len(t.slots); from += growAhead {
		entered += x.moveByHeaders(t.slots[from:min(from+growAhead, len(t.slots))], n, words)
	}
	n.used.Store(entered)
	return n, nil
}

const (
	smallBucketsMax = 1 << (hintFromBit - 1)
	smallShare      = 6 // slots for each entry of a small table that has grown, at most
)

// next returns how many buckets the table after t has, for so many entries. They fill from a
// quarter to a half of it, so that a table full of dead ones does not grow. A small one that grows
// because of its entries has four times as many: it takes little memory, and entries move half as
// often.
func (t *table) next(entries int64) int {
	n := bucketsFor(entries * 4 / 3)
	more, grows := 2*n, n > int(t.mask+1)
	if grows && more <= smallBucketsMax && int64(more*bucketSlots) <= smallShare*entries {
		return more
	}
	return n
}

// moveByHints enters the entries of t into n, and returns how many. It reads the headers of those
// that lie behind many full buckets.
func (x *Index) moveByHints(t, n *table, words []uint64) (entered int64) {
	full := t.fullBefore(0)
	for i := range t.mask + 1 {
		b := t.bucket(i)
		for j := range b {
			w := b[j].Load()
			if !isEntry(w) {
				continue
			}
			if start, ok := t.hintedStart(w, i, full); ok {
				n.copyEntry(words, start, n.withHint(w, start))
				entered++
			} else {
				entered += x.moveByHeaders(b[j:j+1], n, words)
			}
		}
		if full++; ends(b) {
			full = 0
		}
	}
	return entered
}

// moveByHeaders enters the entries in up to growAhead slots into n, and returns how many.
func (x *Index) moveByHeaders(slots []atomic.Uint64, n *table, words []uint64) (entered int64) {
	var starts [growAhead]uint64
	if x.startsOf(slots, &starts) != nil {
		x.startsOfEach(slots, &starts)
	}
	for i := range slots {
		if w := slots[i].Load(); isEntry(w) && starts[i] != unreadable {
			n.copyEntry(words, starts[i], n.withHint(w, starts[i]))
			entered++
		}
	}
	return entered
}

const (
	// growAhead is how many slots a growth looks at side by side: it waits for their headers once.
	growAhead = 32
	// unreadable stands for the start of an entry whose header cannot be read. No key has it.
	unreadable = ^uint64(0)
)

// count goes through a table that may be changing.
func (t *table) count() (entries int64) {
	for i := range t.slots {
		if isEntry(t.slots[i].Load()) {
			entries++
		}
	}
	return entries
}

// startsOf sets starts to those of the entries in slots. It fails if the header of one cannot be
// read.
func (x *Index) startsOf(slots []atomic.Uint64, starts *[growAhead]uint64) error {
	return x.arena.Confine(func() error {
		for i := range slots {
			if w := slots[i].Load(); isEntry(w) {
				starts[i] = x.keyAt(arena.Addr(w & addrMask)).start()
			}
		}
		return nil
	})
}

// startsOfEach is startsOf, with unreadable for those that cannot be read.
func (x *Index) startsOfEach(slots []atomic.Uint64, starts *[growAhead]uint64) {
	for i := range slots {
		var one [growAhead]uint64
		if x.startsOf(slots[i:i+1], &one) != nil {
			one[0] = unreadable
		}
		starts[i] = one[0]
	}
}
