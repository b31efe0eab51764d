package marks

import (
	"slices"
)

const never = 255

// A state is everything that one moment of a model consists of. Lists inside of it are replaced and
// never changed in place, so that a copy of the outer ones is a copy of all.
type state struct {
	sp *spec

	history   []values // of generation i+1
	published uint8
	turn      bool // a commit goes on

	queue  []change
	lost   uint8 // newest generation whose changes were dropped from the queue
	newest uint8 // newest generation in the queue

	taken, marked, floor uint8
	locked               bool // the mark lock

	nodes   []nodeState
	entries []entry // an entry that was forgotten stays here, dead
	current []uint8 // the entry of each query, never if there is none
	stored  [][]trace
	flights []flight
	actors  []actor
	claims  []claim // of each query, as a wall

	ledger   ledger
	lastWord ledger // as it was stored last
	upto     uint8  // the last generation of which told tells; 0: none is stored

	wrong string
}

type change struct {
	gen, key uint8
	replaced bool
}

// A ledger has which keys changed in generations after from: what a process has taken off the
// queue, behind what is stored of the one before.
type ledger struct {
	from, began uint8
	moves       []moved
}

type moved struct{ gen, keys uint8 }

// A claim says that a wall has given the result of a trace in each generation from from on in which
// it was asked; it was asked in to last. None if from is 0.
type claim struct{ from, to, entry, trace uint8 }

type nodeState struct {
	there   bool
	made    uint8 // how often it was made: its identity
	changed uint8
	readers uint16
}

type entry struct {
	q                   uint8
	changed, told, seen uint8
	dependents          uint16
	dead, wall          bool
	all                 []trace // those that were dropped too
	kept                []uint8
}

type trace struct {
	reads  []read
	result uint8
	parts  uint8
	basis  uint8 // keys that it rests on
	ivs    []interval
}

type read struct {
	query          bool
	id, part, seen uint8
}

type interval struct {
	from, to uint8
	linked   bool
	stamps   uint8
	walls    uint8
	via      []uint8 // what each read was linked to: an entry, or how often the node had been made
}

type flight struct {
	entry, gen uint8
	users      uint8 // frames that refer to it; 0: free
	done       bool
	out        answer
}

// An answer is what a question gives to whoever reads it.
type answer struct {
	entry, result, parts, basis uint8
	linked                      bool
	stamps, walls               uint8
}

type actor struct {
	script []op
	at     int
	stack  []frame
	ret    answer
}

type frame struct {
	pc    pc
	q     uint8
	s     uint8
	entry uint8

	list   []uint8 // traces looked at
	ti     int
	known  []interval
	last   uint8
	iv     int     // of known, looked at
	claims []claim // read

	flight int // -1: none

	// of a walk or run
	running bool
	i       int
	acc     uint8
	skip    bool
	end     uint8
	from    []uint8 // via of the interval that reads are passed over by
	passed  uint16
	reads   []read
	via     []uint8
	stamps  uint8
	walls   uint8
	doubt   bool // a wall of the interval that reads are passed over by does not stand
	parts   uint8
	basis   uint8
	unkept  bool // a read did not vouch
	newest  uint8
	made    uint8
	now     uint8 // the trace published

	// of marking
	gen     uint8
	lost    uint8
	changes []change
	noted   []change // what the ledger has still to be told
	work    []mark
}

type mark struct {
	node    bool
	id, gen uint8
}

func start(sp *spec, first values) *state {
	st := &state{sp: sp, history: []values{first}, published: 1, taken: 1, marked: 1, floor: 1}
	st.nodes = make([]nodeState, len(sp.nodes))
	st.current = slices.Repeat([]uint8{never}, len(sp.programs))
	st.stored = make([][]trace, len(sp.programs))
	st.claims = make([]claim, len(sp.programs))
	st.ledger = ledger{from: 1, began: 1}
	return st
}

func (st *state) clone() *state {
	c := *st
	c.nodes = slices.Clone(st.nodes)
	c.entries = slices.Clone(st.entries)
	c.current = slices.Clone(st.current)
	c.stored = slices.Clone(st.stored)
	c.flights = slices.Clone(st.flights)
	c.claims = slices.Clone(st.claims)
	c.actors = slices.Clone(st.actors)
	for i := range c.actors {
		c.actors[i].stack = slices.Clone(st.actors[i].stack)
	}
	return &c
}

// tell stores the ledger, with what is in the queue still.
func (st *state) tell() {
	l := st.ledger
	l.note(st.sp, st.lost, st.queue)
	if l.from > st.published {
		return
	}
	st.lastWord, st.upto = l, st.published
}

// note takes down what was taken off the queue.
func (l *ledger) note(sp *spec, lost uint8, changes []change) {
	if lost > 0 && !sp.rules.ledgerKeepsLost {
		l.from, l.moves = lost, nil
	}
	l.moves = slices.Clip(l.moves)
	for _, c := range changes {
		l.moves = append(l.moves, moved{c.gen, 1 << c.key})
	}
}

// resume puts what is stored of the ledger together with which partitions changed after that.
func (st *state) resume() {
	st.ledger = ledger{from: st.published, began: st.published}
	if st.upto == 0 {
		return
	}
	st.ledger.from, st.ledger.moves = st.lastWord.from, slices.Clip(st.lastWord.moves)
	for part := range uint8(2) {
		changed := st.published
		for changed > st.upto && st.unchanged(1<<part, changed-1, changed) {
			changed--
		}
		if changed > st.upto && !st.sp.rules.ledgerTrustsLastWord {
			st.ledger.moves = append(st.ledger.moves, moved{changed, st.sp.keysOf(1 << part)})
		}
	}
}

// unmoved reports whether what a trace rests on has not changed in (since, s], as far as the ledger
// knows (R13).
func (st *state) unmoved(tr *trace, since, s uint8) bool {
	l, r := &st.ledger, &st.sp.rules
	if s < l.began || since < l.from && !r.ledgerFromIgnored {
		return false
	}
	return !slices.ContainsFunc(l.moves, func(m moved) bool { return m.gen > since && m.keys&tr.basis != 0 })
}

// reopen is a restart: what is in memory is gone, and the traces are as they were written.
func (st *state) reopen() {
	for _, x := range st.current {
		if x != never {
			st.write(x)
		}
	}
	st.tell()
	st.kill()
}

// kill is the end of a process that says nothing, and a restart.
func (st *state) kill() {
	for q := range st.current {
		st.current[q] = never
	}
	st.entries = nil
	clear(st.claims)
	st.nodes = make([]nodeState, len(st.sp.nodes))
	st.queue, st.lost = nil, 0
	st.taken, st.marked, st.floor = st.published, st.published, st.published
	st.resume()
}

// write is what flushing leaves of an entry.
func (st *state) write(x uint8) {
	e := &st.entries[x]
	var stored []trace
	for _, k := range e.kept[:min(len(e.kept), 2)] {
		tr := e.all[k]
		var best interval
		best.from = 1
		for _, iv := range tr.ivs {
			now := min(st.marked, st.published)
			if iv.linked && iv.stamps == 0 && max(e.changed, st.floor) <= iv.to && iv.to < now &&
				st.wallsStand(&iv, now, st.claims) {
				if iv.walls != 0 && !st.sp.rules.extendsOverWalls {
					iv.from = now // between, walls may have answered something else
				}
				tr.parts |= st.wallParts(iv.walls, st.claims)
				iv.to = now
			}
			if iv.to >= best.to {
				best = iv
			}
		}
		switch {
		case !best.linked || best.walls == 0 || st.sp.rules.wallBasisForgotten:
		case st.wallsStand(&best, best.to, st.claims):
			tr.basis |= st.wallBasis(best.walls, st.claims)
		default:
			tr.basis |= st.sp.keysOf(tr.parts)
		}
		best.linked = st.sp.rules.reopenedLinked
		best.stamps = 0
		tr.ivs = nil
		if best.from <= best.to {
			tr.ivs = []interval{best}
		}
		stored = append(stored, tr)
	}
	st.stored[e.q] = stored
}

// unchanged reports whether no partition of a set changed in (since, s].
func (st *state) unchanged(set, since, s uint8) bool {
	for g := since; g < s; g++ {
		before, after := &st.history[g-1], &st.history[g]
		for k, part := range st.sp.parts {
			if set&(1<<part) != 0 && before[k] != after[k] {
				return false
			}
		}
	}
	return true
}

// check compares every interval with what is true.
func (st *state) check() bool {
	for i := range st.entries {
		e := &st.entries[i]
		for _, tr := range e.all {
			for _, iv := range tr.ivs {
				for g := iv.from; g <= iv.to; g++ {
					if st.sp.scratch(&st.history[g-1], e.q) != tr.result {
						st.wrong = "an interval is wrong"
						return false
					}
				}
			}
		}
	}
	return true
}

// appendTo gives the state as bytes: equal bytes, equal futures.
func (st *state) appendTo(b []byte) []byte {
	flag := func(fs ...bool) {
		x := uint8(0)
		for _, f := range fs {
			x <<= 1
			if f {
				x |= 1
			}
		}
		b = append(b, x)
	}
	list := func(l []uint8) { b = append(append(b, uint8(len(l))), l...) }
	reads := func(l []read) {
		b = append(b, uint8(len(l)))
		for _, r := range l {
			flag(r.query)
			b = append(b, r.id, r.part, r.seen)
		}
	}
	ivs := func(l []interval) {
		b = append(b, uint8(len(l)))
		for _, iv := range l {
			flag(iv.linked)
			b = append(b, iv.from, iv.to, iv.stamps, iv.walls)
			list(iv.via)
		}
	}
	traces := func(l []trace) {
		b = append(b, uint8(len(l)))
		for _, tr := range l {
			reads(tr.reads)
			b = append(b, tr.result, tr.parts, tr.basis)
			ivs(tr.ivs)
		}
	}
	changes := func(l []change) {
		b = append(b, uint8(len(l)))
		for _, c := range l {
			flag(c.replaced)
			b = append(b, c.gen, c.key)
		}
	}
	ans := func(a answer) {
		flag(a.linked)
		b = append(b, a.entry, a.result, a.parts, a.basis, a.stamps, a.walls)
	}
	claims := func(l []claim) {
		b = append(b, uint8(len(l)))
		for _, c := range l {
			b = append(b, c.from, c.to, c.entry, c.trace)
		}
	}
	ledgers := func(l *ledger) {
		b = append(b, l.from, l.began, uint8(len(l.moves)))
		for _, m := range l.moves {
			b = append(b, m.gen, m.keys)
		}
	}
	ledgers(&st.ledger)
	ledgers(&st.lastWord)
	b = append(b, st.upto)
	for _, v := range st.history {
		b = append(b, v[:]...)
	}
	flag(st.turn, st.locked)
	b = append(b, uint8(len(st.history)), st.published, st.lost, st.newest, st.taken, st.marked, st.floor)
	changes(st.queue)
	for _, n := range st.nodes {
		flag(n.there)
		b = append(b, n.made, n.changed, uint8(n.readers), uint8(n.readers>>8))
	}
	for i := range st.entries {
		e := &st.entries[i]
		flag(e.dead, e.wall)
		b = append(b, e.q, e.changed, e.told, e.seen, uint8(e.dependents), uint8(e.dependents>>8))
		traces(e.all)
		list(e.kept)
	}
	claims(st.claims)
	list(st.current)
	for _, s := range st.stored {
		traces(s)
	}
	for _, f := range st.flights {
		flag(f.done)
		b = append(b, f.entry, f.gen, f.users)
		ans(f.out)
	}
	for i := range st.actors {
		a := &st.actors[i]
		b = append(b, 254, uint8(a.at), uint8(len(a.stack)))
		ans(a.ret)
		for j := range a.stack {
			f := &a.stack[j]
			flag(f.running, f.skip, f.unkept, f.doubt)
			b = append(b, uint8(f.pc), f.q, f.s, f.entry, uint8(f.ti), f.last, uint8(f.flight+1), uint8(f.i),
				f.acc, f.end, uint8(f.passed), f.stamps, f.walls, uint8(f.iv), f.parts, f.basis, f.newest, f.made, f.now, f.gen, f.lost)
			list(f.list)
			ivs(f.known)
			list(f.from)
			claims(f.claims)
			reads(f.reads)
			list(f.via)
			changes(f.changes)
			changes(f.noted)
			for _, m := range f.work {
				flag(m.node)
				b = append(b, m.id, m.gen)
			}
		}
	}
	return b
}
