package index

// grow replaces t, the table of s, by one with room; it does nothing if that has happened. If
// memory for the new table is wanting, the old one stays frozen: it can be read, and inserts fail
// until growing succeeds.
func (x *Index) grow(s *shard, t *table) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table.Load() != t {
		return nil
	}
	t.freeze()
	n, err := x.rehash(t)
	if err != nil {
		return err
	}
	s.table.Store(n)
	x.epochs.Retire(t.block.Len(), func() { _ = t.block.Free() })
	return nil
}

// shrinkShare is how many slots for each entry a table may have after a collection. One that has
// grown has 4 at the most, a small one 6 (table.next). With twice as many a large one stays as it
// is where half of what there was became garbage, and does not grow again for the next half.
const shrinkShare = 8

// Shrink gives back the memory of tables that most entries have left.
func (x *Index) Shrink() {
	for i := range x.shards {
		x.shrinkShard(&x.shards[i])
	}
}

func (x *Index) shrinkShard(s *shard) {
	g := x.epochs.Pin() // rehash reads headers (S5)
	defer g.Unpin()
	t := s.table.Load()
	if t == nil || int64(len(t.slots)) <= shrinkShare*max(t.entries(), bucketsMin*bucketSlots) {
		return
	}
	// One that cannot be replaced for want of memory goes on, and is replaced at the next insert.
	_ = x.grow(s, t)
}
