package mmapcas

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"path/filepath"

	"github.com/cytisus/cytisus/arena"
)

// The index file is a copy of the index, so that opening need not walk over every record. All numbers are little-endian.
//
//	 0  magic "CYTidx\r\n"
//	 8  version:32, of this file alone
//	12  number of segments:32
//	16  store identity, 16 bytes
//	32  sequence number of a manifest record:64
//	40  bytes of the records in the index:64
//	48  zeros
//	64  per segment: number:32, zeros:32, first address:64, length:64
//	..  per shard: buckets:32, slots in use:32, entries among them:32, checksum of its part:32
//	-4  checksum of everything before; here the head ends
//	..  per shard, its part: how many slots of each bucket are in use, a byte each; zeros up to a multiple of 8; those
//	    slots in order, 64 bits each, as they are in memory
//
// It speaks about the records below the given lengths, and about those alone: an entry that led beyond them was written as
// a dead slot. So what Open has to scan is what lies behind these lengths.
//
// Addresses are those of the process that wrote it: Open maps the segments where they were. One that cannot be mapped
// there, or is gone, or is shorter than it was, is not covered, and its entries count for nothing.
//
// # When it is believed
//
// The manifest record it names covers the same lengths, so a manifest that has not come so far, or that gives a
// segment less, is one of another future: the file is removed before anything else is written. Damage in the head costs
// a walk over all records; in a part, a walk that looks for the records of that shard, and the file is removed, too: a
// file may be used again only by those who went on from what it says. An entry that leads to a wrong
// place answers nothing, as every lookup compares the name in the record it comes to.
//
// # When it is written
//
// From a moment at which no collection was under way and a Commit had covered every record that earlier ones moved
// (saving.settled). Entries of records that are put meanwhile lead beyond the lengths. If a collection began
// meanwhile the file is thrown away: an entry moved while it was copied would be missing at the old place, and
// the copy is not durable yet.

// errCycleBegan: what was written is not to be used.
var errCycleBegan = errors.New("mmapcas: a collection began while the index was saved")

const (
	indexFileName       = "index"
	indexFileMagic      = "CYTidx\r\n"
	indexFileVersion    = 1
	indexHeadBytes      = 64 // before the segments
	indexSegmentBytes   = 24
	indexPartBytes      = 16
	indexSegmentsMax    = 1 << 20
	indexBucketsMax     = 1 << 28
	indexFileChunkBytes = 1 << 20 // written at once
)

// An indexSegment says up to where a segment's records are in the index, and where it was mapped.
type indexSegment struct {
	number uint32
	first  arena.Addr
	length int64
}

// An indexPart describes a shard's part of the file.
type indexPart struct {
	buckets, used, entries, sum uint32
}

func (p *indexPart) bytes() int64 { return (int64(p.buckets)+7)&^7 + 8*int64(p.used) }

// indexHead is the head of the file.
type indexHead struct {
	identity [identityBytes]byte
	seq      uint64
	live     int64
	segments []indexSegment
	parts    [shardCount]indexPart
}

func indexHeadSize(segments int) int64 {
	return indexHeadBytes + int64(segments)*indexSegmentBytes + shardCount*indexPartBytes + 4
}

func (h *indexHead) encode() []byte {
	le := binary.LittleEndian
	b := make([]byte, 0, indexHeadSize(len(h.segments)))
	b = append(b, indexFileMagic...)
	b = le.AppendUint32(b, indexFileVersion)
	b = le.AppendUint32(b, uint32(len(h.segments)))
	b = append(b, h.identity[:]...)
	b = le.AppendUint64(b, h.seq)
	b = le.AppendUint64(b, uint64(h.live))
	b = append(b, make([]byte, indexHeadBytes-len(b))...)
	for _, s := range h.segments {
		b = le.AppendUint32(b, s.number)
		b = le.AppendUint32(b, 0)
		b = le.AppendUint64(b, uint64(s.first))
		b = le.AppendUint64(b, uint64(s.length))
	}
	for _, p := range h.parts {
		for _, v := range []uint32{p.buckets, p.used, p.entries, p.sum} {
			b = le.AppendUint32(b, v)
		}
	}
	return le.AppendUint32(b, checksum(b))
}

// parseIndexSegments returns how many segments the file has whose first bytes these are.
func parseIndexSegments(b []byte) (n int, ok bool) {
	if len(b) < indexHeadBytes || string(b[:8]) != indexFileMagic || binary.LittleEndian.Uint32(b[8:]) != indexFileVersion {
		return 0, false
	}
	segments := binary.LittleEndian.Uint32(b[12:])
	return int(segments), segments <= indexSegmentsMax
}

// parseIndexHead reads a head, of which b is all.
func parseIndexHead(b []byte) (h indexHead, ok bool) {
	le := binary.LittleEndian
	n, ok := parseIndexSegments(b)
	if !ok || int64(len(b)) != indexHeadSize(n) || checksum(b[:len(b)-4]) != le.Uint32(b[len(b)-4:]) {
		return indexHead{}, false
	}
	h.identity = [identityBytes]byte(b[16:32])
	h.seq = le.Uint64(b[32:])
	h.live = int64(le.Uint64(b[40:]))
	b = b[indexHeadBytes:]
	for range n {
		s := indexSegment{number: le.Uint32(b), first: arena.Addr(le.Uint64(b[8:])), length: int64(le.Uint64(b[16:]))}
		if s.length < 0 || s.length%arena.Unit != 0 || s.first > addrMask {
			return indexHead{}, false
		}
		h.segments = append(h.segments, s)
		b = b[indexSegmentBytes:]
	}
	for i := range h.parts {
		p := indexPart{le.Uint32(b), le.Uint32(b[4:]), le.Uint32(b[8:]), le.Uint32(b[12:])}
		if bits.OnesCount32(p.buckets) != 1 || p.buckets > indexBucketsMax ||
			int64(p.used) > int64(p.buckets)*bucketSlots || p.entries > p.used {
			return indexHead{}, false
		}
		h.parts[i] = p
		b = b[indexPartBytes:]
	}
	return h, h.live >= 0
}

// encodeTable appends a shard's part to b. Entries for which covered says no become dead slots, and beyond hears about them.
func encodeTable(b []byte, t *table, covered func(arena.Addr) bool, beyond func(arena.Addr)) ([]byte, indexPart) {
	buckets := int(t.mask + 1)
	p := indexPart{buckets: uint32(buckets)}
	start := len(b)
	b = append(b, make([]byte, (buckets+7)&^7)...)
	for i := range buckets {
		for _, w := range t.loaded(uint64(i)) {
			if w == slotEmpty || w == slotFrozen {
				break // and so are the rest
			}
			switch {
			case !isEntry(w):
			case covered(arena.Addr(w & addrMask)):
				p.entries++
			default:
				beyond(arena.Addr(w & addrMask))
				w = slotDead
			}
			b[start+i]++
			b = binary.LittleEndian.AppendUint64(b, w)
			p.used++
		}
	}
	p.sum = checksum(b[start:])
	return b, p
}

// loaded returns the words of a bucket. Slots fill up in order, so those that are in use come first.
func (t *table) loaded(bucket uint64) (ws [bucketSlots]uint64) {
	b := t.bucket(bucket)
	for i := range ws {
		ws[i] = b[i].Load()
	}
	return ws
}

// decodeTable is the table of a shard's part, and how many entries it has. Those for which covered says no are dropped. The
// table is nil if the part is damaged.
func decodeTable(b []byte, p *indexPart, covered func(arena.Addr) bool) (t *table, entries int64, err error) {
	if int64(len(b)) != p.bytes() || checksum(b) != p.sum {
		return nil, 0, nil
	}
	counts := b[:p.buckets]
	b = b[(p.buckets+7)&^7:]
	var used uint32
	for _, n := range counts {
		if n > bucketSlots {
			return nil, 0, nil
		}
		used += uint32(n)
	}
	if used != p.used {
		return nil, 0, nil
	}
	if t, err = newTable(int(p.buckets)); err != nil {
		return nil, 0, err
	}
	t.used.Store(int64(used))
	for i, n := range counts {
		slots := t.bucket(uint64(i))
		for j := range int(n) {
			w := binary.LittleEndian.Uint64(b[8*j:])
			if isEntry(w) && covered(arena.Addr(w&addrMask)) {
				entries++
			} else {
				w = slotDead
			}
			slots[j].Store(w)
		}
		b = b[8*int(n):]
	}
	return t, entries, nil
}

// A coverage says for each slot of the arena up to which address there are records that an index file knows.
type coverage struct {
	shift uint
	ends  []arena.Addr
}

func newCoverage(a *arena.Arena) coverage {
	return coverage{shift: uint(bits.TrailingZeros64(uint64(a.SegmentBytes() / arena.Unit)))}
}

// add covers the first length bytes of a segment.
func (c *coverage) add(first arena.Addr, length int64) {
	end := first + arena.Addr(length/arena.Unit)
	for at := first; at < end; at += 1 << c.shift {
		i := int(at >> c.shift)
		if i >= len(c.ends) {
			c.ends = append(c.ends, make([]arena.Addr, i+1-len(c.ends))...)
		}
		c.ends[i] = end
	}
}

func (c *coverage) has(at arena.Addr) bool {
	i := at >> c.shift
	return i < arena.Addr(len(c.ends)) && at < c.ends[i]
}

func (s *Store) indexFile() string { return filepath.Join(s.dir, indexFileName) }
