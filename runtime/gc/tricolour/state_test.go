package tricolour

import "math/bits"

// Sizes of a model.
const (
	objects = 4
	keys    = 2
	actors  = 2
	chunks  = 8
)

// A set of objects, a bit for each.
type set uint8

func of(x uint8) set             { return 1 << x }
func (s set) has(x uint8) bool   { return s>>x&1 == 1 }
func (s set) lowest() uint8      { return uint8(bits.TrailingZeros8(uint8(s))) }
func (s set) more(than set) bool { return s&^than != 0 }

// none stands for no object, no phase, and no cycle.
const none = 255

// A trees is what the database holds: an object at each key, or none.
type trees [keys]uint8

func (t trees) set() (s set) {
	for _, x := range t {
		if x != none {
			s |= of(x)
		}
	}
	return s
}

// A spec is what does not change: objects refer to those of lower numbers.
type spec struct {
	refs   [objects]set
	own    set // nodes of the database
	bare   set // what a recovery begins with
	there  set // in the store at first
	first  trees
	memory set // results of traces that are in memory only, at first
	cycles uint8
	aborts bool // a cycle may be given up while it drains, once
	short  bool // each cycle but the first is a short one
	wrong  mistake
}

// below returns what is reached from a set, the set included.
func (sp *spec) below(s set) set {
	for x := uint8(objects); x > 0; x-- { // objects refer to lower ones
		if s.has(x - 1) {
			s |= sp.refs[x-1]
		}
	}
	return s
}

// bareBelow follows the references from nodes to nodes.
func (sp *spec) bareBelow(s set) set {
	for x := uint8(objects); x > 0; x-- {
		if s.has(x - 1) {
			s |= sp.refs[x-1] & sp.own
		}
	}
	return s
}

// A colour is what the marks say of an object's record.
type colour uint8

const (
	absent colour = iota
	white
	marked
	young // put since the cycle began
	elder // in a short cycle: there since the last whole one ended
	condemned
)

// A state is one moment of a model. It can be compared, and copying it copies all.
type state struct {
	// The store.
	records [objects]colour
	copies  [objects]uint8 // copies made so far: which one an address leads to
	cycle   uint8          // that is published; 0: none
	queued  set            // mmapcas: Shaded
	pins    [objects]uint8
	elders  set // there since the last cycle ended
	again   set // of these, put again since

	// The database.
	trees   trees
	history [chunks]trees // after each chunk
	newest  uint8         // chunk
	durable uint8         // the oldest chunk that a recovery may end at
	bare    uint8         // chunks up to this one are replayed whether their values are there or not

	// The gate, and the barrier.
	phase  uint8
	open   [2]uint8
	active bool
	shaded set

	memory set // results of traces that are in memory only

	col collector
	act [actors]actor

	wrong what
}

// A what is what is wrong.
type what uint8

const (
	nothing what = iota
	freed
	notBlack
	dangling
	recovery
	kept
)

func (w what) String() string {
	return [...]string{
		"nothing", "what is needed was freed", "what is needed is white, and reached from nothing grey",
		"a commit refers to what is not there", "a recovery finds what it must not",
		"what was unreachable is still there at the end",
	}[w]
}

type collector struct {
	pc      colPC
	began   uint8 // cycles
	ended   uint8
	aborted bool

	leases set // that BeginCycle has found
	roots  bool
	grey   set
	found  set
	bare   set
	bones  set
	seq    uint8
	next   uint8 // to be swept
	saw    bool  // next, white

	sweeping bool
	short    bool

	garbage set // unreachable when the cycle began, and touched by nobody since
}

type actor struct {
	at      uint8 // in its script
	pc      actPC
	looked  uint8 // phase that E1 saw
	session uint8 // parity, none
	put     set   // in this session
	snap    trees
	holds   bool // snap
	leases  set
	p       put
}

// A put is what a put, or a lease, has found out so far.
type put struct {
	cycle, copy uint8
	saw         colour
}

func start(sp *spec) state {
	st := state{trees: sp.first, memory: sp.memory}
	for x := range uint8(objects) {
		if sp.there.has(x) {
			st.records[x] = white
		}
	}
	st.history[0] = sp.first
	for i := range st.act {
		st.act[i].session = none
	}
	return st
}

// needed returns what must be in the store, with all that it refers to.
func (st *state) needed(sp *spec) set {
	s := st.trees.set() | st.memory
	for i := range st.act {
		a := &st.act[i]
		s |= a.put | a.leases
		if a.holds {
			s |= a.snap.set()
		}
	}
	return sp.below(s)
}

// check says what is wrong with a state.
func (st *state) check(sp *spec) {
	if st.wrong != nothing {
		return
	}
	var there, black set
	for x, c := range st.records {
		if c != absent && c != condemned {
			there |= of(uint8(x))
		}
		if c == marked || c == young || c == elder {
			black |= of(uint8(x))
		}
	}
	needed, bare := st.needed(sp), sp.bareBelow(sp.bare)
	if (needed | bare).more(there) {
		st.wrong = freed
		return
	}
	// A recovery ends at a chunk that is not older than what is durable, and comes past all before.
	for i := st.durable; i <= st.newest; i++ {
		if sp.below(st.history[i].set()).more(there) {
			st.wrong = recovery
		}
	}
	for i := st.bare + 1; i <= st.newest; i++ {
		if named := st.history[i].set() &^ st.history[i-1].set(); named.more(there) {
			st.wrong = recovery
		}
	}
	if sp.wrong != (mistake{}) || !st.col.roots || st.wrong != nothing {
		return // a mistake is shown by what it loses
	}
	grey := sp.below(st.col.grey | st.col.found | st.shaded | st.queued)
	bones := sp.bareBelow(st.col.bare | st.col.bones)
	if needed.more(black|grey) || bare.more(black|grey|bones) {
		st.wrong = notBlack
	}
}
