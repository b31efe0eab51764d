package memo

import (
	"sync/atomic"

	"github.com/cytisus/cytisus/runtime/db"
)

// durables are the partitions that seldom change: what others wrote, such as dependencies. A trace that read nothing else holds as long as none of them changed,
// which is one comparison for all such traces of a generation (the durability of Salsa, 2018).
type durables struct {
	parts  atomic.Uint64                 // a partSet that only grows
	newest atomic.Pointer[durableChange] // of the generation that was asked about last
}

// A durableChange says when any of a set of partitions changed last, as a generation sees it.
type durableChange struct {
	gen, changed uint64
	parts        partSet
}

// Durable says that a partition seldom changes. It has no effect on answers.
func (t *Table) Durable(part db.PartID) {
	if bit := partBit(part); bit != partsBeyond {
		t.durables.parts.Or(uint64(bit))
	}
}

// unchangedSince reports whether the set is not empty, holds durable partitions only, and none of all of these changed in generations (since, snap.Gen()].
func (d *durables) unchangedSince(s partSet, snap *db.Snapshot, since uint64) bool {
	parts := partSet(d.parts.Load())
	if s == 0 || s&^parts != 0 {
		return false
	}
	c := d.newest.Load()
	if c == nil || c.gen != snap.Gen() || c.parts != parts {
		c = &durableChange{gen: snap.Gen(), parts: parts}
		for p, rest := db.PartID(0), parts; rest != 0; p, rest = p+1, rest>>1 {
			if rest&1 != 0 {
				c.changed = max(c.changed, snap.LastChanged(p))
			}
		}
		d.newest.Store(c)
	}
	return c.changed <= since
}
