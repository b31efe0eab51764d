package index

import (
	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// Load reads a shard, unless it is in memory.
func (x *Index) Load(shard int) error {
	_, err := x.load(&x.shards[shard])
	return err
}

// load returns the table of a shard after reading it, unless another goroutine has.
func (x *Index) load(s *shard) (*table, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return x.loadLocked(s)
}

// loadLocked is load for the holder of the shard's mutex. Without memory for the table the shard
// stays unread.
func (x *Index) loadLocked(s *shard) (*table, error) {
	if t := s.table.Load(); t != nil {
		return t, nil
	}
	t, err := x.savedTable(s.number)
	if err != nil {
		return nil, err
	}
	all := s.later
	for len(s.later) > 0 {
		if t.used.Load() >= t.limit {
			n, err := x.rehash(t)
			if err != nil {
				s.later = all
				_ = t.block.Free()
				return nil, err
			}
			_ = t.block.Free()
			t = n
		}
		x.enterWaiting(s, t)
	}
	s.later = nil
	s.table.Store(t)
	if x.saved.left.Add(-1) == 0 {
		x.saved.Close()
	}
	return t, nil
}

// savedTable reads the table of a shard, or makes it from the records when its part is damaged.
func (x *Index) savedTable(i int) (t *table, err error) {
	t, damage, err := x.saved.table(i)
	if t != nil || err != nil {
		return t, err
	}
	x.records.Damaged(i, x.saved.at[i], damage)
	g := x.epochs.Pin()
	defer g.Unpin()
	type found struct {
		hash record.Hash
		at   arena.Addr
	}
	var all []found
	x.records.Walk(func(h record.Hash, at arena.Addr) {
		if ShardOf(h) == i {
			all = append(all, found{h, at})
		}
	})
	if t, err = newTable(bucketsFor(2 * int64(len(all)))); err != nil {
		return nil, err
	}
	for i := range all {
		x.enterCopy(t, &all[i].hash, all[i].at)
	}
	return t, nil
}

// EnterLater notes a record for a shard that is not in memory, and reports false if it is. Only an
// Open calls it.
func (x *Index) EnterLater(l Located) bool {
	if x.saved == nil {
		return false
	}
	s := x.shardFor(KeyOf(&l.Hash))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table.Load() != nil {
		return false
	}
	s.later = append(s.later, l)
	s.unread.Add(1)
	return true
}

// enterWaiting enters what waits for t, until t should grow. A name that t has already keeps its
// entry unless that leads to a damaged copy and this one is whole. The caller holds the mutex of s.
func (x *Index) enterWaiting(s *shard, t *table) {
	for len(s.later) > 0 && t.used.Load() < t.limit {
		l := s.later[0]
		s.later = s.later[1:]
		if !x.enterCopy(t, &l.Hash, l.At) {
			x.records.Superfluous(l.Bytes)
		}
	}
}

// enterCopy enters the copy of a record at an address into a table that is not published yet, and
// reports whether the table has an entry more. A name that it has already keeps its entry, which
// leads to whichever copy is whole, or as before.
func (x *Index) enterCopy(t *table, h *record.Hash, at arena.Addr) bool {
	gained := int64(0)
	k := KeyOf(h)
	for range bucketSlots {
		var other arena.Addr
		done := false
		err := x.arena.Confine(func() error {
			other, done = x.tryInsert(t, k, at)
			return nil
		})
		switch {
		case err != nil:
			dropped := x.dropUnreadableIn(t, k) // an entry on the way leads to memory that failed
			t.dead.Add(dropped)
			gained -= dropped
			continue
		case done && other == arena.Nil:
			t.used.Add(1)
			gained++
		case done && other != at && x.records.Rather(at, other):
			x.changeIn(t, k, other, at)
		}
		return gained > 0
	}
	return false
}
