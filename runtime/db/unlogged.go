package db

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// SetUnlogged makes partitions unlogged, or logged again. Either way it empties them, which counts as a change of each of them, in one new generation,
// also of those that were empty: what anybody knew of them holds no longer. Observers are called with no changes.
//
// Generations before it are no history any more (SnapshotAt), unless a snapshot holds them: after Open they would show the partition empty where
// an earlier process may have seen, and remembered, something.
//
// Whether a partition is unlogged is not written down: whoever knows says so after each Open, before anybody reads. What the log still says about
// a partition that becomes unlogged is cleared there.
func (d *DB) SetUnlogged(ctx context.Context, unlogged bool, parts ...PartID) error {
	for _, part := range parts {
		def, err := d.catalog.Load().find(part)
		if err == nil && def.side {
			err = fmt.Errorf("%w: %q, side: %t", ErrPartitionKind, def.name, def.side)
		}
		if err != nil {
			return err
		}
	}
	if len(parts) == 0 {
		return nil
	}
	p := &pending{ctx: ctx, relog: &relog{slices.Sorted(slices.Values(parts)), unlogged}}
	if d.submit(p); p.err == nil {
		d.live.cut()
	}
	return p.err
}

// A relog is the wish of SetUnlogged.
type relog struct {
	parts    []PartID // ascending
	unlogged bool
}

// relogging returns the catalog after r.
func (c *catalog) relogging(r *relog) *catalog {
	n := &catalog{defs: c.defs, byName: c.byName, unlogged: maps.Clone(c.unlogged)}
	if n.unlogged == nil {
		n.unlogged = map[PartID]bool{}
	}
	for _, id := range r.parts {
		if n.unlogged[id] = r.unlogged; !r.unlogged {
			delete(n.unlogged, id)
		}
	}
	return n
}
