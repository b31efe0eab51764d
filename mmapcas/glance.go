package mmapcas

import (
	"encoding/binary"

	"github.com/cytisus/cytisus/arena"
)

// What most reads are: the record is in memory, in the first bucket, whole, small and where it can be read in place. glance answers
// those, on amd64 in one piece of assembly (glance_amd64.s), and says about all others that it does not know, or where to look.
// What it says not to be there is not there. For everything else there is find, and load for what lies at an address.

// glanceBytesMax is up to which size a payload's checksum is computed at once. For larger ones the standard library's, which works on
// three parts side by side, is quicker.
const glanceBytesMax = 512

// absent is what glance gives in place of an address. It is no place of a record.
const absent = arena.Addr(1)

// whole returns the record at addr if it can be read in place and both its checksums are right. The caller is inside a pin and
// confined.
func (s *Store) whole(addr arena.Addr) (kind Kind, payload []byte, ok bool) {
	m := s.arena.Segment(addr)
	if m == nil {
		return 0, nil, false
	}
	b := m.Mem()[m.Offset(addr):]
	if len(b) < headerBytes {
		return 0, nil, false
	}
	w := binary.LittleEndian.Uint64(b)
	n := int64(uint32(w))
	end := headerBytes + arena.RoundUp(n)
	if w>>40 != recordMagic<<8 || n > MaxPayloadBytes || end > int64(len(b)) ||
		checksum(b[:selfSumAt]) != binary.LittleEndian.Uint32(b[selfSumAt:]) ||
		checksum(b[headerBytes:end]) != binary.LittleEndian.Uint32(b[payloadSumAt:]) {
		return 0, nil, false
	}
	return Kind(w >> 32), b[headerBytes : headerBytes+n : headerBytes+n], true
}
