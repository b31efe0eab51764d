package memo

import (
	"math/bits"
	"sync/atomic"

	"github.com/cytisus/cytisus/runtime/db"
)

// wallsMost is how many keys can be walls: the bits of a wallSet.
const wallsMost = 64

// A wallSet is a set of keys at which marks stop; see "Walls".
type wallSet uint64

// A wall is what an entry has at which marks stop.
type wall struct {
	entry *entry
	bit   wallSet
	claim atomic.Pointer[claim] // written under entry.source.mu; nil: none yet
	held  atomic.Pointer[heldClaim]
}

// A claim says that a wall gave the result of tr in each generation from from on in which it was
// asked; the newest of these is to. Immutable.
type claim struct {
	from, to uint64
	tr       *trace
}

// A heldClaim is one that was found to hold in a generation.
type heldClaim struct {
	gen    uint64
	claim  *claim
	rested bool // the basis of its trace has what it rests on in gen
}

// walls are the walls of a table.
type walls struct {
	at   [wallsMost]atomic.Pointer[wall] // written under markMu; nil: none, or its entry is forgotten
	keys map[wallKey]int                 // guarded by markMu: a bit stands for one key for ever
}

type wallKey struct {
	query *Query
	key   string
}

// raise makes e a wall if there is room for one, and reports whether there is. The caller holds
// markMu and e.source.mu, and marks the dependents of e with a generation that is newer than
// marked: who is about to publish an answer that rests on e has not noted the wall.
func (w *walls) raise(e *entry) {
	key := wallKey{e.query, e.key()}
	i, known := w.keys[key]
	if !known {
		if i = len(w.keys); i == wallsMost {
			return
		}
		if w.keys == nil {
			w.keys = map[wallKey]int{}
		}
		w.keys[key] = i
	}
	w.at[i].Store(&wall{entry: e, bit: 1 << i})
	e.setWall(i)
}

// letGo takes the wall of a forgotten entry down. The caller holds markMu.
func (w *walls) letGo(e *entry) {
	if x := e.wall(); x != nil {
		w.at[bits.TrailingZeros64(uint64(x.bit))].Store(nil)
	}
}

// answered notes the answer of a wall in gen; seen is the newest generation of an answer before
// (W2). The caller holds entry.source.mu.
func (x *wall) answered(gen, seen uint64, tr *trace) {
	c := x.claim.Load()
	switch {
	case c == nil && gen < seen:
	case c == nil, gen > c.to && !c.tr.answersAs(tr):
		x.claim.Store(&claim{gen, gen, tr})
	case gen > c.to:
		x.claim.Store(&claim{c.from, gen, tr})
	}
}

// answersAs reports whether all that can be read of two traces of a key is the same: the results
// and, of the heads of cycles, those of the members.
func (tr *trace) answersAs(o *trace) bool {
	return tr == o || tr.result == o.result && tr.group == nil && o.group == nil
}

// wallsStand reports whether each of a set of walls has the answer in gen that it had at the end of
// an interval (W3), without a walk, and which partitions they rest on now.
func (t *Table) wallsStand(set wallSet, to uint64, snap *db.Snapshot) (parts partSet, ok bool) {
	if set == 0 {
		return 0, true
	}
	s := wallCheck{t: t, gen: snap.Gen()}
	return s.stand(set, to, snap)
}

// wallsStandIn is wallsStand without a snapshot: walls that rest on a partition as a whole do not
// stand. What walls rest on is added to found.
func (t *Table) wallsStandIn(gen uint64, set wallSet, to uint64, found *footing) (parts partSet, ok bool) {
	s := wallCheck{t: t, gen: gen, found: found}
	return s.stand(set, to, nil)
}

// A wallCheck is a question about walls in one generation. Its snapshot, which may be nil, is no
// part of it: those of questions without a task would then be on the heap.
type wallCheck struct {
	t     *Table
	gen   uint64
	found *footing // may be nil
	above wallSet  // that are being asked about
}

func (s *wallCheck) stand(set wallSet, to uint64, snap *db.Snapshot) (parts partSet, ok bool) {
	if s.above&set != 0 {
		return 0, false // a wall may have rested on another in one generation, and that on it in a later one
	}
	for ; set != 0; set &= set - 1 {
		x := s.t.walls.at[bits.TrailingZeros64(uint64(set))].Load()
		if x == nil {
			return 0, false
		}
		c := x.claim.Load()
		if c == nil || c.from > to || !s.holds(x, c, snap) {
			return 0, false
		}
		parts |= c.tr.readParts()
		if s.found != nil {
			s.found.addTrace(c.tr)
		}
	}
	return parts, true
}

// holds reports whether the trace of a claim is known to hold, by R1 (a) or (b).
func (s *wallCheck) holds(x *wall, c *claim, snap *db.Snapshot) bool {
	if h := x.held.Load(); h != nil && h.gen == s.gen && h.claim == c && (h.rested || s.found == nil) {
		return true
	}
	if c.tr.holdsIn(s.gen) == nil {
		ok := false
		if s.found == nil { // no function value: the snapshot would be on the heap
			ok = s.reaches(x, c, snap)
		} else {
			ok = s.reachesResting(x, c, snap)
		}
		if !ok {
			return false
		}
	}
	x.held.Store(&heldClaim{s.gen, c, s.found != nil})
	return true
}

// reachesResting is reaches that has the basis of the trace say what it rests on now. So those who
// rest on the wall take it from there, and the walls below are looked at once in a generation.
func (s *wallCheck) reachesResting(x *wall, c *claim, snap *db.Snapshot) bool {
	var own footing
	own.begin(c.tr.basis.Load())
	above := s.found
	s.found = &own
	ok := s.reaches(x, c, snap)
	if s.found = above; ok {
		c.tr.restsOn(&own)
	}
	return ok
}

func (s *wallCheck) reaches(x *wall, c *claim, snap *db.Snapshot) bool {
	since := max(x.entry.changed.Load(), s.t.floor.Load())
	for iv := c.tr.holds.Load(); iv != nil; iv = iv.next {
		if iv.links == nil || since > iv.to || iv.to >= s.gen || !iv.stamps.stands(snap, iv.to) {
			continue
		}
		s.above |= x.bit
		parts, ok := s.stand(iv.walls, iv.to, snap)
		s.above &^= x.bit
		if ok {
			c.tr.dependsOn(parts)
			return true
		}
	}
	return false
}

// stands is unchangedSince where there may be no snapshot.
func (s partSet) stands(snap *db.Snapshot, since uint64) bool {
	return s == 0 || snap != nil && s.unchangedSince(snap, since)
}
