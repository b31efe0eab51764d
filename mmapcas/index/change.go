package index

import (
	"sync/atomic"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// Change makes the entry of h that leads to from lead to to instead; to Nil drops it. It reports
// whether there was one.
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
		t.dead.Add(1)
	}
	return true
}

// DropIf drops the entry of h that leads to at if agreed says so, which is asked once, and only if
// there is such an entry, and must be quick and take no lock: others wait meanwhile who change
// entries. It reports whether there was the entry, and whether it is dropped.
func (x *Index) DropIf(h record.Hash, at arena.Addr, agreed func() bool) (there, dropped bool) {
	if at == arena.Nil {
		return false, false
	}
	k := KeyOf(&h)
	s := x.shardFor(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := x.loadLocked(s)
	if err != nil {
		return false, false
	}
	slot := t.slotWith(k, at)
	if slot == nil {
		return false, false
	}
	if !agreed() {
		return true, false
	}
	slot.Store(slotDead)
	t.dead.Add(1)
	return true, true
}

// DropUnreadable drops the entries that may be h's but lead to memory that faults.
func (x *Index) DropUnreadable(h record.Hash) {
	k := KeyOf(&h)
	s := x.shardFor(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, err := x.loadLocked(s); err == nil {
		t.dead.Add(x.dropUnreadableIn(t, k))
	}
}

// DropRange drops all entries that lead to addresses in [from, to).
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
				t.dead.Add(1)
			}
		}
		s.mu.Unlock()
	}
}

// Each calls fn for every entry of shard i. Entries that come and go meanwhile may be missed. The
// caller holds an epoch pin.
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

// An Entry is one as it was met.
type Entry struct {
	Addr  arena.Addr
	word  uint64
	slot  *atomic.Uint64
	shard *shard
	table *table
}

// Current reports whether the entry is still there.
func (e *Entry) Current() bool { return e.slot.Load() == e.word && e.shard.table.Load() == e.table }
