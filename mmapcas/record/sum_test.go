package record

import (
	"math/rand/v2"
	"testing"
)

// A header of any bytes has the checksum that Checksum, which all other data has, makes of them.
func TestHeaderSumIsTheChecksum(t *testing.T) {
	noise := rand.NewChaCha8([32]byte{1})
	var b [HeaderBytes]byte
	for range 1000 {
		_, _ = noise.Read(b[:])
		if got, want := headerSum((*[SelfSumAt]byte)(b[:])), Checksum(b[:SelfSumAt]); got != want {
			t.Fatalf("of % x: %08x, want %08x", b[:SelfSumAt], got, want)
		}
	}
}
