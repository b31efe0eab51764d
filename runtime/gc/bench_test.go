package gc

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// BenchmarkCycle is a cycle of everything over a partition of records of 64 bytes, after so many
// keys as are a share of all, in per cent, have got another record: keys at random, so that the
// garbage lies between what is live.
func BenchmarkCycle(b *testing.B) {
	for _, records := range []int{10_000, 100_000, 1_000_000} {
		for _, garbage := range []int{0, 10, 50} {
			b.Run(fmt.Sprintf("records=%d/garbage=%d", records, garbage), func(b *testing.B) {
				benchCycle(b, records, records*garbage/100)
			})
		}
	}
}

func benchCycle(b *testing.B, records, replaced int) {
	w := newBenchWorld(b, records)
	b.ReportAllocs()
	used := time.Duration(0)
	for b.Loop() {
		b.StopTimer()
		w.overwrite(replaced)
		began := processorTime()
		b.StartTimer()
		if err := w.c.Collect(b.Context(), Pace{Wait: func() {}}); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		used += processorTime() - began
		b.StartTimer()
	}
	b.ReportMetric(float64(used.Nanoseconds())/float64(b.N)/float64(records), "cpu-ns/key")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(records), "ns/key")
}

// A benchWorld is a partition of so many keys, each with a record of 64 bytes.
type benchWorld struct {
	b       *testing.B
	records int
	st      *mmapcas.Store
	d       *db.DB
	c       *Collector
	part    db.PartID
	rng     *rand.Rand
	put     uint64
}

func newBenchWorld(b *testing.B, records int) *benchWorld {
	st, err := mmapcas.Open("", mmapcas.Options{SegmentBytes: 4 << 20}) // no file: syncs would be the disk's
	if err != nil {
		b.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	d, err := db.Open(st, db.Options{Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	part, err := d.Partition("p", false)
	if err != nil {
		b.Fatal(err)
	}
	c := New(Options{
		Store: st, DB: d, Refs: refsOf, Logger: quiet,
		Plain: func(kind mmapcas.Kind) bool { return kind == kindObject },
		Flush: func(context.Context) []mmapcas.Hash { return nil },
	})
	b.Cleanup(func() {
		c.Close()
		if err := d.Close(b.Context()); err != nil {
			b.Error(err)
		}
		if err := st.Close(); err != nil {
			b.Error(err)
		}
	})
	w := &benchWorld{b: b, records: records, st: st, d: d, c: c, part: part, rng: rand.New(rand.NewPCG(1, 2))}
	w.write(records, func(i int) int { return i })
	if err := c.Collect(b.Context(), Pace{Wait: func() {}}); err != nil {
		b.Fatal(err)
	}
	return w
}

// overwrite gives keys at random another record.
func (w *benchWorld) overwrite(n int) {
	if n > 0 {
		w.write(n, func(int) int { return w.rng.IntN(w.records) })
	}
}

// write gives so many keys another record, in commits of a thousand.
func (w *benchWorld) write(n int, next func(i int) int) {
	var ops []db.Op
	payload := make([]byte, 64) // the first byte, which counts references, stays 0
	for i := range n {
		w.put++
		binary.LittleEndian.PutUint64(payload[1:], w.put)
		h, _, err := w.st.Put(kindObject, payload)
		if err != nil {
			w.b.Fatal(err)
		}
		ops = append(ops, db.Op{Part: w.part, Key: fmt.Sprintf("key%08d", next(i)), Verb: db.Put, Hash: h})
		if len(ops) < 1000 && i+1 < n {
			continue
		}
		if _, err := w.d.Commit(w.b.Context(), ops); err != nil {
			w.b.Fatal(err)
		}
		ops = ops[:0]
	}
	if err := w.d.Checkpoint(w.b.Context()); err != nil {
		w.b.Fatal(err)
	}
}
