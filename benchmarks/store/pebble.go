package store

import (
	"context"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// A pebbleDB has a cache that holds everything, 64 MiB memtables and bloom filters.
type pebbleDB struct {
	db    *pebble.DB
	write *pebble.WriteOptions
}

func openPebble(_ context.Context, dir string, _ int, sync bool) (contender, error) {
	o := &pebble.Options{CacheSize: 4 << 30, MemTableSize: 64 << 20, Logger: compare.Silent{}}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	db, err := pebble.Open(dir, o)
	if err != nil {
		return nil, err
	}
	c := pebbleDB{db, pebble.NoSync}
	if sync {
		c.write = pebble.Sync
	}
	return c, nil
}

func (c pebbleDB) put(batch []record) error {
	b := c.db.NewBatch()
	for i := range batch {
		if err := b.Set(batch[i].key[:], batch[i].value, nil); err != nil {
			return err
		}
	}
	return b.Commit(c.write)
}

func (c pebbleDB) get(k *key) (int, bool) {
	v, closer, err := c.db.Get(k[:])
	if err != nil {
		return 0, false
	}
	sum := ends(v)
	return sum, closer.Close() == nil
}

func (c pebbleDB) reader() (reader, error) { return stateless{c.get}, nil }
func (c pebbleDB) settle() error           { return c.db.Flush() }
func (c pebbleDB) close() error            { return c.db.Close() }
