package mmapcas

import "github.com/cytisus/cytisus/arena"

// Prove compares the record named h with its name. Reading compares checksums only, which is quick
// and finds what decay does; bytes that were put there on purpose can have a right checksum. A
// record that is not what its name says is dropped, and the error is a *CorruptError; other errors
// are those of View.
func (s *Store) Prove(h Hash) error {
	g := s.epochs.Pin()
	defer g.Unpin()
	if s.closed.Load() {
		return ErrClosed
	}
	at := arena.Nil
	var proven error
	err := s.arena.Confine(func() error {
		at = s.index.Find(h)
		r, err := s.lookupAt(h, at)
		if err != nil || r.Named() {
			proven = err
			return nil
		}
		seg := s.segmentOf(at)
		s.drop(h, at, r.Extent())
		proven = s.damage(seg, seg.mem.Offset(at), "is not what its name says", nil)
		return nil
	})
	if err != nil {
		return s.readError(h, at, err)
	}
	return proven
}
