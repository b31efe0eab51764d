package db

import (
	"slices"
	"sort"
	"sync"
)

// A replacement says that a record gave way to another one, or to none, at one key.
type replacement struct {
	gen uint64 // the first generation in which it is gone
	old Hash
}

// replaced is the queue of replacements that nobody has asked for yet, in generation order.
type replaced struct {
	max     int // immutable
	mu      sync.Mutex
	notes   []replacement // guarded by mu
	dropped uint64        // guarded by mu
}

func (r *replaced) add(notes []replacement) {
	if len(notes) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, notes...)
	if over := len(r.notes) - r.max; over > r.max/8 {
		r.notes = slices.Delete(r.notes, 0, over)
		r.dropped += uint64(over)
	}
}

func (r *replaced) take(upTo uint64) []replacement {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := sort.Search(len(r.notes), func(i int) bool { return r.notes[i].gen > upTo })
	out := slices.Clone(r.notes[:n])
	r.notes = slices.Delete(r.notes, 0, n)
	return out
}

// Replaced calls fn for each record that a commit of this process replaced or removed at some key in a generation of at most upTo, once for each time, and
// forgets about it. With upTo = OldestSnapshot() no snapshot finds the record at that key any more; it may well be found at another. A collector
// that never asks loses the oldest notes (Options.ReplacedMax), so the notes are a hint and no proof of what is garbage.
func (d *DB) Replaced(upTo uint64, fn func(h Hash)) {
	for _, n := range d.old.take(upTo) {
		fn(n.old)
	}
}
