package store

import (
	"context"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// Bolt: one transaction per batch and one per get; the freelist as a map and not written, which is
// its fast setting.
type bolt struct{ db *bbolt.DB }

var bucket = []byte("records")

func openBolt(_ context.Context, dir string, _ int, sync bool) (contender, error) {
	db, err := bbolt.Open(filepath.Join(dir, "bolt"), 0o600, &bbolt.Options{
		NoSync: !sync, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType,
	})
	if err != nil {
		return nil, err
	}
	return bolt{db}, db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
}

func (c bolt) put(batch []record) error {
	return c.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucket)
		for i := range batch {
			if err := b.Put(batch[i].key[:], batch[i].value); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c bolt) get(k *key) (sum int, ok bool) {
	err := c.db.View(func(tx *bbolt.Tx) error {
		if v := tx.Bucket(bucket).Get(k[:]); v != nil {
			sum, ok = ends(v), true
		}
		return nil
	})
	return sum, ok && err == nil
}

func (c bolt) reader() (reader, error) { return stateless{c.get}, nil }
func (c bolt) settle() error           { return c.db.Sync() }
func (c bolt) close() error            { return c.db.Close() }
