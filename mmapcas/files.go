package mmapcas

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"path/filepath"
	"time"

	"github.com/cytisus/cytisus/arena"
)

// newSegment makes a segment, enters it in the list and returns it with nothing but its header.
// bytes 0 means the standard size. The caller appends to it.
func (s *Store) newSegment(bytes int64) (*segment, error) {
	s.reap()
	standard := bytes == 0
	if standard {
		bytes = s.arena.SegmentBytes()
	}
	number, err := s.takeNumber()
	if err != nil {
		return nil, err
	}
	defer s.numberTaken(number)

	seg := &segment{number: number, reusable: standard, whole: true}
	spec := arena.Spec{Source: arena.Anonymous(), Bytes: bytes, Piece: s.piece(), Owner: seg}
	if s.dir != "" {
		seg.name = filepath.Join(s.dir, segmentName(number))
		if err := s.createFile(seg, &spec); err != nil {
			return nil, fmt.Errorf("mmapcas: make segment %s: %w", seg.name, classify(err))
		}
	}
	mem, err := s.arena.Map(spec)
	if err != nil {
		return nil, errors.Join(classify(err), s.discardFile(seg))
	}
	seg.mem = mem
	if s.dir == "" {
		h := s.segmentHeader(seg, bytes)
		copy(mem.Mem(), h.encode())
	}
	mem.SetLength(segmentHeaderBytes)
	if c := s.cycle.Load(); c != nil {
		if err := c.admit(seg, 0, segmentHeaderBytes); err != nil {
			return nil, errors.Join(err, mem.Unmap(), s.discardFile(seg))
		}
	}
	s.segMu.Lock()
	s.segs[number] = seg
	s.segMu.Unlock()
	s.counters.segmentsMade.Add(1)
	s.fillReserve(false)
	return seg, nil
}

// takeNumber returns the number of a segment to be made. Until numberTaken, manifest records count
// it as newer than they are, also if no segment is made.
func (s *Store) takeNumber() (uint32, error) {
	s.segMu.Lock()
	defer s.segMu.Unlock()
	if s.nextNumber == math.MaxUint32 {
		return 0, fmt.Errorf("mmapcas: %s: segment numbers are used up: %w", s.dir, ErrNoSpace)
	}
	n := s.nextNumber
	s.nextNumber++
	s.making[n] = struct{}{}
	return n, nil
}

func (s *Store) numberTaken(n uint32) {
	s.segMu.Lock()
	defer s.segMu.Unlock()
	delete(s.making, n)
}

func (s *Store) segmentHeader(seg *segment, bytes int64) segmentHeader {
	return segmentHeader{version: compressedVersion, number: seg.number, identity: s.identity, bytes: bytes}
}

// createFile makes the file of a segment with its first bytes, durable if anything is to be.
func (s *Store) createFile(seg *segment, spec *arena.Spec) error {
	if err := s.lock.Check(); err != nil {
		return err
	}
	f, err := s.fs.Create(seg.name)
	if err != nil {
		return err
	}
	seg.file = f
	ready := min(int64(allocateBytesMin), spec.Bytes)
	err = f.Allocate(0, ready)
	if err == nil && s.wholeFiles() {
		err = f.Truncate(spec.Bytes)
	}
	if err == nil {
		h := s.segmentHeader(seg, spec.Bytes)
		_, err = f.WriteAt(h.encode(), 0)
	}
	if err == nil && s.opts.Sync != SyncNone {
		if err = f.Sync(); err == nil {
			err = s.fs.SyncDir(s.dir)
		}
	}
	if err != nil {
		return errors.Join(err, s.discardFile(seg))
	}
	spec.Source = f.Source()
	spec.Ready = ready
	spec.Grow = growFile(seg, spec.Bytes, s.growBytesMin())
	return nil
}

// syncPieceBytes is what one store makes dirty at most in a store that is synced.
const syncPieceBytes = 16 << 10

// piece is arena.Spec's Piece.
func (s *Store) piece() int64 {
	if s.opts.Sync == SyncNone {
		return 0
	}
	return syncPieceBytes
}

// growBytesMin is growFile's least. A sync after disk space was taken writes the file system's
// journal, so a store that is synced takes more at a time.
func (s *Store) growBytesMin() int64 {
	if s.opts.Sync == SyncNone {
		return allocateBytesMin
	}
	return allocateBytesSynced
}

// wholeFiles: the form of mapping in use needs files of their full size. They are sparse where the
// file system can have it so: disk space comes by growFile in either form.
func (s *Store) wholeFiles() bool { return s.arena.Table() && !s.fs.Table() }

// errCutShort: a segment's file was cut by another program, so what lies behind in memory is
// nowhere. Nothing is appended to it.
var errCutShort = errors.New("mmapcas: segment file was cut short")

// growFile returns the Grow function of a segment's file: disk space is taken in steps, so that a
// small store is small: an eighth of what the file has, or as much again up to least.
func growFile(seg *segment, bytes, least int64) func(ready, n int64) (int64, error) {
	return func(ready, n int64) (int64, error) {
		step := max(ready/allocateShare, min(ready, least)) &^ (allocateBytesMin - 1)
		step = min(max(step, allocateBytesMin), allocateBytesMax)
		// To a power of two, so that what is written ahead of the appender can be whole large
		// pages.
		unit := int64(1) << (bits.Len64(uint64(step)) - 1)
		to := max((ready+step)&^(unit-1), (n+allocateBytesMin-1)&^(allocateBytesMin-1))
		to = min(to, bytes)
		if size, err := seg.file.Size(); err == nil && size < ready {
			return 0, fmt.Errorf("%w: %s has %d bytes, and had %d", errCutShort, seg.name, size, ready)
		}
		err := seg.file.Allocate(ready, to)
		if enough := min((n+allocateBytesMin-1)&^(allocateBytesMin-1), bytes); err != nil && enough < to {
			to = enough // the disk may have room for that
			err = seg.file.Allocate(ready, to)
		}
		if err != nil {
			return 0, fmt.Errorf("mmapcas: %w", classify(err))
		}
		return to, nil
	}
}

// discardFile closes and removes the file of a segment that never came to be or is gone.
func (s *Store) discardFile(seg *segment) error {
	if seg.file == nil {
		return nil
	}
	return errors.Join(seg.file.Close(), s.remove(seg.name))
}

// retire takes a segment out of the list; its memory and file go when no reader is left. No index
// entry leads into it.
func (s *Store) retire(seg *segment) {
	s.segMu.Lock()
	delete(s.segs, seg.number)
	s.segMu.Unlock()
	s.counters.retired.Add(1)
	seg.mem.Retire(s.epochs, func(err error) {
		s.counters.retired.Add(-1)
		if err == nil {
			err = s.discardFile(seg)
		}
		if err != nil {
			// The next Open finds the file unlisted and removes it.
			s.log.Warn("mmapcas: segment not removed", "segment", seg.name, "err", err)
		}
	})
}

// retiredLook is how often AwaitRetired looks: leaving a pin is one store, so it is not announced.
const retiredLook = 200 * time.Microsecond

// AwaitRetired waits until nothing is left, in memory and on the disk, of the segments that were
// retired, and reports whether that is so: not if a reader stays inside for all of limit, or ctx
// ends. The caller holds no pin of the store's domain, or it waits for itself.
func (s *Store) AwaitRetired(ctx context.Context, limit time.Duration) bool {
	for began := time.Now(); ; time.Sleep(retiredLook) {
		s.epochs.Collect()
		switch {
		case s.counters.retired.Load() == 0:
			return true
		case ctx.Err() != nil || time.Since(began) >= limit:
			return false
		}
	}
}
