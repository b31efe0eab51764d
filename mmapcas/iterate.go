package mmapcas

import (
	"errors"

	"github.com/cytisus/cytisus/arena"
)

// Iterate calls fn for every record that can be found by its name, in no particular order. Records put meanwhile may be
// missed, records moved by a collection meanwhile are seen once or twice. payload is valid until fn returns. Damaged records
// are reported to the log, dropped, and skipped.
func (s *Store) Iterate(fn func(kind Kind, h Hash, payload []byte) error) error {
	for _, seg := range s.segments() {
		if err := s.iterateSegment(seg, fn); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) iterateSegment(seg *segment, fn func(Kind, Hash, []byte) error) error {
	w := s.scan(seg, segmentHeaderBytes, seg.mem.Length())
	// One pin per record: fn may take its time, and a collection in between must be able to give memory back.
	for {
		more, err := s.iterateNext(seg, &w, fn)
		if err != nil || !more {
			return err
		}
	}
}

func (s *Store) iterateNext(seg *segment, w *scanner, fn func(Kind, Hash, []byte) error) (more bool, err error) {
	g := s.epochs.Pin()
	defer g.Unpin()
	if s.closed.Load() {
		return false, ErrClosed
	}
	if !s.mapped(seg) {
		return false, nil // retired; what was alive in it is elsewhere by now
	}
	off, r, ok := w.next()
	if !ok {
		return false, nil
	}
	at := seg.mem.At(off)
	err = s.arena.Confine(func() error {
		if s.index.find(r.hash) != at {
			return nil // dropped, or another copy counts
		}
		if reason := s.fill(seg, off, &r); reason != "" {
			s.drop(r.hash, at, r.extent())
			_ = s.damage(seg, off, reason, nil)
			return nil
		}
		return fn(r.kind, r.hash, r.payload)
	})
	if err != nil {
		return false, s.walkError(seg, off, err)
	}
	return true, nil
}

// walkError turns a fault at the record at off into the error that names it, and passes other errors through.
func (s *Store) walkError(seg *segment, off int64, err error) error {
	if _, ok := errors.AsType[*arena.FaultError](err); !ok {
		return err
	}
	return s.damage(seg, off, "cannot be read", err)
}
