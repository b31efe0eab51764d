package hash

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cytisus/cytisus/affinity"
	"github.com/zeebo/blake3"
)

// levels returns those this processor can run, CYTISUS_CPU permitting.
func levels() (ls []affinity.Level) {
	for l := affinity.Portable; l <= level; l++ {
		ls = append(ls, l)
	}
	return ls
}

// batchAt is Batch with the code of one level.
func batchAt(l affinity.Level, kind uint8, payloads [][]byte) []Hash {
	s := states.Get().(*state)
	defer states.Put(s)
	out := make([]Hash, len(payloads))
	s.batch(kind, payloads, out, l)
	return out
}

func checkBatch(t *testing.T, l affinity.Level, kind uint8, payloads [][]byte, names []Hash) {
	t.Helper()
	for i, h := range batchAt(l, kind, payloads) {
		if h != names[i] {
			t.Fatalf("%v, batch of %d: payload %d of %d bytes = %v, want %v", l, len(payloads), i, len(payloads[i]), h, names[i])
		}
	}
}

func noise(seed uint64, n int) []byte {
	rng := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, 0, n+8)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(b, rng.Uint64())
	}
	return b[:n:n]
}

// named returns what the names of payloads must be.
func named(kind uint8, payloads [][]byte) (names []Hash) {
	for _, p := range payloads {
		names = append(names, want(kind, p))
	}
	return names
}

func TestBatchOfEveryLength(t *testing.T) {
	data := noise(3, 8192)
	// Every length that can run in lanes, then those around each further chunk; all at the end of
	// data, so that a read beyond a payload would be one beyond its allocation.
	var payloads [][]byte
	for n := range 8193 {
		payloads = append(payloads, data[len(data)-n:])
	}
	names := named(9, payloads)
	for _, l := range levels() {
		checkBatch(t, l, 9, payloads, names)
		// One length to a group, which above occurs only now and then.
		for n := 0; n <= 2200; n++ {
			same := [][]byte{payloads[n], payloads[n], payloads[n], payloads[n]}
			checkBatch(t, l, 9, same, []Hash{names[n], names[n], names[n], names[n]})
		}
	}
}

func TestBatchOfEverySize(t *testing.T) {
	const seed = 4
	rng := rand.New(rand.NewPCG(seed, 0))
	data := noise(seed, 1<<14)
	for size := range 65 {
		for _, most := range []int{64, 300, 1100, 2100, 4000} {
			payloads := make([][]byte, size)
			for i := range payloads {
				off := rng.IntN(len(data) - most)
				payloads[i] = data[off : off+rng.IntN(most+1)]
			}
			names := named(uint8(size), payloads)
			for _, l := range levels() {
				checkBatch(t, l, uint8(size), payloads, names)
			}
		}
	}
}

func TestBatchOfManyWindows(t *testing.T) {
	data := noise(5, 4096)
	payloads := make([][]byte, 1000)
	for i := range payloads {
		payloads[i] = data[i : i+(i*7)%2500]
	}
	names := named(1, payloads)
	for _, l := range levels() {
		checkBatch(t, l, 1, payloads, names)
	}
}

func TestBatchAtEveryAlignment(t *testing.T) {
	data := noise(6, 4096)
	for _, n := range []int{0, 1, 62, 63, 64, 65, 127, 128, 256, 1022, 1023, 1024, 1025, 1087, 2047, 2048} {
		payloads := make([][]byte, 64)
		for i := range payloads {
			payloads[i] = data[i : i+n]
		}
		names := named(2, payloads)
		for _, l := range levels() {
			checkBatch(t, l, 2, payloads, names)
		}
	}
}

// With the kind before it, a payload of whole blocks leaves one byte for its last block; beside it
// are lanes that ended before.
func TestBatchOfLastBlocksOfOneByte(t *testing.T) {
	data := noise(10, 4096)
	for _, n := range []int{64, 128, 192, 512, 960} {
		for size := 1; size <= 40; size++ {
			payloads := make([][]byte, size)
			for i := range payloads {
				payloads[i] = data[i : i+n]
				if i%3 == 1 {
					payloads[i] = data[i : i+n-1-i]
				}
			}
			names := named(2, payloads)
			for _, l := range levels() {
				checkBatch(t, l, 2, payloads, names)
			}
		}
	}
}

func TestBatchOfLargePayloads(t *testing.T) {
	const seed = 7
	rng := rand.New(rand.NewPCG(seed, 0))
	data := noise(seed, 1<<20)
	payloads := [][]byte{data}
	for range 12 {
		payloads = append(payloads, data[:rng.IntN(len(data))], data[:rng.IntN(1500)])
	}
	names := named(3, payloads)
	for _, l := range levels() {
		checkBatch(t, l, 3, payloads, names)
	}
}

func TestBatchKeepsNoPayload(t *testing.T) {
	payloads := [][]byte{{1}, {2}, {3}, {4}}
	s := newState()
	for _, l := range levels() {
		s.batch(1, payloads, make([]Hash, len(payloads)), l)
		if s.keeps() {
			t.Errorf("%v: a pointer to a payload is left behind", l)
		}
	}
}

func FuzzBatch(f *testing.F) {
	f.Add(uint8(1), []byte("some payload bytes"), []byte{0, 1, 64, 65, 200, 3})
	f.Add(uint8(0), noise(8, 2500), []byte{255, 254, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 127, 128, 129, 16, 250})
	f.Fuzz(func(t *testing.T, kind uint8, data, cuts []byte) {
		var payloads [][]byte
		for i, c := range cuts[:min(len(cuts), 300)] {
			from := min(i%67, len(data))
			payloads = append(payloads, data[from:from+int(c)*(len(data)-from)/255])
		}
		names := named(kind, payloads)
		for _, l := range levels() {
			checkBatch(t, l, kind, payloads, names)
		}
	})
}

// BenchmarkBatch runs the levels and zeebo in turns over the same records and reports the median
// time of each per record, and its ratio to zeebo over the same bytes: those of the message, which
// is one byte longer than the payload. zeebo-bare leaves the kind out; for 64 bytes that is one
// block instead of two.
func BenchmarkBatch(b *testing.B) {
	for _, n := range []int{64, 128, 256, 1023, 1024} {
		for _, size := range []int{4, 16, 128} {
			b.Run(fmt.Sprintf("bytes=%d/batch=%d", n, size), func(b *testing.B) { benchBatch(b, n, size) })
		}
	}
}

func benchBatch(b *testing.B, n, size int) {
	data := noise(9, size*(n+1))
	var payloads, messages [][]byte
	for m := range slices.Chunk(data, n+1) {
		messages, payloads = append(messages, m), append(payloads, m[1:])
	}
	type rival struct {
		name  string
		run   func()
		times []time.Duration
	}
	zeebo := func(inputs [][]byte) func() {
		return func() {
			for _, p := range inputs {
				blake3.Sum256(p)
			}
		}
	}
	rivals := []rival{{name: "zeebo", run: zeebo(messages)}, {name: "zeebo-bare", run: zeebo(payloads)}}
	out := make([]Hash, size)
	for _, l := range levels() {
		rivals = append(rivals, rival{name: l.String(), run: func() {
			s := states.Get().(*state)
			s.batch(1, payloads, out, l)
			states.Put(s)
		}})
	}
	records := max(32, size) // per turn; long turns of others put AVX-512 to sleep, which the package comment tells of
	for b.Loop() {
		for i := range rivals {
			start := time.Now()
			for range records / size {
				rivals[i].run()
			}
			rivals[i].times = append(rivals[i].times, time.Since(start))
		}
	}
	base := 0.0
	for _, r := range rivals {
		slices.Sort(r.times)
		perRecord := float64(r.times[len(r.times)/2].Nanoseconds()) / float64(records)
		if base == 0 {
			base = perRecord
		}
		b.ReportMetric(perRecord, r.name+"-ns/record")
		b.ReportMetric(perRecord/base, r.name+"/zeebo")
	}
}

func TestBatchAppends(t *testing.T) {
	p := bytes.Repeat([]byte{1}, 100)
	out := Batch(1, [][]byte{p, p, p, p}, []Hash{{1}})
	if len(out) != 5 || out[0] != (Hash{1}) || out[4] != want(1, p) {
		t.Fatalf("Batch = %v", out)
	}
}
