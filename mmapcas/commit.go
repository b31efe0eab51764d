package mmapcas

import (
	"fmt"
	"slices"
)

// Commit writes a manifest record with note: everything put before is complete, and Note will
// answer note when the store is opened again, until the next Commit. With SyncGroup and SyncEvery
// it is durable when Commit returns nil. After an error the records put are as they were, and
// whether the note is the old one or the new one shows at the next Open.
func (s *Store) Commit(note []byte) error { return s.CommitCovered(note, func() {}) }

// CommitCovered is Commit, and calls covered when it is settled which records lie before the
// lengths of the manifest record: what is put after that is part of the tail, until the next
// commit. A caller whose note names its newest record puts no other until then.
// It is called before anything is synced, and not at all if nothing is written.
func (s *Store) CommitCovered(note []byte, covered func()) error {
	err := s.commit(note, covered)
	s.reap()
	return err
}

func (s *Store) commit(note []byte, covered func()) error {
	if len(note) > MaxNoteBytes {
		return fmt.Errorf("%w: note of %d bytes, limit is %d", ErrTooLarge, len(note), MaxNoteBytes)
	}
	if s.opts.ReadOnly {
		return fmt.Errorf("%w: %s was opened so", ErrReadOnly, s.dir)
	}
	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	if s.closed.Load() {
		return ErrClosed
	}
	note = slices.Clone(note)
	if s.dir == "" {
		s.note.Store(&note)
		s.counters.commits.Add(1)
		return nil
	}
	if err := s.rescue(); err != nil {
		return err
	}
	// With all appenders in hand no put is between index and length, so these lengths cover all
	// that anyone has been told is stored.
	lengths := map[*segment]int64{}
	// No collection begins meanwhile, and one that is under way may move records behind these
	// lengths.
	quiet, moved := s.cycle.Load() == nil, s.counters.moved.Load()
	s.pool.exclusive(func([]*appender) {
		for _, seg := range s.segments() {
			lengths[seg] = seg.mem.Length()
		}
	})
	covered()
	// A segment made since has a number that counts as newer, or is listed with length 0, which is
	// the same.
	state := func() manifestRecord {
		r := s.manifestOf(func(seg *segment) (int64, bool) { return lengths[seg], true })
		r.note = note
		return r
	}
	r := state()
	stated := false
	if s.opts.Sync != SyncNone {
		stated = s.putStatement(&r, lengths)
		for seg, n := range lengths {
			if err := s.syncSegment(seg, n); err != nil {
				return err
			}
		}
		if err := s.syncNames(); err != nil {
			return err
		}
	}
	if !stated {
		r = state() // what it says of syncs is so now
	}
	if err := s.writeManifest(&r, s.opts.Sync != SyncNone && !stated); err != nil {
		return err
	}
	if stated {
		s.durable = r.seq
	}
	for seg, n := range lengths {
		seg.noted = n
		seg.tailFrom, seg.tailTo = 0, 0
	}
	s.note.Store(&note)
	s.counters.commits.Add(1)
	if quiet {
		s.saving.settled = moved
		s.saveIndexSoon()
	}
	return nil
}

// SyncCommitted makes durable what the newest Commit covered, its note included, under every mode
// of Options.Sync.
func (s *Store) SyncCommitted() error {
	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	switch {
	case s.closed.Load():
		return ErrClosed
	case s.opts.ReadOnly:
		return fmt.Errorf("%w: %s was opened so", ErrReadOnly, s.dir)
	case s.dir == "" || s.opts.Sync != SyncNone:
		return nil
	}
	if err := s.rescue(); err != nil {
		return err
	}
	for _, seg := range s.segments() {
		if err := s.syncSegment(seg, seg.noted); err != nil {
			return err
		}
	}
	if err := s.syncNames(); err != nil {
		return err
	}
	r := s.manifestOf(func(seg *segment) (int64, bool) { return seg.noted, true })
	r.note = s.Note()
	return s.writeManifest(&r, true)
}

// writeManifest appends a record. The caller holds commitMu.
func (s *Store) writeManifest(r *manifestRecord, sync bool) error {
	if err := s.lock.Check(); err != nil {
		return fmt.Errorf("mmapcas: write manifest: %w", err)
	}
	if r.seq == 0 { // a statement that is in a segment has its number
		r.seq, r.records = s.manifest.number(), uint64(s.index.Count())
	}
	if sync {
		s.counters.syncs.Add(1)
	}
	failed, err := s.manifest.append(r, sync)
	if failed {
		s.final.Store(true)
		return s.failSync(err)
	}
	if err != nil {
		return classify(err)
	}
	s.told = r.seq
	if sync && r.synced {
		s.durable, s.unsettled = r.seq, 0
		s.list(r)
	}
	return nil
}

// list notes which segments a manifest record lists that is durable.
func (s *Store) list(r *manifestRecord) {
	s.segMu.Lock()
	defer s.segMu.Unlock()
	for _, l := range r.segments {
		if seg := s.segs[l.number]; seg != nil {
			seg.listed = true
		}
	}
}

// Note returns the note of the newest commit, of this process or of the one before.
func (s *Store) Note() []byte {
	if n := s.note.Load(); n != nil {
		return slices.Clone(*n)
	}
	return nil
}

// Tail calls fn for the records of a kind that lie beyond what the newest commit covered when the
// store was opened: what a process that ended without one had put since. Records of one segment
// come in the order they were put; between segments there is no order. A collection may have moved
// older records there, so fn may see some that an earlier commit covered, and some twice; one that
// ran since Open may have moved some away, so Tail comes before the first. After the first Commit
// the tail is empty. payload is valid until fn returns; fn must not call Commit.
func (s *Store) Tail(kind Kind, fn func(h Hash, payload []byte) error) error {
	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	if s.closed.Load() {
		return ErrClosed
	}
	for _, seg := range s.segments() {
		if seg.tailFrom >= seg.tailTo {
			continue
		}
		if err := s.tailOf(seg, kind, fn); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) tailOf(seg *segment, kind Kind, fn func(Hash, []byte) error) error {
	g := s.epochs.Pin()
	defer g.Unpin()
	w := s.scan(seg, seg.tailFrom, seg.tailTo)
	w.payloads = true
	var room []byte
	for {
		off, r, ok := w.next()
		if !ok {
			return nil // what has become damaged since Open is as if it had been so then
		}
		if r.Own || r.Kind != kind {
			continue
		}
		err := s.arena.Confine(func() error {
			payload, err := s.payload(seg, off, &r, &room)
			if err != nil {
				return nil // as what does not fit its checksum
			}
			return fn(r.Hash, payload)
		})
		if err != nil {
			return s.walkError(seg, off, err)
		}
	}
}

// manifestOf describes the segments that length wants described, each with the length it gives. The
// caller holds commitMu.
func (s *Store) manifestOf(length func(*segment) (n int64, ok bool)) manifestRecord {
	s.segMu.Lock()
	defer s.segMu.Unlock()
	r := manifestRecord{next: s.nextNumber, synced: true}
	for n := range s.making {
		r.next = min(r.next, n)
	}
	for _, seg := range sortedSegments(s.segs) {
		if n, ok := length(seg); ok {
			r.segments = append(r.segments, manifestSegment{number: seg.number, length: n})
			r.synced = r.synced && seg.synced.Load() >= n
		}
	}
	return r
}
