package tricolour

// A mistake leaves out a part of the protocol.
type mistake struct {
	// Of the collector.
	beginEarly   bool // the gate is not drained of the phase before
	turnFirst    bool // B3 before B1
	noDrain      bool // the roots are taken with sessions from before still open
	rootsFirst   bool // before Flush
	noFlush      bool // what is in memory only is no root
	noSnapshots  bool // only the current trees are roots
	tornRoots    bool // the roots are read one by one
	pinsFirst    bool // BeginCycle looks for leases before it publishes the cycle
	noQueue      bool // what puts have marked is not followed
	bareFirst    bool // bare marking begins while something is grey
	noSettle     bool // C6
	settleLate   bool // after the sweep
	condemnBlind bool // G3: the sweeper condemns what it saw white a step before
	forgetsAgain bool // elders that were put again are not traced

	// Of those who put.
	noLook        bool // E3
	noSession     bool
	noBlack       bool // G1: what is put anew is white
	noAgain       bool // G1: a put that finds its record does not mark it
	putBlind      bool // G3: a put does not see that its record is condemned
	noStale       bool // a put does not see that its cycle has ended
	twoSteps      bool // G6
	noShade       bool
	commitsUntold bool // Shade is not called for what a commit refers to
	lateLease     bool // Pin notes the lease after it has shaded the record
}

type colPC uint8

const (
	cIdle colPC = iota
	cB1
	cPins
	cB2
	cB3
	cDrain
	cFlush
	cRoots
	cRootsMore
	cMark
	cMarkQueued // takeShaded, its second half
	cSettle
	cCondemn
	cDrop
	cEnd
	cOver
	cStop
)

// collectorMoves returns in how many ways the collector can go on now.
func (st *state) collectorMoves(sp *spec) int {
	c := &st.col
	switch c.pc {
	case cStop:
		return 0
	case cIdle, cDrain:
		skip := c.pc == cIdle && sp.wrong.beginEarly || c.pc == cDrain && sp.wrong.noDrain
		if st.open[(st.phase+1)&1] != 0 && !skip {
			if c.pc == cDrain && sp.aborts && !c.aborted {
				return 1
			}
			return 0
		}
		if c.pc == cDrain && sp.aborts && !c.aborted {
			return 2
		}
	case cMark:
		return max(1, len(elements(c.work(sp))))
	}
	return 1
}

func elements(s set) (list []uint8) {
	for ; s != 0; s &= s - 1 {
		list = append(list, s.lowest())
	}
	return list
}

// work is what marking may take up next, of what need not wait.
func (c *collector) work(sp *spec) set {
	switch {
	case sp.wrong.bareFirst && c.bones|c.bare != 0:
		return 0
	case c.grey != 0:
		return c.grey
	}
	return c.found
}

// collect makes the collector's next access; choice says which record where it may be any.
func (st *state) collect(sp *spec, choice int) {
	c := &st.col
	switch c.pc {
	case cIdle:
		if c.pc = cB1; sp.wrong.pinsFirst {
			c.leases = st.leased()
		}
		if sp.wrong.turnFirst {
			st.phase++
		}
	case cB1: // with all appenders held
		if c.short = sp.short && c.ended > 0; !c.short {
			st.elders, st.again = 0, 0
		}
		for x, was := range st.records {
			if was != absent {
				st.records[x] = white
			}
			if c.short && st.elders.has(uint8(x)) {
				st.records[x] = elder
				continue
			}
			if was != absent && !st.needed(sp).has(uint8(x)) && !sp.bareBelow(sp.bare).has(uint8(x)) {
				c.garbage |= of(uint8(x))
			}
		}
		c.began++
		st.cycle, st.queued = c.began, 0
		c.pc = cPins
	case cPins:
		if !sp.wrong.pinsFirst {
			c.leases = st.leased()
		}
		for _, x := range elements(c.leases) { // each in one step of its own, in any order with others
			if st.records[x] == white {
				st.records[x] = marked
				st.queued |= of(x)
			}
		}
		c.leases = 0
		c.pc = cB2
	case cB2:
		st.active = true
		if c.pc = cB3; sp.wrong.turnFirst {
			c.pc = cDrain
		}
	case cB3:
		st.phase++
		c.pc = cDrain
	case cDrain:
		if sp.aborts && !c.aborted && (choice == 1 || st.open[(st.phase+1)&1] != 0) {
			st.end()
			*c = collector{pc: cOver, began: c.began, ended: c.ended, aborted: true}
			return
		}
		c.roots = false
		if c.pc = cFlush; sp.wrong.rootsFirst {
			c.pc = cRoots
		}
	case cFlush:
		if !sp.wrong.noFlush {
			c.found |= st.memory
		}
		if c.pc = cRoots; sp.wrong.rootsFirst {
			c.roots, c.pc = true, cMark
		}
	case cRoots:
		c.found |= of0(st.trees[0])
		for i := range st.act {
			if st.act[i].holds && !sp.wrong.noSnapshots {
				c.found |= st.act[i].snap.set()
			}
		}
		c.bare, c.seq = sp.bare, st.newest
		if c.short && !sp.wrong.forgetsAgain {
			c.grey |= st.again
			c.garbage &^= sp.below(st.again)
		}
		if sp.wrong.tornRoots {
			c.pc = cRootsMore
			return
		}
		c.found |= st.trees.set()
		if c.roots, c.pc = true, cMark; sp.wrong.rootsFirst {
			c.roots, c.pc = false, cFlush
		}
	case cRootsMore:
		c.found |= of0(st.trees[1])
		c.roots, c.pc = true, cMark
	case cMark:
		st.mark(sp, choice)
	case cMarkQueued:
		c.grey |= st.queued
		if sp.wrong.noQueue {
			c.grey &^= st.queued
		}
		st.queued = 0
		c.pc = cMark
	case cSettle:
		if !sp.wrong.noSettle && !sp.wrong.settleLate {
			st.settle()
		}
		c.sweeping, c.pc = true, cMark
	case cCondemn:
		st.condemn(sp)
	case cDrop:
		if st.records[c.next] == condemned {
			st.records[c.next] = absent
		}
		c.next++
		c.pc = cCondemn
	case cEnd: // with all appenders held
		for x, now := range st.records {
			if c.garbage.has(uint8(x)) && now != absent && sp.wrong == (mistake{}) {
				st.wrong = kept
			}
		}
		st.end()
		st.elders, st.again = st.present(), 0
		*c = collector{pc: cOver, began: c.began, ended: c.ended + 1, aborted: c.aborted}
	case cOver:
		st.active, st.shaded = false, 0
		if c.pc = cIdle; c.ended == sp.cycles {
			c.pc = cStop
		}
	}
}

func (st *state) present() (s set) {
	for x, now := range st.records {
		if now != absent {
			s |= of(uint8(x))
		}
	}
	return s
}

// end takes the cycle and its marks away.
func (st *state) end() {
	for x, now := range st.records {
		if now == marked || now == young || now == elder {
			st.records[x] = white
		}
	}
	st.cycle, st.queued = 0, 0
}

func of0(x uint8) set {
	if x == none {
		return 0
	}
	return of(x)
}

func (st *state) leased() (s set) {
	for x, n := range st.pins {
		if n > 0 {
			s |= of(uint8(x))
		}
	}
	return s
}

func (st *state) settle() {
	st.durable, st.bare = st.newest, st.col.seq
}

// mark is a step of marking, before the sweep and in it.
func (st *state) mark(sp *spec, choice int) {
	c := &st.col
	if work := c.work(sp); work != 0 {
		x := elements(work)[choice]
		if work == c.grey {
			c.grey &^= of(x)
			c.found |= sp.refs[x]
			return
		}
		c.found &^= of(x)
		if st.shade(x) {
			c.grey |= of(x)
		}
		return
	}
	switch early := sp.wrong.bareFirst && c.bones|c.bare != 0; {
	case !early && st.shaded != 0:
		c.found, st.shaded = st.shaded, 0
		fallthrough
	case !early && st.queued != 0:
		c.pc = cMarkQueued
	case c.bones|c.bare != 0:
		x := c.bare.lowest()
		if c.bones != 0 {
			x = c.bones.lowest()
		}
		st.markBare(sp, x)
	case !c.sweeping:
		c.pc = cSettle
	default:
		c.pc = cCondemn
	}
}

func (st *state) markBare(sp *spec, x uint8) {
	c := &st.col
	if c.bones.has(x) {
		c.bones &^= of(x)
		c.bare |= sp.refs[x] & sp.own
		return
	}
	c.bare &^= of(x)
	if st.shade(x) {
		c.bones |= of(x)
	}
}

// shade marks an object and reports whether that is news.
func (st *state) shade(x uint8) bool {
	switch st.records[x] {
	case white:
		st.records[x] = marked
		return true
	case young: // Mark says first once for each of them, and what they refer to is traced
		return true
	}
	return false
}

// condemn is the sweeper's look at the next record: one step with the test that it is white (G3).
func (st *state) condemn(sp *spec) {
	c := &st.col
	if c.next == objects {
		if c.pc = cEnd; sp.wrong.settleLate {
			st.settle()
		}
		return
	}
	was := st.records[c.next]
	if sp.wrong.condemnBlind && was == white && !c.saw {
		c.saw = true
		return
	}
	if was == white || c.saw && was != absent {
		st.records[c.next], c.saw, c.pc = condemned, false, cDrop
		return
	}
	c.saw = false
	c.next++
}
