package index

import (
	"sync/atomic"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// change makes the entry of h that leads to from lead to to instead; to Nil drops it. It reports whether there was one.
func (x *Index) Change(h record.Hash, from, to arena.Addr) bool {
	if from == arena.Nil {
		return false // it would look like an empty slot
	}
	k := KeyOf(&h)
	s := x.shardFor(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := x.loadLocked(s)
	if err != nil {
		return false
	}
	if !x.changeIn(t, k, from, to) {
		return false
	}
	if to == arena.Nil {
		s.live.Add(-1)
	}
	return true
}

// changeIn is change in one table, for the owner of its shard's mutex.
func (x *Index) changeIn(t *table, k Key, from, to arena.Addr) bool {
	old := k.tag() | uint64(from)
	with := k.tag() | uint64(to)
	if to == arena.Nil {
		with = slotDead
	}
	for i := uint64(0); i <= t.mask; i++ {
		b := t.bucket(k.start() + i)
		for j := range b {
			switch b[j].Load() {
			case old:
				b[j].Store(with)
				return true
			case slotEmpty, slotFrozen:
				return false
			}
		}
	}
	return false
}

// dropUnreadable drops the entries that may be h's but lead to memory that faults.
func (x *Index) DropUnreadable(h record.Hash) {
	k := KeyOf(&h)
	s := x.shardFor(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, err := x.loadLocked(s); err == nil {
		s.live.Add(-x.dropUnreadableIn(t, k))
	}
}

// dropUnreadableIn is dropUnreadable in one table, for the owner of its shard's mutex. It returns
// how many it dropped.
func (x *Index) dropUnreadableIn(t *table, k Key) (dropped int64) {
	for i := uint64(0); i <= t.mask; i++ {
		b := t.bucket(k.start() + i)
		for j := range b {
			w := b[j].Load()
			if w == slotEmpty || w == slotFrozen {
				return dropped
			}
			if (w^k.tag())>>arena.AddrBits != 0 || !isEntry(w) {
				continue
			}
			err := x.arena.Confine(func() error {
				touch(x.arena.Bytes(arena.Addr(w&addrMask), record.HeaderBytes))
				return nil
			})
			if err != nil {
				b[j].Store(slotDead)
				dropped++
			}
		}
	}
	return dropped
}

// touch reads the first byte of b. It is not inlined, so that the read is not found to be useless.
//
//go:noinline
func touch(b []byte) byte { return b[0] }

// dropRange drops all entries that lead to addresses in [from, to).
func (x *Index) DropRange(from, to arena.Addr) {
	for i := range x.shards {
		s := &x.shards[i]
		s.mu.Lock()
		t, err := x.loadLocked(s)
		if err != nil {
			s.mu.Unlock()
			continue
		}
		for j := range t.slots {
			if w := t.slots[j].Load(); isEntry(w) && arena.Addr(w&addrMask) >= from && arena.Addr(w&addrMask) < to {
				t.slots[j].Store(slotDead)
				s.live.Add(-1)
			}
		}
		s.mu.Unlock()
	}
}

// eachOf calls fn for every entry of shard i. Entries that come and go meanwhile may be missed. The caller holds an epoch
// pin.
func (x *Index) Each(i int, fn func(Entry)) {
	s := &x.shards[i]
	t, err := x.load(s)
	if err != nil {
		return
	}
	for j := range t.slots {
		if w := t.slots[j].Load(); isEntry(w) {
			fn(Entry{Addr: arena.Addr(w & addrMask), word: w, slot: &t.slots[j], shard: s, table: t})
		}
	}
}

// An entry is one as it was met.
type Entry struct {
	Addr  arena.Addr
	word  uint64
	slot  *atomic.Uint64
	shard *shard
	table *table
}

// current reports whether the entry is still there.
func (e *Entry) Current() bool { return e.slot.Load() == e.word && e.shard.table.Load() == e.table }
