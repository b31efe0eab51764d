package mmapcas

import (
	"flag"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"
)

var packOf = flag.String("pack", "", "BenchmarkPackStore: directory of a store to be packed, which is changed")

// BenchmarkPacked reads records of 300 bytes of text at random: of plain segments, of packed ones with their blocks unpacked, and of
// packed ones with a cache that has none of them.
func BenchmarkPacked(b *testing.B) {
	const n = 1 << 17
	for _, c := range []struct {
		name  string
		after int
		cache int64
	}{{"plain", 0, 0}, {"hit", 1, 256 << 20}, {"miss", 1, 1 << 20}} {
		b.Run(c.name, func(b *testing.B) {
			s := mustOpen(b, filepath.Join(b.TempDir(), "s"), Options{SegmentBytes: 4 << 20, PackAfter: c.after, PackedCacheBytes: c.cache, Appenders: 1})
			all := make([]Hash, n)
			for i := range all {
				all[i] = mustPut(b, s, 1, prose(i, 300))
			}
			if err := s.Commit(nil); err != nil {
				b.Fatal(err)
			}
			collect(b, s, all)
			all = all[:n-n/8] // what is in the newest segment stays plain
			sum := 0
			look := func(_ Kind, p []byte) error { sum += int(p[0]); return nil }
			if c.name == "hit" {
				for _, h := range all {
					if err := s.View(h, look); err != nil {
						b.Fatal(err)
					}
				}
			}
			rng := rand.New(rand.NewPCG(1, 1))
			before := s.Stats()
			b.ReportAllocs()
			for b.Loop() {
				if err := s.View(all[rng.IntN(len(all))], look); err != nil {
					b.Fatal(err)
				}
			}
			st := s.Stats()
			b.ReportMetric(float64(st.BlockMisses-before.BlockMisses)/float64(b.N), "misses/op")
			mustClose(b, s)
		})
	}
}

// BenchmarkPackStore packs the store that -pack names, all but the newest segment, and reports what that gives.
func BenchmarkPackStore(b *testing.B) {
	if *packOf == "" {
		b.Skip("no store was named")
	}
	for range b.N {
		s := mustOpen(b, *packOf, Options{PackAfter: 1})
		if err := s.Commit(s.Note()); err != nil {
			b.Fatal(err)
		}
		c, err := s.BeginCycle()
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Iterate(func(_ Kind, h Hash, _ []byte) error { _, err := c.Mark(h); return err }); err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		sweepAll(b, c)
		st := s.Stats()
		b.ReportMetric(time.Since(start).Seconds(), "s/sweep")
		b.ReportMetric(float64(st.PackedSegments), "packed")
		b.ReportMetric(float64(st.PackedBytes), "B-packed")
		b.ReportMetric(float64(st.UnpackedBytes), "B-before")
		b.ReportMetric(float64(st.StoredBytes), "B-store")
		mustClose(b, s)
	}
}
