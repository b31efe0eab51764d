package tricolour

import (
	"fmt"
	"hash/maphash"
)

var hashSeed = maphash.MakeSeed()

// A found is the outcome of an exploration: what is wrong, and who moved in which order until then:
// actors by number, the collector with its choices as 'a', 'b', and so on.
type found struct {
	wrong  what
	order  string
	states int
	cut    bool // the bound was reached
	ends   int  // states in which nothing can move
	stuck  bool // in one of them something was left
}

func (f found) String() string {
	switch {
	case f.stuck:
		return fmt.Sprintf("nobody can move after %s (%d states)", f.order, f.states)
	case f.wrong != nothing:
		return fmt.Sprintf("%v after %s (%d states)", f.wrong, f.order, f.states)
	}
	return fmt.Sprintf("%d states, %d ends, all of them: %t", f.states, f.ends, !f.cut)
}

type explorer struct {
	sp      *spec
	scripts [actors]script
	known   map[uint64]struct{}
	max     int
	order   []byte
	found
}

// explore goes through all orders in which actors and the collector can move, equal states once.
func explore(sp *spec, all string, statesMax int) found {
	x := explorer{sp: sp, scripts: scripts(all), known: map[uint64]struct{}{}, max: statesMax}
	st := start(sp)
	x.visit(&st)
	return x.found
}

func (x *explorer) visit(st *state) {
	if st.check(x.sp); st.wrong != nothing {
		x.wrong, x.found.order = st.wrong, string(x.order)
		return
	}
	h := maphash.Comparable(hashSeed, *st)
	if _, seen := x.known[h]; seen {
		return
	}
	if x.states >= x.max {
		x.cut = true
		return
	}
	x.states++
	x.known[h] = struct{}{}
	moved, left := false, st.col.pc != cStop
	try := func(name byte, move func(*state)) {
		if x.wrong != nothing || x.cut || x.stuck {
			return
		}
		moved = true
		c := *st
		move(&c)
		x.order = append(x.order, name)
		x.visit(&c)
		x.order = x.order[:len(x.order)-1]
	}
	for choice := range st.collectorMoves(x.sp) {
		try(byte('a'+choice), func(c *state) { c.collect(x.sp, choice) })
	}
	for i := range x.scripts {
		if st.actorMoves(i, x.scripts[i]) {
			left = true
			try(byte('0'+i), func(c *state) { c.step(x.sp, i, x.scripts[i]) })
		}
	}
	if moved {
		return
	}
	if x.ends++; left {
		x.stuck, x.found.order = true, string(x.order)
	}
}
