package marks

import (
	"fmt"
	"hash/maphash"
	"strings"
)

var hashSeed = maphash.MakeSeed()

// A found is the outcome of an exploration: what is wrong, and the order of actors that leads
// there.
type found struct {
	wrong  string
	order  []uint8
	states int
	cut    bool // the bound was reached
}

func (f found) String() string {
	if f.wrong == "" {
		return fmt.Sprintf("%d states, nothing wrong", f.states)
	}
	return fmt.Sprintf("%s; actors moved in the order %v (%d states)", f.wrong, f.order, f.states)
}

// explore goes through all orders in which actors can move, equal states once. The script before is
// done alone first.
func explore(sp *spec, first values, before string, scripts []string, statesMax int) found {
	st := start(sp, first)
	if before != "" {
		st.actors = []actor{{script: ops(before)}}
		for !st.actors[0].done() && st.wrong == "" {
			st.move(0)
		}
	}
	st.actors = nil
	for _, s := range scripts {
		st.actors = append(st.actors, actor{script: ops(s)})
	}
	x := explorer{known: map[uint64]struct{}{}, max: statesMax}
	x.visit(st)
	return x.found
}

type explorer struct {
	known map[uint64]struct{}
	max   int
	order []uint8
	room  []byte
	found
}

func (x *explorer) visit(st *state) {
	if st.wrong != "" {
		x.wrong = st.wrong
		x.found.order = append([]uint8(nil), x.order...)
		return
	}
	x.room = st.appendTo(x.room[:0])
	h := maphash.Bytes(hashSeed, x.room)
	if _, seen := x.known[h]; seen {
		return
	}
	if x.states++; x.states > x.max {
		x.cut = true
		return
	}
	x.known[h] = struct{}{}
	moved, left := false, false
	for n := range st.actors {
		left = left || !st.actors[n].done()
		if !st.enabled(n) {
			continue
		}
		moved = true
		c := st.clone()
		c.move(n)
		x.order = append(x.order, uint8(n))
		x.visit(c)
		x.order = x.order[:len(x.order)-1]
		if x.wrong != "" || x.cut {
			return
		}
	}
	if left && !moved {
		x.wrong = "nobody can move"
		x.found.order = append([]uint8(nil), x.order...)
	}
}

// chain is three queries: 0 reads key 0, 1 reads query 0, 2 reads query 1 and key 1. Key 1 is in
// another partition.
func chain() *spec {
	return &spec{
		parts: []uint8{0, 1},
		nodes: []node{{kind: record, a: 0}, {kind: record, a: 1}},
		programs: []program{
			{steps: []step{{id: 0}}, mod: 16},
			{steps: []step{{query: true, id: 0}}, mod: 16},
			{steps: []step{{query: true, id: 1}, {id: 1}}, mod: 16},
		},
		traces: 2, queueMax: 9, intervals: 3,
	}
}

// choice is two queries, the first of which reads key 1 only where key 0 is odd.
func choice() *spec {
	sp := chain()
	sp.programs = []program{
		{steps: []step{{id: 0}, {id: 1, when: 1}}, mod: 16},
		{steps: []step{{query: true, id: 0}}, mod: 16},
	}
	sp.parts = []uint8{0, 0}
	return sp
}

func onePart(sp *spec) *spec {
	sp.parts = make([]uint8, len(sp.parts))
	return sp
}

func scripts(s string) []string { return strings.Split(s, "|") }
