package queries

import "slices"

const notKnown = -1

// An event is what bears on what the engine remembers.
type event struct {
	asked   *plain // what a question was about; nil: there was none
	lost    bool   // traces beyond those that are stored
	results bool   // and results, but for the newest of each cell
	cut     bool   // by the power: what was made at a place from durably on
	durably int
}

// Of each key the engine keeps so many traces in memory, and so many in the store.
const (
	tracesKept   = 4
	tracesStored = 2
	fixedRoom    = 2 // of which each of a cycle has one as a head and one as a member, at most
)

// unstored reports whether the engine may have answers of q in memory only.
func (j *judge) unstored(q *Query) bool {
	return q.Policy == InMemory || q.Policy == SaidCheap || j.setting.Measured
}

// kept is of how many runs the engine keeps what came of them, for each key.
func (q *Query) kept() int {
	switch q.Policy {
	case OneRun:
		return 1
	case ManyRuns:
		return manyRuns
	}
	return tracesKept
}

// mustKnow reports whether the engine certainly still has what came of a cell in a state: of one in
// a cycle, of all of the cycle. What has been in another cycle is looked at where a cell is
// verified that it was with, and may be called then.
func (j *judge) mustKnow(c Cell, o *outcome) bool {
	if j.prog.Queries[c.Query].Policy == Fixed {
		for _, n := range o.needs {
			p := j.prog.Queries[n.Query].Policy
			if p == Fixed && !j.alwaysIn(n, o.in(n)) {
				return false
			}
		}
	}
	if o.cycle == nil {
		return j.mustHave(c, o.trace)
	}
	return !slices.ContainsFunc(o.cycle, func(c Cell) bool { return !j.mustHave(c, o.trace) })
}

// in returns the cycle of a cell that o needs.
func (o *outcome) in(c Cell) []Cell { return o.from.of(c).cycle }

// alwaysIn reports whether a cell was in one cycle, or in none, in all that was asked about.
func (j *judge) alwaysIn(c Cell, cycle []Cell) bool {
	return !slices.ContainsFunc(j.past, func(e event) bool {
		return e.asked != nil && !slices.Equal(e.asked.of(c).cycle, cycle)
	})
}

// mustHave reports whether the engine certainly still has a trace.
func (j *judge) mustHave(c Cell, trace uint64) bool {
	last, ok := j.made[c][trace]
	if !ok || last == notKnown {
		return false
	}
	q := &j.prog.Queries[c.Query]
	room, stored := q.kept(), min(tracesStored, j.fewest[c.Query])
	if j.setting.HeapBytes > 0 {
		room = min(room, stored)
	}
	if q.Policy == Fixed {
		room = min(room, fixedRoom)
	}
	inMemory := j.unstored(q)
	if inMemory && j.setting.HeapBytes > 0 {
		return false
	}
	before := map[uint64]bool{} // traces that may be before it
	uncertain := len(j.past)    // a question from here on had what is stored written again, and then the power was cut
	for i := len(j.past) - 1; i >= last; i-- {
		e := &j.past[i]
		if i >= uncertain && e.asked != nil {
			return false
		}
		switch {
		case e.cut && last >= e.durably:
			return false
		case e.lost && inMemory:
			return false
		case e.cut:
			uncertain = e.durably
			room = min(room, stored)
		case e.lost:
			room = min(room, stored)
		case e.results:
			room = 1
		case e.asked != nil:
			if o := e.asked.of(c); o.kept && o.trace != trace {
				before[o.trace] = true
			}
		}
		if len(before) >= room {
			return false
		}
	}
	return true
}
