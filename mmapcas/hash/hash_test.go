package hash

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/zeebo/blake3"
)

func want(kind uint8, p []byte) Hash {
	sum := blake3.Sum256(append([]byte{kind}, p...))
	return Hash(sum[:Bytes])
}

func TestSumIsBlake3OfKindAndPayload(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 70<<10)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	lengths := []int{0, 1, 31, 32, 63, 64, 65, 1022, 1023, 1024, 1025, 4096, oneShotMax - 1, oneShotMax, oneShotMax + 1, 2 * oneShotMax, 65536, 70000}
	for range 200 {
		lengths = append(lengths, rng.IntN(len(data)))
	}
	var payloads [][]byte
	for _, n := range lengths {
		off := rng.IntN(len(data) - n + 1)
		p := data[off : off+n]
		payloads = append(payloads, p)
		if got := Sum(7, p); got != want(7, p) {
			t.Fatalf("Sum of %d bytes at %d = %v, want %v", n, off, got, want(7, p))
		}
	}
	out := Batch(7, payloads, []Hash{{1}})
	if out[0] != (Hash{1}) || len(out) != 1+len(payloads) {
		t.Fatal("Batch does not append")
	}
	for i, h := range out[1:] {
		if h != want(7, payloads[i]) {
			t.Fatalf("Batch: payload %d of %d bytes differs from Sum", i, len(payloads[i]))
		}
	}
}

func TestKindIsPartOfTheName(t *testing.T) {
	if Sum(1, []byte("x")) == Sum(2, []byte("x")) {
		t.Fatal("kind is not hashed")
	}
}

func TestParse(t *testing.T) {
	h := Sum(1, []byte("x"))
	got, err := Parse(h.String())
	if err != nil || got != h {
		t.Fatalf("Parse(String) = %v, %v", got, err)
	}
	for _, bad := range []string{"", "00", strings.Repeat("0", 31), strings.Repeat("g", 32), strings.Repeat("0", 34)} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("Parse(%q) succeeded", bad)
		}
	}
	if !(Hash{}).IsZero() || h.IsZero() {
		t.Error("IsZero is wrong")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Sum(0, nil).String())
	f.Add("zz")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := Parse(s)
		if err == nil && !strings.EqualFold(h.String(), s) {
			t.Fatalf("Parse(%q).String() = %q", s, h)
		}
	})
}

func BenchmarkSum(b *testing.B) {
	for _, n := range []int{64, 256, 1024, 4096, 8192, 16384, 65536, 1 << 20} {
		p := bytes.Repeat([]byte{1}, n)
		b.Run("bytes="+strconv.Itoa(n), func(b *testing.B) {
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				Sum(1, p)
			}
		})
	}
}
