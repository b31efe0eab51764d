package index

import (
	"unsafe"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// Expect asks the processor for the bucket where h is looked for first, and does not wait for it.
// The caller need not hold a pin.
func (x *Index) Expect(h record.Hash) {
	k := KeyOf(&h)
	if t := x.shardFor(k).table.Load(); t != nil {
		affinity.Prefetch(unsafe.Pointer(t.bucket(k.start())), bucketBytes) // a hint, whatever lies there
	}
}

// Insert enters h at addr unless h has an entry, whose address it returns then. The caller holds an
// epoch pin, and the record at addr is complete.
func (x *Index) Insert(h record.Hash, addr arena.Addr) (existing arena.Addr, err error) {
	k := KeyOf(&h)
	s := x.shardFor(k)
	for {
		t := s.table.Load()
		if t == nil {
			if t, err = x.load(s); err != nil {
				return arena.Nil, err
			}
		}
		existing, done := x.tryInsert(t, k, addr)
		if done && existing != arena.Nil {
			return existing, nil
		}
		if done {
			if t.used.Add(1) > t.limit {
				// The entry is in; a table that cannot grow now gets another chance at the next
				// insert.
				_ = x.grow(s, t)
			}
			return arena.Nil, nil
		}
		if err := x.grow(s, t); err != nil {
			return arena.Nil, err
		}
	}
}
