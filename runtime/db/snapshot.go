package db

import (
	"fmt"
	"sync/atomic"
)

// A Snapshot reads the versioned partitions in one generation. It may be used from many goroutines,
// and must be released: until then it keeps the trees of its generation and what they name.
type Snapshot struct {
	d        *DB
	st       *state
	pin      *atomic.Int64 // one of st's counters
	released atomic.Bool

	supposed bool // immutable: see Supposing. It has no pin
}

// Snapshot returns the newest generation. It takes no lock.
func (d *DB) Snapshot() *Snapshot {
	for {
		st := d.current.Load()
		n := st.pins.shard()
		n.Add(1)
		// If st is current now, whoever looks for states to forget from now on sees the counter:
		// see "Snapshots" in the package comment.
		if d.current.Load() == st {
			return &Snapshot{d: d, st: st, pin: n}
		}
		d.unpin(st, n)
	}
}

// Glance makes s the newest generation without holding it: it tells which that is and when
// partitions changed (Gen, LastChanged). Reading it is ErrReleased, and it need not be released.
// Unlike Snapshot it costs no memory and no counter.
func (d *DB) Glance(s *Snapshot) {
	s.d, s.st = d, d.current.Load()
	s.released.Store(true)
}

// SnapshotAt returns a generation of the past, or the newest: one of the Options.History
// generations before the newest, or one of which a snapshot is held. Others are ErrGone.
func (d *DB) SnapshotAt(gen uint64) (*Snapshot, error) {
	st, n, ok := d.live.pin(gen)
	if !ok {
		return nil, fmt.Errorf("%w: %d, the newest is %d", ErrGone, gen, d.Generation())
	}
	return &Snapshot{d: d, st: st, pin: n}, nil
}

// Release ends the snapshot. Releasing it again does nothing.
func (s *Snapshot) Release() {
	if s.released.CompareAndSwap(false, true) && !s.supposed {
		s.d.unpin(s.st, s.pin)
	}
}

func (d *DB) unpin(st *state, n *atomic.Int64) {
	// After the counter: if st is current still, whoever replaces it sees the counter.
	if n.Add(-1) == 0 && d.current.Load() != st {
		d.live.forget(st)
	}
}

// OldestSnapshot returns the generation of the oldest snapshot that is held, or can still be taken
// because of Options.History; without any it is the current one. A snapshot taken later is not
// older.
func (d *DB) OldestSnapshot() uint64 {
	return d.live.oldest(d.Generation()) // which is read before the counters
}

// Snapshots returns the number of snapshots that are held.
func (d *DB) Snapshots() int {
	n := int64(0)
	for _, st := range d.live.all() {
		n += st.pins.count()
	}
	return int(n)
}

// Gen returns the generation that s reads.
func (s *Snapshot) Gen() uint64 { return s.st.gen }

// LastChanged returns the generation of the newest change that s sees in a partition: 0 if there
// never was one, or no such versioned partition.
func (s *Snapshot) LastChanged(part PartID) uint64 {
	if t := s.st.tree(part); t != nil {
		return t.changed
	}
	return 0
}

// Get returns the record at key; false says that there is none.
func (s *Snapshot) Get(part PartID, key string) (Hash, bool, error) {
	t := s.st.tree(part)
	if t.empty() || s.released.Load() {
		_, err := s.tree(part)
		return Hash{}, false, err
	}
	h, ok, err := s.d.get(t, s.st.gen, part, key)
	if err != nil {
		err = s.d.explain(part, err)
	}
	return h, ok, err
}

// GetBatch appends the records at keys to out, in their order; the zero Hash says that there is
// none. Sorted keys are read quickest. On an error it returns out as it was.
func (s *Snapshot) GetBatch(part PartID, keys []string, out []Hash) ([]Hash, error) {
	t, err := s.tree(part)
	if err != nil {
		return out, err
	}
	all, err := s.d.getBatch(t, s.st.gen, part, keys, out)
	if err != nil {
		return out, s.d.explain(part, err)
	}
	return all, nil
}

// Scan calls fn for the entries of a span, in its direction, until fn returns false or the limit is
// reached. On an error what fn was given is right, but not all there is. A key that is kept may
// keep its neighbours' memory, 60 keys at most.
func (s *Snapshot) Scan(part PartID, sp Span, fn func(key string, h Hash) bool) error {
	t, err := s.tree(part)
	if err != nil {
		return err
	}
	return s.d.explain(part, scanTree(s.d.st, t, sp, fn))
}

// ScanBytes is Scan with keys that are valid, and to be left alone, until fn returns. It allocates
// nothing for an entry or a leaf, and ends with ErrReleased once the snapshot is released.
func (s *Snapshot) ScanBytes(part PartID, sp Span, fn func(key []byte, h Hash) bool) error {
	c := s.Cursor(part, sp)
	for c.Next() {
		if !fn(c.Bytes(), c.Hash()) {
			return nil
		}
	}
	return c.Err()
}

// Range is Scan for every key with lo <= key < hi; an empty hi is no bound.
func (s *Snapshot) Range(part PartID, lo, hi string, reverse bool, fn func(key string, h Hash) bool) error {
	return s.Scan(part, Span{Lo: lo, Hi: hi, Reverse: reverse}, fn)
}

// An Entry is a key and its record.
type Entry struct {
	Key  string
	Hash Hash
}

// Page appends the first n entries of a span to out, fewer at its end, and returns the span of
// those behind them and whether there are any. The rest may be read from this snapshot, or from a
// later one, where it holds what lies behind the last key then.
func (s *Snapshot) Page(part PartID, sp Span, n int, out []Entry) (page []Entry, rest Span, more bool, err error) {
	before, ask := len(out), sp
	if n = max(n, 1); sp.Limit > 0 {
		n = min(n, sp.Limit)
	}
	ask.Limit = n + 1 // one more, to know whether there is one
	page = out
	err = s.Scan(part, ask, func(key string, h Hash) bool {
		if len(page)-before == n {
			more = true
			return false
		}
		page = append(page, Entry{key, h})
		return true
	})
	rest = nothing
	if err != nil {
		return out, sp, true, err
	}
	if more = more && n != sp.Limit; more {
		rest = sp.After(page[len(page)-1].Key)
		if sp.Limit > 0 {
			rest.Limit = sp.Limit - n
		}
	}
	return page, rest, more, nil
}

// Count returns the number of keys with lo <= key < hi; an empty hi is no bound. It reads no more
// than the paths to the bounds.
func (s *Snapshot) Count(part PartID, lo, hi string) (uint64, error) {
	t, err := s.tree(part)
	if err != nil {
		return 0, err
	}
	n, err := countTree(s.d.st, t, Span{Lo: lo, Hi: hi})
	return n, s.d.explain(part, err)
}

func (s *Snapshot) tree(part PartID) (*tree, error) {
	if s.released.Load() {
		return nil, ErrReleased
	}
	if t := s.st.tree(part); !t.empty() {
		return t, nil
	}
	// Empty, or not to be read here at all.
	def, err := s.d.catalog.Load().find(part)
	if err == nil && def.side {
		err = ErrPartitionKind
	}
	return nil, err
}
