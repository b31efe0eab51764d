package mmapcas

import (
	"errors"
	"fmt"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// After a segment's sync failed it is unknown what of its file is on disk, and no later sync of
// that file could tell: the system may have marked the pages as clean that it could not write. The
// bytes are still in memory, for how long is the system's to say. So the next Commit puts what is
// alive in the segment into fresh ones, checking each record as it goes, and goes on with these:
// they are synced for the first time, a manifest record without the lost segment is made durable,
// and its file is removed, as after a sweep (G4).
//
// A record that fails its checksum there has been dropped by the system although its put returned,
// so no commit may cover it: then the failure is final. So it is when the sync that failed was of
// the manifest, or of the directory: those are the only places that say what counts, and there is
// no other to go on with.

// rescue makes up for syncs of segments that failed, and returns the failure if it cannot. The
// caller holds commitMu.
func (s *Store) rescue() error {
	failure := s.syncFailed()
	if failure == nil {
		return nil
	}
	// A sweep has its own view of which segments there are. When it has ended, or was given up,
	// there is another commit.
	if s.final.Load() || s.cycle.Load() != nil {
		return failure
	}
	var lost []*segment
	for _, seg := range s.segments() {
		if seg.lost.Load() {
			lost = append(lost, seg)
		}
	}
	// Once no appender has them nothing is added to them, and what was added is in the index.
	s.pool.exclusive(func(all []*appender) {
		for _, seg := range lost {
			s.takeOpen(seg, all)
		}
	})
	s.elders.forget() // copies have other places
	var to appender
	err := func() error {
		defer func() {
			if m := to.Detach(); m != nil {
				s.giveOpen(m)
			}
		}()
		for _, seg := range lost {
			seg.mem.Seal()
			if err := s.rescueSegment(seg, &to); err != nil {
				return err
			}
		}
		return nil
	}()
	if err == nil {
		s.failure.Store(nil) // or nothing could be synced
		err = s.forgetLocked(lost, nil)
	}
	if err != nil {
		s.failure.CompareAndSwap(nil, &failure)
		return fmt.Errorf("%w; going on in other segments: %w", failure, err)
	}
	s.log.Warn("mmapcas: a failed sync was made up for", "segments", len(lost), "err", failure)
	return nil
}

// rescueSegment copies what is alive in a segment to others.
func (s *Store) rescueSegment(seg *segment, to *appender) error {
	g := s.epochs.Pin()
	defer g.Unpin()
	var bad error
	lose := func(off int64, reason string, err error) {
		bad = errors.Join(bad, s.damage(seg, off, reason, err))
		s.final.Store(true)
	}
	w := s.scan(seg, segmentHeaderBytes, seg.mem.Length())
	w.damaged = lose
	for {
		off, r, ok := w.next()
		if !ok {
			return bad
		}
		at := seg.mem.At(off)
		alive := false
		err := s.arena.Confine(func() error {
			if alive = s.index.Find(r.Hash) == at; alive && !r.Intact() {
				lose(off, "payload fails its checksum", nil)
				alive = false
			}
			return nil
		})
		if err != nil {
			lose(off, "cannot be read", err)
		}
		if !alive {
			continue
		}
		if err := s.rescueRecord(seg, at, &r, to); err != nil {
			return err
		}
	}
}

// rescueRecord copies a record and leads its index entry to the copy.
func (s *Store) rescueRecord(seg *segment, at arena.Addr, r *record.Record, to *appender) error {
	if to.Room() < r.Extent() {
		if err := s.rescueRoom(r.Extent(), to); err != nil {
			return err
		}
	}
	err := s.arena.Confine(func() error {
		addr, b, err := to.Reserve(r.Extent())
		if err != nil {
			return classify(err)
		}
		r.CopyTo(b, &to.scratch)
		to.Commit()
		if s.index.Change(r.Hash, at, addr) {
			s.counters.moved.Add(1)
		}
		return nil
	})
	if fault, ok := errors.AsType[*arena.FaultError](err); ok {
		to.Abandon()
		return s.faultError(fault.Segment, fault)
	}
	return err
}

// rescueRoom gives to a fresh segment with room for n bytes: none that was there before, of which
// something may be on disk.
func (s *Store) rescueRoom(n int64, to *appender) error {
	bytes := int64(0)
	if need := segmentHeaderBytes + n; need > s.arena.SegmentBytes() {
		bytes = (need + allocateBytesMin - 1) &^ (allocateBytesMin - 1)
	}
	seg, err := s.newSegment(bytes)
	if err != nil {
		return err
	}
	if old := to.Detach(); old != nil {
		old.Seal()
	}
	seg.copies.Store(true) // forgetLocked syncs it
	return to.Attach(seg.mem)
}
