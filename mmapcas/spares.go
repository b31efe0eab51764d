package mmapcas

import (
	"slices"

	"github.com/cytisus/cytisus/arena"
)

// nextSegment gives a an open segment with room for n bytes in place of the one it has.
func (s *Store) nextSegment(a *appender, n int64) error {
	seg := s.takeSpare(n)
	if seg == nil {
		var err error
		if seg, err = s.newSegment(0); err != nil {
			return err
		}
	}
	if old := a.Detach(); old != nil {
		old.Seal()
	}
	return a.Attach(seg.mem)
}

// takeSpare returns an open segment without an appender that has room for n bytes, nil if there is
// none.
func (s *Store) takeSpare(n int64) *segment {
	for {
		seg := s.popSpare(n)
		if seg == nil || s.walkBeforeAppending(seg) {
			return seg
		}
		seg.mem.Seal()
	}
}

func (s *Store) popSpare(n int64) *segment {
	s.segMu.Lock()
	defer s.segMu.Unlock()
	for i, seg := range s.spares {
		if !seg.lost.Load() && seg.mem.Bytes()-seg.mem.Length() >= n {
			s.spares = append(s.spares[:i], s.spares[i+1:]...)
			return seg
		}
	}
	return nil
}

// walkBeforeAppending looks at what was not looked at since the power may have gone, and reports
// whether the segment may be appended to: not behind a header that is whole, of a record that is
// not, and that reaches beyond the segment's length.
func (s *Store) walkBeforeAppending(seg *segment) bool {
	s.segMu.Lock()
	n := seg.unwalked
	s.segMu.Unlock()
	if n == 0 {
		return true
	}
	g := s.epochs.Pin()
	defer g.Unpin()
	whole := true
	w := s.scan(seg, segmentHeaderBytes, n)
	w.damaged = func(off int64, reason string, err error) {
		whole = false
		_ = s.damage(seg, off, reason, err)
	}
	for more := true; more; {
		_, _, more = w.next()
	}
	s.segMu.Lock()
	defer s.segMu.Unlock()
	seg.unwalked = 0
	seg.whole = seg.whole && whole
	return whole
}

// takeOpen takes a segment away from the appenders and reports whether it is open. The
// caller holds all appenders.
func (s *Store) takeOpen(seg *segment, appenders []*appender) bool {
	if seg.mem.Sealed() {
		return false
	}
	for _, a := range appenders {
		if a.Segment() == seg.mem {
			a.Detach()
		}
	}
	s.segMu.Lock()
	defer s.segMu.Unlock()
	s.spares = slices.DeleteFunc(s.spares, func(o *segment) bool { return o == seg })
	return true
}

// giveOpen offers an open segment without an appender to the next that appends.
func (s *Store) giveOpen(m *arena.Segment) {
	s.segMu.Lock()
	defer s.segMu.Unlock()
	s.spares = append(s.spares, m.Owner().(*segment))
}

// inLost reports whether a's segment failed to reach the disk: then appending goes on in another.
func (s *Store) inLost(a *appender) bool {
	if s.failure.Load() == nil {
		return false
	}
	m := a.Segment()
	return m != nil && m.Owner().(*segment).lost.Load()
}
