package index

import (
	"encoding/binary"

	"github.com/cytisus/cytisus/mmapcas/record"
)

// A Key is a name as two little-endian words, which say where it is looked for. It is passed about
// in registers, where the bytes of a Hash would be copied through memory at every call.
type Key struct{ lo, hi uint64 }

// KeyOf returns the key of a name.
func KeyOf(h *record.Hash) Key {
	return Key{binary.LittleEndian.Uint64(h[:8]), binary.LittleEndian.Uint64(h[8:])}
}

// Hash returns the name.
func (k Key) Hash() (h record.Hash) {
	binary.LittleEndian.PutUint64(h[:8], k.lo)
	binary.LittleEndian.PutUint64(h[8:], k.hi)
	return h
}

// start is the bucket where the probe begins, before masking; tag is in place for comparison with a
// slot.
func (k Key) start() uint64 { return k.lo & (1<<40 - 1) }
func (k Key) tag() uint64   { return k.hi >> tagShift << tagShift }

func (x *Index) shardFor(k Key) *shard { return &x.shards[k.lo>>40&(Shards-1)] }

// ShardOf returns the number of the shard of h.
func ShardOf(h record.Hash) int { return int(h[5]) }
