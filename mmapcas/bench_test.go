package mmapcas

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/cytisus/cytisus/mmapcas/record"
)

// benchStores runs fn over the forms whose speed matters.
func benchStores(b *testing.B, fn func(b *testing.B, s *Store)) {
	for _, form := range []string{"memory", "files"} {
		b.Run("form="+form, func(b *testing.B) {
			dir := ""
			if form == "files" {
				dir = filepath.Join(b.TempDir(), "s")
			}
			s := mustOpen(b, dir, Options{})
			fn(b, s)
			mustClose(b, s)
		})
	}
}

func numbered(p []byte, i int) []byte {
	binary.LittleEndian.PutUint64(p, uint64(i))
	return p
}

func BenchmarkPut(b *testing.B) {
	benchStores(b, func(b *testing.B, s *Store) {
		next := 0
		for _, n := range []int{64, 128, 1024} {
			b.Run(fmt.Sprintf("bytes=%d", n), func(b *testing.B) {
				b.ReportAllocs()
				p := make([]byte, n)
				for b.Loop() {
					next++
					if _, _, err := s.Put(1, numbered(p, next)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run("bytes=128/again=true", func(b *testing.B) {
			p := numbered(make([]byte, 128), 1<<30)
			for b.Loop() {
				if _, _, err := s.Put(1, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

// BenchmarkPutAgain puts what is there, by one goroutine and by all: records that are elder, which
// a short collection has to know of, and others.
func BenchmarkPutAgain(b *testing.B) {
	for _, records := range []int{16, 1 << 14} {
		for _, elder := range []bool{false, true} {
			s := mustOpen(b, "", Options{})
			names := make([]Hash, records)
			for i := range names {
				names[i] = mustPut(b, s, 1, numbered(make([]byte, 128), i))
			}
			if elder {
				c, err := s.BeginCycle()
				if err != nil {
					b.Fatal(err)
				}
				for _, h := range names {
					if _, err := c.Mark(h); err != nil {
						b.Fatal(err)
					}
				}
				c.Whole(true)
				sweepAll(b, c)
			}
			name := fmt.Sprintf("records=%d/elder=%v/", records, elder)
			b.Run(name+"threads=1", func(b *testing.B) {
				b.ReportAllocs()
				p := make([]byte, 128)
				for i := 0; b.Loop(); i++ {
					mustPut(b, s, 1, numbered(p, i%records))
				}
			})
			b.Run(name+"threads=all", func(b *testing.B) {
				b.RunParallel(func(pb *testing.PB) {
					p := make([]byte, 128)
					for i := rand.IntN(records); pb.Next(); i++ {
						mustPut(b, s, 1, numbered(p, i%records))
					}
				})
			})
			mustClose(b, s)
		}
	}
}

// BenchmarkGet reads records at random out of many, and looks for absent ones.
func BenchmarkGet(b *testing.B) {
	benchStores(b, func(b *testing.B, s *Store) {
		for _, c := range []struct{ n, records int }{{64, 1 << 20}, {1024, 1 << 17}} {
			names := make([]Hash, c.records)
			p := make([]byte, c.n)
			for i := range names {
				names[i] = mustPut(b, s, Kind(c.n/64), numbered(p, i))
			}
			rng := rand.New(rand.NewPCG(1, 1))
			rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
			name := fmt.Sprintf("records=%d/bytes=%d/", c.records, c.n)
			i := 0
			b.Run(name+"op=get", func(b *testing.B) {
				b.ReportAllocs()
				dst := make([]byte, 0, c.n)
				for b.Loop() {
					i++
					if _, _, err := s.Get(names[i%len(names)], dst); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(name+"op=view", func(b *testing.B) {
				b.ReportAllocs()
				sum := 0
				for b.Loop() {
					i++
					if err := s.View(names[i%len(names)], func(_ Kind, p []byte) error { sum += int(p[0]); return nil }); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(name+"op=has", func(b *testing.B) {
				for b.Loop() {
					i++
					s.Has(names[i%len(names)])
				}
			})
			b.Run(name+"op=absent", func(b *testing.B) {
				for b.Loop() {
					i++
					h := names[i%len(names)]
					h[15]++
					h[7]++
					s.Has(h)
				}
			})
			// What a look at the payload costs without its checksum: the difference to view is the
			// price of checking at every read.
			b.Run(name+"op=unchecked", func(b *testing.B) {
				sum := 0
				for b.Loop() {
					i++
					h := names[i%len(names)]
					g := s.epochs.Pin()
					_ = s.arena.Confine(func() error {
						r, _ := record.Parse(s.arena.Bytes(s.index.Find(h), c.n+record.HeaderBytes))
						sum += int(r.Stored.Bytes[0])
						return nil
					})
					g.Unpin()
				}
			})
		}
	})
}

// BenchmarkCommit is the price of durability: a thousand small records and a synced commit.
func BenchmarkCommit(b *testing.B) {
	for _, sync := range []SyncMode{SyncNone, SyncGroup} {
		b.Run("sync="+sync.String(), func(b *testing.B) {
			s := mustOpen(b, filepath.Join(b.TempDir(), "s"), Options{Sync: sync})
			next := 0
			p := make([]byte, 128)
			for b.Loop() {
				for range 1000 {
					next++
					mustPut(b, s, 1, numbered(p, next))
				}
				if err := s.Commit(nil); err != nil {
					b.Fatal(err)
				}
			}
			mustClose(b, s)
		})
	}
}

// BenchmarkOpen opens a store of a million records.
func BenchmarkOpen(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "s")
	s := mustOpen(b, dir, Options{})
	p := make([]byte, 128)
	for i := range 1 << 20 {
		mustPut(b, s, 1, numbered(p, i))
	}
	if err := s.Commit(nil); err != nil {
		b.Fatal(err)
	}
	mustClose(b, s)
	for b.Loop() {
		mustClose(b, mustOpen(b, dir, Options{}))
	}
}

// BenchmarkCollect marks and sweeps a store of which half is garbage.
func BenchmarkCollect(b *testing.B) {
	s := mustOpen(b, filepath.Join(b.TempDir(), "s"), Options{SegmentBytes: 4 << 20})
	p := make([]byte, 128)
	next := 0
	for b.Loop() {
		var live []Hash
		for i := range 100_000 {
			next++
			h := mustPut(b, s, 1, numbered(p, next))
			if i%2 == 0 {
				live = append(live, h)
			}
		}
		collect(b, s, live)
	}
	mustClose(b, s)
}

// BenchmarkLookup reads records of 128 bytes at random, out of many, in each way there is.
func BenchmarkLookup(b *testing.B) {
	s := mustOpen(b, filepath.Join(b.TempDir(), "s"), Options{})
	names := make([]Hash, 1<<20)
	p := make([]byte, 128)
	for i := range names {
		names[i] = mustPut(b, s, 1, numbered(p, i))
	}
	rng := rand.New(rand.NewPCG(1, 1))
	rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	r := s.NewReader()
	sum, i := 0, 0
	look := func(_ Kind, p []byte) error { sum += int(p[0]) + int(p[len(p)-1]); return nil }
	next := func() Hash { i++; return names[i&(1<<20-1)] }
	b.Run("by=store", func(b *testing.B) {
		for b.Loop() {
			_ = s.View(next(), look)
		}
	})
	b.Run("by=reader", func(b *testing.B) {
		for b.Loop() {
			_ = r.View(next(), look)
		}
	})
	b.Run("by=batch", func(b *testing.B) {
		var group [16]Hash
		for b.Loop() {
			for j := range group {
				group[j] = next()
			}
			_ = r.ViewBatch(group[:], func(_ int, k Kind, p []byte, err error) error { return look(k, p) })
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/16, "ns/record")
	})
	b.Run("by=hot", func(b *testing.B) {
		for b.Loop() {
			i = i + 1
			_ = r.View(names[i&1023], look)
		}
	})
	b.Run("op=find", func(b *testing.B) {
		for b.Loop() {
			sum += int(s.index.Find(next()))
		}
	})
	b.Run("op=absent", func(b *testing.B) {
		for b.Loop() {
			h := next()
			h[15]++
			h[6]++
			_ = r.View(h, look)
		}
	})
	r.Close()
	mustClose(b, s)
}
