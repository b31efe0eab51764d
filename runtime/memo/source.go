package memo

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// A source is something that answers rest on: a key's entry, or a node. Its lock is held for a few
// instructions, and no other lock is taken under it.
type source struct {
	// changed is the newest generation of a change that may touch it. It only grows, and under mu.
	changed atomic.Uint64

	text *byte                  // immutable, as length is: of the entry's key, or the record's; see key
	next atomic.Pointer[source] // the index's, as print is

	// Who to tell: most sources have one dependent at most. It is an *entry; with many it is an
	// *[]*entry, of two and more; nil: there is none.
	dependents unsafe.Pointer // guarded by mu

	mu      sync.Mutex
	print   uint32
	length  uint16
	isEntry bool  // immutable: it is the source of an entry, its first field; else it is a node
	status  uint8 // guarded by mu: hasMany, isGone
}

const (
	hasMany = 1 << iota // dependents
	isGone              // an entry that was forgotten, a node that was taken out (R6)
)

func (x *source) many() bool { return x.status&hasMany != 0 }
func (x *source) gone() bool { return x.status&isGone != 0 }

// key returns the key of the entry or the record; a range has none.
func (x *source) key() string { return unsafe.String(x.text, int(x.length)) }

// setKey gives a new source its key, of at most db.MaxKeyBytes. The bytes never change, and stay as
// long as the source does.
func (x *source) setKey(key string) { x.text, x.length = unsafe.StringData(key), uint16(len(key)) }

// A node is a key of a partition, or a range, that was read.
type node = source

// never is the generation of a change that has not been and will not be. A node has it that nothing
// has been linked to yet (R7), and whatever is gone.
const never = math.MaxUint64

// links are the sources that each read of a trace was linked to: each of them has the entry of the
// trace among its dependents. Immutable. It is the first of a row of as many as the trace has
// reads: a length of its own would be the same number once more for each answer.
type links struct{ first *source }

// noLinks are the links of all traces without a read, printLinks those of all that are linked to
// the prints of their basis instead (R16).
var noLinks, printLinks links

// ofReads reports whether they say what each read was linked to.
func (l *links) ofReads() bool { return l != nil && l != &printLinks }

func linksOf(row []*source) *links {
	if len(row) == 0 {
		return &noLinks
	}
	return (*links)(unsafe.Pointer(unsafe.SliceData(row)))
}

// row returns what was given to linksOf, of which the caller knows the length.
func (l *links) row(n int) []*source {
	if n == 0 {
		return nil
	}
	return unsafe.Slice(&l.first, n)
}

// raise raises changed, and reports whether gen is news. The caller holds mu.
func (x *source) raise(gen uint64) bool {
	if x.changed.Load() >= gen {
		return false
	}
	x.changed.Store(gen)
	return true
}

// link adds e to the dependents and returns when the source changed last. It reports false if the
// source is gone: nothing was linked then.
func (t *Table) link(x *source, e *entry) (changed uint64, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.gone() {
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

// count returns how many dependents there are. The caller holds mu.
func (x *source) count() int {
	switch {
	case x.dependents == nil:
		return 0
	case x.many():
		return len(*(*[]*entry)(x.dependents))
	}
	return 1
}

// appendTo appends the dependents to a list. The caller holds mu.
func (x *source) appendTo(list []*entry) []*entry {
	switch {
	case x.dependents == nil:
		return list
	case x.many():
		return append(list, *(*[]*entry)(x.dependents)...)
	}
	return append(list, (*entry)(x.dependents))
}

// set makes the dependents those of a list, which the source keeps. The caller holds mu.
func (x *source) set(list []*entry) {
	x.status &^= hasMany
	switch len(list) {
	case 0:
		x.dependents = nil
	case 1:
		x.dependents = unsafe.Pointer(list[0])
	default:
		kept := list // or one would be allocated for each call
		x.dependents = unsafe.Pointer(&kept)
		x.status |= hasMany
	}
}

// append adds a dependent. A list that would have to grow is first rid of entries that are gone and
// of those that are in it twice. The caller holds mu.
func (x *source) append(e *entry) {
	if x.many() {
		if list := *(*[]*entry)(x.dependents); len(list) >= manyDependents && len(list) == cap(list) {
			x.tidy()
		}
	}
	if x.many() {
		list := (*[]*entry)(x.dependents)
		*list = append(*list, e)
		return
	}
	first := (*entry)(x.dependents)
	if first == nil || first == e || first.changed.Load() == never {
		x.dependents = unsafe.Pointer(e)
		return
	}
	x.set([]*entry{first, e})
}

// tidy takes entries that are gone, and repetitions, out of the dependents. The caller holds mu.
func (x *source) tidy() {
	n := x.count()
	const few = 8
	var seen map[*entry]struct{}
	if n > few {
		seen = make(map[*entry]struct{}, n)
	}
	list := x.appendTo(make([]*entry, 0, n))
	kept := list[:0]
	for _, e := range list {
		if e.changed.Load() == never {
			continue
		}
		if seen == nil {
			if slices.Contains(kept, e) {
				continue
			}
		} else if _, twice := seen[e]; twice {
			continue
		} else {
			seen[e] = struct{}{}
		}
		kept = append(kept, e)
	}
	if len(kept) == n {
		return
	}
	x.set(slices.Clone(kept))
}

// let marks a source as gone and returns who is to be told. The caller holds Table.markMu.
func (x *source) let() (dependents []*entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	dependents = x.appendTo(nil)
	x.set(nil)
	x.status |= isGone
	x.changed.Store(never)
	return dependents
}
