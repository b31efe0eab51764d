package mmapcas

import (
	"sync"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/index"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// record returns the record named k, checked, in place. The caller is inside a pin and confined.
func (s *Store) record(k index.Key) (kind Kind, payload []byte, err error) {
	at, word := s.index.Glance(k)
	if word == 0 {
		return s.recordAt(k, at)
	}
	return Kind(word >> 32), s.index.Glanced(at, word), nil
}

// recordAt is record for what Glance knows only where to find, or not even that.
func (s *Store) recordAt(k index.Key, at arena.Addr) (kind Kind, payload []byte, err error) {
	if at == arena.Nil {
		at = s.index.FindKey(k)
	}
	if at == arena.Nil || at == index.Absent {
		return 0, nil, ErrNotFound
	}
	if kind, payload, ok := s.whole(at); ok {
		return kind, payload, nil
	}
	r, err := s.lookupAt(k.Hash(), at)
	return r.Kind, r.Payload, err
}

// lookupAt returns the record named h, which was found at an address, or was not.
func (s *Store) lookupAt(h Hash, at arena.Addr) (record.Record, error) {
	if at == arena.Nil {
		return record.Record{}, ErrNotFound
	}
	seg, off, r, reason := s.load(at)
	if reason != "" {
		s.drop(h, at, r.Extent())
		return record.Record{}, s.damage(seg, off, reason, nil)
	}
	return r, nil
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
	case !ok && seg.packed != nil:
		r, reason = s.unpack(seg, off) // its headers never look like plain ones
	case !ok:
		reason = "header fails its checksum"
	case !r.Intact():
		reason = "payload fails its checksum"
	}
	return seg, off, r, reason
}

// unpack reads the record at off of a packed segment and checks it whole. The caller is inside a
// pin and inside Confine.
func (s *Store) unpack(seg *segment, off int64) (r record.Record, reason string) {
	p := seg.packed
	r, n, at, ok := parsePacked(seg.mem.Mem()[off:])
	if !ok {
		return record.Record{}, "header fails its checksum"
	}
	i, e, ok := p.readDirectory(seg.mem, s.arena).find(uint32((off - p.headersAt) / record.HeaderBytes))
	if !ok {
		return r, "the block's entry in the directory is damaged"
	}
	end := at + r.Away
	if end > int64(e.raw) {
		return r, "payload lies outside its block"
	}
	var data []byte
	if e.bytes == e.raw {
		data = seg.mem.Mem()[e.at : e.at+int64(e.bytes)]
	} else {
		b, reason := s.blocks.get(&p.slots[i], int(e.raw), func(dst []byte) string { return s.readBlock(seg, e, dst) })
		if s.ownEpochs && s.blocks.crowded() {
			s.epochs.Collect()
		}
		if reason != "" {
			return r, reason
		}
		data = b.data
	}
	r.Payload, r.Padded, r.Away = data[at:at+n:at+n], data[at:end:end], 0
	if !r.Intact() {
		return r, "payload fails its checksum"
	}
	return r, ""
}

// readBlock unpacks a block into dst. The bytes are copied first: a page that cannot be read is
// found out before the decoder is at work, and nothing changes them between the check and the use.
func (s *Store) readBlock(seg *segment, e *packedEntry, dst []byte) (reason string) {
	src := scratch.Get().(*[]byte)
	defer scratch.Put(src)
	err := s.arena.Confine(func() error {
		*src = append((*src)[:0], seg.mem.Mem()[e.at:e.at+int64(e.bytes)]...)
		return nil
	})
	switch {
	case err != nil:
		return "its block cannot be read"
	case !e.unzip(dst, *src):
		return "its block fails its checksum"
	}
	return ""
}

// fill checks the payload of a record whose header was read at off, which for a packed one means to
// fetch it first. The caller is inside a pin and inside Confine.
func (s *Store) fill(seg *segment, off int64, r *record.Record) (reason string) {
	if seg.packed == nil {
		if !r.Intact() {
			return "payload fails its checksum"
		}
		return ""
	}
	whole, reason := s.unpack(seg, off)
	if reason == "" {
		*r = whole
	}
	return reason
}

// scratch lends memory for blocks as they are in the file.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// rather reports whether the copy of a record at one address is to be taken, and not the one at
// another: that one is damaged, and this one is not. The caller is inside a pin.
func (s *Store) rather(this, that arena.Addr) bool { return !s.sound(that) && s.sound(this) }

// sound reports whether the record at addr can be read and passes its checks. The caller is inside
// a pin.
func (s *Store) sound(addr arena.Addr) bool {
	reason := ""
	err := s.arena.Confine(func() error {
		_, _, _, reason = s.load(addr)
		return nil
	})
	return err == nil && reason == ""
}
