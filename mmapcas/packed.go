package mmapcas

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// A packed segment is written as a whole by a collection, in place of a plain one whose records have not changed for long:
// payloads lie in blocks of neighbours, compressed by zstd, and headers beside each other, as they are, so that the index
// compares names as everywhere. All numbers are little-endian, all checksums CRC-32C.
//
//	 0  segment header, of version 2; what is zeros in one of version 1 is here
//	      40  where the headers begin:64, a multiple of 32
//	      48  number of records:32
//	      52  number of blocks:32
//	      56  extents of the records, unpacked, in units of 32 bytes:32
//	64  blocks, each at a multiple of 32: one frame of zstd, or, if that would not save an eighth, payloads as they are
//	..  headers, 32 bytes each. Two places differ from a plain record: flag bit 0 is set, and instead of the magic
//	    there is where the payload begins in its block, unpacked, in units of 32 bytes. Payloads are padded as ever.
//	..  directory, 32 bytes per block:
//	       0  number of its first record:32, counted from 0
//	       4  number of records in it:32
//	       8  where it begins in the file:64
//	      16  bytes in the file:32; as many as unpacked mean that it is not compressed
//	      20  bytes unpacked:32
//	      24  checksum of its bytes in the file
//	      28  checksum of bytes 0 to 28
//	..  zeros
//	-64 the segment header once more, in the last 64 bytes of the file, whose size is a multiple of 4096
//
// Damage to a block, or to its entry in the directory, costs the records in it; damage to a header costs one.

// Versions of segments.
const (
	plainVersion  = 1
	packedVersion = 2
)

const (
	packedAlign      = 4096
	packedEntryBytes = 32
	packedFlag       = 1
	packedBlockBytes = 64 << 10 // unpacked; a larger payload has a block to itself
	packedUnitsMax   = packedBlockBytes / arena.Unit
	packedZstdBytes  = 8 << 20 // larger payloads are not compressed: they would have to be unpacked as a whole
)

// On-disk sizes: a change must not compile.
var (
	_ [packedEntryBytes]byte                           = [28 + 4]byte{}
	_ [record.Magic - packedUnitsMax - 1]byte          // no packed header looks like a plain one
	_ [segmentHeaderBytes]byte                         = [56 + 4 + 4]byte{}
	_ [packedAlign / arena.Unit * arena.Unit]byte      = [packedAlign]byte{}
	_ [packedBlockBytes / arena.Unit * arena.Unit]byte = [packedBlockBytes]byte{}
)

// A packedShape is what the header of a packed segment says beyond that of a plain one.
type packedShape struct {
	headersAt       int64
	records, blocks uint32
	raw             int64 // extents of the records, unpacked
}

func (p *packedShape) headersEnd() int64 { return p.headersAt + record.HeaderBytes*int64(p.records) }

func (p *packedShape) directoryEnd() int64 {
	return p.headersEnd() + packedEntryBytes*int64(p.blocks)
}

func (p *packedShape) encode(b []byte) {
	binary.LittleEndian.PutUint64(b[40:], uint64(p.headersAt))
	binary.LittleEndian.PutUint32(b[48:], p.records)
	binary.LittleEndian.PutUint32(b[52:], p.blocks)
	binary.LittleEndian.PutUint32(b[56:], uint32(p.raw/arena.Unit))
}

// parsePackedShape reads the shape of a segment of so many bytes from its header.
func parsePackedShape(b []byte, bytes int64) (p packedShape, ok bool) {
	p = packedShape{
		headersAt: int64(binary.LittleEndian.Uint64(b[40:])),
		records:   binary.LittleEndian.Uint32(b[48:]),
		blocks:    binary.LittleEndian.Uint32(b[52:]),
		raw:       int64(binary.LittleEndian.Uint32(b[56:])) * arena.Unit,
	}
	ok = p.headersAt >= segmentHeaderBytes && p.headersAt%arena.Unit == 0 && p.headersAt <= bytes &&
		p.records > 0 && p.blocks > 0 && p.blocks <= p.records &&
		p.directoryEnd() <= bytes-segmentHeaderBytes && bytes%packedAlign == 0 &&
		p.raw >= record.HeaderBytes*int64(p.records)
	return p, ok
}

// packedWord is the first word of the header of a packed record.
func packedWord(kind Kind, payloadBytes, unit int) uint64 {
	return uint64(payloadBytes) | uint64(kind)<<32 | packedFlag<<40 | uint64(unit)<<48
}

// packedHeader is the header of a packed record.
func packedHeader(r *record.Record, unit int) (b [record.HeaderBytes]byte) {
	binary.LittleEndian.PutUint64(b[:], packedWord(r.Kind, len(r.Payload), unit))
	copy(b[record.HashAt:], r.Hash[:])
	binary.LittleEndian.PutUint32(b[record.PayloadSumAt:], r.Sum)
	binary.LittleEndian.PutUint32(b[record.SelfSumAt:], record.Checksum(b[:record.SelfSumAt]))
	return b
}

// parsePacked reads the header of a packed record. The record has no payload yet: n is how many bytes that has, and at
// where it begins in its block.
func parsePacked(b []byte) (r record.Record, n, at int64, ok bool) {
	if len(b) < record.HeaderBytes || record.Checksum(b[:record.SelfSumAt]) != binary.LittleEndian.Uint32(b[record.SelfSumAt:]) {
		return record.Record{}, 0, 0, false
	}
	w := binary.LittleEndian.Uint64(b)
	n, at = int64(uint32(w)), int64(w>>48)*arena.Unit
	if uint8(w>>40) != packedFlag || n > MaxPayloadBytes || at > packedBlockBytes {
		return record.Record{}, 0, 0, false
	}
	return record.Record{
		Kind: Kind(w >> 32),
		Hash: Hash(b[record.HashAt:record.PayloadSumAt]),
		Sum:  binary.LittleEndian.Uint32(b[record.PayloadSumAt:]),
		Away: arena.RoundUp(n),
	}, n, at, true
}

// A packedEntry describes a block.
type packedEntry struct {
	first, records uint32 // numbers of records
	at             int64
	bytes, raw     uint32
	sum            uint32
}

func (e *packedEntry) encode() (b [packedEntryBytes]byte) {
	binary.LittleEndian.PutUint32(b[0:], e.first)
	binary.LittleEndian.PutUint32(b[4:], e.records)
	binary.LittleEndian.PutUint64(b[8:], uint64(e.at))
	binary.LittleEndian.PutUint32(b[16:], e.bytes)
	binary.LittleEndian.PutUint32(b[20:], e.raw)
	binary.LittleEndian.PutUint32(b[24:], e.sum)
	binary.LittleEndian.PutUint32(b[28:], record.Checksum(b[:28]))
	return b
}

// parsePackedEntry reads an entry of the directory of a segment of this shape.
func parsePackedEntry(b []byte, p *packedShape) (e packedEntry, ok bool) {
	if len(b) < packedEntryBytes || record.Checksum(b[:28]) != binary.LittleEndian.Uint32(b[28:]) {
		return packedEntry{}, false
	}
	e = packedEntry{
		first:   binary.LittleEndian.Uint32(b[0:]),
		records: binary.LittleEndian.Uint32(b[4:]),
		at:      int64(binary.LittleEndian.Uint64(b[8:])),
		bytes:   binary.LittleEndian.Uint32(b[16:]),
		raw:     binary.LittleEndian.Uint32(b[20:]),
		sum:     binary.LittleEndian.Uint32(b[24:]),
	}
	ok = e.records > 0 && int64(e.first)+int64(e.records) <= int64(p.records) &&
		e.at >= segmentHeaderBytes && e.at%arena.Unit == 0 && e.at <= p.headersAt && e.at+int64(e.bytes) <= p.headersAt &&
		e.bytes <= e.raw && e.raw%arena.Unit == 0 && int64(e.raw) <= arena.RoundUp(MaxPayloadBytes) &&
		(e.bytes == e.raw || e.raw <= packedZstdBytes)
	return e, ok
}

// A packed is what a process knows of a packed segment.
type packed struct {
	packedShape
	directory atomic.Pointer[packedDirectory] // nil until it is asked for
	// slots holds the blocks that are unpacked at the moment; see blockCache.
	slots []atomic.Pointer[block]
}

func newPacked(shape packedShape) *packed {
	return &packed{packedShape: shape, slots: make([]atomic.Pointer[block], shape.blocks)}
}

// A packedDirectory is the directory as it was found. A damaged entry has records 0, and stands where it must have stood.
type packedDirectory struct{ entries []packedEntry }

// readDirectory reads the directory of a segment. Entries that fail their checksum, or lie on a page that cannot be
// read, come out as damaged.
func (p *packed) readDirectory(m *arena.Segment, a *arena.Arena) *packedDirectory {
	if d := p.directory.Load(); d != nil {
		return d
	}
	d := &packedDirectory{entries: make([]packedEntry, p.blocks)}
	next := uint32(0) // the record that the next block should begin with
	for i := range d.entries {
		var (
			e  packedEntry
			ok bool
		)
		err := a.Confine(func() error {
			e, ok = parsePackedEntry(m.Mem()[p.headersEnd()+packedEntryBytes*int64(i):p.directoryEnd()], &p.packedShape)
			return nil
		})
		if err != nil || !ok || e.first < next {
			e = packedEntry{first: next}
		}
		d.entries[i] = e
		next = e.first + e.records
	}
	p.directory.Store(d)
	return d
}

// find returns the number of the block that has a record in it, and its entry. ok=false means that the entry is damaged.
func (d *packedDirectory) find(record uint32) (i int, e *packedEntry, ok bool) {
	lo, hi := 0, len(d.entries) // the last one that begins at the record or before
	for lo+1 < hi {
		mid := int(uint(lo+hi) / 2)
		if d.entries[mid].first <= record {
			lo = mid
		} else {
			hi = mid
		}
	}
	e = &d.entries[lo]
	return lo, e, record >= e.first && record-e.first < e.records
}

// unzip unpacks src, which is the block of e, into dst, whose length is the size of the block, and reports whether it
// is one. dst has some room behind it.
func (e *packedEntry) unzip(dst, src []byte) bool {
	if record.Checksum(src) != e.sum {
		return false
	}
	out, err := decoder().DecodeAll(src, dst[:0])
	return err == nil && len(out) == len(dst) && (len(out) == 0 || &out[0] == &dst[0])
}

var (
	decoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(2*packedZstdBytes), zstd.WithDecoderMaxMemory(2*packedZstdBytes), zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			panic(err) // these options are valid
		}
		return d
	})
	encoder = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault),
			zstd.WithWindowSize(packedZstdBytes), zstd.WithEncoderCRC(false))
		if err != nil {
			panic(err)
		}
		return e
	})
)
