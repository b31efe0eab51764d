package db

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// SetUnlogged makes partitions unlogged, or logged again. Either way it empties them, which counts
// as a change of those that were not empty, in one new generation; without any the generation
// stays. Observers are called with no changes.
//
// Whether a partition is unlogged is not written down. What the log still says about a partition
// that becomes unlogged is cleared there.
func (d *DB) SetUnlogged(ctx context.Context, unlogged bool, parts ...PartID) error {
	return d.relog(ctx, &relog{unlogged: unlogged}, parts)
}

// OpenUnlogged is SetUnlogged for partitions that were unlogged in an earlier process. It comes
// after Open, before anything is read, and counts as a change of each of them, although they are
// empty: what that process knew of them holds no longer. Generations before it are no history any
// more (SnapshotAt): they would show a partition empty where that process may have seen something.
func (d *DB) OpenUnlogged(ctx context.Context, parts ...PartID) error {
	return d.relog(ctx, &relog{unlogged: true, opening: true}, parts)
}

// OpenUnknown is for those who have lost what they knew of unlogged partitions in earlier
// processes: each versioned partition that is empty may have been one, and counts as changed, as
// with OpenUnlogged. It is logged from now on, unless it is said to be unlogged already.
func (d *DB) OpenUnknown(ctx context.Context) error {
	var parts []PartID
	cat, cur := d.catalog.Load(), d.current.Load()
	for _, def := range cat.defs[1:] {
		if !def.side && !cat.unlogged[def.id] && cur.tree(def.id).empty() {
			parts = append(parts, def.id)
		}
	}
	return d.relog(ctx, &relog{opening: true}, parts)
}

func (d *DB) relog(ctx context.Context, r *relog, parts []PartID) error {
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
	r.parts = slices.Sorted(slices.Values(parts))
	p := &pending{ctx: ctx, relog: r}
	if d.submit(p); p.err == nil && p.bumped {
		d.live.cut()
	}
	return p.err
}

// A relog is the wish of SetUnlogged or OpenUnlogged.
type relog struct {
	parts    []PartID // ascending
	unlogged bool
	opening  bool // the partitions count as changed although they are empty
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

// Unlogged returns the partitions that are unlogged now, ascending.
func (d *DB) Unlogged() []PartID {
	return slices.Sorted(maps.Keys(d.catalog.Load().unlogged))
}
