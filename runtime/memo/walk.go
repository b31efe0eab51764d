package memo

import (
	"runtime"
	"slices"
)

// A vouch says why an answer holds in the snapshot that it was asked for in. Whoever reads the answer
// adds it to its own reasons.
type vouch struct {
	linked bool    // changes are told along links, but for those of stamps
	stamps partSet // partitions that must not change for the answer to hold; all it rests on if it is not linked
	grown  bool    // it was not looked at in this generation, nothing said that it had changed
}

// An account is what a walk or a run learns of the reads of a trace.
type account struct {
	links   *links    // reads that were linked before, nil if there are none
	to      []*source // what reads are linked to now; nil: as links says
	looked  []int32   // the reads that were not passed over, ascending
	stamps  partSet
	newest  uint64 // when what was read changed last
	severed bool   // a source was gone when it was to be linked to
}

// at returns the source that read i was found at, nil if it is a node that is not looked up yet.
func (a *account) at(i int) *source {
	switch {
	case a.to != nil:
		return a.to[i]
	case a.links != nil:
		return a.links.to[i]
	}
	return nil
}

// set says that read i, one of n, was found at x.
func (a *account) set(i, n int, x *source) {
	if a.at(i) == x {
		return
	}
	if a.to == nil {
		a.to = make([]*source, n)
		if a.links != nil {
			copy(a.to, a.links.to)
		}
	}
	a.to[i] = x
}

// linkRead links e to the source of read i and takes up when that changed last (R5). known says that
// e is linked to it already.
func (t *Table) linkRead(a *account, e *entry, reads []read, i int, known bool) {
	x := a.at(i)
	for {
		var (
			changed uint64
			ok      bool
		)
		switch {
		case x == nil:
		case known:
			changed, ok = x.pull()
		default:
			changed, ok = t.link(x, e)
		}
		switch {
		case ok:
			a.set(i, len(reads), x)
			a.newest = max(a.newest, changed)
			return
		case reads[i].kind == readQuery:
			a.severed = true
			return
		case x != nil:
			runtime.Gosched() // whoever takes the node out is about to
		}
		x, known = &t.nodes.of(&reads[i]).source, false
	}
}

// linkWalk links e to what a walk of tr has looked at. What was passed over is linked already.
func (t *Table) linkWalk(a *account, e *entry, tr *trace) {
	for _, i := range a.looked {
		known := a.links != nil && a.at(int(i)) == a.links.to[i]
		t.linkRead(a, e, tr.reads, int(i), known)
	}
}

// linkRun links e to what a run has read. before is a trace of e, or nil: what it is linked to need
// not be linked to again.
func (t *Table) linkRun(a *account, e *entry, reads []read, before *trace) {
	var old *links
	if before != nil {
		old = before.links.Load()
	}
	if a.to == nil {
		a.to = make([]*source, len(reads))
	}
	at := 0
	for i := range reads {
		known := false
		if old != nil {
			for j := at; j < min(at+readsAhead, len(old.to)); j++ {
				if x := old.to[j]; a.to[i] != nil && a.to[i] != x || a.to[i] == nil && !reads[i].same(&before.reads[j]) {
					continue
				}
				a.to[i], known, at = old.to[j], true, j+1
				break
			}
		}
		t.linkRead(a, e, reads, i, known)
	}
}

// readsAhead is how far a read may have moved towards the front since the run before and still be
// recognised. One that is not is linked again, which costs a place in a list.
const readsAhead = 8

// publish makes an interval of gen, with what the account says (R5).
func (a *account) publish(e *entry, tr *trace, gen uint64) vouch {
	iv := interval{from: gen, to: gen, stamps: a.stamps}
	v := vouch{linked: !a.severed, stamps: a.stamps}
	switch {
	case a.severed:
		iv.stamps, v.stamps = 0, tr.readParts()
	case a.to != nil || a.links == nil:
		iv.links = &links{to: a.to}
	default:
		iv.links = a.links
	}
	e.source.mu.Lock()
	e.raise(a.newest)
	e.seen = max(e.seen, gen)
	tr.verified(iv)
	e.source.mu.Unlock()
	if iv.links != nil {
		tr.links.Store(iv.links)
	}
	return v
}

// extend lets the linked intervals of tr reach as far as nothing has changed, for the store.
func (t *Table) extend(e *entry, tr *trace) {
	gen := t.o.DB.Generation()
	known := tr.holds.Load()
	if known == nil {
		return
	}
	gen = min(gen, t.marked.Load())
	changed, floor := e.changed.Load(), t.floor.Load()
	for i, iv := range *known {
		if iv.links != nil && iv.stamps == 0 && iv.to < gen && max(changed, floor) <= iv.to {
			grown := slices.Clone(*known)
			grown[i].to = gen
			tr.holds.CompareAndSwap(known, &grown)
			return
		}
	}
}
