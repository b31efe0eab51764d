package db

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
)

// benchKey is about what a language server keeps: symbols of files.
func benchKey(i int) string {
	return fmt.Sprintf("file:///workspace/pkg%03d/file%04d.go#sym%05d", i/10_000, i/100, i%100)
}

func openBenchmark(b *testing.B, entries int) (*DB, PartID, *mmapcas.Store) {
	st, err := mmapcas.Open("", mmapcas.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { st.Close() })
	d := mustOpen(b, st, Options{Logger: quiet})
	p, err := d.Partition("p", false)
	if err != nil {
		b.Fatal(err)
	}
	h := value(b, st, "A")
	var ops []Op
	for i := range entries {
		if ops = append(ops, Op{p, benchKey(i), Put, h}); len(ops) == 10_000 || i == entries-1 {
			if _, err := d.Commit(b.Context(), ops); err != nil {
				b.Fatal(err)
			}
			ops = ops[:0]
		}
	}
	return d, p, st
}

func BenchmarkCommit(b *testing.B) {
	const entries = 1_000_000
	d, p, st := openBenchmark(b, entries)
	var values []Hash
	for i := range 1000 {
		values = append(values, value(b, st, fmt.Sprint(i)))
	}
	run := func(name string, n int, first func() int, step func(int) int) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			ops := make([]Op, n)
			round := 0
			for b.Loop() {
				round++
				for i, k := 0, first(); i < n; i, k = i+1, step(k) {
					ops[i] = Op{p, benchKey(k), Put, values[(round+i)%len(values)]}
				}
				if _, err := d.Commit(b.Context(), ops); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	random := func() int { return rand.IntN(entries) }
	run("keys=1/order=random", 1, random, same)
	run("keys=100/order=adjacent", 100, func() int { return rand.IntN(entries/100) * 100 }, func(k int) int { return k + 1 })
	run("keys=100/order=random", 100, random, func(int) int { return random() })
}

func same(k int) int { return k }

func BenchmarkRead(b *testing.B) {
	const entries = 1_000_000
	d, p, _ := openBenchmark(b, entries)
	keys := make([]string, 4096)
	for i := range keys {
		keys[i] = benchKey(rand.IntN(entries))
	}
	s := d.Snapshot()
	defer s.Release()
	b.Run("op=get", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, ok, err := s.Get(p, keys[i%len(keys)]); !ok || err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("op=range/entries=100", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			n := 0
			if err := s.Range(p, keys[i%len(keys)], "", false, func(string, Hash) bool { n++; return n < 100 }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("op=scan-bytes/entries=100", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			n := 0
			if err := s.ScanBytes(p, Span{Lo: keys[i%len(keys)]}, func([]byte, Hash) bool { n++; return n < 100 }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("op=snapshot", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d.Snapshot().Release()
		}
	})
}
