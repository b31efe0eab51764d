package mmapcas

// Iterate calls fn for every record that can be found by its name, in no particular order. Records
// put meanwhile may be missed, records moved by a collection meanwhile are seen once or twice.
// payload is valid until fn returns. Damaged records are reported to the log, dropped, and skipped.
func (s *Store) Iterate(fn func(kind Kind, h Hash, payload []byte) error) error {
	return s.iterate(func(Kind) bool { return true }, fn)
}

// Each is Iterate for the records of one kind. Of others it looks at the headers only.
func (s *Store) Each(kind Kind, fn func(h Hash, payload []byte) error) error {
	return s.iterate(func(k Kind) bool { return k == kind }, func(_ Kind, h Hash, payload []byte) error { return fn(h, payload) })
}

func (s *Store) iterate(wanted func(Kind) bool, fn func(Kind, Hash, []byte) error) error {
	for _, seg := range s.segments() {
		if err := s.iterateSegment(seg, wanted, fn); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) iterateSegment(seg *segment, wanted func(Kind) bool, fn func(Kind, Hash, []byte) error) error {
	w := s.scan(seg, segmentHeaderBytes, seg.mem.Length())
	var room []byte
	// One pin per record: fn may take its time, and a collection in between must be able to give
	// memory back.
	for {
		more, err := s.iterateNext(seg, &w, &room, wanted, fn)
		if err != nil || !more {
			return err
		}
	}
}

func (s *Store) iterateNext(seg *segment, w *scanner, room *[]byte, wanted func(Kind) bool, fn func(Kind, Hash, []byte) error) (more bool, err error) {
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
	if !wanted(r.Kind) {
		return true, nil
	}
	at := seg.mem.At(off)
	err = s.arena.Confine(func() error {
		if s.index.Find(r.Hash) != at {
			return nil // dropped, or another copy counts
		}
		if !r.Intact() {
			s.drop(r.Hash, at, r.Extent())
			_ = s.damage(seg, off, "payload fails its checksum", nil)
			return nil
		}
		payload, err := s.payload(seg, off, &r, room)
		if err != nil {
			return nil // it is dropped, and reported
		}
		return fn(r.Kind, r.Hash, payload)
	})
	if err != nil {
		return false, s.walkError(seg, off, err)
	}
	return true, nil
}
