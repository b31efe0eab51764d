package mmapcas

import (
	"fmt"
	"slices"

	"github.com/cytisus/cytisus/arena"
)

// A Colour is what a cycle knows of a record.
type Colour uint8

// Colours of records; Absent is that of a name without a record.
const (
	Absent    Colour = iota
	White            // neither marked nor condemned: the sweep will take it
	Marked           // kept
	Young            // put since the cycle began, and kept without a mark (G1)
	Elder            // in a short cycle: there when the one before ended, and kept without a mark
	Condemned        // swept, or about to be
)

func (c Colour) String() string {
	return [...]string{"absent", "white", "marked", "young", "elder", "condemned"}[c]
}

// Colour returns what the cycle knows of the record named h, and changes nothing. It is for checks:
// where puts go on, a white record may be marked by the time the caller looks at the answer. What
// is not white stays as it is until the next call of Sweep.
func (c *Cycle) Colour(h Hash) (Colour, error) {
	s := c.s
	g := s.epochs.Pin()
	defer g.Unpin()
	if err := c.running(); err != nil {
		return Absent, err
	}
	colour, at := Absent, arena.Nil
	err := s.arena.Confine(func() error {
		if at = s.index.Find(h); at == arena.Nil {
			return nil
		}
		m := s.arena.Segment(at)
		k := m.Owner().(*segment).marks.Load()
		if k == nil || k.cycle != c {
			return fmt.Errorf("%w: it has ended", ErrCycle)
		}
		off := m.Offset(at)
		switch k.get(off) {
		case bitMarked:
			colour = Marked
		case bitCondemned:
			colour = Condemned
		default:
			colour = White
		}
		if off < k.elders {
			colour = Elder
		}
		if off >= k.bornBlack {
			colour = Young // a mark there says only that Mark has been there
		}
		return nil
	})
	return colour, s.readError(h, at, err)
}

// Waiting returns what Shaded would, and leaves it there.
func (c *Cycle) Waiting() []Hash {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.shaded)
}

// Pinned returns the names of the records that Pin keeps now.
func (s *Store) Pinned() []Hash { return s.pins.all() }
