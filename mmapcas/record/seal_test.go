package record

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/cytisus/cytisus/arena"
)

// A record that is sealed in one piece has the bytes of one whose header is put together word by
// word, at any length, and no byte beyond its own is written.
func TestSealedInPlace(t *testing.T) {
	const seed = 1
	rng := rand.New(rand.NewPCG(seed, 0))
	one := make([]byte, HeaderBytes)
	can, inPlace := sealInPlace(one, 0, Hash{}), 0
	for n := range sealBytesMax + 100 {
		payload := make([]byte, n)
		var h Hash
		for i := range payload {
			payload[i] = byte(rng.Uint32())
		}
		for i := range h {
			h[i] = byte(rng.Uint32())
		}
		kind, s := Kind(rng.Uint32()), Stored{payload, rng.Uint32()&1 == 0}
		extent := s.Extent()
		want := make([]byte, extent)
		var scratch [HeaderBytes]byte
		copy(want[HeaderBytes:], payload)
		publish(want, PutHeader(&scratch, kind, h, s, Checksum(want[HeaderBytes:])), &scratch)

		room := make([]byte, extent+arena.Unit) // with some behind it
		Write(room[:extent:extent], kind, h, s, &scratch)
		if !bytes.Equal(room[:extent], want) {
			t.Fatalf("a record of %d bytes is\n%x, want\n%x", n, room[:extent], want)
		}
		if !bytes.Equal(room[extent:], make([]byte, arena.Unit)) {
			t.Fatalf("a record of %d bytes goes on behind its end", n)
		}
		clear(room)
		copy(room[HeaderBytes:], payload)
		if extent <= sealBytesMax && sealInPlace(room[:extent:extent], firstWord(kind, s), h) {
			inPlace++
			if !bytes.Equal(room[:extent], want) {
				t.Fatalf("in one piece a record of %d bytes is\n%x, want\n%x", n, room[:extent], want)
			}
		}
	}
	if can && inPlace <= sealBytesMax-HeaderBytes {
		t.Errorf("of %d records that are small enough %d are sealed in one piece", sealBytesMax-HeaderBytes+1, inPlace)
	}
}
