package mmapcas

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/index"
	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// spareShare is the part of a segment, as its inverse, that must be free for it to be appended to
// after opening.
const spareShare = 16

// recover finds out what the files hold and builds the index.
func (s *Store) recover() error {
	names, err := s.fs.List(s.dir)
	if err != nil {
		return err
	}
	if err := s.refuseNewer(names); err != nil {
		return err
	}
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
	s.manifest.careful = s.opts.Sync != SyncNone
	saved, err := s.findIndexFile(newest)
	if err != nil {
		return err
	}
	if saved != nil {
		s.index = index.Open(s.arena, s.epochs, saved.Saved, saved)
		s.counters.live.Store(saved.Live)
	} else if s.index, err = index.New(s.arena, s.epochs, int64(newest.records)); err != nil {
		return err
	}
	listed := map[uint32]int64{}
	for _, l := range newest.segments {
		listed[l.number] = l.length
	}
	next := max(newest.next, 1)
	var all []*found
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
			s.removeLeftover(name)
			continue
		}
		next = max(next, number+1)
		all = append(all, &found{number: number, trusted: length, listed: isListed})
	}
	newest, err = s.recoverSegments(all, saved, newest)
	if err != nil {
		return err
	}
	s.note.Store(&newest.note)
	s.told, s.found = newest.seq, newest.seq
	next = max(next, newest.next)
	for number := range listed {
		seg := &segment{number: number, name: filepath.Join(s.dir, segmentName(number))}
		_ = s.damage(seg, 0, "the manifest lists the segment, but the file is missing", nil)
	}
	s.nextNumber = next
	return nil
}

// refuseNewer returns a *FormatError if a segment of this store has a format that this program does
// not know. It comes before anything on disk is changed, the cutting of a torn manifest included.
// The superblock says the same of a whole store; a later version may write newer segments beside
// old ones.
func (s *Store) refuseNewer(names []string) error {
	for _, name := range names {
		if _, ok := parseSegmentName(name); !ok {
			continue
		}
		// What cannot be read is met again, and reported, when it is to be mapped.
		h, ok, err := readSegmentHeader(s.fs, filepath.Join(s.dir, name))
		if err == nil && ok && h.identity == s.identity && !known(h.version) {
			return &FormatError{Path: s.dir, Found: h.version, Supported: FormatVersion}
		}
	}
	return nil
}

// removeLeftover removes a segment file that does not count, unless it is some other store's or
// cannot be read. A file that stays, because another process has it open, say, does no harm: it is
// found again by the next Open.
func (s *Store) removeLeftover(name string) {
	if s.opts.ReadOnly {
		return
	}
	path := filepath.Join(s.dir, name)
	h, ok, err := readSegmentHeader(s.fs, path)
	if err != nil || (ok && h.identity != s.identity) {
		s.log.Warn("mmapcas: file does not belong to the store", "file", path, "err", err)
		return
	}
	if err := s.fs.Remove(path); err != nil {
		s.log.Warn("mmapcas: leftover segment not removed", "file", path, "err", err)
	}
}

// A found is a segment file that Open comes across.
type found struct {
	number  uint32
	trusted int64 // the length that the manifest gives it
	listed  bool  // in the manifest

	// What mapping it shows.
	seg                   *segment // nil if there is nothing to be had from it
	size, bytes, readable int64
	headerOK              bool
	appendable            bool  // what is appended to others may be appended to it
	covered               int64 // up to here its records are in the saved index
	end                   int64 // up to here they are records at all
	damaged               bool
	orphan                bool // without a header, and not in the manifest
	statements            []statement
	synced                int64 // up to here it is durable if what the manifest covers is
}

// recoverSegments maps segment files and enters their records. What the manifest covers comes
// first: of two copies of a record one there may be durable, and one behind it may not.
func (s *Store) recoverSegments(all []*found, saved *savedIndex, manifest *manifestRecord) (newest *manifestRecord, err error) {
	// Those with a place of their own are mapped before others can take it.
	slices.SortStableFunc(all, func(a, b *found) int {
		return cmp.Compare(saved.rank(a.number), saved.rank(b.number))
	})
	for _, f := range all {
		if err := s.recoverSegment(f, saved); err != nil {
			return nil, err
		}
	}
	all = slices.DeleteFunc(all, func(f *found) bool { return f.seg == nil })
	slices.SortFunc(all, func(a, b *found) int { return cmp.Compare(a.number, b.number) })
	if err := saved.settle(); err != nil {
		return nil, err
	}
	each := s.forEach(all)
	for _, enter := range []func(*found) error{s.enterTrusted, s.enterTail} {
		if err := each(enter); err != nil {
			return nil, err
		}
	}
	newest, stated := s.newestStatement(all, manifest)
	for _, f := range all {
		f.synced = f.trusted
		if stated {
			s.trust(f, newest)
		}
	}
	if newest.seq > 0 && !s.opts.ReadOnly {
		s.manifest.seq = max(s.manifest.seq, newest.seq+unseenStatements)
	}
	for _, f := range all {
		s.finishSegment(f, manifest.synced)
	}
	return newest, nil
}

// unseenStatements is how many statements there may be that an Open does not see, behind damage or
// in what cannot be read at the time. What is stated from now on is newer than all of them.
const unseenStatements = 1 << 16

// trust gives a segment the length that a statement gives it. What is missing of that is damage.
func (s *Store) trust(f *found, newest *manifestRecord) {
	for _, l := range newest.segments {
		if l.number != f.number {
			continue
		}
		f.trusted = max(f.trusted, min(l.length, f.end))
		if l.length > f.end {
			f.damaged = true
			_ = s.damage(f.seg, f.end, fmt.Sprintf("records end here, a commit gives them %d bytes", l.length), nil)
		}
	}
}

// parallelBytes is how much there must be to scan for several goroutines to do it.
const parallelBytes = 4 << 20

// forEach returns what calls a function for all segments, one after the other if there is little to
// do.
func (s *Store) forEach(all []*found) func(func(*found) error) error {
	var n int64
	for _, f := range all {
		n += f.trusted - f.covered
	}
	if n < parallelBytes {
		return func(fn func(*found) error) error {
			for _, f := range all {
				if err := fn(f); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return func(fn func(*found) error) error {
		return inParallel(len(all), func(i int) error { return fn(all[i]) })
	}
}

// recoverSegment maps a segment file, if it is one.
func (s *Store) recoverSegment(f *found, saved *savedIndex) error {
	seg := &segment{number: f.number, name: filepath.Join(s.dir, segmentName(f.number))}
	file, err := s.fs.Open(seg.name, s.opts.ReadOnly)
	if err != nil {
		return err
	}
	seg.file = file
	if f.size, err = file.Size(); err != nil {
		return errors.Join(err, file.Close())
	}
	h, ok, err := readSegmentHeader(s.fs, seg.name)
	switch {
	case !ok && err != nil && !f.listed:
		_ = s.damage(seg, 0, "cannot be read", err)
		// It may be readable another time. So manifest records of this process must not count it
		// among those dropped.
		s.making[f.number] = struct{}{}
		return file.Close()
	case !ok && !f.listed:
		// The process or the power went while the segment was made, or something struck it there
		// later: what is in it tells.
		f.orphan = true
		h = segmentHeader{bytes: max(s.arena.SegmentBytes(), f.size)}
	case !ok:
		_ = s.damage(seg, 0, "segment header cannot be read, or fails its checksum", err)
		h = segmentHeader{bytes: max(s.arena.SegmentBytes(), f.size)}
	case h.identity != s.identity || h.number != f.number:
		_ = s.damage(seg, 0, "segment of another store, or under another name", nil)
		return file.Close()
	}
	if f.size < f.trusted {
		_ = s.damage(seg, f.size, fmt.Sprintf("file ends here, the manifest gives it %d bytes", f.trusted), nil)
	}
	f.appendable = ok && h.version == compressedVersion
	f.headerOK, f.bytes = ok, max(h.bytes, f.size)
	return s.mapSegment(f, seg, saved)
}

func (s *Store) mapSegment(f *found, seg *segment, saved *savedIndex) (err error) {
	unusable := func(err error) error { return errors.Join(err, seg.file.Close()) }
	if s.wholeFiles() && f.size < f.bytes {
		if s.opts.ReadOnly {
			f.bytes = f.size
		} else if err := seg.file.Truncate(f.bytes); err != nil {
			// A full disk is no reason not to read.
			s.log.Warn("mmapcas: segment not appended to", "segment", seg.name, "err", err)
			f.bytes, f.headerOK = f.size, false
		} else {
			f.size = f.bytes
		}
	}
	f.readable = min(f.size, f.bytes) &^ (arena.Unit - 1)
	if f.readable <= segmentHeaderBytes {
		// Nothing in it, and too short to be appended to; it was made a moment before the end.
		if f.orphan {
			err := unusable(nil)
			s.removeLeftover(segmentName(seg.number))
			return err
		}
		return unusable(nil)
	}
	seg.reusable = f.headerOK && f.appendable && f.bytes == s.arena.SegmentBytes() && !s.opts.ReadOnly
	spec := arena.Spec{
		Source: seg.file.Source(), Bytes: f.bytes, Ready: f.readable, Owner: seg, ReadOnly: s.opts.ReadOnly,
		Grow: growFile(seg, f.bytes, s.growBytesMin()), Piece: s.piece(),
	}
	saved.place(seg.number, &spec)
	seg.mem, err = s.arena.Map(spec)
	if spec.Fixed && errors.Is(err, arena.ErrAddressSpace) {
		spec.Fixed = false // then its records are looked at one by one
		seg.mem, err = s.arena.Map(spec)
	}
	if err != nil {
		return unusable(err)
	}
	s.segs[seg.number] = seg
	f.seg = seg
	seg.noted = f.trusted
	f.trusted = min(max(f.trusted, segmentHeaderBytes), f.readable)
	f.covered = saved.cover(seg, f.trusted)
	seg.saved = f.covered
	return nil
}

// enterTrusted puts the records that the manifest covers into the index.
func (s *Store) enterTrusted(f *found) error {
	_, err := s.enter(f, max(f.covered, segmentHeaderBytes), f.trusted, false)
	return err
}

// enterTail puts the records behind those into the index and finds their end.
func (s *Store) enterTail(f *found) (err error) {
	f.end, err = s.enter(f, f.trusted, f.readable, true)
	return err
}

// finishSegment decides whether the segment may be appended to.
func (s *Store) finishSegment(f *found, synced bool) {
	seg := f.seg
	if f.orphan && f.end > segmentHeaderBytes {
		_ = s.damage(seg, 0, "segment header fails its checksum", nil)
	} else if f.orphan && !s.opts.ReadOnly {
		seg.mem.Seal()
		s.retire(seg) // nothing in it was ever promised
		return
	}
	// What is damaged stays as it is: appending behind a header that is whole, of a record that is
	// not, would make that header swallow what is appended.
	seg.whole = f.headerOK && !f.damaged && f.size >= seg.noted
	seg.reusable = seg.reusable && seg.whole
	seg.mem.SetLength(f.end)
	seg.noted, seg.tailFrom, seg.tailTo = f.trusted, f.trusted, f.end
	if synced {
		seg.synced.Store(f.synced)
	}
	seg.copies.Store(seg.synced.Load() < f.end)
	if seg.reusable && f.bytes-f.end >= f.bytes/spareShare {
		// A1. Whatever lies there never counted, and must not be taken for records once others
		// stand before it.
		err := seg.file.Zero(f.end, f.size-f.end)
		if s.wholeFiles() {
			seg.mem.SetReady(f.end) // the rest of the file may have no disk space
		} else if err == nil {
			err = seg.file.Allocate(f.end, f.size) // where clearing made holes
		}
		if err == nil {
			if !synced {
				seg.unwalked = f.covered
			}
			s.spares = append(s.spares, seg)
			return
		}
		s.log.Warn("mmapcas: segment not appended to", "segment", seg.name, "err", err)
	}
	seg.mem.Seal()
}

// enter puts the records from one offset to another into the index and returns where they end.
func (s *Store) enter(f *found, from, to int64, tail bool) (end int64, err error) {
	g := s.epochs.Pin()
	defer g.Unpin()
	w := s.scan(f.seg, from, to)
	w.payloads = tail
	w.damaged = func(off int64, reason string, err error) {
		f.damaged = true
		_ = s.damage(f.seg, off, reason, err)
	}
	if tail && !s.opts.ReadOnly {
		w.fill = func(from, to int64) bool { return s.fillGap(f.seg, from, to) }
	}
	err = s.enterAll(&w, f)
	return w.off, err
}

// fillGap makes one record of the bytes between two others of the tail, where one was that did not
// get to the disk whole, or was struck there. Nobody has its name, so the next collection drops it;
// until then the segment is whole, and can be appended to like others. The caller is inside a pin
// and inside Confine.
func (s *Store) fillGap(seg *segment, from, to int64) bool {
	_ = s.damage(seg, from, "no whole record up to the next one", nil)
	payload := seg.mem.Mem()[from+record.HeaderBytes : to]
	var b [record.HeaderBytes]byte
	record.PutHeader(&b, 0, HashOf(0, payload), record.Plain(payload), record.Checksum(payload))
	_, err := seg.file.WriteAt(b[:], from)
	if err != nil {
		s.log.Warn("mmapcas: segment not appended to", "segment", seg.name, "err", err)
	}
	return err == nil
}

func (s *Store) enterAll(w *scanner, f *found) error {
	for {
		off, r, ok := w.next()
		if !ok {
			return nil
		}
		if r.Own {
			f.noteStatement(s, off, &r, w.doubt)
			continue
		}
		if err := s.enterRecord(w.seg.At(off), &r); err != nil {
			return err
		}
	}
}

// enterRecord enters one record. Of several copies the first that is whole is taken.
func (s *Store) enterRecord(at arena.Addr, r *record.Record) error {
	if s.index.EnterLater(index.Located{Hash: r.Hash, At: at, Bytes: r.Extent()}) {
		s.counters.live.Add(r.Extent())
		return nil
	}
	for faults := 0; ; faults++ {
		var other arena.Addr
		err := s.arena.Confine(func() (err error) {
			other, err = s.index.Insert(r.Hash, at)
			return err
		})
		if errors.Is(err, arena.ErrFault) && faults < faultTries {
			// The memory of an entry that looks like this one failed since it was entered.
			s.index.DropUnreadable(r.Hash)
			continue
		}
		switch {
		case err != nil:
			return err
		case other == arena.Nil:
			s.counters.live.Add(r.Extent())
		case other != at && s.rather(at, other):
			s.index.Change(r.Hash, other, at)
		}
		return nil
	}
}
