package memo

import "runtime"

// A vouch says why an answer holds in the snapshot that it was asked for in. Whoever reads the
// answer adds it to its own reasons.
type vouch struct {
	linked bool    // changes are told along links, but for those of stamps
	stamps partSet // must not change for the answer to hold; all it rests on if it is not linked
	walls  wallSet // that it rests on, if it is linked
}

// An account is what a walk or a run learns of the reads of a trace.
type account struct {
	links   *links    // of what was linked before, nil if nothing was
	was     []*source // the row of links
	to      []*source // what reads are linked to now; nil: as links says
	looked  []int32   // the reads that were not passed over, ascending
	stamps  partSet
	walls   wallSet
	newest  uint64 // when what was read changed last
	severed bool   // a source was gone when it was to be linked to
}

// at returns the source that read i was found at, nil if it is a node that is not looked up yet.
func (a *account) at(i int) *source {
	switch {
	case a.to != nil:
		return a.to[i]
	case a.links != nil:
		return a.was[i]
	}
	return nil
}

// linkedBefore says what n reads were linked to before; nil: they were not.
func (a *account) linkedBefore(l *links, n int) {
	if a.links = l; l != nil {
		a.was = l.row(n)
	}
}

// set says that read i, one of n, was found at x.
func (a *account) set(i, n int, x *source) {
	if a.at(i) == x {
		return
	}
	if a.to == nil {
		a.to = make([]*source, n)
		if a.links != nil {
			copy(a.to, a.was)
		}
	}
	a.to[i] = x
}

// linkRead links e to the source of read i and takes up when that changed last (R5). known says
// that e is linked to it already, and so it is to what the read before was found at, for one table
// is read by many names.
func (t *Table) linkRead(a *account, e *entry, reads []read, i int, known bool) {
	x := a.at(i)
	known = known || i > 0 && x != nil && a.at(i-1) == x && !a.severed
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
			a.note(x)
			a.set(i, len(reads), x)
			a.newest = max(a.newest, changed)
			return
		case reads[i].kind.asks():
			a.severed = true
			return
		case x != nil:
			runtime.Gosched() // the strand that takes the node out has still to take it off the index
		}
		x, known = t.nodes.of(&reads[i]), false
	}
}

// add takes over why an answer that is read holds. A wall is a reason of its own, which is noted
// when it is linked to.
func (a *account) add(found *holding) {
	if found.linked && found.entry.isWall() {
		return
	}
	a.stamps |= found.stamps
	a.walls |= found.walls
}

// note notes x if it is a wall (W1). What becomes one later marks all that is linked to it.
func (a *account) note(x *source) {
	if e := x.asEntry(); e != nil {
		a.walls |= e.wallBit()
	}
}

// linkWalk links e to what a walk of tr has looked at. What was passed over is linked already.
func (t *Table) linkWalk(a *account, e *entry, tr *trace) {
	for _, i := range a.looked {
		known := a.links != nil && a.at(int(i)) == a.was[i]
		t.linkRead(a, e, tr.reads, int(i), known)
	}
}

// linkRun links e to what a run has read. What the run before was linked to need not be linked to
// again. to is the row of links to be filled in.
func (t *Table) linkRun(a *account, e *entry, reads []read, c *recorder, to []*source) {
	a.to = to
	taken := c.taken
	for i := 0; i < len(reads); i++ {
		if len(taken) > 0 && taken[0].at == i {
			i += taken[0].n - 1
			taken = taken[1:]
			continue // R12
		}
		known := false
		if was := c.was[i]; was > 0 {
			if x := c.links[was-1]; a.to[i] == nil || a.to[i] == x {
				a.to[i], known = x, true
			}
		}
		t.linkRead(a, e, reads, i, known)
	}
}

// publish makes an interval of gen in iv, with what the account says (R5).
func (a *account) publish(iv *interval, e *entry, tr *trace, gen uint64) vouch {
	*iv = interval{from: gen, to: gen, stamps: a.stamps, walls: a.walls}
	v := vouch{linked: !a.severed, stamps: a.stamps, walls: a.walls}
	switch {
	case a.severed:
		iv.stamps, v.stamps = 0, tr.readParts()
		iv.walls, v.walls = 0, 0
	case a.to != nil || a.links == nil:
		iv.links = linksOf(a.to)
	default:
		iv.links = a.links
	}
	e.source.mu.Lock()
	e.raise(a.newest)
	if w := e.wall(); w != nil {
		w.answered(gen, e.seen, tr)
	}
	e.seen = max(e.seen, gen)
	if e.state.Load()&toLink != 0 {
		e.state.And(^uint32(toLink))
	}
	tr.verified(iv)
	e.source.mu.Unlock()
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
	for iv := known; iv != nil; iv = iv.next {
		if iv.links == nil || iv.stamps != 0 || iv.to >= gen || max(changed, floor) > iv.to {
			continue
		}
		if iv.walls == 0 {
			grown := *iv
			grown.to = gen
			tr.holds.CompareAndSwap(known, known.with(intervalsMost, iv, &grown))
			return
		}
		if t.extendOverWalls(tr, known, iv, gen) {
			return
		}
	}
}

// basisSettled has the basis of tr know what the walls of its newest interval rest on (W4), and
// returns that interval. Where a wall is not known to stand at its end any more, partitions stand
// for keys.
func (t *Table) basisSettled(tr *trace) interval {
	iv := tr.newest()
	known := tr.basis.Load()
	if iv.links == nil || iv.walls == 0 || known == nil {
		return iv
	}
	var found footing
	found.begin(known)
	parts, ok := t.wallsStandIn(iv.to, iv.walls, iv.to, &found)
	if tr.dependsOn(parts); !ok {
		found.more.all |= tr.readParts()
	}
	tr.restsOn(&found)
	return iv
}

// extendOverWalls adds gen alone to where tr holds, if the walls of iv have the answers there that
// they had at its end; between they may have had others. What they rest on now tr does, too.
func (t *Table) extendOverWalls(tr *trace, known, iv *interval, gen uint64) bool {
	var found footing
	found.begin(tr.basis.Load())
	parts, ok := t.wallsStandIn(gen, iv.walls, iv.to, &found)
	if !ok {
		return false
	}
	tr.dependsOn(parts)
	tr.restsOn(&found)
	now := &interval{from: gen, to: gen, links: iv.links, walls: iv.walls, next: known.kept()}
	return tr.holds.CompareAndSwap(known, now)
}
