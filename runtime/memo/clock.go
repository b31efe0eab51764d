package memo

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// A clock bounds the bytes of the entries, by the CLOCK rule as cache does. An entry that is
// evicted is forgotten, not lost: its traces were written before, and are loaded again when
// somebody asks for the key. What an eviction does lose is the traces beyond those that are stored
// (tracesStored), and how the key was last answered (Explain).
//
// Entries that are being evaluated, or have traces that are not written yet, stay; but while the
// store takes nothing the bound counts for more than the traces that it would have got.
type clock struct {
	bytesMax atomic.Int64
	bytes    atomic.Int64
	evicted  atomic.Uint64

	mu   sync.Mutex
	ring []*entry // guarded by mu
	hand int      // guarded by mu

	forgotten []*entry // guarded by Table.flushMu: evicted, and still to be told of

	inUse bool // guarded by Table.flushMu: the last trim could not evict as much as it was to
}

// What an entry, a trace, a read with its link, and a node take of the heap, beside strings.
const (
	placesBytes = 11 + 10 // in the index, and in the clock's ring
	entryBytes  = int(unsafe.Sizeof(entry{})) + placesBytes
	traceBytes  = int(unsafe.Sizeof(trace{}))
	readBytes   = int(unsafe.Sizeof(read{}) + unsafe.Sizeof(&source{}))
	nodeBytes   = int(unsafe.Sizeof(node{})) + placesBytes/2
	aboutBytes  = int(unsafe.Sizeof(about{}))
	boxedBytes  = 16 // of a value, behind its interface
)

// onHeap returns what a piece of n bytes takes of the heap, about.
func onHeap(n int) int { return (n + 15) &^ 15 }

// tight reports whether entries may have to make room soon.
func (c *clock) tight() bool { return c.bytes.Load() > c.bytesMax.Load()/4*3 }

func (c *clock) add(e *entry) {
	e.mu.Lock()
	c.weigh(e)
	e.mu.Unlock()
	c.mu.Lock()
	c.ring = append(c.ring, e)
	c.mu.Unlock()
}

// weigh counts e anew. The caller holds e.mu.
func (c *clock) weigh(e *entry) {
	if e.dead {
		return // not counted any more
	}
	n := entryBytes + onHeap(len(e.key()))
	for tr := e.traces; tr != nil; tr = tr.next {
		n += tr.size()
		for iv := tr.holds.Load(); iv != nil; iv = iv.next {
			if iv != &tr.firstInterval {
				n += int(unsafe.Sizeof(*iv))
			}
		}
	}
	n = min(n, math.MaxInt32)
	c.bytes.Add(int64(n) - int64(e.bytes))
	e.bytes = int32(n)
}

// size returns the bytes of tr but for intervals. The node of a key counts in full, although others
// may read it, and so do keys; the key of a query is that of the query's entry.
func (tr *trace) size() int {
	if n := tr.bytes.Load(); n != 0 {
		return int(n)
	}
	n := traceBytes
	if b := tr.basis.Load(); b != nil {
		n += b.size()
	}
	for i := range tr.reads {
		n += readBytes
		if !tr.reads[i].kind.asks() {
			n += nodeBytes + onHeap(len(tr.reads[i].key))
		}
		if tr.reads[i].kind.ranged() {
			n += aboutBytes + len(tr.reads[i].hi) + len(tr.reads[i].glob)
		}
		if tr.reads[i].kind == readPart {
			n += aboutBytes + len(tr.reads[i].name)
		}
	}
	if tr.own > 0 {
		n += onHeap(int(tr.own)) + boxedBytes
	}
	if g := tr.group; g != nil {
		for i := range g.results {
			n += readBytes + len(g.results[i].key)
		}
	}
	tr.bytes.Store(int32(min(n, math.MaxInt32)))
	return n
}

// trim evicts entries until they are within bounds, or twice round. The caller holds flushMu, so
// nothing is being written.
//
// Where the last one came to its end so, most entries were in use (a walk of a million levels has
// as many flights). Until some are not, a trim looks at a share only: what a Flush costs must not
// grow with what stays.
func (t *Table) trim() {
	c := &t.clock
	if c.bytes.Load() <= c.bytesMax.Load() {
		c.inUse = false
		return
	}
	if t.full {
		defer t.forgetDead()
	}
	c.mu.Lock()
	looks := 2 * len(c.ring)
	if c.inUse {
		looks = min(looks, looksInUse+len(c.ring)/16)
	}
	c.mu.Unlock()
	for more := true; more; {
		more = t.turn(&looks)
		t.tellEvicted(c.forgotten)
		c.forgotten = c.forgotten[:0]
	}
	c.forgotten = nil
	c.inUse = c.bytes.Load() > c.bytesMax.Load()
}

const (
	looksInUse    = 1 << 14
	looksTogether = 256 // before entries may be added again
)

// turn is some steps of trim: looks counts those that evict nothing. It reports whether there is
// more to do.
func (t *Table) turn(looks *int) bool {
	c := &t.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	for range looksTogether {
		if *looks <= 0 || len(c.ring) == 0 || c.bytes.Load() <= c.bytesMax.Load() {
			return false
		}
		if c.hand >= len(c.ring) {
			c.hand = 0
		}
		e := c.ring[c.hand]
		if e.untouch() || !t.evict(e) {
			*looks--
			c.hand++
			continue
		}
		if t.traces() {
			c.forgotten = append(c.forgotten, e)
		}
		last := len(c.ring) - 1
		c.ring[c.hand] = c.ring[last]
		c.ring[last] = nil
		c.ring = c.ring[:last]
	}
	return true
}

// forgetDead takes entries that were evicted off the list of what Flush writes.
func (t *Table) forgetDead() {
	t.dirtyMu.Lock()
	defer t.dirtyMu.Unlock()
	t.dirty = slices.DeleteFunc(t.dirty, func(e *entry) bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.dead
	})
}

// evict forgets e unless it is in use. The caller holds flushMu.
func (t *Table) evict(e *entry) bool {
	e.mu.Lock()
	if e.inUse() || e.dirty && !t.full {
		e.mu.Unlock()
		return false
	}
	e.dead = true
	t.clock.bytes.Add(-int64(e.bytes))
	traces := e.appendTraces(nil)
	t.cache.forget(traces...)
	for _, tr := range traces {
		e.takeOut(tr)
	}
	e.rare = nil
	e.last.Store(nil)
	e.mu.Unlock()
	t.letGo(e)
	for _, tr := range traces {
		t.unlink(tr)
	}
	t.forget(e)
	t.clock.evicted.Add(1)
	return true
}

// forget makes way for a new entry of a dead one's key.
func (t *Table) forget(e *entry) {
	if e.query.entries.remove(&e.source) {
		t.entries.Add(-1)
	}
}

// Residency is what a table keeps in memory.
type Residency struct {
	Entries        int    // keys
	Bytes          int64  // of the keys and their traces, estimated
	Evicted        uint64 // keys forgotten to stay within Options.TraceBytes
	DecodedBytes   int64  // results in decoded form, by their encoded size
	DecodedEvicted uint64 // of them, dropped to stay within Options.CacheBytes
	Unstored       uint64 // how often the store refused a key's traces, which stay in memory
	HeldBytes      int64  // of records that the store could not take, and that are tried again
}

// Residency returns what is in memory now.
func (t *Table) Residency() Residency {
	return Residency{
		Entries: t.Entries(), Bytes: t.clock.bytes.Load(), Evicted: t.clock.evicted.Load(),
		DecodedBytes: t.cache.bytes.Load(), DecodedEvicted: t.cache.evicted.Load(),
		Unstored: t.asides.unstored.Load(), HeldBytes: t.held.size(),
	}
}
