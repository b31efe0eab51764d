package tricolour

import "strings"

// A script is what an actor does, an operation for each field:
//
//	b e    begins a session (E1 to E3), ends it
//	n r    takes a snapshot, releases it
//	p2     puts object 2 (P1 to P3), whose references it has put or holds, and shades these
//	c02    commits object 2 at key 0
//	d0     deletes what is at key 0
//	t2     leaves object 2 as the result of a trace that is in memory only
//	w02    writes that trace, at key 0
//	f2     forgets it
//	l2 u2  takes a lease, gives it back
type script []string

func scripts(s string) (list [actors]script) {
	for i, one := range strings.Split(s, "|") {
		list[i] = strings.Fields(one)
	}
	return list
}

type actPC uint8

const (
	aNext actPC = iota
	aCounted
	aLook
	aFind
	aAsk
	aMarked // G6 in two steps
	aShade
	aCommit
)

// actorMoves reports whether an actor can go on now. No step of one waits for another.
func (st *state) actorMoves(i int, s script) bool { return int(st.act[i].at) < len(s) }

// step makes the next access of an actor.
func (st *state) step(sp *spec, i int, s script) {
	a := &st.act[i]
	op := s[a.at]
	arg := func(n int) uint8 { return op[n] - '0' }
	done := func() { a.at, a.pc = a.at+1, aNext }
	if a.pc == aNext && !st.able(sp, a, op) {
		done()
		return
	}
	switch op[0] {
	case 'b':
		st.enter(sp, a, done)
	case 'e':
		if a.session != none {
			st.open[a.session]--
		}
		a.session, a.put = none, 0
		done()
	case 'n': // one step to others: the state that is loaded is held, or loaded again
		a.snap, a.holds = st.trees, true
		done()
	case 'r':
		a.snap, a.holds = trees{}, false
		done()
	case 'p', 'l':
		st.putSome(sp, a, arg(1), op[0] == 'l', done)
	case 'c', 'w':
		x := arg(2)
		if a.pc == aNext && !sp.wrong.noShade && !sp.wrong.commitsUntold {
			if st.active {
				st.shaded |= of(x)
				st.col.garbage &^= sp.below(of(x))
			}
			a.pc = aCommit
			return
		}
		if op[0] == 'w' && !st.memory.has(x) {
			done() // it was forgotten meanwhile
			return
		}
		if now := st.records[x]; (now == absent || now == condemned) && st.wrong == nothing {
			st.wrong = dangling
		}
		if op[0] == 'w' {
			st.memory &^= of(x)
		}
		st.commit(arg(1), x)
		done()
	case 'd':
		st.commit(arg(1), none)
		done()
	case 't':
		st.memory |= of(arg(1))
		done()
	case 'f':
		st.memory &^= of(arg(1))
		done()
	case 'u':
		st.pins[arg(1)]--
		a.leases &^= of(arg(1))
		done()
	}
}

// able reports whether an actor may begin an operation; else it leaves it out. It refers only to
// what it has put or holds (G0).
func (st *state) able(sp *spec, a *actor, op string) bool {
	own := a.own(sp)
	in := a.session != none || sp.wrong.noSession
	switch op[0] {
	case 'b':
		return a.session == none
	case 'p':
		return in && !sp.refs[op[1]-'0'].more(own)
	case 'l':
		return own.has(op[1]-'0') && !a.leases.has(op[1]-'0')
	case 'u':
		return a.leases.has(op[1] - '0')
	case 't':
		return in && own.has(op[1]-'0')
	case 'c':
		return in && own.has(op[2]-'0')
	case 'w':
		return in && st.memory.has(op[2]-'0')
	}
	return true
}

// own returns what an actor may refer to.
func (a *actor) own(sp *spec) set {
	s := a.put
	if a.holds {
		s |= a.snap.set()
	}
	return sp.below(s)
}

func (st *state) commit(key, x uint8) {
	st.trees[key] = x
	st.newest++
	st.history[st.newest] = st.trees
}

func (st *state) enter(sp *spec, a *actor, done func()) {
	switch {
	case sp.wrong.noSession:
		done()
	case a.pc == aNext:
		a.looked, a.pc = st.phase, aCounted // E1
	case a.pc == aCounted:
		st.open[a.looked&1]++ // E2
		a.pc = aLook
	default:
		if st.phase != a.looked && !sp.wrong.noLook { // E3
			st.open[a.looked&1]--
			a.pc = aNext
			return
		}
		a.session = a.looked & 1
		done()
	}
}

// putSome is a put, or the taking of a lease.
func (st *state) putSome(sp *spec, a *actor, x uint8, lease bool, done func()) {
	p := &a.p
	held := func() {
		*p = put{}
		switch {
		case lease && sp.wrong.lateLease:
			st.pins[x]++
			a.leases |= of(x)
		case lease:
			a.leases |= of(x)
		default:
			a.put |= of(x)
		}
		st.col.garbage &^= of(x)
		if done(); !lease && sp.refs[x] != 0 && !sp.wrong.noShade {
			a.at, a.pc = a.at-1, aShade
		}
	}
	switch a.pc {
	case aShade:
		if st.active {
			st.shaded |= sp.refs[x]
			st.col.garbage &^= sp.below(sp.refs[x])
		}
		done()
	case aNext:
		if lease && !sp.wrong.lateLease {
			st.pins[x]++
		}
		p.cycle, a.pc = st.cycle, aFind // P1
	case aFind:
		p.saw, p.copy = st.records[x], st.copies[x] // P2
		if st.elders.has(x) && p.saw != absent && p.saw != condemned {
			st.again |= of(x)
		}
		switch {
		case p.saw != absent && p.cycle == 0:
			held()
		case p.saw != absent:
			a.pc = aAsk
		case lease:
			st.wrong = freed // it was held
		default:
			a.pc = aMarked
			p.cycle = 0
		}
	case aAsk: // P3
		st.ask(sp, a, x, held)
	case aMarked:
		if p.cycle != 0 { // G6 in two steps: it is marked, and queued now
			st.queued |= of(x)
			held()
			return
		}
		// Another copy, unless another put was quicker.
		if now := st.records[x]; now != absent {
			*p, a.pc = put{}, aNext
			if lease {
				st.pins[x]--
			}
			return
		}
		st.copies[x]++
		st.elders &^= of(x)
		st.records[x] = white
		if st.cycle != 0 && !sp.wrong.noBlack {
			st.records[x] = young
		}
		held()
	}
}

// ask is P3: what the marks say of the copy that was found.
func (st *state) ask(sp *spec, a *actor, x uint8, held func()) {
	p := &a.p
	gone := p.copy != st.copies[x] || st.records[x] == absent || st.records[x] == condemned
	switch {
	case p.cycle != st.cycle:
		if sp.wrong.noStale {
			held()
			return
		}
		p.cycle, a.pc = st.cycle, aFind
	case gone && !sp.wrong.putBlind:
		if p.copy == st.copies[x] && st.records[x] == condemned {
			st.records[x] = absent // what the sweeper is about to do
		}
		p.cycle, a.pc = 0, aMarked
	case !gone && (st.records[x] == white || st.records[x] == elder) && !sp.wrong.noAgain:
		if st.records[x] == elder {
			st.col.garbage &^= sp.below(of(x)) // needed or not, it is traced
		} else {
			st.records[x] = marked
		}
		if sp.wrong.twoSteps {
			a.pc = aMarked
			return
		}
		st.queued |= of(x)
		held()
	default:
		held()
	}
}
