package mmapcas

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// spareShare is the part of a segment, as its inverse, that must be free for it to be appended to after opening.
const spareShare = 16

// recover finds out what the files hold and builds the index.
func (s *Store) recover() error {
	m, newest, err := openManifest(s.fs, s.dir, s.opts.ReadOnly)
	if err != nil {
		return err
	}
	s.manifest = m
	if m.damaged > 0 {
		s.log.Warn("mmapcas: damaged manifest record skipped", "file", m.name)
	}
	if newest == nil {
		newest = &manifestRecord{}
	}
	s.note.Store(&newest.note)
	if s.index, err = newIndex(s.arena, s.epochs, int64(newest.records)); err != nil {
		return err
	}
	listed := map[uint32]int64{}
	for _, l := range newest.segments {
		listed[l.number] = l.length
	}
	names, err := s.fs.List(s.dir)
	if err != nil {
		return err
	}
	next := max(newest.next, 1)
	for _, name := range names { // in the order of their numbers
		if strings.HasSuffix(name, vfs.TempSuffix) && !s.opts.ReadOnly {
			if err := s.fs.Remove(filepath.Join(s.dir, name)); err != nil {
				return err
			}
			continue
		}
		number, ok := parseSegmentName(name)
		if !ok {
			continue
		}
		length, isListed := listed[number]
		delete(listed, number)
		if !isListed && number < newest.next {
			// Dropped by a collection whose process ended before it removed the file.
			if err := s.removeLeftover(name); err != nil {
				return err
			}
			continue
		}
		next = max(next, number+1)
		if err := s.recoverSegment(number, length, isListed, newest.synced); err != nil {
			return err
		}
	}
	for number := range listed {
		seg := &segment{number: number, name: filepath.Join(s.dir, segmentName(number))}
		_ = s.damage(seg, 0, "the manifest lists the segment, but the file is missing", nil)
	}
	s.nextNumber = next
	return nil
}

// removeLeftover removes a segment file that does not count, unless it is some other store's or cannot be read.
func (s *Store) removeLeftover(name string) error {
	if s.opts.ReadOnly {
		return nil
	}
	path := filepath.Join(s.dir, name)
	h, ok, err := s.readSegmentHeader(path)
	if err != nil || (ok && h.identity != s.identity) {
		s.log.Warn("mmapcas: file does not belong to the store", "file", path, "err", err)
		return nil
	}
	return s.fs.Remove(path)
}

// readSegmentHeader reads the header of a segment file; ok=false means that it has none that is whole.
func (s *Store) readSegmentHeader(path string) (h segmentHeader, ok bool, err error) {
	f, err := s.fs.Open(path, true)
	if err != nil {
		return segmentHeader{}, false, err
	}
	var b [segmentHeaderBytes]byte
	_, err = f.ReadAt(b[:], 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	h, ok = parseSegmentHeader(b[:])
	return h, ok, errors.Join(err, f.Close())
}

// recoverSegment maps a segment file and enters its records. trusted is the length that the manifest gives it.
func (s *Store) recoverSegment(number uint32, trusted int64, listed, synced bool) error {
	seg := &segment{number: number, name: filepath.Join(s.dir, segmentName(number))}
	f, err := s.fs.Open(seg.name, s.opts.ReadOnly)
	if err != nil {
		return err
	}
	seg.file = f
	size, err := f.Size()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	h, ok, err := s.readSegmentHeader(seg.name)
	switch {
	case err != nil && !listed:
		_ = s.damage(seg, 0, "cannot be read", err)
		return f.Close()
	case !ok && !listed:
		// The process or the power went while the segment was made: nothing in it was ever promised.
		return errors.Join(f.Close(), s.removeLeftover(segmentName(number)))
	case !ok:
		_ = s.damage(seg, 0, "segment header fails its checksum", nil)
		h.bytes = max(s.arena.SegmentBytes(), size)
	case h.identity != s.identity || h.number != number:
		_ = s.damage(seg, 0, "segment of another store, or under another name", nil)
		return f.Close()
	}
	if size < trusted {
		_ = s.damage(seg, size, fmt.Sprintf("file ends here, the manifest gives it %d bytes", trusted), nil)
	}
	return s.mapSegment(seg, size, h.bytes, trusted, ok, synced)
}

func (s *Store) mapSegment(seg *segment, size, bytes, trusted int64, headerOK, synced bool) (err error) {
	f := seg.file
	unusable := func(err error) error { return errors.Join(err, f.Close()) }
	bytes = max(bytes, size)
	if s.wholeFiles() && size < bytes {
		if s.opts.ReadOnly {
			bytes = size
		} else if err := f.Allocate(bytes); err != nil {
			// A full disk is no reason not to read.
			s.log.Warn("mmapcas: segment not appended to", "segment", seg.name, "err", err)
			bytes, headerOK = size, false
		} else {
			size = bytes
		}
	}
	readable := min(size, bytes) &^ (arena.Unit - 1)
	if readable <= segmentHeaderBytes {
		// Nothing in it, and too short to be appended to; it was made a moment before the end.
		return unusable(nil)
	}
	seg.reusable = headerOK && bytes == s.arena.SegmentBytes() && !s.opts.ReadOnly
	seg.mem, err = s.arena.Map(arena.Spec{
		Source: f.Source(), Bytes: bytes, Ready: readable, Owner: seg, ReadOnly: s.opts.ReadOnly,
		Grow: s.growFile(seg, bytes, readable),
	})
	if err != nil {
		return unusable(err)
	}
	s.segs[seg.number] = seg

	noted := trusted
	trusted = min(max(trusted, segmentHeaderBytes), readable)
	damagedBefore := s.counters.damaged.Load()
	end, err := s.enter(seg, trusted, readable)
	if err != nil {
		return err
	}
	// What is damaged stays as it is: appending behind a header that is whole, of a record that is not, would make that
	// header swallow what is appended.
	seg.reusable = seg.reusable && s.counters.damaged.Load() == damagedBefore && size >= noted
	seg.mem.SetLength(end)
	seg.noted, seg.tailFrom, seg.tailTo = trusted, trusted, end
	if synced {
		seg.synced.Store(trusted)
	}
	if seg.reusable && bytes-end >= bytes/spareShare {
		// A1. Whatever lies there never counted, and must not be taken for records once others stand before it.
		err := f.Zero(end, size-end)
		if err == nil {
			err = f.Allocate(size) // where clearing made holes
		}
		if err == nil {
			s.spares = append(s.spares, seg)
			return nil
		}
		s.log.Warn("mmapcas: segment not appended to", "segment", seg.name, "err", err)
	}
	seg.mem.Seal()
	return nil
}

// enter puts the segment's records into the index and returns where they end.
func (s *Store) enter(seg *segment, trusted, readable int64) (end int64, err error) {
	g := s.epochs.Pin()
	defer g.Unpin()
	report := func(off int64, reason string, err error) { _ = s.damage(seg, off, reason, err) }
	w := scanner{arena: s.arena, seg: seg.mem, off: segmentHeaderBytes, end: trusted, damaged: report}
	if err := s.enterAll(&w); err != nil {
		return 0, err
	}
	w = scanner{arena: s.arena, seg: seg.mem, off: trusted, end: readable, payloads: true, damaged: report}
	err = s.enterAll(&w)
	return w.off, err
}

func (s *Store) enterAll(w *scanner) error {
	for {
		off, r, ok := w.next()
		if !ok {
			return nil
		}
		if err := s.enterRecord(w.seg.At(off), &r); err != nil {
			return err
		}
	}
}

// enterRecord enters one record. Of several copies the first is taken.
func (s *Store) enterRecord(at arena.Addr, r *rec) error {
	for faults := 0; ; faults++ {
		var other arena.Addr
		err := s.arena.Confine(func() (err error) {
			other, err = s.index.insert(r.hash, at)
			return err
		})
		if errors.Is(err, arena.ErrFault) && faults < bucketSlots {
			// The memory of an entry that looks like this one failed since it was entered.
			s.index.dropUnreadable(r.hash)
			continue
		}
		if err == nil && other == arena.Nil {
			s.counters.live.Add(r.extent())
		}
		return err
	}
}
