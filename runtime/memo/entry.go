package memo

import (
	"math/bits"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

// An entry is one key of one query. There are as many as answers in memory: what few of them have
// is in rare, and a test says what one takes (TestBytesOfAnAnswer).
type entry struct {
	source        // first, for asEntry
	told   uint64 // guarded by source.mu: the newest generation that its dependents were told of
	seen   uint64 // guarded by source.mu: the newest generation of a walk or run that was published

	query *Query
	last  atomic.Pointer[trace] // the trace that answered most recently: the fast path

	mu      sync.Mutex
	traces  *trace  // guarded by mu, as trace.next and trace.kept are: the one used last (M3)
	flights *flight // guarded by mu, as flight.next is: not done
	rare    *rare   // guarded by mu; nil: it has none of that

	state       atomic.Uint32 // wasUsed, toLink, and a place in walls.at, from 1; see wall
	bytes       int32         // guarded by mu: as counted in clock.bytes
	tracesAdded uint32        // guarded by mu: how many traces were ever added, by runs
	loaded      bool          // guarded by mu: the stored traces were read
	dirty       bool          // guarded by mu: is in Table.dirty
	dead        bool          // guarded by mu: evicted; whoever comes here looks for the key's new entry
	why         Verdict       // guarded by mu: how it was answered last
}

// A rare is what few entries have.
type rare struct {
	why  Reason // how it was answered last, if there is more to say than a verdict
	lone int    // flights that are not in flights (Strand.lone)
}

const (
	wasUsed  = 1 << 31 // set by readers, cleared by the clock's hand
	toLink   = 1 << 30 // the next answer comes from a walk or a run (R15), which clears it
	wallMask = toLink - 1
)

// newEntry returns an empty entry. A key that is not long is one piece of memory with it. passing
// says that the key is valid during the call only.
func newEntry(q *Query, key string, passing bool) (e *entry) {
	text := []byte(nil)
	switch n := len(key); {
	case n <= 16:
		x := &struct {
			entry
			text [16]byte
		}{}
		e, text = &x.entry, x.text[:n]
	case n <= 32:
		x := &struct {
			entry
			text [32]byte
		}{}
		e, text = &x.entry, x.text[:n]
	default:
		e = &entry{}
		if passing {
			key = strings.Clone(key)
		}
	}
	if text != nil {
		copy(text, key)
		key = transient(text)
	}
	e.setKey(key)
	e.isEntry, e.query = true, q
	return e
}

// asEntry returns the entry of which x is the source, nil if it is a node. The source of an entry
// is its first field, and made only with it (newEntry).
func (x *source) asEntry() *entry {
	if x == nil || !x.isEntry {
		return nil
	}
	return (*entry)(unsafe.Pointer(x))
}

// entry returns the entry of a key, nil if there is none.
func (q *Query) entry(key string) *entry { return q.entries.load(key).asEntry() }

// keyOf returns what e is the entry of, by which what outlives it is found.
func (e *entry) keyOf() KeyOf { return KeyOf{e.query, e.key()} }

// touch tells the clock that e is in use.
func (e *entry) touch() {
	if e.state.Load()&wasUsed == 0 {
		e.state.Or(wasUsed)
	}
}

// untouch reports whether e was used since it was called last.
func (e *entry) untouch() bool {
	return e.state.Load()&wasUsed != 0 && e.state.And(^uint32(wasUsed))&wasUsed != 0
}

// isWall reports whether marks stop at e.
func (e *entry) isWall() bool { return e.state.Load()&wallMask != 0 }

// wallBit returns the bit of e if it is a wall, or 0.
func (e *entry) wallBit() wallSet {
	if at := e.state.Load() & wallMask; at != 0 {
		return 1 << (at - 1)
	}
	return 0
}

// setWall makes e the wall at a place of walls.at, for good. The caller holds Table.markMu and
// source.mu.
func (e *entry) setWall(at int) { e.state.Or(uint32(at) + 1) }

// wall returns what e has as a wall, nil if it is none, or forgotten.
func (e *entry) wall() *wall {
	bit := e.wallBit()
	if bit == 0 {
		return nil
	}
	if w := e.query.table.walls.at[bits.TrailingZeros64(uint64(bit))].Load(); w != nil && w.entry == e {
		return w
	}
	return nil // it is that of the entry that came after
}

// appendTraces appends the traces, those used last first. The caller holds e.mu.
func (e *entry) appendTraces(to []*trace) []*trace {
	for tr := e.traces; tr != nil; tr = tr.next {
		to = append(to, tr)
	}
	return to
}

// takeOut takes a trace out of the traces, and reports whether it was there. The caller holds e.mu.
func (e *entry) takeOut(tr *trace) bool {
	for at := &e.traces; *at != nil; at = &(*at).next {
		if *at == tr {
			*at, tr.next, tr.kept = tr.next, nil, false
			return true
		}
	}
	return false
}

// keptTrace returns the trace whose result the collector keeps: the first, unless that was lost.
// The caller holds e.mu.
func (e *entry) keptTrace() *trace {
	if e.traces != nil && e.traces.kept {
		return e.traces
	}
	return nil
}

// setWhy says how e was answered last. The caller holds e.mu.
func (e *entry) setWhy(why Reason) {
	e.why = why.Verdict
	if why != (Reason{Verdict: why.Verdict}) {
		e.needRare().why = why
	} else if e.rare != nil {
		e.rare.why = Reason{}
		e.tidyRare()
	}
}

// reason returns how e was answered last. The caller holds e.mu.
func (e *entry) reason() Reason {
	if e.rare != nil && e.rare.why.Verdict != Unknown {
		return e.rare.why
	}
	return Reason{Verdict: e.why}
}

// addLone counts flights that are not in flights. The caller holds e.mu.
func (e *entry) addLone(n int) {
	e.needRare().lone += n
	e.tidyRare()
}

// inUse reports whether e is being evaluated. The caller holds e.mu.
func (e *entry) inUse() bool { return e.flights != nil || e.rare != nil && e.rare.lone > 0 }

func (e *entry) needRare() *rare {
	if e.rare == nil {
		e.rare = &rare{}
	}
	return e.rare
}

func (e *entry) tidyRare() {
	if *e.rare == (rare{}) {
		e.rare = nil
	}
}
