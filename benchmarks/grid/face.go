package grid

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cytisus/cytisus/runtime"
)

// facePart has the records of [Face].
var facePart = runtime.NewPartition[[]byte]("records")

// faceValueBytes are in each record of Face, all of them different.
const faceValueBytes = 64

// Face loads an engine with Config.MemoryLimit bytes, in bulks, and asks for random keys of all,
// Config.Asks times, until the last of three rounds.
func Face(ctx context.Context, c Config) (_ Result, err error) {
	r := Result{Who: "face", Records: c.Records, Chunks: c.Chunks}
	if err := c.validate(); err != nil {
		return r, err
	}
	g := startGauge()
	began := time.Now()
	e, err := runtime.Open(c.Dir, runtime.Options{
		MemoryLimit: c.MemoryLimit, LimitGo: true, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		g.end()
		return r, err
	}
	defer func() { err = errors.Join(err, e.Close(context.WithoutCancel(ctx))) }()
	for chunk := range c.Chunks {
		from, to := c.bounds(chunk)
		err := facePart.Bulk(ctx, e, func(w *runtime.BulkWriter[[]byte]) error {
			for i := from; i < to; i++ {
				if err := w.Put(key(i), faceValue(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			g.end()
			return r, fmt.Errorf("grid: chunk %d: %w", chunk, err)
		}
	}
	if err := e.Checkpoint(ctx); err != nil {
		g.end()
		return r, err
	}
	r.Load = time.Since(began).Seconds()
	r.HeapMiB = liveHeap()
	r.Times, err = c.askFace(e)
	r.PeakMiB, r.RSSMiB = g.end(), peakRSS()
	if err == nil {
		r.DiskMiB, err = diskMiB(c.Dir)
	}
	return r, err
}

// faceValue is what key i leads to: its number, and what does not compress.
func faceValue(i int) []byte {
	v := make([]byte, faceValueBytes)
	binary.LittleEndian.PutUint64(v, uint64(i))
	rng := rand.NewPCG(uint64(i), 1)
	for at := 8; at < len(v); at += 8 {
		binary.LittleEndian.PutUint64(v[at:], rng.Uint64())
	}
	return v
}

func (c Config) askFace(e *runtime.Engine) ([]Times, error) {
	snap := e.Snapshot()
	defer snap.Release()
	rng := rand.New(rand.NewPCG(uint64(c.Records), 2))
	var out []Times
	for _, question := range []string{"first", "second", "third"} {
		took := make([]time.Duration, c.Asks)
		for n := range took {
			i := rng.IntN(c.Records)
			k := key(i)
			began := time.Now()
			v, err := facePart.Get(snap, k)
			took[n] = time.Since(began)
			if err != nil || len(v) != faceValueBytes || binary.LittleEndian.Uint64(v) != uint64(i) {
				return nil, fmt.Errorf("grid: wrong answer: %s is %x, %w", k, v, err)
			}
		}
		slices.Sort(took)
		out = append(out, Times{question, float64(took[len(took)/2]), float64(took[len(took)*99/100]), len(took)})
	}
	return out, nil
}
