package memo

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// A source is something that answers rest on: a key's entry, or a node. Its lock is held for a few
// instructions, and no other lock is taken under it.
type source struct {
	// changed is the newest generation of a change that may touch it. It only grows, and under mu.
	changed atomic.Uint64

	entry *entry // immutable; nil: a node

	mu         sync.Mutex
	dependents []*entry  // guarded by mu: who to tell; what is before its end is not written again
	first      [1]*entry // where dependents begins: most sources have one
	gone       bool      // guarded by mu: an entry that was forgotten, a node that was taken out (R6)
}

// never is the generation of a change that has not been and will not be. A node has it that nothing
// has been linked to yet (R7), and whatever is gone.
const never = math.MaxUint64

// A node is a key of a partition, or a range, that was read.
type node struct {
	source
	told uint64 // guarded by Table.markMu: the newest generation that its dependents were told of
}

// links are the sources that each read of a trace was linked to: each of them has the entry of the
// trace among its dependents. Immutable.
type links struct{ to []*source }

// raise raises changed. The caller holds mu.
func (x *source) raise(gen uint64) {
	if x.changed.Load() < gen {
		x.changed.Store(gen)
	}
}

// link adds e to the dependents and returns when the source changed last. It reports false if the
// source is gone: nothing was linked then.
func (t *Table) link(x *source, e *entry) (changed uint64, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.gone {
		return 0, false
	}
	x.append(e)
	changed = x.changed.Load()
	if changed == never { // R7: a strand that takes later commits finds the dependent here
		changed = t.taken.Load()
		x.changed.Store(changed)
	}
	return changed, true
}

// pull is link for a source that e is linked to.
func (x *source) pull() (changed uint64, ok bool) {
	changed = x.changed.Load()
	return changed, changed != never
}

// manyDependents is where a list is first looked through for what it need not hold.
const manyDependents = 4

// append adds a dependent. A list that would have to grow is first rid of entries that are gone and
// of those that are in it twice, in a copy, as others may be reading it. The caller holds mu.
func (x *source) append(e *entry) {
	if len(x.dependents) == cap(x.dependents) && len(x.dependents) >= manyDependents {
		x.dependents = tidied(x.dependents)
	}
	x.dependents = append(x.dependents, e)
}

// tidied returns a list without entries that are gone and without repetitions: the list itself if
// it has none, or a copy.
func tidied(list []*entry) []*entry {
	const few = 8
	var seen map[*entry]struct{}
	if len(list) > few {
		seen = make(map[*entry]struct{}, len(list))
	}
	needless := func(i int) bool {
		e := list[i]
		if e.changed.Load() == never {
			return true
		}
		if seen == nil {
			return slices.Contains(list[:i], e)
		}
		_, twice := seen[e]
		seen[e] = struct{}{}
		return twice
	}
	for i := range list {
		if !needless(i) {
			continue
		}
		kept := append(make([]*entry, 0, len(list)), list[:i]...)
		for i++; i < len(list); i++ {
			if !needless(i) {
				kept = append(kept, list[i])
			}
		}
		return kept
	}
	return list
}

// let marks a source as gone and returns who is to be told. The caller holds Table.markMu.
func (x *source) let() (dependents []*entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	dependents, x.dependents = x.dependents, nil
	x.gone = true
	x.changed.Store(never)
	return dependents
}
