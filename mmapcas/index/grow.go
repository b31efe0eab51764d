package index

import (
	"sync/atomic"

	"github.com/cytisus/cytisus/arena"
)

// grow replaces t, the table of s, by one with room; it does nothing if that has happened. If memory for the new table
// is wanting, the old one stays frozen: it can be read, and inserts fail until growing succeeds.
func (x *Index) grow(s *shard, t *table) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table.Load() != t {
		return nil
	}
	for i := range t.slots {
		if t.slots[i].Load() == slotEmpty {
			t.slots[i].CompareAndSwap(slotEmpty, slotFrozen)
		}
	}
	n, lost, err := x.rehash(t)
	if err != nil {
		return err
	}
	s.live.Add(-lost)
	s.table.Store(n)
	x.epochs.Retire(t.block.Len(), func() { _ = t.block.Free() })
	return nil
}

// shrinkShare is how much larger than its entries a table may be after a collection.
const shrinkShare = 8

// shrink gives back the memory of tables that most entries have left.
func (x *Index) Shrink() {
	for i := range x.shards {
		x.shrinkShard(&x.shards[i])
	}
}

func (x *Index) shrinkShard(s *shard) {
	g := x.epochs.Pin() // rehash reads headers (S5)
	defer g.Unpin()
	t := s.table.Load()
	if t == nil || int64(len(t.slots)) <= shrinkShare*max(s.live.Load(), bucketsMin*bucketSlots) {
		return
	}
	// One that cannot be replaced for want of memory goes on, and is replaced at the next insert.
	_ = x.grow(s, t)
}

// rehash returns a table with room for twice the entries of t, into which nobody inserts meanwhile, and how many were
// lost because their records cannot be read.
func (x *Index) rehash(t *table) (n *table, lost int64, err error) {
	var entries int64
	for i := range t.slots {
		if isEntry(t.slots[i].Load()) {
			entries++
		}
	}
	// Room for twice the entries: a table full of dead ones does not grow.
	if n, err = newTable(bucketsFor(2 * entries)); err != nil {
		return nil, 0, err
	}
	for i := 0; i < len(t.slots); i++ {
		fetched := i
		// The place of an entry is in the record's header. One that cannot be read is damaged, and dropped.
		err := x.arena.Confine(func() error {
			for ; i < len(t.slots); i++ {
				if i >= fetched {
					x.fetchHeaders(t.slots[i:min(i+growAhead, len(t.slots))])
					fetched = i + growAhead
				}
				if w := t.slots[i].Load(); isEntry(w) {
					n.copyEntry(x.keyAt(arena.Addr(w&addrMask)).start(), w)
				}
			}
			return nil
		})
		if err != nil {
			lost++
		}
	}
	return n, lost, nil
}

// growAhead is how many slots grow looks ahead.
const growAhead = 32

// fetchHeaders brings the headers that entries lead to into the cache without waiting for each.
func (x *Index) fetchHeaders(slots []atomic.Uint64) {
	sum := uint64(0)
	for i := range slots {
		if w := slots[i].Load(); isEntry(w) {
			sum ^= x.keyAt(arena.Addr(w & addrMask)).lo
		}
	}
	sink(byte(sum))
}
