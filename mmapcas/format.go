package mmapcas

import (
	"encoding/binary"
	"hash/crc32"
	"unsafe"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/hash"
)

// Bytes on disk. All numbers are little-endian, all checksums CRC-32C.
//
// Record, aligned to 32 bytes:
//
//	 0  payload bytes:32 | kind:8 | flags:8 | magic:16     stored last; 0 means that no record was published here
//	 8  hash: first 16 bytes of BLAKE3-256(kind byte, payload)
//	24  checksum of the payload and its padding
//	28  checksum of bytes 0 to 28
//	32  payload, then zeros up to a multiple of 32
//
// Segment: 64 bytes of header, then records. Name: number as 8 hexadecimal digits, ".seg".
//
//	 0  magic "CYTseg\r\n"
//	 8  version:32, 1; one of version 2 is packed (packed.go)
//	12  segment number:32
//	16  store identity, 16 random bytes
//	32  size the segment was created for:64
//	40  zeros
//	60  checksum of bytes 0 to 60
//
// The two headers carry their own checksums so that opening can trust the lengths in them without reading payloads.

// FormatVersion is the newest format this package reads. What it writes is the oldest that holds it: a store is of
// version 1, and its packed segments, if any, are of version 2, which keeps older programs away.
const FormatVersion = 2

const (
	headerBytes        = 32
	segmentHeaderBytes = 64
	recordMagic        = 0xca5e
	segmentMagic       = "CYTseg\r\n"
	identityBytes      = 16
)

// MaxPayloadBytes bounds a payload: 1 GiB. Payloads too large for the rest of a segment get one of their own.
const MaxPayloadBytes = 1 << 30

// Places in a record's header. The first word is at 0.
const (
	hashAt       = 8
	payloadSumAt = hashAt + hash.Bytes
	selfSumAt    = payloadSumAt + 4
)

// On-disk sizes: a change must not compile.
var (
	_ [headerBytes]byte = [selfSumAt + 4]byte{}
	_ [hash.Bytes]byte  = [unsafe.Sizeof(Hash{})]byte{}
	_ [arena.Unit]byte  = [headerBytes]byte{}
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// A Hash names a record.
type Hash = hash.Hash

// ParseHash reads the hexadecimal form that Hash.String writes.
func ParseHash(s string) (Hash, error) { return hash.Parse(s) }

// A Kind says what a record is to the layers above. All values are theirs.
type Kind uint8

// HashOf returns the name of the record of this kind and payload.
func HashOf(kind Kind, payload []byte) Hash { return hash.Sum(uint8(kind), payload) }

func recordWord(kind Kind, payloadBytes int) uint64 {
	return uint64(payloadBytes) | uint64(kind)<<32 | recordMagic<<48
}

// recordBytes is the extent of a record whose first word this is.
func recordBytes(word uint64) int64 { return extent(int(uint32(word))) }

// extent returns how many bytes a record takes on disk.
func extent(payloadBytes int) int64 { return headerBytes + arena.RoundUp(int64(payloadBytes)) }

// A rec is a record found in memory. The bytes are those of the mapping.
type rec struct {
	kind    Kind
	hash    Hash
	payload []byte // without padding
	padded  []byte // with padding
	sum     uint32 // what padded's checksum should be
	away    int64  // bytes of a padded payload that lies in a block of a packed segment, and was not fetched
}

// extent is what the record takes unpacked.
func (r *rec) extent() int64 { return headerBytes + int64(len(r.padded)) + r.away }

// intact reports whether the payload has the checksum that the header, which was checked before, gives.
func (r *rec) intact() bool { return checksum(r.padded) == r.sum }

// named reports whether the record is what its name says. It takes as long as a put.
func (r *rec) named() bool { return HashOf(r.kind, r.payload) == r.hash }

// parseRecord reads the record at the start of b, checking the header only. It reports false when there is none or its
// header is damaged.
func parseRecord(b []byte) (r rec, ok bool) {
	if len(b) < headerBytes {
		return rec{}, false
	}
	w := binary.LittleEndian.Uint64(b)
	if w>>48 != recordMagic {
		return rec{}, false
	}
	if checksum(b[:selfSumAt]) != binary.LittleEndian.Uint32(b[selfSumAt:]) {
		return rec{}, false
	}
	n := int64(uint32(w))
	end := headerBytes + arena.RoundUp(n)
	if n > MaxPayloadBytes || end > int64(len(b)) || uint8(w>>40) != 0 {
		return rec{}, false
	}
	return rec{
		kind:    Kind(w >> 32),
		hash:    Hash(b[hashAt:payloadSumAt]),
		payload: b[headerBytes : headerBytes+n : headerBytes+n],
		padded:  b[headerBytes:end:end],
		sum:     binary.LittleEndian.Uint32(b[payloadSumAt:]),
	}, true
}

// writeRecord writes a record over the zeros of b, which has its extent. scratch avoids an allocation.
func writeRecord(b []byte, kind Kind, h Hash, payload []byte, scratch *[headerBytes]byte) {
	copy(b[headerBytes:], payload)
	w := putHeader(scratch, kind, h, payload, checksum(b[headerBytes:]))
	copy(b[hashAt:headerBytes], scratch[hashAt:])
	arena.StoreWord(b, w) // S3
}

// putHeader writes the header of a record and returns its first word.
func putHeader(b *[headerBytes]byte, kind Kind, h Hash, payload []byte, sum uint32) (word uint64) {
	word = recordWord(kind, len(payload))
	binary.LittleEndian.PutUint64(b[:], word)
	copy(b[hashAt:], h[:])
	binary.LittleEndian.PutUint32(b[payloadSumAt:], sum)
	binary.LittleEndian.PutUint32(b[selfSumAt:], checksum(b[:selfSumAt]))
	return word
}

// segmentHeader is the start of a segment.
type segmentHeader struct {
	version  uint32
	number   uint32
	identity [identityBytes]byte
	bytes    int64
	packed   packedShape // of version 2
}

func (h *segmentHeader) encode() []byte {
	b := make([]byte, segmentHeaderBytes)
	copy(b, segmentMagic)
	binary.LittleEndian.PutUint32(b[8:], h.version)
	binary.LittleEndian.PutUint32(b[12:], h.number)
	copy(b[16:32], h.identity[:])
	binary.LittleEndian.PutUint64(b[32:], uint64(h.bytes))
	if h.version == packedVersion {
		h.packed.encode(b)
	}
	binary.LittleEndian.PutUint32(b[60:], checksum(b[:60]))
	return b
}

func parseSegmentHeader(b []byte) (h segmentHeader, ok bool) {
	if len(b) < segmentHeaderBytes || string(b[:8]) != segmentMagic || checksum(b[:60]) != binary.LittleEndian.Uint32(b[60:]) {
		return segmentHeader{}, false
	}
	h = segmentHeader{
		version:  binary.LittleEndian.Uint32(b[8:]),
		number:   binary.LittleEndian.Uint32(b[12:]),
		identity: [identityBytes]byte(b[16:32]),
		bytes:    int64(binary.LittleEndian.Uint64(b[32:])),
	}
	if h.version == packedVersion {
		if h.packed, ok = parsePackedShape(b, h.bytes); !ok {
			return segmentHeader{}, false
		}
	}
	return h, h.version > 0 && h.bytes >= segmentHeaderBytes
}
