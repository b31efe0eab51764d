package mmapcas

import (
	"errors"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/index"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// View calls fn with the record named h, in place: payload is mapped memory, valid until fn returns, and read-only. fn
// must be quick and must not wait, since memory cannot be given back meanwhile. View returns fn's error, ErrNotFound, or
// a *CorruptError when the record is damaged, also if fn itself met a page that cannot be read.
func (s *Store) View(h Hash, fn func(kind Kind, payload []byte) error) error {
	r := s.idle.take(s)
	err := r.View(h, fn) // after a panic the reader is out of the store, and goes the way of all garbage
	s.idle.put(r)
	return err
}

// Get appends the payload of the record named h to dst and returns it with its kind. Errors are those of View; dst is
// returned unchanged with them.
func (s *Store) Get(h Hash, dst []byte) ([]byte, Kind, error) {
	r := s.idle.take(s)
	out, kind, err := r.Get(h, dst) // which runs nobody else's code
	s.idle.put(r)
	return out, kind, err
}

// Has reports whether there is a record named h. It does not look at the payload, so the record may turn out to be
// damaged, and it holds nothing alive: only Put saves a record from a running cycle.
func (s *Store) Has(h Hash) bool {
	r := s.idle.take(s)
	found := r.Has(h)
	s.idle.put(r)
	return found
}

// record returns the record named k, checked, in place. The caller is inside a pin and confined.
func (s *Store) record(k index.Key) (kind Kind, payload []byte, err error) {
	at, word := s.index.Glance(k)
	if word == 0 {
		return s.recordAt(k, at)
	}
	return Kind(word >> 32), s.index.Glanced(at, word), nil
}

// recordAt is record for what glance knows only where to find, or not even that.
func (s *Store) recordAt(k index.Key, at arena.Addr) (kind Kind, payload []byte, err error) {
	if at == arena.Nil {
		at = s.index.FindKey(k)
	}
	if at == arena.Nil || at == index.Absent {
		return 0, nil, ErrNotFound
	}
	if kind, payload, ok := s.whole(at); ok {
		return kind, payload, nil
	}
	r, err := s.lookupAt(k.Hash(), at)
	return r.Kind, r.Payload, err
}

// whole returns the record at addr if it can be read in place and both its checksums are right. The caller is inside a pin and
// confined.
func (s *Store) whole(addr arena.Addr) (kind Kind, payload []byte, ok bool) {
	m := s.arena.Segment(addr)
	if m == nil {
		return 0, nil, false
	}
	return record.Whole(m.Mem()[m.Offset(addr):])
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

// lookupAt returns the record named h, which was found at an address, or was not.
func (s *Store) lookupAt(h Hash, at arena.Addr) (record.Record, error) {
	if at == arena.Nil {
		return record.Record{}, ErrNotFound
	}
	seg, off, r, reason := s.load(at)
	if reason != "" {
		s.drop(h, at, r.Extent())
		return record.Record{}, s.damage(seg, off, reason, nil)
	}
	return r, nil
}

// readError turns a fault while reading h into the error that callers see, and passes other errors through.
func (s *Store) readError(h Hash, at arena.Addr, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*arena.FaultError](err); !ok {
		return err
	}
	return s.unreadable(h, at, err)
}

// unreadable drops the entry of h after a fault: the one at the address, if it was found, or else those that may be h's
// and lead to memory that faults.
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

// drop takes the entry of h at addr out of the index. bytes is the record's extent; after damage
// to a header it is a guess, and so is Stats.LiveBytes.
func (s *Store) drop(h Hash, addr arena.Addr, bytes int64) {
	if s.index.Change(h, addr, arena.Nil) {
		s.counters.live.Add(-bytes)
	}
}

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
