package memo

import (
	"sync/atomic"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// tracesKept is how many traces a key keeps: enough for an edit, its undo and a branch switched to and fro.
const tracesKept = 4

// A trace is one run of a query: what it read and what came out (M2).
type trace struct {
	reads   []read       // immutable
	parts   partSet      // immutable: partitions read, transitively
	result  mmapcas.Hash // immutable
	tainted bool         // immutable: an answer in spite of an error, for those who asked at the time; never kept
	holds   atomic.Pointer[interval]
	value   atomic.Pointer[box] // decoded result; dropped by the cache, brought back by Table.value
}

// An interval of generations, both ends included; immutable.
type interval struct{ from, to uint64 }

// A box is a decoded result in the cache.
type box struct {
	value any
	bytes int
	used  atomic.Bool // set by readers, cleared by the cache's hand
	owner *trace
}

// covers reports whether tr is known to hold in snap without verifying its reads; it may
// grow the interval (see "Not walking at all").
func (tr *trace) covers(snap *db.Snapshot) bool {
	gen := snap.Gen()
	iv := tr.holds.Load()
	if iv == nil || gen < iv.from {
		return false
	}
	if gen <= iv.to {
		return true
	}
	if !tr.parts.unchangedSince(snap, iv.to) {
		return false
	}
	tr.holds.CompareAndSwap(iv, &interval{iv.from, gen}) // a lost race loses only a shortcut
	return true
}

// verified records that a walk found tr to hold at gen.
func (tr *trace) verified(gen uint64) {
	for {
		iv := tr.holds.Load()
		if iv != nil && iv.to >= gen {
			return // another strand knows about a newer generation: keep that
		}
		if tr.holds.CompareAndSwap(iv, &interval{gen, gen}) {
			return
		}
	}
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
