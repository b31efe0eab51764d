package index

import (
	"context"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// A pebbleDB lies on pebble's file system in memory, with 64 MiB memtables and bloom filters.
type pebbleDB struct{ db *pebble.DB }

func openPebble(context.Context, string, *data) (contender, error) {
	o := &pebble.Options{FS: vfs.NewMem(), CacheSize: 1 << 30, MemTableSize: 64 << 20, Logger: compare.Silent{}}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	db, err := pebble.Open("", o)
	return pebbleDB{db}, err
}

func (c pebbleDB) commit(edits []entry) error {
	b := c.db.NewBatch()
	for i := range edits {
		if err := b.Set(edits[i].key[:], edits[i].name[:], nil); err != nil {
			return err
		}
	}
	return b.Commit(pebble.NoSync)
}

func (c pebbleDB) snapshot() (snapshot, error) { return pebbleSnapshot{c.db.NewSnapshot()}, nil }
func (c pebbleDB) close() error                { return c.db.Close() }

type pebbleSnapshot struct{ s *pebble.Snapshot }

func (s pebbleSnapshot) get(e *entry) (n name, ok bool) {
	v, closer, err := s.s.Get(e.key[:])
	if err != nil {
		return n, false
	}
	copy(n[:], v)
	return n, closer.Close() == nil
}

func (s pebbleSnapshot) scan(lo, hi *entry) (count, sum int) {
	it, err := s.s.NewIter(&pebble.IterOptions{LowerBound: lo.key[:], UpperBound: hi.key[:]})
	if err != nil {
		return -1, 0 // no right answer has this count
	}
	for ok := it.First(); ok; ok = it.Next() {
		count++
		k := it.Key()
		sum += int(it.Value()[0]) + int(k[len(k)-1])
	}
	if it.Close() != nil {
		return -1, 0
	}
	return count, sum
}

func (s pebbleSnapshot) release() error { return s.s.Close() }
