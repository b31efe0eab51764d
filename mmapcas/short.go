package mmapcas

import (
	"maps"
	"slices"
)

// BeginShortCycle starts a collection of what was put since the last one ended, and costs what that
// costs. What was there then, the elders, is not freed, and traced only where it was put again
// (Cycle.Again): Mark never says first for it. For the rest the cycle is like any other, and at its
// end what is left has become elder.
//
// ErrNoElders: no cycle has ended since the store was opened after which all that is needed was
// there (Cycle.Whole), or damage was met, or made up for, since it began. Then a cycle of all comes
// first.
//
// Why nothing needed is freed: what is needed and no elder must be reached from the roots, or from
// an elder in Again, without passing another elder. So: an elder that was not put again refers to
// what is elder, or to nothing that is needed. When the last cycle ended, what was marked had been
// traced, and none of its references led nowhere (Whole); what was put meanwhile had been put after
// what it refers to, or while that was held live (G0). The rest, what the caller has marked without
// tracing it, is not needed for what it refers to, unless it is put again. And elders stay: no
// short cycle frees one, and what is lost to damage ends the elders' time.
func (s *Store) BeginShortCycle() (*Cycle, error) { return s.beginCycle(true) }

// HasElders reports whether a short cycle may begin.
func (s *Store) HasElders() bool { return s.elders.known(s.counters.damaged.Load()) }

// Again returns the elders that were put again since the cycle before ended. In a short cycle the
// caller traces what they refer to. It asks when the writers from before the cycle have left (G2):
// what later ones put again is in Shaded.
func (c *Cycle) Again() []Hash {
	e := &c.s.elders
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Collect(maps.Keys(e.putAgain))
}

// Whole says whether each reference that the caller has followed led to a record. If so, and
// nothing is damaged, what is there when the cycle ends may be elder for short ones. The last call
// counts.
func (c *Cycle) Whole(yes bool) { c.whole.Store(yes) }
