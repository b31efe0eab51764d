package arena

import (
	"math/bits"
	"os"
)

const (
	populateBytesMin = 64 << 10
	populateBytesMax = 1 << 20
)

// pageBytes is the size of the system's pages.
var pageBytes = int64(os.Getpagesize())

// An Appender adds bytes at the end of one segment. It is used by one goroutine at a time.
type Appender struct {
	seg     *Segment
	length  int64 // where the next reservation starts; equals seg.length between reservations
	end     int64 // where the current reservation ends; equals length when there is none
	touched int64 // bytes whose page tables are set up
	written int64 // bytes that were written ahead; at least touched
	cooled  int64 // bytes whose pages were given back, if they were to be (F2)
}

// Attach makes s the segment to append to. No other appender may have it.
func (p *Appender) Attach(s *Segment) error {
	if s.Sealed() {
		return ErrSealed
	}
	p.seg = s
	p.length = s.Length()
	p.end = p.length
	p.touched = p.length
	p.written = p.length
	p.cooled = p.length
	return nil
}

// Detach lets go of the segment and returns it, nil when there was none.
func (p *Appender) Detach() *Segment {
	s := p.seg
	if s != nil {
		p.cool(p.length)
	}
	p.seg = nil
	return s
}

// Segment returns the attached segment, nil when there is none.
func (p *Appender) Segment() *Segment { return p.seg }

// Room returns how many bytes the segment can still take.
func (p *Appender) Room() int64 {
	if p.seg == nil {
		return 0
	}
	return p.seg.Bytes() - p.length
}

// Ready returns how many bytes can be reserved without a call of the system: without disk space
// that has to be taken, or page tables that have to be set up.
func (p *Appender) Ready() int64 {
	if p.seg == nil {
		return 0
	}
	return min(p.touched, p.seg.ready) - p.length
}

// Reserve returns n zero bytes, rounded up to whole units, at the end of the segment, and their
// address. They become part of the segment by Commit or are taken back by Rollback, one of which
// must come before the next Reserve.
func (p *Appender) Reserve(n int64) (Addr, []byte, error) {
	s := p.seg
	if s == nil {
		return Nil, nil, ErrFull
	}
	if p.end != p.length {
		panic("arena: reservation while another is open")
	}
	end := p.length + RoundUp(n)
	if end > s.Bytes() {
		return Nil, nil, ErrFull
	}
	if end > s.ready {
		ready, err := s.grow(s.ready, end)
		if err != nil {
			return Nil, nil, err
		}
		s.ready = ready
	}
	if end > p.touched {
		p.populate(end)
	}
	p.end = end
	b := s.mem[p.length:end:end]
	checkZero(b)
	return s.At(p.length), b, nil
}

// populate makes pages ready up to end and a little beyond, the more the longer the segment is. In
// a segment of small pieces page tables are set up for a little only: the next sync takes back what
// they allow.
func (p *Appender) populate(end int64) {
	s := p.seg
	p.cool(p.length - s.arena.behind.Load())
	to := ahead(end, populateBytesMax, s.ready)
	if to > p.written {
		// Not over the page in which the last of what was handed out, or committed, lies.
		if from := (p.written + pageBytes - 1) &^ (pageBytes - 1); from < to {
			s.source.writeAhead(from, to, s.piece)
		}
		p.written = to
	}
	if s.piece > 0 {
		to = ahead(end, populateBytesMin, s.ready)
	}
	from := p.touched &^ (populateBytesMin - 1) // whole pages
	s.source.populate(s.mem[from:to])
	p.touched = to
}

// ahead returns up to where pages are made ready for what ends at end: a multiple of the next power
// of two, which is most at most, but no more than is ready.
func ahead(end, most, ready int64) int64 {
	step := min(max(int64(1)<<bits.Len64(uint64(end)), populateBytesMin), most)
	return min((end+step-1)&^(step-1), ready)
}

// Commit makes the reservation part of the segment. Whoever sees the new Length sees its bytes.
func (p *Appender) Commit() {
	p.length = p.end
	p.seg.length.Store(p.end)
}

// Rollback takes the reservation back and clears its bytes (A1).
func (p *Appender) Rollback() {
	clear(p.seg.mem[p.length:p.end])
	p.end = p.length
}

// Abandon lets go of a segment whose memory failed in the middle of a reservation, if one is open.
// The segment is sealed: its bytes past Length are in no known state.
func (p *Appender) Abandon() {
	if p.seg == nil || p.end == p.length {
		return
	}
	p.end = p.length
	p.seg.Seal()
	p.seg = nil
}
