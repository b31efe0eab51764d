package mmapcas

import "github.com/cytisus/cytisus/arena"

// Shards that a file holds are read when somebody first asks for them. What Open finds behind the file's reach waits with its shard.

// load returns the table of a shard after reading it, unless somebody else has.
func (x *index) load(s *shard) (*table, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return x.loadLocked(s)
}

// loadLocked is load for whoever holds the shard's mutex. Without memory for the table the shard stays unread.
func (x *index) loadLocked(s *shard) (*table, error) {
	if t := s.table.Load(); t != nil {
		return t, nil
	}
	t, entries, err := x.saved.table(s.number)
	if err != nil {
		return nil, err
	}
	s.live.Add(entries - int64(x.saved.head.parts[s.number].entries))
	all := s.later
	for len(s.later) > 0 {
		if t.used.Load() >= t.limit {
			n, lost, err := x.rehash(t)
			if err != nil {
				s.later = all
				_ = t.block.Free()
				return nil, err
			}
			_ = t.block.Free()
			s.live.Add(-lost)
			t = n
		}
		x.enterLater(s, t)
	}
	s.later = nil
	s.table.Store(t)
	if x.saved.left.Add(-1) == 0 {
		x.saved.close()
	}
	return t, nil
}

// enterLater enters what waits for t, until t should grow. A name that t has already keeps its
// entry unless that leads to a damaged copy and this one is whole. The caller holds the mutex of s.
func (x *index) enterLater(s *shard, t *table) {
	for len(s.later) > 0 && t.used.Load() < t.limit {
		l := s.later[0]
		s.later = s.later[1:]
		if gained := x.enterCopy(t, &l.hash, l.at); gained < 1 {
			s.live.Add(gained - 1)
			x.saved.s.counters.live.Add(-l.bytes)
		}
	}
}

// enterCopy enters the copy of a record at an address into a table that is not published yet, and
// returns how many entries more the table has. A name that it has already keeps its entry, which
// leads to whichever copy is whole, or as before.
func (x *index) enterCopy(t *table, h *Hash, at arena.Addr) (gained int64) {
	k := keyOf(h)
	for range bucketSlots {
		var other arena.Addr
		done := false
		err := x.arena.Confine(func() error {
			other, done = x.tryInsert(t, k, at)
			return nil
		})
		switch {
		case err != nil:
			gained -= x.dropUnreadableIn(t, k) // an entry on the way leads to memory that failed
			continue
		case done && other == arena.Nil:
			t.used.Add(1)
			gained++
		case done && other != at && x.saved.s.rather(at, other):
			x.changeIn(t, k, other, at)
		}
		return gained
	}
	return gained
}

// enterAtLoad notes a record for a shard that is not in memory, and reports false if it is. Only Open calls it.
func (x *index) enterAtLoad(l located) bool {
	if x.saved == nil {
		return false
	}
	s := x.shardFor(keyOf(&l.hash))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table.Load() != nil {
		return false
	}
	s.later = append(s.later, l)
	s.live.Add(1)
	return true
}
