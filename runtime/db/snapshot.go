package db

import (
	"math/rand/v2"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
)

// A Snapshot reads the versioned partitions in one generation. It may be used from many goroutines, and must be released: until then it
// keeps the trees of its generation and what they name.
type Snapshot struct {
	d        *DB
	st       *state
	shard    *shard
	released atomic.Bool
}

// A registry knows which generations are being read. It is split so that readers on different cores seldom meet.
type registry struct {
	shards [8]shard
}

type shard struct {
	mu   sync.Mutex
	pins []pin    // guarded by mu; generations ascend
	_    [64]byte // keeps neighbours' locks off this line
}

type pin struct {
	st *state
	n  int // snapshots
}

// Snapshot returns the newest generation.
func (d *DB) Snapshot() *Snapshot {
	sh := &d.pins.shards[rand.Uint32N(uint32(len(d.pins.shards)))]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	// Taken and registered under one lock: see "Snapshots" in the package comment.
	st := d.current.Load()
	if n := len(sh.pins); n > 0 && sh.pins[n-1].st == st {
		sh.pins[n-1].n++
	} else {
		sh.pins = append(sh.pins, pin{st, 1})
	}
	return &Snapshot{d: d, st: st, shard: sh}
}

// Release ends the snapshot. Releasing it again does nothing.
func (s *Snapshot) Release() {
	if !s.released.CompareAndSwap(false, true) {
		return
	}
	sh := s.shard
	sh.mu.Lock()
	defer sh.mu.Unlock()
	i := sort.Search(len(sh.pins), func(i int) bool { return sh.pins[i].st.gen >= s.st.gen })
	if i == len(sh.pins) || sh.pins[i].st != s.st {
		panic("db: invariant: a held snapshot is registered")
	}
	if sh.pins[i].n--; sh.pins[i].n == 0 {
		sh.pins = slices.Delete(sh.pins, i, i+1)
	}
}

// OldestSnapshot returns the generation of the oldest snapshot that is held, or the current one. A snapshot taken later is not older.
func (d *DB) OldestSnapshot() uint64 {
	oldest := d.Generation() // before the look at the shards
	for i := range d.pins.shards {
		sh := &d.pins.shards[i]
		sh.mu.Lock()
		if len(sh.pins) > 0 {
			oldest = min(oldest, sh.pins[0].st.gen)
		}
		sh.mu.Unlock()
	}
	return oldest
}

// Snapshots returns the number of snapshots that are held.
func (d *DB) Snapshots() int {
	n := 0
	d.pins.each(func(p pin) { n += p.n })
	return n
}

func (r *registry) each(fn func(pin)) {
	for i := range r.shards {
		sh := &r.shards[i]
		sh.mu.Lock()
		for _, p := range sh.pins {
			fn(p)
		}
		sh.mu.Unlock()
	}
}

// Gen returns the generation that s reads.
func (s *Snapshot) Gen() uint64 { return s.st.gen }

// LastChanged returns the generation of the newest change that s sees in a partition: 0 if there never was one, or no such versioned partition.
func (s *Snapshot) LastChanged(part PartID) uint64 {
	if t := s.st.tree(part); t != nil {
		return t.changed
	}
	return 0
}

// Get returns the record at key; false says that there is none.
func (s *Snapshot) Get(part PartID, key string) (Hash, bool, error) {
	root, err := s.root(part)
	if err != nil {
		return Hash{}, false, err
	}
	h, ok, err := get(s.d.st, root, key)
	return h, ok, s.d.explain(part, err)
}

// Range calls fn for every key with lo <= key < hi, in ascending or, if reverse, descending order, until fn returns false. An empty hi is no
// bound. On an error what fn was given is right, but not all there is. A key that is kept may keep its neighbours' memory, 60 keys at most.
func (s *Snapshot) Range(part PartID, lo, hi string, reverse bool, fn func(key string, h Hash) bool) error {
	root, err := s.root(part)
	if err != nil {
		return err
	}
	_, err = scan(s.d.st, root, lo, hi, reverse, fn)
	return s.d.explain(part, err)
}

// Count returns the number of keys with lo <= key < hi; an empty hi is no bound. It reads no more than the paths to the bounds.
func (s *Snapshot) Count(part PartID, lo, hi string) (uint64, error) {
	root, err := s.root(part)
	if err != nil {
		return 0, err
	}
	n, err := count(s.d.st, root, lo, hi)
	return n, s.d.explain(part, err)
}

func (s *Snapshot) root(part PartID) (*node, error) {
	if s.released.Load() {
		return nil, ErrReleased
	}
	if root := s.st.root(part); root != nil {
		return root, nil
	}
	// Empty, or not to be read here at all.
	def, err := s.d.catalog.Load().find(part)
	if err == nil && def.side {
		err = ErrPartitionKind
	}
	return nil, err
}
