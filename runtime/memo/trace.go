package memo

import (
	goruntime "runtime"
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
	reads  []read                   // immutable
	parts  atomic.Uint64            // a partSet that only grows: partitions read, transitively, by the run and by every walk since
	result mmapcas.Hash             // immutable
	group  *group                   // immutable: of the head of a cycle; nil: it is none
	run    uint64                   // immutable: which run of the table made it, from 1; 0: a stored one
	holds  atomic.Pointer[interval] // the most recently found; nil: not known to hold anywhere
	basis  atomic.Pointer[basis]    // of one that reads queries; nil: not known more closely than by reads and parts. It only grows
	value  atomic.Pointer[box]      // decoded result; dropped by the cache, brought back by Table.value
	next   *trace                   // guarded by entry.mu: the entry's next, which was used before

	soundAt  atomic.Uint32 // Table.damage when the result and what it refers to were last known to be there
	bytes    atomic.Int32  // its size, 0 until it is asked for
	own      int32         // immutable: bytes of a value that stays with the trace, stored
	unstored bool          // immutable once it is in an entry: the result is in no store, and value is not dropped
	tainted  bool          // immutable: an answer that is not kept, for the strands that asked at the time (K1)
	gone     bool          // guarded by cache.mu: is in no entry any more
	kept     bool          // guarded by entry.mu: the collector keeps the result

	// Most traces have one interval, and many a tiny value. Both are in place; what comes later is
	// elsewhere.
	firstInterval interval // written before it is published, by the run or by whoever read the record
	firstBox      box      // written before it is published, by the run
}

// An interval of generations, both ends included; immutable. It was made by a walk or a run in one
// of them, or was stored. If that linked all reads then links says to what, and the interval
// reaches on as long as nothing marks the entry, and nothing changes in stamps.
//
// next is what was known before. More than one are kept because tasks read older generations beside
// the newest: without a place for what was verified there, each look would verify everything below
// again, and the work of a walk would double with each level.
type interval struct {
	from, to uint64
	links    *links
	stamps   partSet
	walls    wallSet
	next     *interval
}

// A trace keeps at least the intervalsKept intervals that were found last, and at most
// intervalsMost: so most of them can be shared when one comes.
const (
	intervalsKept = 4
	intervalsMost = 8
)

// newTrace returns the trace of a run that read what a recorder took down, and a row for its links
// that begins with what answered. With few reads, as most runs have, all of it is one piece of
// memory; very many are taken over from the recorder.
func newTrace(c *recorder) (tr *trace, to []*source) {
	switch len(c.reads) {
	case 0:
		return &trace{}, nil
	case 1:
		x := &struct {
			trace
			reads [1]read
			to    [1]*source
		}{}
		tr, to = &x.trace, x.to[:]
		tr.reads = x.reads[:]
	case 2:
		x := &struct {
			trace
			reads [2]read
			to    [2]*source
		}{}
		tr, to = &x.trace, x.to[:]
		tr.reads = x.reads[:]
	case readsInPlace:
		x := &struct {
			trace
			reads [3]read
			to    [3]*source
		}{}
		tr, to = &x.trace, x.to[:]
		tr.reads = x.reads[:]
	default:
		if cap(c.reads) > readsCopied {
			tr, to = &trace{reads: fitted(c.reads)}, fitted(c.from)
			c.reads, c.from = nil, nil
			return tr, to
		}
		tr, to = &trace{reads: make([]read, len(c.reads))}, make([]*source, len(c.from))
	}
	copy(tr.reads, c.reads)
	copy(to, c.from)
	return tr, to
}

// linked returns what the reads of tr were linked to last, nil if they were not.
func (tr *trace) linked() *links {
	for iv := tr.holds.Load(); iv != nil; iv = iv.next {
		if iv.links.ofReads() {
			return iv.links
		}
	}
	return nil
}

// linkedPrints returns the prints that the entry of tr was linked to for it (R16), nil if it was
// not. It may have been linked to fewer.
func (tr *trace) linkedPrints() []uint32 {
	for iv := tr.holds.Load(); iv != nil; iv = iv.next {
		if b := tr.basis.Load(); iv.links == &printLinks && b != nil && len(b.prints) <= linkedPrints {
			return b.prints
		}
	}
	return nil
}

// kept returns what of a list is kept behind one that is found now.
func (iv *interval) kept() *interval {
	n := 0
	for x := iv; x != nil; x = x.next {
		n++
	}
	if n < intervalsMost {
		return iv
	}
	return iv.with(intervalsKept-1, nil, nil)
}

// with returns a copy of the first n of a list in which grown, if it is not nil, stands for old.
func (iv *interval) with(n int, old, grown *interval) *interval {
	if iv == nil || n == 0 {
		return nil
	}
	c := *iv
	if iv == old {
		c = *grown
	}
	c.next = iv.next.with(n-1, old, grown)
	return &c
}

// holdsIn returns an interval that contains gen, one with links if there is any, or nil.
func (tr *trace) holdsIn(gen uint64) (found *interval) {
	for iv := tr.holds.Load(); iv != nil; iv = iv.next {
		if iv.from <= gen && gen <= iv.to {
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
	return vouch{linked: true, stamps: iv.stamps, walls: iv.walls}
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
	for iv := known; iv != nil; iv = iv.next {
		if iv.links == nil || since > iv.to || iv.to >= gen || !iv.stamps.unchangedSince(snap, iv.to) {
			continue
		}
		if parts, ok := t.wallsStand(iv.walls, iv.to, snap); ok {
			if parts != 0 {
				tr.dependsOn(parts) // W4
			}
			return vouch{linked: true, stamps: iv.stamps, walls: iv.walls}, true
		}
	}
	for iv := known; iv != nil; iv = iv.next {
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
		now := &interval{from: iv.from, to: gen}
		if iv.links == nil {
			now = known.with(intervalsMost, iv, now)
		} else { // what it is linked to goes on telling which reads need not be looked at
			now.next = known.kept()
		}
		tr.holds.CompareAndSwap(known, now) // a lost race loses only a shortcut
		return vouch{stamps: parts}, true
	}
	for iv := known; iv != nil; iv = iv.next {
		if iv.links == nil && iv.to < gen && t.ledger.unmoved(tr, iv.to, gen) {
			switch t.linksInstead(e, tr, known) {
			case linkReads:
				return vouch{}, false
			case linkPrints:
				return t.linkToPrints(e, tr, gen), true
			}
			tr.holds.CompareAndSwap(known, &interval{from: gen, to: gen, next: known.kept()})
			return vouch{stamps: tr.readParts()}, true
		}
	}
	return vouch{}, false
}

// A trace of at most linkedReads reads is walked at one in linkEvery of the times that the ledger
// could answer for it once more. One that rests on no more than linkedPrints prints is linked to
// these, the first time.
const (
	linkEvery    = 64
	linkedReads  = 64
	linkedPrints = 16
)

// A linking is how an answer is linked for which the ledger could answer.
type linking uint8

const (
	linkNothing linking = iota
	linkReads           // by a walk
	linkPrints
)

// linksInstead says how tr, a trace of e for which the ledger answers, is to be linked all the same
// (R15, R16). known is where it is known to hold.
func (t *Table) linksInstead(e *entry, tr *trace, known *interval) linking {
	asked := e.state.Load()&toLink != 0
	again := asked
	for iv, began := known, t.ledger.now.Load().began; iv != nil && !again; iv = iv.next {
		again = iv.links == nil && iv.from >= began
	}
	switch b := tr.basis.Load(); {
	case (again || t.soon) && b.more == nil && len(b.prints) <= linkedPrints:
		return linkPrints
	case !again:
		return linkNothing
	case len(tr.reads) > linkedReads:
		return linkNothing
	case asked:
		return linkReads
	}
	if t.ledger.answered.Add(1)%linkEvery != 0 {
		return linkNothing
	}
	e.state.Or(toLink)
	return linkReads
}

// linkToPrints links e to what tr, a trace of it, rests on, for which the ledger answers in gen.
func (t *Table) linkToPrints(e *entry, tr *trace, gen uint64) vouch {
	a := account{links: &printLinks}
	for _, p := range tr.basis.Load().prints {
		for {
			changed, ok := t.link(t.nodes.ofPrint(p), e)
			if ok {
				a.newest = max(a.newest, changed)
				break
			}
			goruntime.Gosched() // the strand that takes the node out has still to take it off the index
		}
	}
	return a.publish(&interval{}, e, tr, gen)
}

// toBeLinked has the entry of a key walked when it is asked for next, if the ledger could answer
// for it. hint is as for upToDate, and what it returns, too.
func (t *Table) toBeLinked(q *Query, key string, hint *entry) *entry {
	e := hint
	if e == nil || e.changed.Load() == never {
		if q.fits(key) != nil {
			return hint
		}
		e = t.entry(q, key)
	}
	if e.state.Load()&toLink == 0 {
		e.state.Or(toLink)
	}
	return e
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
	for o := known; o != nil; o = o.next {
		if o.links.ofReads() && o.to < snap.Gen() && floor <= o.to && (iv.links == nil || iv.to < o.to) &&
			o.stamps.unchangedSince(snap, o.to) {
			iv = *o
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

// restsOn adds what a walk has found tr to rest on, and reports whether any is news. A trace that
// reads no query rests on what it reads; where more is not known, nothing is added.
func (tr *trace) restsOn(found *footing) (news bool) {
	if tr.basis.Load() == nil {
		return false
	}
	parts := tr.readParts()
	more := found.basis(parts)
	for {
		known := tr.basis.Load()
		if known == more {
			return false
		}
		found.begin(known)
		found.addBasis(more)
		all := found.basis(parts)
		if all == known {
			return false
		}
		if tr.basis.CompareAndSwap(known, all) {
			return true
		}
	}
}

// verified records that a walk or a run found tr to hold. What it touched must have been added
// before (dependsOn).
func (tr *trace) verified(iv *interval) {
	for {
		known := tr.holds.Load()
		iv.next = known.kept()
		if tr.holds.CompareAndSwap(known, iv) {
			return
		}
	}
}

// newest returns the interval with the newest generation, an empty one if there is none.
func (tr *trace) newest() interval {
	best := interval{from: 1, to: 0}
	for iv := tr.holds.Load(); iv != nil; iv = iv.next {
		if iv.to >= best.to {
			best = *iv
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
