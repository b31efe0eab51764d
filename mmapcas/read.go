package mmapcas

import (
	"runtime"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// Reading for callers without a reader of their own: each call borrows one.

// borrow returns a reader for one call, which gives it back. After a panic the reader is out of the
// store, and goes the way of all garbage.
func (s *Store) borrow() *Reader {
	if r, ok := s.idle.take().(*Reader); ok {
		return r
	}
	return newIdle(s)
}

func (s *Store) giveBack(r *Reader) { s.idle.put(r) }

// View calls fn with the record named h, in place: payload is mapped memory, or what a compressed
// record was unpacked into, valid until fn returns, and read-only. fn must be quick and must not
// wait, since memory cannot be given back meanwhile. View returns fn's error, ErrNotFound, or a
// *CorruptError when the record is damaged, also if fn itself met a page that cannot be read.
func (s *Store) View(h Hash, fn func(kind Kind, payload []byte) error) error {
	r := s.borrow()
	err := r.View(h, fn)
	s.giveBack(r)
	return err
}

// Get appends the payload of the record named h to dst and returns it with its kind. Errors are
// those of View; dst is returned unchanged with them.
func (s *Store) Get(h Hash, dst []byte) ([]byte, Kind, error) {
	r := s.borrow()
	out, kind, err := r.Get(h, dst) // which runs no code but the store's
	s.giveBack(r)
	return out, kind, err
}

// Has reports whether there is a record named h. It does not look at the payload, so the record may
// turn out to be damaged, and it holds nothing alive: only Put saves a record from a running cycle.
func (s *Store) Has(h Hash) bool {
	r := s.borrow()
	found := r.Has(h)
	s.giveBack(r)
	return found
}

// Extent returns how many bytes the record named h takes on disk, with its header, and how many of
// them are padding; 0 if there is none. It does not look at the payload.
func (s *Store) Extent(h Hash) (bytes, padding int64) {
	g := s.epochs.Pin()
	defer g.Unpin()
	if s.closed.Load() {
		return 0, 0
	}
	fault := s.arena.Confine(func() error {
		at := s.index.Find(h)
		if at == arena.Nil {
			return nil
		}
		if header, ok := s.headerAt(at); ok {
			bytes = header.Extent()
			padding = bytes - record.HeaderBytes - int64(header.Bytes)
		}
		return nil
	})
	if fault != nil {
		return 0, 0 // who needs the record will meet it
	}
	return bytes, padding
}

// ViewBatch calls fn for each of names, in order, as View would: with the record, or with View's
// error for it. What is in memory is fetched for 16 names at a time, so that their waits overlap.
// It returns the first error of fn.
func (s *Store) ViewBatch(names []Hash, fn func(i int, kind Kind, payload []byte, err error) error) error {
	r := s.borrow()
	err := r.ViewBatch(names, fn)
	s.giveBack(r)
	return err
}

// HasAll returns the position of the first of names for which Has would say no, -1 if there is
// none. It is quicker than to ask for each.
func (s *Store) HasAll(names []Hash) int {
	for from := 0; from < len(names); from += hasPinned {
		part := names[from:min(from+hasPinned, len(names))]
		if i := s.hasPart(part); i >= 0 {
			if s.Has(part[i]) { // a place that could not be read, and is not in the way any more
				i = s.hasEach(part)
			}
			if i >= 0 {
				return from + i
			}
		}
	}
	return -1
}

// hasPinned is how many names HasAll looks up under one pin.
const hasPinned = 256

func (s *Store) hasPart(names []Hash) int {
	g := s.epochs.Pin()
	defer g.Unpin()
	if s.closed.Load() {
		return 0
	}
	i := 0
	_ = s.arena.Confine(func() error { // a fault leaves i at the name that met it
		for i < len(names) && s.index.Find(names[i]) != arena.Nil {
			i++
		}
		return nil
	})
	if i == len(names) {
		return -1
	}
	return i
}

func (s *Store) hasEach(names []Hash) int {
	for i, h := range names {
		if !s.Has(h) {
			return i
		}
	}
	return -1
}

// newIdle returns a reader that is never closed: once it is forgotten, the domain is told not to
// ask it any more.
func newIdle(s *Store) *Reader {
	r := s.NewReader()
	runtime.AddCleanup(r, func(pin *epoch.Participant) { pin.Close() }, r.pin)
	return r
}
