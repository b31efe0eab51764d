package gc

import (
	"bytes"
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// A pebbleDB has 64 MiB memtables, a cache that holds everything, and bloom filters.
type pebbleDB struct{ db *pebble.DB }

func openPebble(dir string) (contender, error) {
	o := &pebble.Options{CacheSize: 1 << 30, MemTableSize: 64 << 20, Logger: compare.Silent{}}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	db, err := pebble.Open(dir, o)
	return pebbleDB{db}, err
}

func (c pebbleDB) overwrite(_ context.Context, keys []string, list [][]byte) error {
	b := c.db.NewBatch()
	for i, key := range keys {
		if err := b.Set([]byte(key), list[i], nil); err != nil {
			return errors.Join(err, b.Close())
		}
	}
	return errors.Join(b.Commit(pebble.NoSync), b.Close())
}

func (c pebbleDB) get(key string) ([]byte, error) {
	v, closer, err := c.db.Get([]byte(key))
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	return bytes.Clone(v), nil
}

func (c pebbleDB) collect(ctx context.Context) error {
	if err := c.db.Flush(); err != nil {
		return err
	}
	return c.db.Compact(ctx, []byte{0}, []byte{0xff}, false)
}

func (c pebbleDB) close() error { return c.db.Close() }

// pebbleReclaims: compactions carry labels. A flush writes what was committed for the first time
// to where it stays, so it is none.
func pebbleReclaims(labels map[string][]string, _ string) bool {
	for _, what := range labels["pebble"] {
		if what != "flush" {
			return true
		}
	}
	return false
}
