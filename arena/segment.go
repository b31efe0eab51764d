package arena

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"github.com/cytisus/cytisus/epoch"
)

// A Spec describes a segment to be mapped.
type Spec struct {
	// Source supplies the memory.
	Source Source
	// Bytes is the size of the segment, a multiple of the page size. Zero means the arena's
	// SegmentBytes.
	Bytes int64
	// Length is how many bytes are committed already, a multiple of Unit.
	Length int64
	// Ready is how many bytes may be touched without calling Grow.
	Ready int64
	// Grow makes at least the first n bytes safe to touch (A2), of which the first ready are, and
	// returns how many are now. Nil means that all bytes are safe from the start. Only the
	// segment's appender calls it.
	Grow func(ready, n int64) (int64, error)
	// Piece, a power of two from the size of a page on, is how many bytes of a file one store
	// should make dirty at most, for files that are synced often. Zero leaves it to the system.
	Piece int64
	// ReadOnly maps the segment so that a store into it faults.
	ReadOnly bool
	// Fixed asks for the slots from the one at First on, where an earlier process had the segment;
	// Map fails with ErrAddressSpace if they are not free. Otherwise any free slots will do.
	Fixed bool
	First Addr
	// Owner is handed back by Segment.Owner.
	Owner any
}

// A Segment is a mapped range of an arena.
type Segment struct {
	arena   *Arena
	first   Addr         // immutable
	slot    int          // immutable
	slotN   int          // immutable
	mem     []byte       // the whole mapping; header immutable, bytes follow A0 and A1
	length  atomic.Int64 // committed bytes; written by the appender, read by anyone
	sealed  atomic.Bool
	going   atomic.Bool // set before Retire hands the segment over
	source  Source
	file    *os.File // that the source maps, nil if there is none; immutable
	grow    func(ready, n int64) (int64, error)
	piece   int64 // immutable
	ready   int64 // plain; owned by the segment's appender
	release func() error
	owner   any
}

// Map maps a segment into free slots.
func (a *Arena) Map(s Spec) (*Segment, error) {
	if s.Bytes == 0 {
		s.Bytes = a.segmentBytes
	}
	if s.Length%Unit != 0 || s.Length > s.Bytes {
		return nil, fmt.Errorf("arena: map a segment: length %d of %d bytes", s.Length, s.Bytes)
	}
	n := int((s.Bytes + a.segmentBytes - 1) / a.segmentBytes)
	slot, err := a.takeSlots(s, n)
	if err != nil {
		return nil, err
	}
	var at unsafe.Pointer
	if a.base != nil {
		at = unsafe.Add(a.base, int64(slot)*a.segmentBytes)
	}
	mem, release, err := s.Source.place(at, s.Bytes, s.ReadOnly)
	if err != nil {
		a.freeSlots(slot, n)
		return nil, fmt.Errorf("arena: map a segment of %d bytes: %w", s.Bytes, err)
	}
	seg := &Segment{
		arena: a, first: Addr(slot) << a.slotShift, slot: slot, slotN: n, mem: mem,
		source: s.Source, file: fileOf(s.Source), grow: s.Grow, piece: s.Piece, ready: s.Ready, release: release, owner: s.Owner,
	}
	if s.Grow == nil {
		seg.ready = s.Bytes
	}
	seg.length.Store(s.Length)
	seg.sealed.Store(s.ReadOnly)
	for i := range n {
		a.slots[slot+i].Store(seg)
	}
	return seg, nil
}

// Owner returns what the Spec named.
func (s *Segment) Owner() any { return s.owner }

// First returns the address of the segment's first byte.
func (s *Segment) First() Addr { return s.first }

// Bytes returns the size of the segment.
func (s *Segment) Bytes() int64 { return int64(len(s.mem)) }

// Length returns how many bytes are committed.
func (s *Segment) Length() int64 { return s.length.Load() }

// SetLength declares the first n bytes committed. It is for whoever maps existing bytes and has
// found out where they end, before the segment has an appender.
func (s *Segment) SetLength(n int64) { s.length.Store(n) }

// SetReady declares that only the first n bytes may be touched without calling Grow. It is for the
// same caller as SetLength, at the same time.
func (s *Segment) SetReady(n int64) { s.ready = n }

// Mem returns the whole segment. Below Length its bytes are final; the rest belongs to the
// appender.
func (s *Segment) Mem() []byte { return s.mem }

// Offset returns how many bytes into the segment addr lies.
func (s *Segment) Offset(addr Addr) int64 { return int64(addr-s.first) * Unit }

// At returns the address of the byte at off, a multiple of Unit.
func (s *Segment) At(off int64) Addr { return s.first + Addr(off/Unit) }

// Sealed reports whether Seal was called.
func (s *Segment) Sealed() bool { return s.sealed.Load() }

// Seal ends appending. Where the system can, a later store into the segment faults. The caller must
// be the segment's appender or know that there is none.
func (s *Segment) Seal() {
	if s.sealed.Swap(true) {
		return
	}
	// Best effort: a failure leaves the memory writable, as it was.
	_ = s.source.protect(s.mem)
}

// Flush hands everything stored into the segment from a place on to its file. What survives a power
// cut is what was flushed before the file was synced. Where mapping and file are one anyway it only
// makes the sync cheaper; see "Pages of files".
func (s *Segment) Flush(from int64) error {
	most := min(s.length.Load()+populateBytesMin, s.Bytes()) // what is beyond, nobody has stored into
	return s.source.flush(s.mem[:most], from)
}

// Unmap takes the segment out of the address space at once. The caller knows that nobody reads in
// it.
func (s *Segment) Unmap() error {
	s.going.Store(true)
	a := s.arena
	for i := range s.slotN {
		if !a.slots[s.slot+i].CompareAndSwap(s, nil) {
			panic("arena: invariant A4 broken: segment unmapped twice")
		}
	}
	poison(s)
	err := s.release()
	if err == nil && a.base != nil {
		err = clearPlace(unsafe.Add(a.base, int64(s.slot)*a.segmentBytes), int64(s.slotN)*a.segmentBytes)
	}
	if err != nil {
		// The slots stay taken: memory is still there, or may be.
		return fmt.Errorf("arena: unmap a segment: %w", err)
	}
	a.freeSlots(s.slot, s.slotN)
	return nil
}

// Retire unmaps the segment when two epochs have passed, then calls after with Unmap's error. The
// caller has made sure that no new reader can find an address in it.
func (s *Segment) Retire(d *epoch.Domain, after func(error)) {
	s.going.Store(true)
	d.Retire(len(s.mem), func() {
		err := s.Unmap()
		if after != nil {
			after(err)
		}
	})
}

// Stays reports whether neither Retire nor Unmap was called. It is for whoever has the segment from
// elsewhere than an address that was found inside of the pin it holds now: if the answer is true,
// the segment stays mapped until that pin ends. That its slots still lead to the segment would say
// less: Unmap, which clears them, may be about to run.
func (s *Segment) Stays() bool { return !s.going.Load() }
