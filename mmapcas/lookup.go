package mmapcas

import (
	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/index"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// record returns the record named k, checked, in place or unpacked into room. The caller is inside
// a pin and confined.
func (s *Store) record(k index.Key, room *[]byte) (kind Kind, payload []byte, err error) {
	at, word := s.index.Glance(k)
	if word == 0 {
		return s.recordAt(k, at, room)
	}
	return Kind(word >> 32), s.index.Glanced(at, word), nil
}

// recordAt is record for what Glance knows only where to find, or not even that.
func (s *Store) recordAt(k index.Key, at arena.Addr, room *[]byte) (kind Kind, payload []byte, err error) {
	if at == arena.Nil && s.arena.Frugal() {
		if kind, payload, err, ok := s.readCopy(k, room); ok {
			return kind, payload, err
		}
	}
	if at == arena.Nil {
		at = s.index.FindKey(k)
	}
	if at == arena.Nil || at == index.Absent {
		return 0, nil, ErrNotFound
	}
	if kind, payload, ok := s.whole(at); ok {
		return kind, payload, nil
	}
	seg, off, r, err := s.lookupAt(k.Hash(), at)
	if err != nil {
		return 0, nil, err
	}
	payload, err = s.payload(seg, off, &r, room)
	return r.Kind, payload, err
}

// lookupAt returns the record named h, which was found at an address, or was not, and where it is.
func (s *Store) lookupAt(h Hash, at arena.Addr) (seg *segment, off int64, r record.Record, err error) {
	if at == arena.Nil {
		return nil, 0, record.Record{}, ErrNotFound
	}
	seg, off, r, reason := s.load(at)
	if reason != "" {
		s.drop(h, at, r.Extent())
		return nil, 0, record.Record{}, s.damage(seg, off, reason, nil)
	}
	return seg, off, r, nil
}

// whole returns the record at addr if it can be read in place and both its checksums are right. The
// caller is inside a pin and confined.
func (s *Store) whole(addr arena.Addr) (kind Kind, payload []byte, ok bool) {
	m := s.arena.Segment(addr)
	if m == nil {
		return 0, nil, false
	}
	return record.Whole(m.Mem()[m.Offset(addr):])
}

// check says where the record at addr is, how much room it takes, and what is wrong with it, "" if
// nothing is. The caller is inside a pin and confined.
func (s *Store) check(addr arena.Addr) (seg *segment, off, extent int64, reason string) {
	if m := s.arena.Segment(addr); m != nil && s.arena.Frugal() {
		room := frames.Get().(*[]byte)
		r, ok := s.readAt(addr, room)
		frames.Put(room)
		if ok {
			return m.Owner().(*segment), m.Offset(addr), r.Extent(), ""
		}
	}
	seg, off, r, reason := s.load(addr)
	return seg, off, r.Extent(), reason
}

// load reads the record at addr and checks it whole. The caller is inside a pin and inside Confine.
func (s *Store) load(addr arena.Addr) (seg *segment, off int64, r record.Record, reason string) {
	m := s.arena.Segment(addr)
	if m == nil {
		return nil, 0, record.Record{}, "segment is gone"
	}
	seg = m.Owner().(*segment)
	off = m.Offset(addr)
	r, ok := record.Parse(m.Mem()[off:])
	switch {
	case !ok:
		reason = "header fails its checksum"
	case !r.Intact():
		reason = "payload fails its checksum"
	}
	return seg, off, r, reason
}

// roomKeptBytes bounds what a reader keeps to unpack the next payload into.
const roomKeptBytes = 256 << 10

// A spareRoom is memory that payloads are unpacked into.
type spareRoom []byte

// lend takes the memory out, so that a reader that is used inside a view of its own has another.
func (r *spareRoom) lend() []byte {
	b := *r
	*r = nil
	return b
}

// giveBack is the end of lend.
func (r *spareRoom) giveBack(b []byte) {
	if cap(b) <= roomKeptBytes {
		*r = b
	}
}

// payload returns the payload of a record that lies at off and is intact. One that is compressed is
// unpacked into room; if it cannot be, it is dropped, and the error is a *CorruptError. Its bytes
// are copied first: a page that cannot be read is found out before the decoder is at work, and
// nothing changes them between the check and the use. The caller is inside a pin and confined.
func (s *Store) payload(seg *segment, off int64, r *record.Record, room *[]byte) ([]byte, error) {
	if !r.Stored.Compressed {
		return r.Stored.Bytes, nil
	}
	b := frames.Get().(*[]byte)
	*b = append((*b)[:0], r.Padded...)
	copied := record.Record{Padded: *b, Sum: r.Sum}
	whole := copied.Intact()
	var payload []byte
	if whole {
		payload, whole = record.Stored{Bytes: (*b)[:len(r.Stored.Bytes)], Compressed: true}.Expand(room)
	}
	frames.Put(b)
	if !whole {
		s.drop(r.Hash, seg.mem.At(off), r.Extent())
		return nil, s.damage(seg, off, "does not unpack", nil)
	}
	return payload, nil
}

// compresses reports whether payloads of this kind and size are worth a try.
func (s *Store) compresses(kind Kind, payloadBytes int) bool {
	return s.compress[kind] && payloadBytes >= record.CompressMin && payloadBytes <= record.CompressMax
}

// rather reports whether the copy of a record at one address is to be taken, and not the one at
// another: that one is damaged, and this one is not. The caller is inside a pin.
func (s *Store) rather(this, that arena.Addr) bool { return !s.sound(that) && s.sound(this) }

// sound reports whether the record at addr can be read and passes its checks. The caller is inside
// a pin.
func (s *Store) sound(addr arena.Addr) bool {
	reason := ""
	err := s.arena.Confine(func() error {
		_, _, _, reason = s.check(addr)
		return nil
	})
	return err == nil && reason == ""
}
