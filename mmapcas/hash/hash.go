package hash

import (
	"encoding/hex"
	"fmt"
	"slices"
	"sync"

	"github.com/cytisus/cytisus/affinity"
	"github.com/zeebo/blake3"
)

// Bytes is the size of a Hash.
const Bytes = 16

// A Hash is the name of a record. The zero Hash names none.
type Hash [Bytes]byte

// IsZero reports whether h names no record.
func (h Hash) IsZero() bool { return h == Hash{} }

// String returns h as 32 hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Parse reads what String wrote.
func Parse(s string) (Hash, error) {
	var h Hash
	if len(s) != hex.EncodedLen(Bytes) {
		return Hash{}, fmt.Errorf("hash: %q has %d characters, want %d", s, len(s), hex.EncodedLen(Bytes))
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return Hash{}, fmt.Errorf("hash: %q: %w", s, err)
	}
	return h, nil
}

// oneShotMax is the payload size up to which kind and payload are copied together and hashed in one
// call. The copy costs a few per cent of the hash; the streaming form costs a reset of its state.
// Above it the copy is larger than what the streaming form buffers.
const oneShotMax = 8 << 10

// A state is what hashing needs beside its input; it is pooled since it is too large for a stack.
type state struct {
	batcher
	buf    [1 + oneShotMax]byte
	stream *blake3.Hasher
	sum    []byte
}

var states = sync.Pool{New: func() any { return newState() }}

func newState() *state { return &state{batcher: newBatcher()} }

// Sum returns the name of the record of the given kind and payload. Any goroutine may call it; it
// does not keep the payload.
func Sum(kind uint8, payload []byte) Hash {
	s := states.Get().(*state)
	h := s.hash(kind, payload)
	states.Put(s)
	return h
}

// level is chosen once: how wide the code may be that hashes batches.
var level = affinity.CPUFeatures().Level

// Batch appends the names of payloads, all of one kind, to out. Payloads of less than 2 KiB are
// hashed side by side where the processor can do so and there are at least a few of them.
func Batch(kind uint8, payloads [][]byte, out []Hash) []Hash {
	n := len(out)
	out = slices.Grow(out, len(payloads))[:n+len(payloads)]
	s := states.Get().(*state)
	s.batch(kind, payloads, out[n:], level)
	states.Put(s)
	return out
}

func (s *state) hash(kind uint8, payload []byte) Hash {
	if len(payload) <= oneShotMax {
		s.buf[0] = kind
		n := copy(s.buf[1:], payload)
		sum := blake3.Sum256(s.buf[:1+n])
		return Hash(sum[:Bytes])
	}
	if s.stream == nil {
		s.stream = blake3.New()
	}
	s.stream.Reset()
	s.buf[0] = kind
	// Write of a blake3.Hasher never fails.
	_, _ = s.stream.Write(s.buf[:1])
	_, _ = s.stream.Write(payload)
	s.sum = s.stream.Sum(s.sum[:0])
	return Hash(s.sum[:Bytes])
}
