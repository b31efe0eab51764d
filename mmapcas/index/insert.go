package index

import (
	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// insert enters h at addr unless h has an entry, whose address it returns then. The caller holds an epoch pin, and the
// record at addr is complete.
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
			s.live.Add(1)
			if t.used.Add(1) > t.limit {
				// The entry is in; a table that cannot grow now gets another chance at the next insert.
				_ = x.grow(s, t)
			}
			return arena.Nil, nil
		}
		if err := x.grow(s, t); err != nil {
			return arena.Nil, err
		}
	}
}

// tryInsert reports done=false when t is full or frozen where k belongs.
func (x *Index) tryInsert(t *table, k Key, addr arena.Addr) (existing arena.Addr, done bool) {
	for i := uint64(0); i <= t.mask; i++ {
		b := t.bucket(k.start() + i)
		for j := 0; j < bucketSlots; {
			w := b[j].Load()
			switch {
			case w == slotEmpty:
				if b[j].CompareAndSwap(slotEmpty, k.tag()|uint64(addr)) {
					return arena.Nil, true
				}
				continue // the same slot again: whoever won may have entered k (S1)
			case w == slotFrozen:
				return arena.Nil, false
			case (w^k.tag())>>arena.AddrBits == 0 && isEntry(w) && x.keyAt(arena.Addr(w&addrMask)) == k:
				return arena.Addr(w & addrMask), true
			}
			j++
		}
	}
	return arena.Nil, false
}
