package grid

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// Ours loads a database, asks, and reopens it.
func Ours(ctx context.Context, c Config) (_ Result, err error) {
	r := Result{Who: "cytisus", Records: c.Records, Chunks: c.Chunks}
	if err := c.validate(); err != nil {
		return r, err
	}
	g := startGauge()
	began := time.Now()
	o, err := open(c)
	if err == nil {
		err = errors.Join(o.load(ctx, c), o.db.Checkpoint(ctx))
	}
	if err != nil {
		g.end()
		return r, errors.Join(err, o.close(ctx))
	}
	r.Load = time.Since(began).Seconds()
	r.HeapMiB = liveHeap()
	snap := o.db.Snapshot()
	r.Times, err = ask(c, oursReader{o, snap})
	snap.Release()
	r.PeakMiB, r.RSSMiB = g.end(), peakRSS()
	if err = errors.Join(err, o.close(ctx)); err != nil {
		return r, err
	}
	if r.DiskMiB, err = diskMiB(c.Dir); err != nil {
		return r, err
	}
	began = time.Now()
	if o, err = open(c); err != nil {
		return r, err
	}
	snap = o.db.Snapshot()
	at := c.places()[0]
	_, _, err = oursReader{o, snap}.get(appendKey(nil, at))
	r.ReopenMS = float64(time.Since(began).Microseconds()) / 1000
	snap.Release()
	return r, errors.Join(err, o.close(ctx))
}

type ours struct {
	store *mmapcas.Store
	db    *db.DB
	part  db.PartID
}

func open(c Config) (*ours, error) {
	o := &ours{}
	var err error
	if o.store, err = mmapcas.Open(c.Dir, mmapcas.Options{}); err != nil {
		return o, err
	}
	if o.db, err = db.Open(o.store, db.Options{}); err != nil {
		return o, err
	}
	o.part, err = o.db.Partition(Partition, false)
	return o, err
}

func (o *ours) close(ctx context.Context) error {
	var err error
	if o.db != nil {
		err = o.db.Close(ctx)
	}
	if o.store != nil {
		err = errors.Join(err, o.store.Close())
	}
	return err
}

func (o *ours) load(ctx context.Context, c Config) error {
	names := make([]mmapcas.Hash, 0, c.Distinct)
	const batch = 4096
	for i := 0; i < c.Distinct; i += batch {
		var list [][]byte
		for j := i; j < min(i+batch, c.Distinct); j++ {
			list = append(list, payload(j, c.Distinct))
		}
		var err error
		if names, err = o.store.PutBatch(kind, list, names); err != nil {
			return err
		}
	}
	var ops []db.Op
	for chunk := range c.Chunks {
		from, to := c.bounds(chunk)
		if to-from >= c.BulkFrom {
			if err := o.bulk(ctx, c, names, from, to); err != nil {
				return fmt.Errorf("grid: chunk %d: %w", chunk, err)
			}
			continue
		}
		ops = ops[:0]
		slab := make([]byte, 0, (to-from)*keyBytes)
		for i := from; i < to; i++ {
			slab = appendKey(slab, i)
		}
		text := string(slab)
		for i := from; i < to; i++ {
			at := (i - from) * keyBytes
			ops = append(ops, db.Op{Part: o.part, Key: text[at : at+keyBytes], Verb: db.Put, Hash: names[i%c.Distinct]})
		}
		if res, err := o.db.Commit(ctx, ops); err != nil || len(res.Changes) != to-from {
			return fmt.Errorf("grid: chunk %d: %d changes of %d: %w", chunk, len(res.Changes), to-from, err)
		}
	}
	return nil
}

// bulk commits one chunk without having it in memory.
func (o *ours) bulk(ctx context.Context, c Config, names []mmapcas.Hash, from, to int) error {
	b, err := o.db.BeginBulk(ctx, o.part)
	if err != nil {
		return err
	}
	defer b.Close()
	for i := from; i < to; i++ {
		if err := b.Put(key(i), names[i%c.Distinct]); err != nil {
			return err
		}
	}
	res, err := b.Commit(ctx)
	if err == nil && (res.Graft == nil || res.Graft.Delta != (db.Delta{Inserted: uint64(to - from)})) {
		err = fmt.Errorf("%+v instead of %d insertions", res.Graft, to-from)
	}
	return err
}

type oursReader struct {
	*ours
	snap *db.Snapshot
}

func (r oursReader) record(h mmapcas.Hash) (v uint64, err error) {
	err = r.store.View(h, func(_ mmapcas.Kind, payload []byte) error {
		v = binary.LittleEndian.Uint64(payload)
		return nil
	})
	return v, err
}

func (r oursReader) get(key []byte) (uint64, bool, error) {
	h, ok, err := r.snap.Get(r.part, string(key))
	if !ok || err != nil {
		return 0, ok, err
	}
	v, err := r.record(h)
	return v, true, err
}

func (r oursReader) scan(lo, hi []byte) (n int, sum uint64, err error) {
	c := r.snap.Cursor(r.part, db.Span{Lo: string(lo), Hi: string(hi)})
	for c.Next() {
		v, err := r.record(c.Hash())
		if err != nil {
			return n, sum, err
		}
		n++
		sum += v
	}
	return n, sum, c.Err()
}

func diskMiB(dir string) (mib float64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			mib += float64(info.Size()) / (1 << 20)
		}
		return err
	})
	return mib, err
}
