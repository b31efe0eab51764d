package mmapcas

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/epoch"
)

// The index maps names to addresses: 256 shards, each a table (table.go).
//
// Growth is per shard. The grower holds the shard's mutex, turns every empty slot of the old table into frozen, copies the
// entries, publishes the new table and retires the old one. Readers go on in whichever table they loaded: a frozen slot is
// as good as an empty one to them, since whatever was inserted behind it was inserted after they loaded the table.
// Writers that meet a frozen slot wait for the mutex and start again. Changing or dropping an entry takes the mutex, so
// that it cannot be lost to a grower that has copied the slot already.
const shardCount = 256

type index struct {
	arena  *arena.Arena
	epochs *epoch.Domain
	saved  *savedIndex // where tables come from that are not in memory yet, nil if all are; immutable
	// For glanceIn: where the arena starts, nil if it is not for it, and how many units a slot of the arena has, less one. Immutable.
	base     unsafe.Pointer
	unitMask uint64
	shards   [shardCount]shard
}

func (x *index) in(a *arena.Arena, d *epoch.Domain) {
	x.arena, x.epochs = a, d
	x.base, x.unitMask = origin(a), uint64(a.SegmentBytes()/arena.Unit-1)
}

type shard struct {
	table  atomic.Pointer[table] // nil until somebody asks for it, if there is a saved index
	live   atomic.Int64          // entries, without dead ones
	mu     sync.Mutex            // held to load and to grow the table and to change or drop entries
	number int                   // immutable
	// later is what Open found for the table while there was none; guarded by mu.
	later []located
	_     [128 - 56]byte
}

// A located name is one with the place of its record.
type located struct {
	hash  Hash
	at    arena.Addr
	bytes int64
}

// newIndex returns an index with room for about n entries before it grows.
func newIndex(a *arena.Arena, d *epoch.Domain, n int64) (*index, error) {
	x := new(index)
	x.in(a, d)
	buckets := bucketsFor(n / shardCount)
	for i := range x.shards {
		x.shards[i].number = i
		t, err := newTable(buckets)
		if err != nil {
			x.free()
			return nil, err
		}
		x.shards[i].table.Store(t)
	}
	return x, nil
}

// newSavedIndex returns an index whose tables are read from a file as they are asked for.
func newSavedIndex(a *arena.Arena, d *epoch.Domain, v *savedIndex) *index {
	x := &index{saved: v}
	x.in(a, d)
	for i := range x.shards {
		x.shards[i].number = i
		x.shards[i].live.Store(int64(v.head.parts[i].entries))
	}
	return x
}

// free gives all memory back. Nobody uses the index any more.
func (x *index) free() {
	for i := range x.shards {
		if t := x.shards[i].table.Load(); t != nil {
			// Unmapping memory that this package mapped does not fail.
			_ = t.block.Free()
		}
	}
	if x.saved != nil && x.saved.left.Load() > 0 {
		x.saved.close()
	}
}

// A key is a name as two little-endian words, which say where it is looked for. It is passed about in registers, where the
// bytes of a Hash would be copied through memory at every call.
type key struct{ lo, hi uint64 }

func keyOf(h *Hash) key {
	return key{binary.LittleEndian.Uint64(h[:8]), binary.LittleEndian.Uint64(h[8:])}
}

func (k key) hash() (h Hash) {
	binary.LittleEndian.PutUint64(h[:8], k.lo)
	binary.LittleEndian.PutUint64(h[8:], k.hi)
	return h
}

// start is the bucket where the probe begins, before masking; tag is in place for comparison with a slot.
func (k key) start() uint64 { return k.lo & (1<<40 - 1) }
func (k key) tag() uint64   { return k.hi &^ addrMask }

func (x *index) shardFor(k key) *shard { return &x.shards[k.lo>>40&(shardCount-1)] }

// shardOf returns the number of the shard of h.
func shardOf(h Hash) int { return int(h[5]) }

func (x *index) count() int64 {
	var n int64
	for i := range x.shards {
		n += x.shards[i].live.Load()
	}
	return n
}

func (x *index) bytes() int64 {
	var n int64
	for i := range x.shards {
		if t := x.shards[i].table.Load(); t != nil {
			n += int64(t.block.Len())
		}
	}
	return n
}
