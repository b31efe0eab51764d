package mmapcas

import (
	"sync"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/index"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// Reading while memory is short: "Reading" in the package comment. All callers are inside a pin and
// confined.

// readAtOnce is how much is read of a record whose length is not known yet: most records whole.
const readAtOnce = 2 << 10

// frames lends memory for compressed payloads as they are in the file.
var frames = sync.Pool{New: func() any { return new([]byte) }}

// readCopy is record for a store that is frugal: the payload lies in room. It reports false for
// what is to be looked at in place, since it cannot be read or is not whole.
func (s *Store) readCopy(k index.Key, room *[]byte) (kind Kind, payload []byte, err error, ok bool) {
	b := roomFor(room, readAtOnce)
	at, n := s.index.FindRead(k, b)
	if at == arena.Nil {
		return 0, nil, ErrNotFound, true
	}
	r, ok := s.readOn(at, n, room)
	if !ok {
		return 0, nil, nil, false
	}
	if !r.Stored.Compressed {
		return r.Kind, r.Stored.Bytes, nil, true
	}
	frame := frames.Get().(*[]byte)
	defer frames.Put(frame)
	*frame = append((*frame)[:0], r.Stored.Bytes...) // room is for the payload
	payload, ok = record.Stored{Bytes: *frame, Compressed: true}.Expand(room)
	return r.Kind, payload, nil, ok
}

// readAt is load for a store that is frugal: the record is copied into room. It reports false as
// readCopy does.
func (s *Store) readAt(at arena.Addr, room *[]byte) (r record.Record, ok bool) {
	return s.readOn(at, s.arena.Read(at, roomFor(room, readAtOnce), record.HeaderBytes), room)
}

// readOn reads the rest of the record of which room has n bytes, and checks it whole.
func (s *Store) readOn(at arena.Addr, n int, room *[]byte) (r record.Record, ok bool) {
	if n < record.HeaderBytes {
		return r, false
	}
	header, ok := record.ParseHeader((*room)[:n])
	if !ok {
		return r, false
	}
	extent := header.Extent()
	if n = n &^ (arena.Unit - 1); int64(n) < extent {
		rest := roomFor(room, int(extent))[n:]
		if s.arena.Read(at+arena.Addr(n/arena.Unit), rest, len(rest)) < len(rest) {
			return r, false
		}
	}
	r, ok = record.Parse((*room)[:extent])
	return r, ok && r.Intact()
}

// headerAt returns the header of the record at addr, and reports whether it is whole: also if
// memory is not short.
func (s *Store) headerAt(addr arena.Addr) (h record.Header, ok bool) {
	m := s.arena.Segment(addr)
	if m == nil {
		return record.Header{}, false
	}
	return s.headerIn(m, addr, m.Offset(addr))
}

// headerIn is headerAt for a record of which the segment is known, and how many bytes from its
// beginning it lies.
func (s *Store) headerIn(m *arena.Segment, addr arena.Addr, off int64) (h record.Header, ok bool) {
	mem := m.Mem()[off:]
	if s.arena.Frugal() {
		var b [record.HeaderBytes]byte
		if s.arena.Read(addr, b[:], len(b)) == len(b) {
			h, ok = record.ParseHeader(b[:])
		}
	}
	if !ok {
		h, ok = record.ParseHeader(mem)
	}
	return h, ok && h.Extent() <= int64(len(mem))
}

// roomFor makes room n bytes long. What was at its beginning stays there.
func roomFor(room *[]byte, n int) []byte {
	if n > cap(*room) {
		*room = append(make([]byte, 0, n), *room...)
	}
	*room = (*room)[:n]
	return *room
}
