package db

import (
	"sort"
	"sync"
)

// A replacement says that a record gave way to another one, or to none, at one key.
type replacement struct {
	gen uint64 // the first generation in which it is gone
	old Hash
}

// noteBlock is the most notes of one block.
const noteBlock = 1024

// replaced is the queue of replacements that nobody has asked for yet, in generation order. It lies
// in blocks, so that it grows without being copied.
type replaced struct {
	max     int // immutable
	mu      sync.Mutex
	blocks  [][]replacement // guarded by mu; none is empty
	n       int             // guarded by mu: notes in all blocks
	dropped uint64          // guarded by mu
}

// add notes what the changes of one generation replaced.
func (r *replaced) add(gen uint64, changes []Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.blocks) - 1
	for i := range changes {
		if changes[i].Old.IsZero() {
			continue
		}
		if last < 0 || len(r.blocks[last]) == cap(r.blocks[last]) {
			r.blocks = append(r.blocks, make([]replacement, 0, min(max(r.max/8, 1), noteBlock)))
			last++
		}
		r.blocks[last] = append(r.blocks[last], replacement{gen, changes[i].Old})
		r.n++
	}
	for len(r.blocks) > 0 && r.n-len(r.blocks[0]) >= r.max {
		n := len(r.blocks[0])
		r.n -= n
		r.dropped += uint64(n)
		r.blocks = r.blocks[1:]
	}
}

// take returns notes of generations up to one, the oldest first, at most so many, and no more than
// are in one block: none if there are no more. Nothing is copied.
func (r *replaced) take(upTo uint64, most int) []replacement {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.blocks) == 0 {
		return nil
	}
	b := r.blocks[0]
	n := sort.Search(len(b), func(i int) bool { return b[i].gen > upTo })
	n = min(n, most)
	r.n -= n
	if n < len(b) {
		r.blocks[0] = b[n:]
	} else {
		r.blocks = r.blocks[1:]
	}
	return b[:n:n]
}

// waiting returns how many notes are there, and how many were dropped.
func (r *replaced) waiting() (n int, dropped uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n, r.dropped
}

// Replaced calls fn for each record that a commit of this process replaced or removed at some key
// in a generation of at most upTo, once for each time, and forgets about it, but for no more than
// most of them. With upTo = OldestSnapshot() no snapshot finds the record at that key any more; it
// may well be found at another. A collector that never asks loses the oldest notes
// (Options.ReplacedMax), so the notes are a hint and no proof of what is garbage.
func (d *DB) Replaced(upTo uint64, most int, fn func(h Hash)) {
	for most > 0 {
		notes := d.old.take(upTo, most)
		if len(notes) == 0 {
			return
		}
		for i := range notes {
			fn(notes[i].old)
		}
		most -= len(notes)
	}
}
