package gc

import (
	"errors"
	"math"
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// A reaper turns notes about replaced records into an estimate of garbage. It keeps a count for
// each record that was referred to since the process began; a record from before counts as referred
// to once.
type reaper struct {
	o       Options
	garbage atomic.Int64 // bytes
	atRoots int64        // of garbage, when the roots of the cycle were taken; the collector's own

	mu      sync.Mutex
	counts  map[mmapcas.Hash]int32 // guarded by mu: references made minus references dropped, for records touched since the start
	cascade []mmapcas.Hash         // guarded by mu: records found dead whose references are to be dropped
}

func (r *reaper) init(o Options) {
	r.o = o
	r.counts = map[mmapcas.Hash]int32{}
}

// rootsTaken notes what the cycle will free. What is replaced from now on floats: the roots reach
// it, so the cycle after this one is the first to free it.
func (r *reaper) rootsTaken() { r.atRoots = r.garbage.Load() }

// collected starts over after a cycle: what had been counted when its roots were taken is gone, or,
// after a short cycle, as much of it as was freed.
func (r *reaper) collected(short bool, freed int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	gone := r.atRoots
	if short {
		gone = min(gone, freed)
	} else {
		clear(r.counts)
	}
	r.garbage.Add(-gone)
	r.atRoots = 0
}

// Referred notes what a commit refers to from now on.
func (c *Collector) Referred(changes []db.Change) {
	r := &c.reaper
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range changes {
		if h := changes[i].New; !h.IsZero() {
			r.counts[h]++
		}
	}
}

// Bounds of how many dead records are followed at a time: a large drop is spread over several.
const (
	cascadeMax  = 4096
	cascadeSome = 1024
)

// Reap applies the notes that no snapshot needs any more and returns how many it applied. The rest,
// and what follows from them, waits for the next call.
func (c *Collector) Reap() (applied int) {
	c.reaper.mu.Lock()
	defer c.reaper.mu.Unlock()
	return c.reaper.reap(math.MaxInt, cascadeMax)
}

// ReapSome is Reap of a few notes, for whoever has no time, unless another reaps.
func (c *Collector) ReapSome() {
	if c.reaper.mu.TryLock() {
		defer c.reaper.mu.Unlock()
		c.reaper.reap(cascadeSome, cascadeSome)
	}
}

// reap applies at most so many notes, and follows at most so many dead records. The caller holds
// mu.
func (r *reaper) reap(notes, dead int) (applied int) {
	r.o.DB.Replaced(r.o.DB.OldestSnapshot(), notes, func(h mmapcas.Hash) {
		applied++
		r.drop(h)
	})
	for n := 0; len(r.cascade) > 0 && n < dead; n++ {
		r.bury(pop(&r.cascade))
	}
	return applied
}

func (r *reaper) drop(h mmapcas.Hash) {
	n, known := r.counts[h]
	if !known {
		n = 1
	}
	if n--; n > 0 {
		r.counts[h] = n
		return
	}
	r.counts[h] = 0
	r.cascade = append(r.cascade, h)
}

// bury counts what a dead record takes on disk and drops its references.
func (r *reaper) bury(h mmapcas.Hash) {
	var refs []mmapcas.Hash
	err := r.o.Store.View(h, func(kind mmapcas.Kind, payload []byte) error {
		refs = r.o.Refs(kind, payload)
		return nil
	})
	if errors.Is(err, mmapcas.ErrNotFound) {
		return // collected already
	}
	extent, _ := r.o.Store.Extent(h)
	r.garbage.Add(extent)
	for _, ref := range refs {
		r.drop(ref)
	}
}
