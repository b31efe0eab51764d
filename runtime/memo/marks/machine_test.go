package marks

import (
	"fmt"
	"math/bits"
	"slices"
)

// A pc is where a frame is. Each is one access to what actors share, or to none of it.
type pc uint8

const (
	// a question
	gEntry pc = iota
	gContain
	gMarked
	gChanged
	gFloor
	gWalls
	gStamps
	gLedger
	gJoin
	gWait
	gFinish
	// a walk
	wTrace
	wClaims
	wWalls
	wAlive
	wUnchanged
	wRead
	wReturned
	// a run
	rStart
	rRead
	rReturned
	// after either
	lRead
	lNode
	lLate
	lLateLink
	lPublish
	lKeep
	// taking the queue and marking
	tLock
	tTake
	tTaken
	tFloor
	tKey
	tMarked
	tUnlock
	// a commit
	cTurn
	cFirst
	cSecond
	// forgetting, tidying
	fLock
	fDo
	fWork
	fUnlock
	yLock
	yDo
	yUnlock
	// becoming a wall
	bLock
	bDo
	bWork
	bUnlock
)

// done reports whether an actor has nothing left to do.
func (a *actor) done() bool { return len(a.stack) == 0 && a.at == len(a.script) }

// enabled reports whether an actor can move.
func (st *state) enabled(n int) bool {
	a := &st.actors[n]
	if a.done() {
		return false
	}
	if len(a.stack) == 0 {
		return true
	}
	f := &a.stack[len(a.stack)-1]
	switch f.pc {
	case gWait:
		return st.flights[f.flight].done
	case tLock, yLock, bLock:
		return !st.locked
	case fLock:
		return !st.locked || st.sp.rules.forgetUnlocked
	case cTurn:
		return !st.turn
	}
	return true
}

// move lets an actor make its next access to what is shared.
func (st *state) move(n int) {
	a := &st.actors[n]
	if len(a.stack) == 0 {
		st.begin(a)
		return
	}
	for len(a.stack) > 0 && st.enabled(n) && st.wrong == "" {
		if shared := st.step(a); shared {
			return
		}
	}
}

func (st *state) begin(a *actor) {
	o := a.script[a.at]
	a.at++
	f := frame{flight: -1, q: o.id}
	switch o.do {
	case 'a':
		f.pc, f.s = gEntry, st.published
		if o.back != 0 {
			f.s = min(o.back, st.published)
		}
	case 'c':
		f.pc, f.acc = cTurn, o.val
	case 'f':
		f.pc = fLock
	case 't':
		f.pc = yLock
	case 'w':
		f.pc = bLock
	case 'r':
		st.reopen()
		return
	case 'k':
		st.kill()
		return
	case 'l':
		st.tell()
		return
	}
	a.stack = append(a.stack, f)
}

// ask goes on with a question below.
func (a *actor) ask(q, s uint8) {
	a.stack = append(a.stack, frame{pc: gEntry, flight: -1, q: q, s: s})
}

func (a *actor) pop() { a.stack = a.stack[:len(a.stack)-1] }

// answer ends a question, or the flight that it is in.
func (st *state) answer(a *actor, f *frame, ans answer) {
	a.ret = ans
	if want := st.sp.scratch(&st.history[f.s-1], f.q); want != ans.result {
		st.wrong = fmt.Sprintf("query %d at %d is %d, from scratch %d", f.q, f.s, ans.result, want)
	}
	if f.flight >= 0 {
		f.pc = gFinish
		return
	}
	a.pop()
}

// contained reports how trace k of an entry is known to hold at s by intervals, without any mark.
func contained(ivs []interval, s uint8) (iv interval, ok bool) {
	for _, v := range ivs {
		if v.from <= s && s <= v.to && (!ok || v.linked && !iv.linked) {
			iv, ok = v, true
		}
	}
	return iv, ok
}

// stands returns the first interval, from i on, that stands at s but for walls; len(ivs) if there
// is none.
func (st *state) stands(ivs []interval, i int, s, changed, floor uint8) int {
	r := &st.sp.rules
	anyLinked := slices.ContainsFunc(ivs, func(iv interval) bool { return iv.linked })
	for ; i < len(ivs); i++ {
		iv := &ivs[i]
		linked := iv.linked || r.traceLinked && anyLinked
		if linked && iv.to < s && max(changed, floor) <= iv.to && st.unchanged(iv.stamps, iv.to, s) {
			break
		}
	}
	return i
}

// wallsStand reports whether the walls of an interval have the answers at s that they had at its
// end, by claims that were read before.
func (st *state) wallsStand(iv *interval, s uint8, claims []claim) bool {
	r := &st.sp.rules
	for set := iv.walls; set != 0; set &= set - 1 {
		q := bits.TrailingZeros8(set)
		c := claims[q]
		if c.from == 0 || c.from > iv.to && !r.claimsAreForEver {
			return false
		}
		if (r.claimsReach && s <= c.to) || st.wallHolds(s, &c) {
			continue
		}
		return false
	}
	return true
}

// wallParts are the partitions that walls rest on now. Since an interval was made that rests on
// them they may have come to the same result by other reads.
func (st *state) wallParts(walls uint8, claims []claim) (parts uint8) {
	if st.sp.rules.wallPartsForgotten {
		return 0
	}
	for set := walls; set != 0; set &= set - 1 {
		c := &claims[bits.TrailingZeros8(set)]
		parts |= st.entries[c.entry].all[c.trace].parts
	}
	return parts
}

// wallBasis are the keys that walls rest on now.
func (st *state) wallBasis(walls uint8, claims []claim) (keys uint8) {
	for set := walls; set != 0; set &= set - 1 {
		c := &claims[bits.TrailingZeros8(set)]
		keys |= st.entries[c.entry].all[c.trace].basis
	}
	return keys
}

// wallHolds reports whether the trace of a claim is known to hold at s without a walk.
func (st *state) wallHolds(s uint8, c *claim) bool {
	e := &st.entries[c.entry]
	if e.dead || st.marked < s {
		return false
	}
	tr := &e.all[c.trace]
	if _, ok := contained(tr.ivs, s); ok {
		return true
	}
	for i := 0; ; i++ {
		if i = st.stands(tr.ivs, i, s, e.changed, st.floor); i == len(tr.ivs) {
			return false
		}
		if iv := &tr.ivs[i]; st.wallsStand(iv, s, st.claims) {
			st.dependsOn(c.entry, c.trace, st.wallParts(iv.walls, st.claims))
			return true
		}
	}
}

// dependsOn adds partitions to a trace.
func (st *state) dependsOn(x, k, parts uint8) {
	e := &st.entries[x]
	e.all = slices.Clone(e.all)
	e.all[k].parts |= parts
}

// claim notes that a wall, whose newest answer before was in seen, answers at s from a trace.
func (st *state) claim(x, s, seen, trace uint8) {
	r := &st.sp.rules
	e := &st.entries[x]
	c := &st.claims[e.q]
	switch same := c.from != 0 && e.all[c.trace].result == e.all[trace].result; {
	case c.from == 0 && s < seen && !r.claimsBeginAnywhere:
	case c.from == 0 || s > c.to && !same && !r.claimsStay:
		*c = claim{s, s, x, trace}
	case s > c.to:
		c.to, c.trace = s, trace
	}
}

// step makes one step of an actor, and reports whether it touched what is shared.
func (st *state) step(a *actor) (shared bool) {
	sp, r := st.sp, &st.sp.rules
	f := &a.stack[len(a.stack)-1]
	var e *entry
	if f.pc < tLock && f.pc != gEntry {
		e = &st.entries[f.entry]
	}
	switch f.pc {
	case gEntry:
		x := st.current[f.q]
		if x == never {
			x = uint8(len(st.entries))
			ne := entry{q: f.q, all: slices.Clone(st.stored[f.q])}
			for i := range ne.all {
				ne.kept = append(ne.kept, uint8(i))
			}
			st.entries = append(st.entries, ne)
			st.current[f.q] = x
		}
		f.entry = x
		kept := st.entries[x].kept
		f.list, f.ti = kept[:min(len(kept), 1)], 0
		f.pc = gContain
		return true

	case gContain:
		if f.ti == len(f.list) {
			if f.flight < 0 {
				f.pc = gJoin
			} else {
				f.ti, f.pc = 0, wTrace
			}
			return false
		}
		tr := &e.all[f.list[f.ti]]
		f.known = tr.ivs
		if iv, ok := contained(f.known, f.s); ok {
			st.answer(a, f, answer{f.entry, tr.result, tr.parts, tr.basis, iv.linked, iv.stamps, iv.walls})
			return true
		}
		f.pc = gMarked
		return true

	case gMarked:
		if st.marked >= f.s || r.doNotWait && st.taken >= f.s {
			f.pc = gChanged
			return true
		}
		a.stack = append(a.stack, frame{pc: tLock, flight: -1, s: f.s})
		return true

	case gChanged:
		f.last = e.changed
		f.iv, f.pc = 0, gFloor
		return true

	case gFloor:
		f.claims = nil
		if f.iv = st.stands(f.known, f.iv, f.s, f.last, st.floor); f.iv == len(f.known) {
			f.pc = gStamps
			return true
		}
		if iv := &f.known[f.iv]; iv.walls != 0 {
			f.claims, f.pc = slices.Clone(st.claims), gWalls
			return true
		}
		st.standing(a, f)
		return true

	case gWalls:
		if st.wallsStand(&f.known[f.iv], f.s, f.claims) {
			st.standing(a, f)
			return true
		}
		f.iv++
		f.pc = gFloor
		return true

	case gStamps:
		k := f.list[f.ti]
		tr := &e.all[k]
		for i, iv := range f.known {
			if iv.to >= f.s || !st.unchanged(tr.parts, iv.to, f.s) {
				continue
			}
			grown := interval{from: iv.from, to: f.s, linked: iv.linked && r.stampsStayLinked, stamps: iv.stamps, walls: iv.walls, via: iv.via}
			if sameIntervals(tr.ivs, f.known) {
				ivs := slices.Clone(f.known)
				if iv.linked && !r.stampsStayLinked {
					ivs = append([]interval{grown}, ivs...)
				} else {
					ivs[i] = grown
				}
				st.setIntervals(f.entry, k, ivs[:min(len(ivs), sp.intervals)])
			}
			st.answer(a, f, answer{f.entry, tr.result, tr.parts, tr.basis, grown.linked, iv.stamps, iv.walls})
			return true
		}
		f.pc = gLedger
		return true

	case gLedger:
		k := f.list[f.ti]
		tr := &e.all[k]
		shared = false
		for _, iv := range f.known {
			if iv.linked || iv.to >= f.s {
				continue
			}
			if shared = true; !st.unmoved(tr, iv.to, f.s) {
				continue
			}
			if sameIntervals(tr.ivs, f.known) {
				ivs := append([]interval{{from: f.s, to: f.s}}, f.known...)
				st.setIntervals(f.entry, k, ivs[:min(len(ivs), sp.intervals)])
			}
			st.answer(a, f, answer{f.entry, tr.result, tr.parts, tr.basis, false, 0, 0})
			return true
		}
		f.ti++
		f.pc = gContain
		return shared

	case gJoin:
		if st.marked < f.s && !(r.doNotWait && st.taken >= f.s) {
			a.stack = append(a.stack, frame{pc: tLock, flight: -1, s: f.s})
			return true
		}
		if e.dead {
			f.pc = gEntry
			return true
		}
		free := -1
		for i := range st.flights {
			fl := &st.flights[i]
			if fl.users > 0 && fl.entry == f.entry && fl.gen == f.s && !fl.done {
				fl.users++
				f.flight, f.pc = i, gWait
				return true
			}
			if fl.users == 0 {
				free = i
			}
		}
		if free < 0 {
			free = len(st.flights)
			st.flights = append(st.flights, flight{})
		}
		st.flights[free] = flight{entry: f.entry, gen: f.s, users: 1}
		f.flight, f.list, f.ti, f.pc = free, e.kept, 0, gContain
		return true

	case gWait:
		out := st.flights[f.flight].out
		st.leave(f.flight)
		f.flight = -1
		st.answer(a, f, out)
		return true

	case gFinish:
		fl := &st.flights[f.flight]
		fl.done, fl.out = true, a.ret
		st.leave(f.flight)
		a.pop()
		return true

	case wTrace:
		if f.ti == len(f.list) {
			f.pc = rStart
			return false
		}
		tr := &e.all[f.list[f.ti]]
		f.clear()
		f.reads = tr.reads
		f.via = make([]uint8, len(tr.reads))
		f.skip, f.end = false, 0
		walls := uint8(0)
		for _, iv := range tr.ivs {
			usable := iv.to < f.s && (r.skipOverStamps || st.unchanged(iv.stamps, iv.to, f.s)) || r.skipOlder && iv.from > f.s
			if iv.linked && usable && iv.to > f.end {
				f.skip, f.end, f.from, f.made, walls = true, iv.to, iv.via, iv.stamps, iv.walls
			}
		}
		f.skip = f.skip && (st.floor <= f.end || r.skipOverFloor)
		if f.skip && !r.skipForgetsStamps {
			f.stamps = f.made
		}
		f.pc = wAlive
		if f.skip && walls != 0 {
			if f.pc = wClaims; !r.skipForgetsWalls {
				f.walls = walls
			}
			f.made = walls
		}
		return true

	case wClaims:
		f.claims, f.pc = slices.Clone(st.claims), wWalls
		return true

	case wWalls:
		iv := interval{to: f.end, walls: f.made}
		if f.doubt = !r.skipOverWalls && !st.wallsStand(&iv, f.s, f.claims); !f.doubt {
			f.parts |= st.wallParts(iv.walls, f.claims)
		}
		f.claims, f.pc = nil, wAlive
		return true

	case wAlive:
		if f.i == len(f.reads) {
			st.ended(f)
			return false
		}
		rd := f.reads[f.i]
		if !f.skip || f.doubt && rd.query {
			f.pc = wRead
			return false
		}
		x := f.from[f.i]
		if rd.query && r.skipByTrace && st.current[rd.id] != never {
			x = st.current[rd.id]
		}
		f.made = x
		alive := false
		if rd.query {
			alive = true // one that is dead has changed, for ever
		} else {
			alive = st.nodes[rd.id].there && st.nodes[rd.id].made == x
		}
		if f.pc = wRead; alive {
			f.pc = wUnchanged
		}
		return true

	case wUnchanged:
		rd := f.reads[f.i]
		changed := uint8(0)
		if rd.query {
			changed = st.entries[f.made].changed
		} else {
			changed = st.nodes[rd.id].changed
		}
		if changed > f.end {
			f.pc = wRead
			return true
		}
		if rd.query && st.entries[f.made].wall && !r.skipUnnoted {
			f.walls |= 1 << rd.id
		}
		f.setVia(f.i, f.made)
		f.passed |= 1 << f.i
		f.i++
		f.pc = wAlive
		return true

	case wRead:
		rd := f.reads[f.i]
		if rd.query {
			f.pc = wReturned
			a.ask(rd.id, f.s)
			return false
		}
		f.parts |= sp.partsOf(sp.nodes[rd.id])
		f.basis |= sp.basisOf(sp.nodes[rd.id])
		if sp.nodes[rd.id].in(&st.history[f.s-1]) != rd.seen {
			f.ti++
			f.pc = wTrace
			return false
		}
		f.i++
		f.pc = wAlive
		return false

	case wReturned:
		rd := f.reads[f.i]
		if partOf(a.ret.result, rd.part) != rd.seen {
			f.ti++
			f.pc = wTrace
			return false
		}
		if rd.part == 0 || !r.partBringsNothing {
			st.vouched(f, a.ret)
		}
		f.setVia(f.i, a.ret.entry)
		f.i++
		f.pc = wAlive
		return false

	case rStart:
		if !slices.Equal(e.kept, f.list) {
			f.list, f.ti, f.pc = e.kept, 0, gContain
			return true
		}
		f.clear()
		f.running = true
		f.reads, f.via = nil, nil
		f.i = sp.programs[f.q].next(0, 0)
		f.pc = rRead
		return true

	case rRead:
		p := &sp.programs[f.q]
		if f.i == len(p.steps) {
			f.acc %= p.mod
			st.ended(f)
			return false
		}
		s := p.steps[f.i]
		if s.query {
			f.pc = rReturned
			a.ask(s.id, f.s)
			return false
		}
		v := sp.nodes[s.id].in(&st.history[f.s-1])
		f.parts |= sp.partsOf(sp.nodes[s.id])
		f.basis |= sp.basisOf(sp.nodes[s.id])
		f.read(read{false, s.id, 0, v}, 0)
		f.acc = p.add(f.acc, v)
		f.i = p.next(f.i+1, f.acc)
		return false

	case rReturned:
		p := &sp.programs[f.q]
		st.vouched(f, a.ret)
		s := p.steps[f.i]
		seen := partOf(a.ret.result, s.part)
		if !r.partsAreOne || !slices.ContainsFunc(f.reads, func(o read) bool { return o.query && o.id == s.id }) {
			f.read(read{true, s.id, s.part, seen}, a.ret.entry)
		}
		f.acc = p.add(f.acc, seen)
		f.i = p.next(f.i+1, f.acc)
		f.pc = rRead
		return false

	case lRead:
		if f.i == len(f.reads) {
			if f.pc = lPublish; r.publishFirst {
				f.pc = lKeep
			}
			return false
		}
		rd := f.reads[f.i]
		if f.passed&(1<<f.i) != 0 || r.walksDoNotLink && !f.running || r.partUnlinked && rd.part != 0 {
			f.i++
			return false
		}
		if rd.query {
			x := &st.entries[f.via[f.i]]
			if r.pullFirst && f.last == 0 {
				if f.last = 1; !x.dead {
					f.newest = max(f.newest, x.changed)
				}
				return true
			}
			if f.last = 0; x.dead {
				f.unkept = f.unkept || !r.deadVouches
			} else if x.dependents |= 1 << f.entry; !r.pullFirst && !r.noPull && !(r.partNotPulled && rd.part != 0) {
				f.newest = max(f.newest, x.changed)
			}
			if x.wall && !r.wallsUnnoted {
				f.walls |= 1 << x.q
			}
			f.i++
			return true
		}
		nd := &st.nodes[rd.id]
		if r.pullFirst && f.last == 0 {
			f.last = 1
			if nd.there && nd.changed != never {
				f.newest = max(f.newest, nd.changed)
			}
			return true
		}
		f.last = 0
		if !nd.there {
			*nd = nodeState{there: true, made: nd.made + 1, changed: never}
			if r.nodeLooksLate {
				nd.changed = 0
				f.made, f.pc = nd.made, lLate
				return true
			}
		}
		f.made, f.pc = nd.made, lNode
		return true

	case lLate:
		st.nodes[f.reads[f.i].id].changed = max(st.nodes[f.reads[f.i].id].changed, st.taken)
		f.pc = lNode
		return true

	case lNode:
		nd := &st.nodes[f.reads[f.i].id]
		if !nd.there || nd.made != f.made {
			if !r.nodeCutUsed {
				f.pc = lRead
				return true
			}
		} else {
			nd.readers |= 1 << f.entry
			if nd.changed == never {
				if nd.changed = st.taken; r.nodeFromZero {
					nd.changed = 0
				}
			}
			if !r.pullFirst && !r.noPull {
				f.newest = max(f.newest, nd.changed)
			}
		}
		f.setVia(f.i, f.made)
		f.i++
		f.pc = lRead
		return true

	case lPublish:
		st.publish(f)
		if f.pc = lKeep; r.publishFirst {
			st.keep(e, f.now)
			f.i, f.pc = 0, lRead
		}
		return true

	case lKeep:
		if r.publishFirst {
			e.changed = max(e.changed, f.newest)
		}
		st.keep(e, f.now)
		tr := &e.all[f.now]
		st.answer(a, f, answer{f.entry, tr.result, tr.parts, tr.basis, !f.unkept, f.stamps, f.walls})
		return true

	case tLock:
		if st.marked >= f.s {
			a.pop()
			return true
		}
		st.locked = true
		f.pc = tTake
		return true

	case tTake:
		f.gen, f.lost, f.changes = st.newest, st.lost, st.joinChanges(st.queue)
		if r.publishThenQueue {
			f.gen = max(f.gen, st.published)
		}
		st.queue, st.lost = nil, 0
		f.noted = f.changes
		f.pc = tTaken
		return true

	case tTaken:
		st.taken = max(st.taken, f.gen)
		if !r.ledgerLate {
			st.ledger.note(sp, f.lost, f.noted)
			f.noted = nil
		}
		f.i = 0
		f.pc = tFloor
		return true

	case tFloor:
		f.pc = tKey
		if f.lost == 0 || r.overflowIgnored || r.floorLate {
			return false
		}
		st.floor = max(st.floor, f.lost)
		return true

	case tKey:
		if len(f.work) > 0 {
			st.mark(f)
			return true
		}
		for len(f.changes) > 0 {
			c := f.changes[0]
			if f.i == len(sp.nodes) {
				f.i, f.changes = 0, f.changes[1:]
				continue
			}
			n := f.i
			f.i++
			if sp.nodes[n].touched(c.key, c.replaced) && !(r.spansIgnored && sp.nodes[n].kind >= span) {
				f.work = []mark{{true, uint8(n), c.gen}}
				return false
			}
		}
		f.pc = tMarked
		return false

	case tMarked:
		if r.floorLate && f.lost > 0 && st.floor < f.lost && st.marked >= f.gen {
			st.floor = f.lost
			f.pc = tUnlock
			return true
		}
		st.marked = max(st.marked, f.gen)
		if !r.floorLate || f.lost == 0 {
			f.pc = tUnlock
		}
		return true

	case tUnlock:
		if r.ledgerLate {
			st.ledger.note(sp, f.lost, f.noted)
		}
		st.locked = false
		a.pop()
		return true

	case cTurn:
		st.turn = true
		now := st.history[len(st.history)-1]
		if now[f.q] == f.acc {
			st.turn = false
			a.pop()
			return true
		}
		f.pc = cFirst
		return false

	case cFirst:
		if f.pc = cSecond; r.publishThenQueue {
			st.publishCommit(f)
		} else {
			st.queueCommit(f)
		}
		return true

	case cSecond:
		if r.publishThenQueue {
			st.queueCommit(f)
		} else {
			st.publishCommit(f)
		}
		st.turn = false
		a.pop()
		return true

	case fLock:
		if st.current[f.q] == never {
			a.pop()
			return true
		}
		st.locked = true
		f.gen = st.marked + 1
		if r.forgetEarly {
			f.gen = st.marked
		}
		f.pc = fDo
		return true

	case fDo:
		x := st.current[f.q]
		busy := x == never
		for _, fl := range st.flights {
			busy = busy || fl.users > 0 && fl.entry == x && !fl.done
		}
		if f.pc = fUnlock; busy {
			return true
		}
		e := &st.entries[x]
		st.write(x)
		e.dead = true
		st.claims[f.q] = claim{}
		if !r.deadGoesOn {
			e.changed = never
		}
		st.current[f.q] = never
		if !r.forgetUnmarked {
			f.work = st.told(e.dependents, f.gen)
		}
		e.dependents = 0
		f.pc = fWork
		return true

	case fWork:
		if len(f.work) > 0 {
			st.mark(f)
			return true
		}
		f.pc = fUnlock
		return false

	case fUnlock, yUnlock:
		st.locked = false
		a.pop()
		return true

	case yLock:
		st.locked = true
		f.pc = yDo
		return true

	case yDo:
		var dead uint16
		for i := range st.entries {
			if st.entries[i].dead || r.cutLive && i == 0 {
				dead |= 1 << i
			}
		}
		for i := range st.nodes {
			if nd := &st.nodes[i]; nd.there {
				if nd.readers &^= dead; nd.readers == 0 {
					nd.there = false
				}
			}
		}
		for i := range st.entries {
			st.entries[i].dependents &^= dead
		}
		f.pc = yUnlock
		return true
	}
	return st.becomeWall(a, f)
}

// becomeWall makes the steps of a query that becomes a wall: from then on marks stop there. Those
// who rest on it already have not noted it, so they are marked as if the next generation had
// changed it.
func (st *state) becomeWall(a *actor, f *frame) (shared bool) {
	switch f.pc {
	case bLock:
		if st.current[f.q] == never {
			a.pop()
			return true
		}
		st.locked = true
		f.pc = bDo
	case bDo:
		f.pc = bUnlock
		x := st.current[f.q]
		if x == never || st.entries[x].wall {
			return true
		}
		e := &st.entries[x]
		e.wall = true
		st.claims[f.q] = claim{}
		if f.pc = bWork; !st.sp.rules.wallUntold {
			f.work = st.told(e.dependents, st.marked+1)
		}
	case bWork:
		if len(f.work) == 0 {
			f.pc = bUnlock
			return false
		}
		st.mark(f)
	case bUnlock:
		st.locked = false
		a.pop()
	default:
		panic(fmt.Sprint("no such step: ", f.pc))
	}
	return true
}

// standing answers from an interval that stands.
func (st *state) standing(a *actor, f *frame) {
	k, iv := f.list[f.ti], &f.known[f.iv]
	if iv.walls != 0 {
		st.dependsOn(f.entry, k, st.wallParts(iv.walls, f.claims))
	}
	tr := &st.entries[f.entry].all[k]
	f.claims = nil
	st.answer(a, f, answer{f.entry, tr.result, tr.parts, tr.basis, true, iv.stamps, iv.walls})
}

func (f *frame) clear() {
	f.walls, f.doubt, f.claims = 0, false, nil
	f.i, f.acc, f.passed, f.stamps, f.parts, f.basis, f.unkept, f.newest, f.last, f.running, f.skip = 0, 0, 0, 0, 0, 0, false, 0, 0, false, false
}

func (f *frame) read(rd read, via uint8) {
	f.reads = append(slices.Clip(f.reads), rd)
	f.via = append(slices.Clip(f.via), via)
}

func (f *frame) setVia(i int, x uint8) {
	f.via = slices.Clone(f.via)
	f.via[i] = x
}

// vouched adds how a query below was answered.
func (st *state) vouched(f *frame, ans answer) {
	f.parts |= ans.parts
	if !st.sp.rules.basisNotOfRead {
		f.basis |= ans.basis
	}
	switch {
	case ans.linked && st.entries[ans.entry].wall: // it is noted when it is linked to
	case ans.linked && !st.sp.rules.staleStamps:
		f.stamps |= ans.stamps
		f.walls |= ans.walls
	case !ans.linked && !st.sp.rules.unlinkedVouches:
		f.stamps |= ans.parts
	}
}

// ended is when all reads of a walk or run are known.
func (st *state) ended(f *frame) {
	f.i, f.last = 0, 0
	if f.pc = lRead; st.sp.rules.publishFirst {
		f.pc = lPublish
	}
}

func (st *state) publish(f *frame) {
	r := &st.sp.rules
	e := &st.entries[f.entry]
	if f.running {
		e.all = append(slices.Clip(e.all), trace{reads: f.reads, result: f.acc, parts: f.parts, basis: f.basis})
		f.now = uint8(len(e.all) - 1)
	} else {
		f.now = f.list[f.ti]
		e.all = slices.Clone(e.all)
		e.all[f.now].parts |= f.parts
		if !r.basisNotInWalk {
			e.all[f.now].basis |= f.basis
		}
	}
	seen := e.seen
	e.changed = max(e.changed, f.newest)
	if r.cleared {
		e.changed = 0
	}
	if !r.seenNotRaised {
		e.seen = max(e.seen, f.s)
	}
	ivs := e.all[f.now].ivs
	if e.wall {
		st.claim(f.entry, f.s, seen, f.now)
	}
	iv := interval{f.s, f.s, !f.unkept, f.stamps, f.walls, f.via}
	if r.joined && len(ivs) > 0 && ivs[0].to < f.s {
		iv.from = ivs[0].from
		ivs = ivs[1:]
	}
	all := append([]interval{iv}, ivs...)
	st.setIntervals(f.entry, f.now, all[:min(len(all), st.sp.intervals)])
}

// keep makes a trace the first of its entry.
func (st *state) keep(e *entry, k uint8) {
	kept := []uint8{k}
	for _, o := range e.kept {
		if o != k && !slices.Equal(e.all[o].reads, e.all[k].reads) {
			kept = append(kept, o)
		}
	}
	e.kept = kept[:min(len(kept), st.sp.traces)]
}

func (st *state) setIntervals(x, k uint8, ivs []interval) {
	e := &st.entries[x]
	e.all = slices.Clone(e.all)
	e.all[k].ivs = ivs
}

func sameIntervals(a, b []interval) bool {
	return slices.EqualFunc(a, b, func(a, b interval) bool {
		return a.from == b.from && a.to == b.to && a.linked == b.linked && a.stamps == b.stamps && a.walls == b.walls && slices.Equal(a.via, b.via)
	})
}

func (st *state) leave(i int) {
	fl := &st.flights[i]
	if fl.users--; fl.users == 0 {
		*fl = flight{}
	}
}

// mark does the first mark of the work list.
func (st *state) mark(f *frame) {
	r := &st.sp.rules
	m := f.work[0]
	f.work = f.work[1:]
	if m.node {
		if nd := &st.nodes[m.id]; nd.there {
			nd.changed = max(nd.changed, m.gen)
			f.work = append(slices.Clip(f.work), st.told(nd.readers, m.gen)...)
		}
		return
	}
	e := &st.entries[m.id]
	stop := e.told > e.seen || e.wall
	if r.stopByChanged {
		stop = e.changed > e.seen
	}
	if !stop || !r.stopKeepsChanged {
		e.changed = max(e.changed, m.gen)
	}
	if !stop {
		e.told = max(e.told, m.gen)
		f.work = append(slices.Clip(f.work), st.told(e.dependents, m.gen)...)
	}
}

func (st *state) told(who uint16, gen uint8) []mark {
	var work []mark
	for ; who != 0; who &= who - 1 {
		work = append(work, mark{false, uint8(bits.TrailingZeros16(who)), gen})
	}
	return work
}

// joinChanges leaves the newest change of each key, and the newest that was no replacement.
func (st *state) joinChanges(queue []change) []change {
	var list []change
	for _, c := range slices.Backward(queue) {
		if !slices.ContainsFunc(list, func(o change) bool {
			return o.key == c.key && (c.replaced || !o.replaced || st.sp.rules.kindsNotJoined)
		}) {
			list = append(list, c)
		}
	}
	return list
}

func (st *state) queueCommit(f *frame) {
	r := &st.sp.rules
	g := st.published + 1
	before := st.history[st.published-1]
	if r.publishThenQueue {
		g, before = st.published, st.history[st.published-2]
	}
	st.newest = g
	if r.absentIgnored && (before[f.q] == 0 || f.acc == 0) {
		return
	}
	if len(st.queue) == st.sp.queueMax || st.lost > 0 {
		st.queue, st.lost = nil, g
		return
	}
	st.queue = append(slices.Clip(st.queue), change{g, f.q, before[f.q] != 0 && f.acc != 0})
}

func (st *state) publishCommit(f *frame) {
	now := st.history[len(st.history)-1]
	now[f.q] = f.acc
	st.history = append(slices.Clip(st.history), now)
	st.published++
}
