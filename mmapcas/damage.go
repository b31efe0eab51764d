package mmapcas

import (
	"errors"

	"github.com/cytisus/cytisus/arena"
)

// damage counts and logs a damaged place and returns the error that names it.
func (s *Store) damage(seg *segment, off int64, reason string, cause error) error {
	e := &CorruptError{Offset: off, Reason: reason, Err: cause}
	if seg != nil {
		e.Segment, e.File = seg.number, seg.name
	}
	s.counters.damaged.Add(1)
	s.log.Warn("mmapcas: damaged record", "err", e)
	return e
}

// drop takes the entry of h at addr out of the index, and reports whether it was there. bytes is
// the record's extent; after damage to a header it is a guess, and so is Stats.LiveBytes.
func (s *Store) drop(h Hash, addr arena.Addr, bytes int64) bool {
	dropped := s.index.Change(h, addr, arena.Nil)
	if dropped {
		s.counters.live.Add(-bytes)
		s.counters.dropped.Add(bytes)
	}
	return dropped
}

// faulted drops the entry of h after a fault and returns the error for it. The caller needs no pin.
func (s *Store) faulted(h Hash, fault *arena.FaultError) error {
	g := s.epochs.Pin()
	defer g.Unpin()
	at := arena.Nil
	_ = s.arena.Confine(func() error {
		at = s.index.Find(h)
		return nil
	})
	return s.unreadable(h, at, fault)
}

// readError turns a fault while reading h into the error that callers see, and passes other errors
// through.
func (s *Store) readError(h Hash, at arena.Addr, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*arena.FaultError](err); !ok {
		return err
	}
	return s.unreadable(h, at, err)
}

// unreadable drops the entry of h after a fault: the one at the address, if it was found, or else
// those that may be h's and lead to memory that faults.
func (s *Store) unreadable(h Hash, at arena.Addr, err error) error {
	if at != arena.Nil {
		s.drop(h, at, 0)
	} else {
		s.index.DropUnreadable(h)
	}
	fault, _ := errors.AsType[*arena.FaultError](err)
	var seg *segment
	if fault.Segment != nil {
		seg = fault.Segment.Owner().(*segment)
	}
	return s.damage(seg, fault.Offset, "cannot be read", err)
}

// faultError is the error of a put whose segment's memory failed.
func (s *Store) faultError(m *arena.Segment, fault *arena.FaultError) error {
	if m == nil {
		m = fault.Segment
	}
	var seg *segment
	if m != nil {
		seg = m.Owner().(*segment)
	}
	return s.damage(seg, fault.Offset, "cannot be written", fault)
}

// walkError turns a fault at the record at off into the error that names it, and passes other
// errors through.
func (s *Store) walkError(seg *segment, off int64, err error) error {
	if _, ok := errors.AsType[*arena.FaultError](err); !ok {
		return err
	}
	return s.damage(seg, off, "cannot be read", err)
}
