package record

import (
	"encoding/binary"
	goruntime "runtime"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A payload is stored as it is, or compressed: 4 bytes of its length, then one frame of zstd. The
// record's first word then has the number of bytes that are stored, and its flags say so. Checksums
// are of what is stored, and the name is of the payload.

// flagCompressed is a bit of the flags in a record's first word.
const flagCompressed = 1

const (
	// CompressMin is the least payload that is compressed: what is saved is a multiple of 32 bytes.
	CompressMin = 512
	// CompressMax is the largest: it has to be unpacked whole each time it is read.
	CompressMax = 8 << 20
	// compressShare: an eighth must be saved, or reading would be dearer for nothing.
	compressShare = 8

	// compressWindow is how far back a frame refers. An encoder keeps somewhat more than a window,
	// for as long as the process lives, and there is one for each CPU. Of Go's sources 8 MiB would
	// save a tenth of a percent over this.
	compressWindow = 512 << 10

	lengthBytes = 4 // of the payload, in front of a frame
)

// A Stored is what is stored of a payload.
type Stored struct {
	Bytes      []byte
	Compressed bool
}

// Extent is what a record of it takes on disk.
func (s Stored) Extent() int64 { return Extent(len(s.Bytes)) }

// Plain stores a payload as it is.
func Plain(payload []byte) Stored { return Stored{Bytes: payload} }

// Compress returns the payload compressed, if that saves enough, else as it is. It puts what it
// makes into room, which may grow.
func Compress(payload []byte, room *[]byte) Stored {
	if n := len(payload); n < CompressMin || n > CompressMax {
		return Plain(payload)
	}
	b := binary.LittleEndian.AppendUint32((*room)[:0], uint32(len(payload)))
	b = encoder().EncodeAll(payload, b)
	*room = b
	if len(b) > len(payload)-len(payload)/compressShare {
		return Plain(payload)
	}
	return Stored{b, true}
}

// Expand returns the payload of which this is stored, and reports whether it is whole. What was
// compressed is unpacked into room, which may grow. Any bytes are safe.
func (s Stored) Expand(room *[]byte) (payload []byte, ok bool) {
	if !s.Compressed {
		return s.Bytes, true
	}
	if len(s.Bytes) < lengthBytes {
		return nil, false
	}
	n := int(binary.LittleEndian.Uint32(s.Bytes))
	if n < CompressMin || n > CompressMax {
		return nil, false
	}
	if cap(*room) < n {
		*room = make([]byte, 0, n)
	}
	// The decoder is told to write no more than there is room for.
	out, err := decoder().DecodeAll(s.Bytes[lengthBytes:], (*room)[:0:n])
	return out, err == nil && len(out) == n
}

var (
	decoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(2*CompressMax), zstd.WithDecoderMaxMemory(2*CompressMax),
			zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			panic(err) // these options are valid
		}
		return d
	})
	encoder = sync.OnceValue(newEncoder)
)

func newEncoder() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(goruntime.GOMAXPROCS(0)), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(compressWindow), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(err) // these options are valid
	}
	return e
}
