package store

import (
	"context"

	"github.com/dgraph-io/badger/v4"
)

// A badgerDB has its own defaults, but no log. One transaction per batch and one per get.
type badgerDB struct{ db *badger.DB }

func openBadger(_ context.Context, dir string, _ int, sync bool) (contender, error) {
	db, err := badger.Open(badger.DefaultOptions(dir).WithLogger(nil).WithSyncWrites(sync))
	return badgerDB{db}, err
}

func (c badgerDB) put(batch []record) error {
	return c.db.Update(func(tx *badger.Txn) error {
		for i := range batch {
			if err := tx.Set(batch[i].key[:], batch[i].value); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c badgerDB) get(k *key) (sum int, ok bool) {
	err := c.db.View(func(tx *badger.Txn) error {
		item, err := tx.Get(k[:])
		if err != nil {
			return err
		}
		return item.Value(func(v []byte) error {
			sum = ends(v)
			return nil
		})
	})
	return sum, err == nil
}

func (c badgerDB) reader() (reader, error) { return stateless{c.get}, nil }
func (c badgerDB) settle() error           { return c.db.Sync() }
func (c badgerDB) close() error            { return c.db.Close() }
