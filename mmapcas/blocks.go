package mmapcas

import (
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/epoch"
)

// blockRoom is what a block has behind its bytes, so that the decoder need not be careful at their end.
const blockRoom = 64

// A block is the content of a packed block, off the Go heap where that is possible. Whoever loads its slot inside a pin may use it until
// the pin ends: a block that is taken out of its slot is retired, and its memory is used again two epochs later.
type block struct {
	data []byte
	mem  *arena.Block           // nil when data is the collector's to free
	slot *atomic.Pointer[block] // immutable; where it is while the cache has it
	used atomic.Bool            // since the clock's hand came by
}

// A blockCache bounds what is unpacked at a time. Which block goes is decided by a clock: one that was not used since the
// hand came by last. Blocks that have left wait for their readers; if too many do, since nobody's pin ends, or nobody
// collects the epochs, further ones are left to Go's collector, which needs no pins.
type blockCache struct {
	epochs *epoch.Domain
	limit  int64 // bytes; immutable

	hits, misses atomic.Int64
	retired      atomic.Int64 // bytes that wait for their readers

	mu      sync.Mutex
	flights map[*atomic.Pointer[block]]*flight // blocks being unpacked; guarded by mu
	clock   []*block                           // guarded by mu
	hand    int                                // guarded by mu
	held    int64                              // bytes of those in clock; guarded by mu
	spare   []*arena.Block                     // of the usual size; guarded by mu
	closed  bool                               // guarded by mu
}

// A flight is one unpacking, which everybody waits for who wants the block.
type flight struct {
	done   chan struct{}
	block  *block // nil if the block is damaged; written before done is closed
	reason string
}

func newBlockCache(d *epoch.Domain, limit int64) *blockCache {
	return &blockCache{epochs: d, limit: limit, flights: map[*atomic.Pointer[block]]*flight{}}
}

// get returns the block of a slot, which unpack makes into the memory that it is given. The caller holds a pin.
func (c *blockCache) get(slot *atomic.Pointer[block], bytes int, unpack func([]byte) (reason string)) (b *block, reason string) {
	if b := slot.Load(); b != nil {
		c.hits.Add(1)
		if !b.used.Load() {
			b.used.Store(true)
		}
		return b, ""
	}
	c.mu.Lock()
	if b := slot.Load(); b != nil {
		c.mu.Unlock()
		c.hits.Add(1)
		return b, ""
	}
	if f := c.flights[slot]; f != nil {
		c.mu.Unlock()
		<-f.done
		c.hits.Add(1)
		return f.block, f.reason
	}
	f := &flight{done: make(chan struct{}), reason: "block could not be unpacked"} // said if unpack panics
	c.flights[slot] = f
	c.mu.Unlock()
	c.misses.Add(1)
	defer func() {
		c.land(slot, f)
		close(f.done)
	}()
	b = c.alloc(bytes)
	b.slot = slot
	if f.reason = unpack(b.data); f.reason != "" {
		if b.mem != nil {
			c.reuse(b.mem) // nobody else has seen it
		}
		return nil, f.reason
	}
	f.block = b
	return b, ""
}

// land ends a flight.
func (c *blockCache) land(slot *atomic.Pointer[block], f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.flights, slot)
	b := f.block
	if b == nil {
		return
	}
	if c.closed || int64(cap(b.data)) > c.limit/4 {
		c.retireLocked(b)
		return
	}
	slot.Store(b)
	c.clock = append(c.clock, b)
	c.held += int64(cap(b.data))
	for c.held > c.limit {
		c.evictLocked()
	}
}

// evictLocked takes one block out of the cache. The caller holds mu, and there is one.
func (c *blockCache) evictLocked() {
	for {
		if c.hand >= len(c.clock) {
			c.hand = 0
		}
		b := c.clock[c.hand]
		if b.used.Swap(false) {
			c.hand++
			continue
		}
		last := len(c.clock) - 1
		c.clock[c.hand], c.clock[last] = c.clock[last], nil
		c.clock = c.clock[:last]
		c.held -= int64(cap(b.data))
		b.slot.Store(nil)
		c.retireLocked(b)
		return
	}
}

// retireLocked gives back the memory of a block, which is in no slot, when its readers have left.
func (c *blockCache) retireLocked(b *block) {
	if b.mem == nil {
		return
	}
	n := int64(b.mem.Len())
	c.retired.Add(n)
	c.epochs.Retire(int(n), func() {
		c.retired.Add(-n)
		c.reuse(b.mem)
	})
}

// alloc returns a block of so many bytes that is in no slot yet.
func (c *blockCache) alloc(bytes int) *block {
	const usual = packedBlockBytes + blockRoom
	if bytes+blockRoom <= usual && c.retired.Load() <= c.limit {
		c.mu.Lock()
		var mem *arena.Block
		if n := len(c.spare); n > 0 {
			mem = c.spare[n-1]
			c.spare = c.spare[:n-1]
		}
		c.mu.Unlock()
		if mem == nil {
			mem, _ = arena.NewBlock(usual) // without memory off the heap it is on it
		}
		if mem != nil {
			return &block{data: mem.Bytes()[:bytes], mem: mem}
		}
	}
	return &block{data: make([]byte, bytes, bytes+blockRoom)}
}

// reuse takes back memory that nobody uses any more.
func (c *blockCache) reuse(mem *arena.Block) {
	c.mu.Lock()
	keep := !c.closed && int64(len(c.spare)+1)*int64(mem.Len()) <= c.limit/4
	if keep {
		c.spare = append(c.spare, mem)
	}
	c.mu.Unlock()
	if !keep {
		_ = mem.Free() // unmapping what this package mapped does not fail
	}
}

// crowded reports whether so much waits for its readers that somebody should look whether they have left.
func (c *blockCache) crowded() bool { return c.retired.Load() > c.limit/4 }

// close gives everything back, what readers use when they have left.
func (c *blockCache) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, b := range c.clock {
		b.slot.Store(nil)
		c.retireLocked(b)
	}
	for _, mem := range c.spare {
		_ = mem.Free()
	}
	c.clock, c.spare, c.held = nil, nil, 0
}

// bytes returns how much is held at the moment.
func (c *blockCache) bytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held
}
