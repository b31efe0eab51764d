package mmapcas

import (
	"path/filepath"

	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// A store that works on a disk keeps some of it in hand, so that a disk that is full is a state
// that it gets out of by itself: whoever deletes has to write what is deleted, and a collection has
// to copy what is left in a segment before the segment can go.
//
// The reserve is a file without a meaning. It is made shorter by whoever meets the full disk: by a
// small record down to half of it, by a sweep to nothing. It grows with the store, and is made
// whole again when a sweep has ended. A disk that is full from the start has none, and all is as it
// would be without. The name is that of a temporary file, which the next Open removes if this
// process is killed.
const (
	reserveName  = "reserve" + vfs.TempSuffix
	reserveShare = 16 // of what is stored, a segment at most
	reserveStep  = 2 * allocateBytesMin
	reserveSmall = 16 << 10 // the largest record that is small
)

// openReserve makes the file. Without it the store works as well, until the disk is full.
func (s *Store) openReserve() {
	if s.dir == "" || s.opts.ReadOnly {
		return
	}
	f, err := s.fs.Create(filepath.Join(s.dir, reserveName))
	if err != nil {
		s.log.Debug("mmapcas: no disk space in reserve", "err", err)
		return
	}
	s.reserve.mu.Lock()
	s.reserve.f = f
	s.reserve.mu.Unlock()
	s.fillReserve(true)
}

// fillReserve makes the reserve what it should be, if there is room; again says to make up for what
// was taken, too.
func (s *Store) fillReserve(again bool) {
	var stored int64
	for _, seg := range s.segments() {
		stored += seg.mem.Length()
	}
	r := &s.reserve
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.f == nil || !again && r.bytes < r.whole {
		return
	}
	want := min(max(stored/reserveShare, reserveStep), s.arena.SegmentBytes()) &^ (allocateBytesMin - 1)
	switch {
	case want > r.bytes:
		if r.f.Allocate(r.bytes, want) != nil {
			return
		}
	case want < r.bytes:
		if r.f.Truncate(want) != nil {
			return
		}
	}
	r.bytes, r.whole = want, want
}

// useReserve gives the disk a step of the reserve, or all of it to a sweep, and reports whether
// there was something to give.
func (s *Store) useReserve(sweep bool) bool {
	r := &s.reserve
	r.mu.Lock()
	defer r.mu.Unlock()
	to := int64(0)
	if !sweep {
		to = max(r.whole/2, r.bytes-reserveStep)
	}
	if r.f == nil || to >= r.bytes || r.f.Truncate(to) != nil {
		return false
	}
	r.bytes = to
	return true
}

// closeReserve gives it all back. What is left of the file is for the next Open to remove.
func (s *Store) closeReserve() {
	r := &s.reserve
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.f == nil {
		return
	}
	err := r.f.Close()
	if err == nil {
		err = s.remove(filepath.Join(s.dir, reserveName))
	}
	if err != nil {
		s.log.Debug("mmapcas: disk space in reserve not given back", "err", err)
	}
	r.f, r.bytes = nil, 0
}
