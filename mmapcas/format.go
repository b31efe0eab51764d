package mmapcas

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/cytisus/cytisus/mmapcas/hash"
	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// Bytes on disk; those of a record are in package record. All numbers are little-endian, all
// checksums CRC-32C.
//
// Segment: 64 bytes of header, then records. Name: number as 8 hexadecimal digits, ".seg".
//
//	 0  magic "CYTseg\r\n"
//	 8  version:32, 3; one of version 1 has no compressed records and no statements
//	12  segment number:32
//	16  store identity, 16 random bytes
//	32  size the segment was created for:64
//	40  zeros
//	60  checksum of bytes 0 to 60
//
// The header carries its own checksum so that opening can trust the length in it.

// FormatVersion is the newest format this package reads: segments of version 3 may have compressed
// records and statements, which programs that know only older ones would take for damage. Segments
// of version 1 are read, and not appended to. Version 2 is not read any more (docs/rfc/0016). The
// superblock of a store, whose form has not changed, is of version 1.
const FormatVersion = 3

const (
	plainVersion      = 1
	packedVersion     = 2
	compressedVersion = 3
)

// known reports whether segments of a version are read.
func known(version uint32) bool { return version == plainVersion || version == compressedVersion }

const (
	segmentHeaderBytes = 64
	segmentMagic       = "CYTseg\r\n"
	segmentSuffix      = ".seg"
	identityBytes      = 16
)

// MaxPayloadBytes bounds a payload: 1 GiB. Payloads too large for the rest of a segment get one of
// their own.
const MaxPayloadBytes = record.MaxPayloadBytes

// A Hash names a record.
type Hash = record.Hash

// ParseHash reads the hexadecimal form that Hash.String writes.
func ParseHash(s string) (Hash, error) { return hash.Parse(s) }

// A Kind says what a record is to the layers above. All values are theirs.
type Kind = record.Kind

// HashOf returns the name of the record of this kind and payload.
func HashOf(kind Kind, payload []byte) Hash { return record.NameOf(kind, payload) }

// segmentHeader is the start of a segment.
type segmentHeader struct {
	version  uint32
	number   uint32
	identity [identityBytes]byte
	bytes    int64
}

func (h *segmentHeader) encode() []byte {
	b := make([]byte, segmentHeaderBytes)
	copy(b, segmentMagic)
	binary.LittleEndian.PutUint32(b[8:], h.version)
	binary.LittleEndian.PutUint32(b[12:], h.number)
	copy(b[16:32], h.identity[:])
	binary.LittleEndian.PutUint64(b[32:], uint64(h.bytes))
	binary.LittleEndian.PutUint32(b[60:], record.Checksum(b[:60]))
	return b
}

func parseSegmentHeader(b []byte) (h segmentHeader, ok bool) {
	if len(b) < segmentHeaderBytes || string(b[:8]) != segmentMagic || record.Checksum(b[:60]) != binary.LittleEndian.Uint32(b[60:]) {
		return segmentHeader{}, false
	}
	h = segmentHeader{
		version:  binary.LittleEndian.Uint32(b[8:]),
		number:   binary.LittleEndian.Uint32(b[12:]),
		identity: [identityBytes]byte(b[16:32]),
		bytes:    int64(binary.LittleEndian.Uint64(b[32:])),
	}
	return h, h.version > 0 && h.bytes >= segmentHeaderBytes
}

func segmentName(number uint32) string { return fmt.Sprintf("%08x%s", number, segmentSuffix) }

func parseSegmentName(name string) (number uint32, ok bool) {
	hex, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(hex) != 8 {
		return 0, false
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	return uint32(n), err == nil && segmentName(uint32(n)) == name
}

// readSegmentHeader reads the header of a segment file; ok=false means that it has none that is
// whole.
func readSegmentHeader(fsys vfs.FS, path string) (h segmentHeader, ok bool, err error) {
	f, err := fsys.Open(path, true)
	if err != nil {
		return segmentHeader{}, false, err
	}
	var b [segmentHeaderBytes]byte
	_, err = f.ReadAt(b[:], 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	h, ok = parseSegmentHeader(b[:])
	return h, ok, errors.Join(err, f.Close())
}
