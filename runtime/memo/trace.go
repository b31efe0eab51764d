package memo

import (
	"sync/atomic"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

const (
	// tracesKept is how many traces a key keeps in memory: enough for an edit, its undo and a branch switched to and fro.
	tracesKept = 4

	// tracesStored is how many of them are written: what is there now and what was before. A collection keeps the results of the newest only
	// (OldRefs); the others' would make the store several times as large as what it is about.
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
	soundAt atomic.Uint64             // Table.damage when the result and what it refers to were last known to be there
	value   atomic.Pointer[box]       // decoded result; dropped by the cache, brought back by Table.value
	bytes   atomic.Int64              // estimated size, 0 until somebody asks
	gone    bool                      // guarded by cache.mu: is in no entry any more
}

// An interval of generations, both ends included.
type interval struct{ from, to uint64 }

// intervals are where a trace is known to hold, most recently found first; immutable. More than one are kept because tasks read older
// generations beside the newest: without a place for what was verified there, each look would verify everything below again, and
// the work of a walk would double with each level.
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

// covers reports whether a trace of q is known to hold in snap without verifying its reads; it may
// grow an interval (see "Not walking at all").
func (t *Table) covers(q *Query, tr *trace, snap *db.Snapshot) bool {
	gen := snap.Gen()
	known := tr.holds.Load()
	if known == nil {
		return false
	}
	for _, iv := range *known {
		if iv.from <= gen && gen <= iv.to {
			return true
		}
	}
	for i, iv := range *known {
		if iv.to >= gen {
			continue
		}
		durable := t.durables.unchangedSince(tr.readParts(), snap, iv.to)
		if durable || tr.readParts().unchangedSince(snap, iv.to) {
			if durable {
				q.Counts.Durable.Add(1)
			}
			grown := append(intervals(nil), *known...)
			grown[i].to = gen
			tr.holds.CompareAndSwap(known, &grown) // a lost race loses only a shortcut
			return true
		}
	}
	return false
}

// readParts returns the partitions on which tr depends.
func (tr *trace) readParts() partSet { return partSet(tr.parts.Load()) }

// dependsOn adds partitions and reports whether any is news. A query below may answer with the same result from other reads than it did when tr was
// made: from then on tr depends on what these touched, too.
func (tr *trace) dependsOn(parts partSet) (news bool) {
	return partSet(tr.parts.Or(uint64(parts)))&parts != parts
}

// verified records that a walk found tr to hold at gen. What the walk touched must have been added before (dependsOn).
func (tr *trace) verified(gen uint64) {
	for {
		known := tr.holds.Load()
		now := intervals{{gen, gen}}
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
