package record

import (
	"encoding/binary"
	"hash/crc32"
	"sync"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/hash"
)

const (
	// HeaderBytes is the size of a record's header.
	HeaderBytes = 32
	// Magic ends the first word of every record that is published.
	Magic = 0xca5e
	// MaxPayloadBytes bounds a payload: 1 GiB.
	MaxPayloadBytes = 1 << 30
)

// Places in a record's header. The first word is at 0.
const (
	HashAt       = 8
	PayloadSumAt = HashAt + hash.Bytes
	SelfSumAt    = PayloadSumAt + 4
)

// On-disk sizes: a change must not compile.
var (
	_ [HeaderBytes]byte = [SelfSumAt + 4]byte{}
	_ [hash.Bytes]byte  = Hash{}
	_ [arena.Unit]byte  = [HeaderBytes]byte{}
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Checksum is the checksum of everything on disk.
func Checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// A Hash names a record.
type Hash = hash.Hash

// A Kind says what a record is to the layers above. All values are theirs.
type Kind uint8

// NameOf returns the name of the record of this kind and payload.
func NameOf(kind Kind, payload []byte) Hash { return hash.Sum(uint8(kind), payload) }

// Extent returns how many bytes a record takes on disk.
func Extent(payloadBytes int) int64 { return HeaderBytes + arena.RoundUp(int64(payloadBytes)) }

// ExtentOf is the extent of the record whose first word this is.
func ExtentOf(word uint64) int64 { return Extent(int(uint32(word))) }

// A Record is one found in memory. The bytes are those of the mapping.
type Record struct {
	Kind   Kind
	Hash   Hash
	Stored Stored // without padding
	Padded []byte // the same with padding
	Sum    uint32 // what Padded's checksum should be
	Own    bool   // it is the store's own: no caller put it, and it has no place in the index
}

// Extent is what the record takes on disk.
func (r *Record) Extent() int64 { return HeaderBytes + int64(len(r.Padded)) }

// Intact reports whether what is stored has the checksum that the header, which was checked before,
// gives.
func (r *Record) Intact() bool { return Checksum(r.Padded) == r.Sum }

// Named reports whether the record is what its name says. It takes as long as a put.
func (r *Record) Named() bool {
	room := rooms.Get().(*[]byte)
	defer rooms.Put(room)
	payload, ok := r.Stored.Expand(room)
	return ok && NameOf(r.Kind, payload) == r.Hash
}

// rooms are for payloads that are unpacked only to be looked at.
var rooms = sync.Pool{New: func() any { return new([]byte) }}

// word returns the first word of the record at the start of b, and reports false when there is none
// or its header is damaged.
func word(b []byte) (w uint64, ok bool) {
	w, ok = headerWord(b)
	return w, ok && ExtentOf(w) <= int64(len(b))
}

// headerWord is word for a b that may end before the record does.
func headerWord(b []byte) (w uint64, ok bool) {
	if len(b) < HeaderBytes {
		return 0, false
	}
	w = binary.LittleEndian.Uint64(b)
	if w>>48 != Magic || headerSum((*[SelfSumAt]byte)(b)) != binary.LittleEndian.Uint32(b[SelfSumAt:]) {
		return 0, false
	}
	return w, int64(uint32(w)) <= MaxPayloadBytes && uint8(w>>40)&^(flagCompressed|flagOwn) == 0
}

// A Header is what the header of a record says.
type Header struct {
	Kind  Kind
	Hash  Hash
	Bytes int // that are stored, without padding
}

// Extent is what the record takes on disk.
func (h *Header) Extent() int64 { return Extent(h.Bytes) }

// ParseHeader is Parse for whoever needs to know no more than this of the record. b may end before
// the record does.
func ParseHeader(b []byte) (h Header, ok bool) {
	w, ok := headerWord(b)
	if !ok {
		return Header{}, false
	}
	return Header{Kind(w >> 32), Hash(b[HashAt:PayloadSumAt]), int(uint32(w))}, true
}

// Parse reads the record at the start of b, checking the header only. It reports false when there
// is none or its header is damaged.
func Parse(b []byte) (r Record, ok bool) {
	ok = r.Read(b)
	return r, ok
}

// Read is Parse in place: r is as it was when it reports false.
func (r *Record) Read(b []byte) (ok bool) {
	w, ok := word(b)
	if !ok {
		return false
	}
	n := int64(uint32(w))
	end := HeaderBytes + arena.RoundUp(n)
	flags := uint8(w >> 40)
	*r = Record{
		Kind:   Kind(w >> 32),
		Hash:   Hash(b[HashAt:PayloadSumAt]),
		Stored: Stored{b[HeaderBytes : HeaderBytes+n : HeaderBytes+n], flags&flagCompressed != 0},
		Padded: b[HeaderBytes:end:end],
		Sum:    binary.LittleEndian.Uint32(b[PayloadSumAt:]),
		Own:    flags&flagOwn != 0,
	}
	return true
}

// Whole returns the record at the start of b if it is stored as it is and both its checksums are
// right. Of the store's own records it knows nothing.
func Whole(b []byte) (kind Kind, payload []byte, ok bool) {
	if len(b) < HeaderBytes {
		return 0, nil, false
	}
	w := binary.LittleEndian.Uint64(b)
	n := int64(uint32(w))
	end := HeaderBytes + arena.RoundUp(n)
	if w>>40 != Magic<<8 || n > MaxPayloadBytes || end > int64(len(b)) ||
		headerSum((*[SelfSumAt]byte)(b)) != binary.LittleEndian.Uint32(b[SelfSumAt:]) ||
		Checksum(b[HeaderBytes:end]) != binary.LittleEndian.Uint32(b[PayloadSumAt:]) {
		return 0, nil, false
	}
	return Kind(w >> 32), b[HeaderBytes : HeaderBytes+n : HeaderBytes+n], true
}

// Write writes a record over the zeros of b, which has its extent. The first word, which publishes
// the record on disk, is stored after all its other bytes. scratch avoids an allocation.
func Write(b []byte, kind Kind, h Hash, s Stored, scratch *[HeaderBytes]byte) {
	copy(b[HeaderBytes:], s.Bytes)
	seal(b, firstWord(kind, s), h, scratch)
}

// CopyTo writes the record over the zeros of b, as Write does, but with the checksum that it has.
// Should its bytes have changed since they were compared with that, the copy is found damaged.
func (r *Record) CopyTo(b []byte, scratch *[HeaderBytes]byte) {
	copy(b[HeaderBytes:], r.Padded)
	publish(b, PutHeader(scratch, r.Kind, r.Hash, r.Stored, r.Sum), scratch)
}

// PutHeader writes the header of a record and returns its first word.
func PutHeader(b *[HeaderBytes]byte, kind Kind, h Hash, s Stored, sum uint32) (word uint64) {
	word = firstWord(kind, s)
	putHeader(b, word, h, sum)
	return word
}

// firstWord is the first word of a record.
func firstWord(kind Kind, s Stored) uint64 {
	flags := uint64(0)
	if s.Compressed {
		flags = flagCompressed
	}
	return uint64(len(s.Bytes)) | uint64(kind)<<32 | flags<<40 | Magic<<48
}

func putHeader(b *[HeaderBytes]byte, word uint64, h Hash, sum uint32) {
	binary.LittleEndian.PutUint64(b[:], word)
	copy(b[HashAt:], h[:])
	binary.LittleEndian.PutUint32(b[PayloadSumAt:], sum)
	binary.LittleEndian.PutUint32(b[SelfSumAt:], headerSum((*[SelfSumAt]byte)(b[:])))
}

// flagOwn is a bit of the flags in a record's first word.
const flagOwn = 2

// WriteOwn is Write for a record of the store's own.
func WriteOwn(b, payload []byte, scratch *[HeaderBytes]byte) {
	copy(b[HeaderBytes:], payload)
	seal(b, firstWord(0, Plain(payload))|flagOwn<<40, NameOf(0, payload), scratch)
}
