package gc

import (
	"errors"
	"math"
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// A reaper turns notes about replaced records into an estimate of garbage: see "The reaper" in the
// package comment. It keeps a count for each record of the sample that was referred to since the
// last cycle of everything; a record from before counts as referred to once.
type reaper struct {
	o       Options
	exact   int          // notes and references that count before the sample becomes a part
	garbage atomic.Int64 // bytes
	atRoots int64        // of garbage, when the roots of the cycle were taken; the collector's own
	part    atomic.Int64 // one record in so many is in the sample; written with mu held

	mu      sync.Mutex
	noted   int                    // guarded by mu: notes and references since the last cycle of everything
	counts  map[mmapcas.Hash]int32 // guarded by mu: references made minus references dropped
	cascade []dead                 // guarded by mu: their references are to be dropped
}

// A dead record is one to which no reference is known.
type dead struct {
	h      mmapcas.Hash
	weight int64 // records that it stands for
}

const (
	// reapExact is reaper.exact of the product. So many are a few milliseconds, and what somebody
	// types hardly makes more between two cycles.
	reapExact = 8192
	// reapPart: one record in so many is in the sample after that, and one in reapRare after
	// reapMany times as many. So the sample has some hundreds of records as soon as it is a part.
	reapPart = 16
	reapMany = 16
	reapRare = 64
)

func (r *reaper) init(o Options) {
	r.o = o
	r.exact = reapExact
	r.part.Store(1)
	r.counts = map[mmapcas.Hash]int32{}
}

// samples reports whether the changes of a record count. Which ones do is told by the name, so that
// all changes of a record count, or none. A name is a hash, so its bits are as good as random.
func (r *reaper) samples(h mmapcas.Hash) bool { return int64(h[0])%r.part.Load() == 0 }

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
		r.noted = 0
		r.part.Store(1)
	}
	r.garbage.Add(-gone)
}

// Referred notes what a commit refers to from now on.
func (c *Collector) Referred(changes []db.Change) {
	r := &c.reaper
	locked := false
	for i := range changes {
		h := changes[i].New
		if h.IsZero() || !r.samples(h) {
			continue
		}
		if !locked {
			r.mu.Lock()
			defer r.mu.Unlock()
			locked = true
		}
		r.counts[h]++
		r.note()
	}
}

// note counts a note, or a reference, of the sample, for as many as it stands for. The caller holds
// mu.
func (r *reaper) note() {
	part := r.part.Load()
	r.noted += int(part)
	switch {
	case part == 1 && r.noted >= r.exact:
		r.part.Store(reapPart)
	case part == reapPart && r.noted >= reapMany*r.exact:
		r.part.Store(reapRare)
	}
}

// Sampled reports whether Stats.GarbageBytes comes from a part of the records. Where few are large,
// that part may have none of them.
func (c *Collector) Sampled() bool { return c.reaper.part.Load() > 1 }

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
func (r *reaper) reap(notes, buried int) (applied int) {
	r.o.DB.Replaced(r.o.DB.OldestSnapshot(), notes, func(h mmapcas.Hash) {
		applied++
		if r.samples(h) {
			part := r.part.Load()
			r.note()
			r.drop(h, part)
		}
	})
	for n := 0; len(r.cascade) > 0 && n < buried; n++ {
		last := len(r.cascade) - 1
		next := r.cascade[last]
		r.cascade = r.cascade[:last]
		r.bury(next)
	}
	return applied
}

// drop takes a reference off a record, for so many like it.
func (r *reaper) drop(h mmapcas.Hash, weight int64) {
	n, known := r.counts[h]
	if !known {
		n = 1
	}
	if n--; n > 0 {
		r.counts[h] = n
		return
	}
	r.counts[h] = 0
	r.cascade = append(r.cascade, dead{h, weight})
}

// bury counts what a dead record takes on disk and drops its references.
func (r *reaper) bury(d dead) {
	var refs []mmapcas.Hash
	err := r.o.Store.View(d.h, func(kind mmapcas.Kind, payload []byte) error {
		refs = r.o.Refs(kind, payload)
		return nil
	})
	if errors.Is(err, mmapcas.ErrNotFound) {
		return // collected already
	}
	extent, _ := r.o.Store.Extent(d.h)
	r.garbage.Add(extent * d.weight)
	for _, ref := range refs {
		r.drop(ref, d.weight)
	}
}
