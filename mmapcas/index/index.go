package index

import (
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// An Index maps names to addresses. All methods may be called from any goroutine.
type Index struct {
	arena   *arena.Arena
	epochs  *epoch.Domain
	saved   *Saved  // where tables come from that are not in memory yet, nil if all are; immutable
	records Records // of saved; immutable
	near    near    // for glanceIn; immutable
	shards  [Shards]shard
}

type shard struct {
	table  atomic.Pointer[table] // nil until it is asked for, if there is a saved index
	unread atomic.Int64          // entries, as long as there is no table
	mu     sync.Mutex            // held to load and to grow the table and to change or drop entries
	number int                   // immutable
	// later is what Open found for the table while there was none; guarded by mu.
	later []Located
	_     [128 - 56]byte
}

// A Located name is one with the place of its record.
type Located struct {
	Hash  record.Hash
	At    arena.Addr
	Bytes int64
}

// New returns an index with room for about n entries before it grows.
func New(a *arena.Arena, d *epoch.Domain, n int64) (*Index, error) {
	x := &Index{arena: a, epochs: d, near: nearOf(a)}
	buckets := bucketsFor(n / Shards)
	for i := range x.shards {
		x.shards[i].number = i
		t, err := newTable(buckets)
		if err != nil {
			x.Free()
			return nil, err
		}
		x.shards[i].table.Store(t)
	}
	return x, nil
}

// Open returns an index whose tables are read from a saved one as they are asked for.
func Open(a *arena.Arena, d *epoch.Domain, v *Saved, records Records) *Index {
	x := &Index{arena: a, epochs: d, near: nearOf(a), saved: v, records: records}
	v.left.Store(Shards)
	for i := range x.shards {
		x.shards[i].number = i
		x.shards[i].unread.Store(int64(v.parts[i].entries))
	}
	return x
}

// Free gives all memory back. Nobody uses the index any more.
func (x *Index) Free() {
	for i := range x.shards {
		if t := x.shards[i].table.Load(); t != nil {
			// Unmapping memory that this package mapped does not fail.
			_ = t.block.Free()
		}
	}
	if unread, _ := x.Unread(); unread > 0 {
		x.saved.Close()
	}
}

// Count returns how many entries there are.
func (x *Index) Count() int64 {
	var n int64
	for i := range x.shards {
		s := &x.shards[i]
		if t := s.table.Load(); t != nil {
			n += t.entries()
		} else {
			n += s.unread.Load()
		}
	}
	return n
}

// Bytes returns how much memory the tables take off the Go heap.
func (x *Index) Bytes() int64 {
	var n int64
	for i := range x.shards {
		if t := x.shards[i].table.Load(); t != nil {
			n += int64(t.block.Len())
		}
	}
	return n
}

// Unread returns how many shards were not read from the saved index yet, and whether there is one.
func (x *Index) Unread() (shards int, saved bool) {
	if x.saved == nil {
		return 0, false
	}
	return int(x.saved.left.Load()), true
}
