package memo

import (
	"sync/atomic"

	"github.com/cytisus/cytisus/runtime/db"
)

// steadies are the partitions that seldom change: what others wrote, such as dependencies. A trace
// that read nothing else holds as long as none of them changed, which is one comparison for all
// such traces of a generation (the durability of Salsa, 2018).
type steadies struct {
	parts  atomic.Uint64                // a partSet that only grows
	newest atomic.Pointer[steadyChange] // of the generation that was asked about last
}

// A steadyChange says when any of a set of partitions changed last, as a generation sees it.
type steadyChange struct {
	gen, changed uint64
	parts        partSet
}

// Steady says that a partition seldom changes. It has no effect on answers.
func (t *Table) Steady(part db.PartID) {
	if bit := partBit(part); bit != partsBeyond {
		t.steadies.parts.Or(uint64(bit))
	}
}

// unchangedSince reports whether the set is not empty, holds steady partitions only, and none of
// all of these changed in generations (since, snap.Gen()].
func (d *steadies) unchangedSince(s partSet, snap *db.Snapshot, since uint64) bool {
	parts := partSet(d.parts.Load())
	if s == 0 || s&^parts != 0 {
		return false
	}
	c := d.newest.Load()
	if c == nil || c.gen != snap.Gen() || c.parts != parts {
		c = &steadyChange{gen: snap.Gen(), parts: parts}
		for p, rest := db.PartID(0), parts; rest != 0; p, rest = p+1, rest>>1 {
			if rest&1 != 0 {
				c.changed = max(c.changed, snap.LastChanged(p))
			}
		}
		d.newest.Store(c)
	}
	return c.changed <= since
}
