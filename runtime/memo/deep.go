package memo

import (
	"errors"
	"slices"
)

// levelsMax is how many flights a strand evaluates within each other before it unwinds. A level
// takes 2 to 3 KiB of stack beside what the query function takes, so the stack stays at some MiB.
const levelsMax = 1024

// levelsAfter returns how many these are for a strand that has unwound: some 300 KiB of stack. At
// least two: with one level an unwinding would suspend no flight that was not suspended.
func levelsAfter(levelsMax int) int { return min(levelsMax, max(levelsMax/8, 8)) }

// hopsMax is how many helpers of helpers a strand may be away from the task that asked. Each may
// have a stack of levelsMax levels that stands still while the strand below it works.
const hopsMax = 16

// errUnwound is returned through the memo's own functions while a strand unwinds. It is no outcome.
var errUnwound = errors.New("memo: the stack is being unwound")

// An unwound is the panic by which a strand that unwinds leaves a query function.
type unwound struct{}

func (unwound) Error() string {
	return "memo: queries are nested too deep for one stack; the function is called again"
}

// A descent is what a strand needs to go on after its stack was unwound. It is nil until the first
// unwinding of a flight of the task's own frame, and from the end of that flight on.
type descent struct {
	// path holds the suspended flights: claimed, evaluated by no frame, each needed by the one
	// before it. All that the strand evaluates is needed by the last.
	path []*flight

	fresh  []*flight // suspended by the unwinding that goes on, the last one first
	ground *Frame    // under which bottom is evaluated
	bottom *flight   // the flight at the bottom of the stack, nil in the first one
	done   *entry    // of the bottom before this one, which that was needed by; nil: there was none
}

// tooDeep reports whether the strand cannot evaluate one more flight on its stack. From then on it
// unwinds, until land takes that back.
func (s *Strand) tooDeep(levelsMax int) bool {
	if s.descent != nil {
		levelsMax = levelsAfter(levelsMax)
	}
	s.unwinding = s.unwinding || s.levels >= levelsMax
	return s.unwinding
}

// suspend is called for each flight on the stack, the deepest first, while the strand unwinds.
func (s *Strand) suspend(f *flight) {
	if s.descent == nil {
		s.descent = &descent{}
	}
	s.descent.fresh = append(s.descent.fresh, f)
}

// land evaluates what an unwinding has suspended, from a stack without a flight on it, until the
// flight is done that the task's own frame asked for, or the task is cancelled.
func (t *Table) land(s *Strand) {
	d := s.descent
	d.ground = t.Root(s)
	s.whileWanted(func() error {
		for s.takeUp(); len(d.path) > 0 && s.Task.Err() == nil; s.takeUp() {
			last := len(d.path) - 1
			d.bottom = d.path[last]
			d.path[last] = nil
			d.path = d.path[:last]
			t.climb(d.ground, d.bottom)
			d.done = nil
			if !s.unwinding {
				d.give()
				d.done = d.bottom.entry
			}
		}
		return nil
	})
	s.abandonAll()
}

// takeUp ends an unwinding: what it has suspended is the end of the path now.
func (s *Strand) takeUp() {
	s.unwinding = false
	d := s.descent
	slices.Reverse(d.fresh)
	d.path = append(d.path, d.fresh...)
	d.fresh = d.fresh[:0]
}

// landed returns the entry of a key if it is the one for which bottom was suspended, and was
// evaluated just now; or one that it had.
func (s *Strand) landed(q *Query, key string) *entry {
	if s.descent == nil {
		return nil
	}
	if e := s.descent.done; e != nil && e.query == q && e.key() == key {
		return e
	}
	return nil
}

// give hands the outcome of bottom to the flight that needs it, if it is one that only that may
// have (it rests on a cycle), or else to the question (it is not kept).
func (d *descent) give() {
	f := d.bottom
	f.given = nil
	if f.member != nil {
		return // it is found among the members
	}
	d.ground.note(f)
	if !f.cyclic || f.abandoned() || f.kept() || len(d.path) == 0 {
		return
	}
	above := d.path[len(d.path)-1]
	if above.given == nil {
		above.given = map[KeyOf]*flight{}
	}
	above.given[f.entry.keyOf()] = f
}

// abandonAll gives up what is suspended, so that those who wait for it try on their own account.
func (s *Strand) abandonAll() {
	d := s.descent
	s.descent, s.unwinding = nil, false
	s.dropAll()
	if d == nil {
		return
	}
	for _, f := range d.fresh {
		f.abandon()
	}
	for _, f := range slices.Backward(d.path) {
		f.abandon()
	}
}

// given returns the flight of a key whose outcome was given to the flight that fr belongs to.
func (fr *Frame) given(e *entry) *flight {
	d := fr.strand.descent
	if d == nil || d.bottom == nil || fr.parent != d.ground {
		return nil
	}
	return d.bottom.given[e.keyOf()]
}
