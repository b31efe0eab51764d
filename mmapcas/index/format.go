package index

import (
	"encoding/binary"
	"math/bits"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// A saved index is a copy of the index, so that opening need not walk over every record. All
// numbers are little-endian.
//
//	 0  magic "CYTidx\r\n"
//	 8  version:32, of this file alone
//	12  number of reaches:32
//	16  store identity, 16 bytes
//	32  sequence number of a statement of the store:64
//	40  bytes of the records in the index:64
//	48  zeros
//	64  per reach: number:32, zeros:32, first address:64, length:64
//	..  per shard: buckets:32, slots in use:32, entries among them:32, checksum of its part:32
//	-4  checksum of everything before; here the head ends
//	..  per shard, its part: how many slots of each bucket are in use, a byte each; zeros up to a multiple of 8; those
//	    slots in order, 64 bits each, as they are in memory
//
// It speaks about the records below the given lengths, and about those alone: an entry that led
// beyond them was written as a dead slot. So what an Open has to scan is what lies behind these
// lengths.
//
// Addresses are those of the process that wrote it: an Open maps the records where they were. A
// reach that cannot be mapped there, or is gone, or is shorter than it was, is not covered, and its
// entries count for nothing. An entry that leads to a wrong place answers nothing, as every lookup
// compares the name in the record it comes to.

const (
	savedMagic      = "CYTidx\r\n"
	savedVersion    = 3
	savedHeadBytes  = 64 // before the reaches
	identityBytes   = 16
	reachBytes      = 24
	partBytes       = 16
	reachesMax      = 1 << 20
	bucketsMax      = 1 << 28
	savedChunkBytes = 1 << 20 // written at once
)

// A Reach says where records lie that are in a saved index: the first Length bytes behind an
// address. Its number is how the store knows it.
type Reach struct {
	Number uint32
	First  arena.Addr
	Length int64
}

// A part describes a shard's part of the file.
type part struct {
	buckets, used, entries, sum uint32
}

func (p *part) bytes() int64 { return (int64(p.buckets)+7)&^7 + 8*int64(p.used) }

// A Head is the head of a saved index.
type Head struct {
	Identity [identityBytes]byte // of the store
	Seq      uint64              // of the statement of the store that covers the same records
	Live     int64               // bytes of these records
	Reaches  []Reach
	parts    [Shards]part
}

func headSize(reaches int) int64 {
	return savedHeadBytes + int64(reaches)*reachBytes + Shards*partBytes + 4
}

func (h *Head) encode() []byte {
	le := binary.LittleEndian
	b := make([]byte, 0, headSize(len(h.Reaches)))
	b = append(b, savedMagic...)
	b = le.AppendUint32(b, savedVersion)
	b = le.AppendUint32(b, uint32(len(h.Reaches)))
	b = append(b, h.Identity[:]...)
	b = le.AppendUint64(b, h.Seq)
	b = le.AppendUint64(b, uint64(h.Live))
	b = append(b, make([]byte, savedHeadBytes-len(b))...)
	for _, s := range h.Reaches {
		b = le.AppendUint32(b, s.Number)
		b = le.AppendUint32(b, 0)
		b = le.AppendUint64(b, uint64(s.First))
		b = le.AppendUint64(b, uint64(s.Length))
	}
	for _, p := range h.parts {
		for _, v := range []uint32{p.buckets, p.used, p.entries, p.sum} {
			b = le.AppendUint32(b, v)
		}
	}
	return le.AppendUint32(b, record.Checksum(b))
}

// parseReaches returns how many reaches the file has whose first bytes these are.
func parseReaches(b []byte) (n int, ok bool) {
	if len(b) < savedHeadBytes || string(b[:8]) != savedMagic || binary.LittleEndian.Uint32(b[8:]) != savedVersion {
		return 0, false
	}
	reaches := binary.LittleEndian.Uint32(b[12:])
	return int(reaches), reaches <= reachesMax
}

// parseHead reads a head, of which b is all.
func parseHead(b []byte) (h Head, ok bool) {
	le := binary.LittleEndian
	n, ok := parseReaches(b)
	if !ok || int64(len(b)) != headSize(n) || record.Checksum(b[:len(b)-4]) != le.Uint32(b[len(b)-4:]) {
		return Head{}, false
	}
	h.Identity = [identityBytes]byte(b[16:32])
	h.Seq = le.Uint64(b[32:])
	h.Live = int64(le.Uint64(b[40:]))
	b = b[savedHeadBytes:]
	for range n {
		s := Reach{Number: le.Uint32(b), First: arena.Addr(le.Uint64(b[8:])), Length: int64(le.Uint64(b[16:]))}
		if s.Length < 0 || s.Length%arena.Unit != 0 || s.First > addrMask {
			return Head{}, false
		}
		h.Reaches = append(h.Reaches, s)
		b = b[reachBytes:]
	}
	for i := range h.parts {
		p := part{le.Uint32(b), le.Uint32(b[4:]), le.Uint32(b[8:]), le.Uint32(b[12:])}
		if bits.OnesCount32(p.buckets) != 1 || p.buckets > bucketsMax ||
			int64(p.used) > int64(p.buckets)*bucketSlots || p.entries > p.used {
			return Head{}, false
		}
		h.parts[i] = p
		b = b[partBytes:]
	}
	return h, h.Live >= 0
}

// encodeTable appends a shard's part to b. Entries for which covered says no become dead slots, and
// beyond hears about them.
func encodeTable(b []byte, t *table, covered func(arena.Addr) bool, beyond func(arena.Addr)) ([]byte, part) {
	buckets := int(t.mask + 1)
	p := part{buckets: uint32(buckets)}
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
	p.sum = record.Checksum(b[start:])
	return b, p
}

// loaded returns the words of a bucket. Slots fill up in order, so those that are in use come
// first.
func (t *table) loaded(bucket uint64) (ws [bucketSlots]uint64) {
	b := t.bucket(bucket)
	for i := range ws {
		ws[i] = b[i].Load()
	}
	return ws
}

// decodeTable is the table of a shard's part, nil if that is damaged. Entries for which covered
// says no are dropped.
func decodeTable(b []byte, p *part, covered func(arena.Addr) bool) (t *table, err error) {
	if int64(len(b)) != p.bytes() || record.Checksum(b) != p.sum {
		return nil, nil
	}
	counts := b[:p.buckets]
	b = b[(p.buckets+7)&^7:]
	var used uint32
	for _, n := range counts {
		if n > bucketSlots {
			return nil, nil
		}
		used += uint32(n)
	}
	if used != p.used {
		return nil, nil
	}
	if t, err = newTable(int(p.buckets)); err != nil {
		return nil, err
	}
	t.used.Store(int64(used))
	for i, n := range counts {
		slots := t.bucket(uint64(i))
		for j := range int(n) {
			w := binary.LittleEndian.Uint64(b[8*j:])
			if !isEntry(w) || !covered(arena.Addr(w&addrMask)) {
				w = slotDead
				t.dead.Add(1)
			}
			slots[j].Store(w)
		}
		b = b[8*int(n):]
	}
	return t, nil
}
