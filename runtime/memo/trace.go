package memo

import (
	"sync/atomic"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

const (
	// tracesKept is how many traces a key keeps in memory: enough for an edit, its undo and a
	// branch switched to and fro.
	tracesKept = 4

	// tracesStored is how many of them are written: what is there now and what was before. A
	// collection keeps the results of the newest only (OldRefs); the others' would make the store
	// several times as large as what it is about.
	tracesStored = 2
)

// A trace is one run of a query: what it read and what came out (M2).
type trace struct {
	reads   []read                    // immutable
	parts   atomic.Uint64             // a partSet that only grows: partitions read, transitively, by the run and by every walk since
	result  mmapcas.Hash              // immutable
	tainted bool                      // immutable: an answer that is not kept, for the strands that asked at the time (K1)
	run     uint64                    // immutable: which run of the table made it, from 1; 0: a stored one
	holds   atomic.Pointer[intervals] // nil: not known to hold anywhere
	links   atomic.Pointer[links]     // those made last; nil: none
	soundAt atomic.Uint64             // Table.damage when the result and what it refers to were last known to be there
	value   atomic.Pointer[box]       // decoded result; dropped by the cache, brought back by Table.value
	bytes   atomic.Int64              // estimated size, 0 until somebody asks
	gone    bool                      // guarded by cache.mu: is in no entry any more
}

// An interval of generations, both ends included. It was made by a walk or a run in one of them, or
// was stored. If that linked all reads then links says to what, and the interval reaches on as long
// as nothing marks the entry, and nothing changes in stamps.
type interval struct {
	from, to uint64
	links    *links
	stamps   partSet
}

// intervals are where a trace is known to hold, most recently found first; immutable. More than one
// are kept because tasks read older generations beside the newest: without a place for what was
// verified there, each look would verify everything below again, and the work of a walk would
// double with each level.
type intervals []interval

const intervalsKept = 4

// A box is a decoded result in the cache.
type box struct {
	value any
	bytes int
	used  atomic.Bool // set by readers, cleared by the cache's hand
	owner *trace
	place int // guarded by cache.mu: in the ring, from 1; 0: it is not in the ring
}

// holdsIn returns an interval that contains gen, one with links if there is any, or nil.
func (tr *trace) holdsIn(gen uint64) (found *interval) {
	known := tr.holds.Load()
	if known == nil {
		return nil
	}
	for i := range *known {
		if iv := &(*known)[i]; iv.from <= gen && gen <= iv.to {
			if iv.links != nil {
				return iv
			}
			found = iv
		}
	}
	return found
}

// vouch says why tr holds in iv.
func (iv *interval) vouch(tr *trace) vouch {
	if iv.links == nil {
		return vouch{stamps: tr.readParts()}
	}
	return vouch{linked: true, stamps: iv.stamps}
}

// use tells the cache that the value is in use.
func (b *box) use() {
	if !b.used.Load() {
		b.used.Store(true)
	}
}

// covers reports whether a trace of e is known to hold in snap without verifying its reads (R1),
// and why.
func (t *Table) covers(e *entry, tr *trace, snap *db.Snapshot) (vouch, bool) {
	gen := snap.Gen()
	if iv := tr.holdsIn(gen); iv != nil {
		return iv.vouch(tr), true
	}
	known := tr.holds.Load()
	if known == nil {
		return vouch{}, false
	}
	t.catchUp(gen)
	// In this order: what is marked up to gen is in changed, and what is missing up to gen in
	// floor.
	since := max(e.changed.Load(), t.floor.Load())
	for i := range *known {
		iv := &(*known)[i]
		if iv.links != nil && since <= iv.to && iv.to < gen && iv.stamps.unchangedSince(snap, iv.to) {
			return vouch{linked: true, stamps: iv.stamps}, true
		}
	}
	for i, iv := range *known {
		if iv.to >= gen {
			continue
		}
		parts := tr.readParts()
		steady := t.steadies.unchangedSince(parts, snap, iv.to)
		if !steady && !parts.unchangedSince(snap, iv.to) {
			continue
		}
		if steady {
			e.query.Counts.Steady.Add(1)
		}
		grown := interval{from: iv.from, to: gen}
		var now intervals
		if iv.links == nil {
			now = append(now, *known...)
			now[i] = grown
		} else { // what it is linked to goes on telling which reads need not be looked at
			now = append(intervals{grown}, (*known)[:min(len(*known), intervalsKept-1)]...)
		}
		tr.holds.CompareAndSwap(known, &now) // a lost race loses only a shortcut
		return vouch{stamps: parts}, true
	}
	return vouch{}, false
}

// standing returns what the reads of tr were linked to in the newest interval from which they can
// be passed over in snap, and where it ends: a read whose source has not changed since is as it was
// there. nil: there is none.
func (t *Table) standing(tr *trace, snap *db.Snapshot) (iv interval) {
	known := tr.holds.Load()
	if known == nil {
		return iv
	}
	floor := t.floor.Load()
	for _, o := range *known {
		if o.links != nil && o.to < snap.Gen() && floor <= o.to && (iv.links == nil || iv.to < o.to) &&
			o.stamps.unchangedSince(snap, o.to) {
			iv = o
		}
	}
	return iv
}

// readParts returns the partitions on which tr depends.
func (tr *trace) readParts() partSet { return partSet(tr.parts.Load()) }

// dependsOn adds partitions and reports whether any is news. A query below may answer with the same
// result from other reads than it did when tr was made: from then on tr depends on what these
// touched, too.
func (tr *trace) dependsOn(parts partSet) (news bool) {
	return partSet(tr.parts.Or(uint64(parts)))&parts != parts
}

// verified records that a walk or a run found tr to hold. What it touched must have been added
// before (dependsOn).
func (tr *trace) verified(iv interval) {
	for {
		known := tr.holds.Load()
		now := intervals{iv}
		if known != nil {
			now = append(now, (*known)[:min(len(*known), intervalsKept-1)]...)
		}
		if tr.holds.CompareAndSwap(known, &now) {
			return
		}
	}
}

// newest returns the interval with the newest generation, an empty one if there is none.
func (tr *trace) newest() interval {
	best := interval{from: 1, to: 0}
	if known := tr.holds.Load(); known != nil {
		for _, iv := range *known {
			if iv.to >= best.to {
				best = iv
			}
		}
	}
	return best
}

// sameReads reports whether two traces read the same things and saw the same hashes.
func (tr *trace) sameReads(o *trace) bool {
	if len(tr.reads) != len(o.reads) {
		return false
	}
	for i := range tr.reads {
		if !tr.reads[i].same(&o.reads[i]) || tr.reads[i].hash != o.reads[i].hash {
			return false
		}
	}
	return true
}
