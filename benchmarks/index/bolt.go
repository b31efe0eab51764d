package index

import (
	"bytes"
	"context"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// Bolt writes to a file and does not sync. A snapshot is a read transaction.
type bolt struct{ db *bbolt.DB }

var bucket = []byte("entries")

func openBolt(_ context.Context, dir string, d *data) (contender, error) {
	db, err := bbolt.Open(filepath.Join(dir, "bolt"), 0o600, &bbolt.Options{
		NoSync: true, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType,
		// A writer that must map anew waits for all readers, so the map is large enough from the
		// start.
		InitialMmapSize: max(256<<20, len(d.entries)*1024),
	})
	if err != nil {
		return nil, err
	}
	return bolt{db}, db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
}

func (c bolt) commit(edits []entry) error {
	return c.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucket)
		for i := range edits {
			if err := b.Put(edits[i].key[:], edits[i].name[:]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c bolt) snapshot() (snapshot, error) {
	tx, err := c.db.Begin(false)
	return &boltSnapshot{tx: tx}, err
}

func (c bolt) close() error { return c.db.Close() }

type boltSnapshot struct {
	tx *bbolt.Tx
	b  *bbolt.Bucket // opened at the first read
}

func (s *boltSnapshot) bucket() *bbolt.Bucket {
	if s.b == nil {
		s.b = s.tx.Bucket(bucket)
	}
	return s.b
}

func (s *boltSnapshot) get(e *entry) (n name, ok bool) {
	ok = copy(n[:], s.bucket().Get(e.key[:])) == len(n)
	return n, ok
}

func (s *boltSnapshot) scan(lo, hi *entry) (count, sum int) {
	c := s.bucket().Cursor()
	for k, v := c.Seek(lo.key[:]); k != nil && bytes.Compare(k, hi.key[:]) < 0; k, v = c.Next() {
		count++
		sum += int(v[0]) + int(k[len(k)-1])
	}
	return count, sum
}

func (s *boltSnapshot) release() error { return s.tx.Rollback() }
