package arena

import "os"

// What a frugal arena does, and who may assume what: "While memory is short" in the package
// comment.

// SetFrugal says whether memory is short, and how many bytes of what an appender has written last
// stay in memory then. Anybody may call it at any time.
func (a *Arena) SetFrugal(on bool, behind int64) {
	a.behind.Store(behind)
	a.frugal.Store(on)
}

// Frugal reports what SetFrugal was told last. Anybody may ask.
func (a *Arena) Frugal() bool { return a.frugal.Load() }

// Read copies what lies at addr into b and brings no page of a file into the memory of this
// process, but for those that an appender has written last (F1, F2). It copies least bytes, which
// the caller knows to be written, and of the rest of b what is committed in the segment. It returns
// how many, and 0 if it is not to be had like that: the caller looks in place, and may meet a
// fault. It does not allocate. The caller vouches that the segment stays mapped, and is confined.
func (a *Arena) Read(addr Addr, b []byte, least int) (n int) {
	s := a.Segment(addr)
	if s == nil {
		return 0
	}
	off := s.Offset(addr)
	most := min(max(s.length.Load()-off, int64(least)), int64(len(s.mem))-off)
	if most < int64(least) {
		return 0
	}
	b = b[:min(int64(len(b)), most)]
	if s.file == nil || off >= s.length.Load()-a.behind.Load() && !s.sealed.Load() {
		return copy(b, s.mem[off:])
	}
	if n, _ = s.file.ReadAt(b, off); n < least {
		return 0
	}
	return n
}

// fileOf returns the file that a source maps, nil if there is none.
func fileOf(src Source) *os.File {
	switch src := src.(type) {
	case failing:
		return fileOf(src.src)
	case file:
		return src.f
	}
	return nil
}

// cool gives back the pages behind the appender up to a place, if the arena is frugal (F2).
func (p *Appender) cool(to int64) {
	if to -= to % pageBytes; to <= p.cooled {
		return
	}
	if p.seg.arena.Frugal() {
		p.seg.DropBetween(p.cooled, to)
	}
	p.cooled = to
}

// DropBetween is DropPages for those of its pages that begin between two offsets, of which the
// first counts from the start of its page (F3).
func (s *Segment) DropBetween(from, to int64) {
	if from, to = from&^(pageBytes-1), to&^(pageBytes-1); from < to && s.file != nil {
		s.source.drop(s.mem[from:to])
	}
}
