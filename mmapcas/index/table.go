package index

import (
	"math/bits"
	"sync/atomic"

	"github.com/cytisus/cytisus/arena"
)

// A table holds the entries of one shard of the index in 64-byte buckets of 8 slots; a slot is
//
//	tag:16 | hint:12 | address:36
//
// The tag is a part of the name that neither shard nor bucket use. The hint is one that buckets use
// (hint.go), in a form that depends on how many buckets there are. Probing is linear by buckets and
// ends at the first empty slot; as slots never become empty again (S0), all who look for one name
// meet the same first empty slot.
//
// Every probe is bounded by the number of buckets: between the moment a table is due to grow and
// the freeze, other inserters may fill it to the last slot.
type table struct {
	slots []atomic.Uint64 // header immutable; slots follow S0
	mask  uint64          // buckets - 1
	used  atomic.Int64    // slots that are not empty, dead ones included
	dead  atomic.Int64    // dead ones; with used, counted a moment after the slot has changed
	limit int64           // grow when used exceeds it
	block *arena.Block
}

const (
	bucketSlots     = 8
	bucketBytes     = 8 * bucketSlots
	bucketsMin      = 16
	addrMask        = 1<<arena.AddrBits - 1
	tagShift        = 48
	slotEmpty       = uint64(0)
	slotDead        = uint64(1)        // address 1 lies in a segment header, so no entry looks like it
	slotFrozen      = uint64(addrMask) // nor is the last address one
	loadNum, loadDe = 3, 4
)

// A bucket is a cache line of slots.
type bucket = [bucketSlots]atomic.Uint64

func newTable(buckets int) (*table, error) {
	b, err := arena.NewBlock(buckets * bucketBytes)
	if err != nil {
		return nil, err
	}
	return &table{
		slots: b.Words(), mask: uint64(buckets - 1), block: b,
		limit: int64(buckets * bucketSlots * loadNum / loadDe),
	}, nil
}

// bucketsFor returns a power of two of buckets that n entries fill to less than 2/3.
func bucketsFor(n int64) int {
	need := max(uint64(n)*3/2/bucketSlots+1, bucketsMin)
	return 1 << bits.Len64(need-1)
}

func (t *table) bucket(i uint64) *bucket {
	at := (i & t.mask) * bucketSlots
	return (*bucket)(t.slots[at : at+bucketSlots])
}

// ends reports whether a probe ends in a bucket: slots fill up in order, so the last one tells.
func ends(b *bucket) bool {
	w := b[bucketSlots-1].Load()
	return w == slotEmpty || w == slotFrozen
}

// isEntry reports whether a slot's word leads to a record.
func isEntry(w uint64) bool {
	a := w & addrMask
	return a > slotDead && a != slotFrozen
}

// freeze ends inserting: no slot of the table is empty any more.
func (t *table) freeze() {
	for i := range t.slots {
		if t.slots[i].Load() == slotEmpty {
			t.slots[i].CompareAndSwap(slotEmpty, slotFrozen)
		}
	}
}

// entries returns how many entries there are.
func (t *table) entries() int64 { return t.used.Load() - t.dead.Load() }

// copyEntry enters w into a table that nobody else sees yet, without counting it. words is its
// slots.
func (t *table) copyEntry(words []uint64, start, w uint64) {
	for i := uint64(0); i <= t.mask; i++ {
		at := (start + i) & t.mask * bucketSlots
		b := (*[bucketSlots]uint64)(words[at : at+bucketSlots])
		for j := range b {
			if b[j] == slotEmpty {
				b[j] = w
				return
			}
		}
	}
	panic("mmapcas: index table is full although it was made for more entries")
}

// Shards is how many tables an index has.
const Shards = 256
