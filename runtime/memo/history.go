package memo

import (
	"slices"
	"sync"

	"github.com/cytisus/cytisus/runtime/db"
)

// A history is what changed last, for saying why answers had to be computed again.
type history struct {
	mu   sync.Mutex
	ring []pastChange // guarded by mu; full: next is the oldest
	next int          // guarded by mu
}

type pastChange struct {
	gen uint64
	db.Change
}

// historyKept is how many changes are remembered.
const historyKept = 1 << 12

// add takes down changes, oldest first.
func (h *history) add(noted []db.Noted) {
	h.mu.Lock()
	defer h.mu.Unlock()
	first, n := len(noted), 0
	for first > 0 && n < historyKept {
		first--
		n += len(noted[first].Changes)
	}
	for _, at := range noted[first:] {
		for _, c := range at.Changes[max(0, len(at.Changes)-historyKept):] {
			if len(h.ring) < historyKept {
				h.ring = append(h.ring, pastChange{at.Gen, c})
				continue
			}
			h.ring[h.next] = pastChange{at.Gen, c}
			h.next = (h.next + 1) % historyKept
		}
	}
}

// since returns for each key that is known to have changed after gen the record that it had then,
// as New.
func (h *history) since(gen uint64) []db.Change {
	h.mu.Lock()
	defer h.mu.Unlock()
	type place struct {
		part db.PartID
		key  string
	}
	seen := map[place]bool{}
	var out []db.Change
	for _, c := range slices.Concat(h.ring[h.next:], h.ring[:h.next]) {
		if at := (place{c.Part, c.Key}); c.gen > gen && !seen[at] {
			seen[at] = true
			out = append(out, db.Change{Part: c.Part, Key: c.Key, New: c.Old})
		}
	}
	return out
}
