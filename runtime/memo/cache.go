package memo

import (
	"sync"
	"sync/atomic"
)

// A cache bounds the bytes of decoded results that traces hold, by the CLOCK rule (Corbató, 1968):
// a hand goes round and drops the first value that was not used since it last came by. Readers only
// set a bit.
//
// A trace that leaves its entry takes its value out of the cache (M7): nothing asks for it any
// more, and a ring of what is superseded would keep values, traces and what these read until the
// bound is reached, one for each edit.
//
// A tiny value is not in the cache: to bring it back would need more memory than it takes. It stays
// with its trace, and counts with that.
type cache struct {
	bytesMax atomic.Int64
	tinyMax  int // bytes of a stored result that is tiny
	bytes    atomic.Int64
	evicted  atomic.Uint64

	mu      sync.Mutex
	ring    []*cached          // guarded by mu
	hand    int                // guarded by mu
	batches map[*trace]*cached // guarded by mu: all are in the ring
}

const tinyBytes = 32

// A box is a decoded result that a trace has; immutable.
type box struct {
	value  any
	cached *cached // nil: the value stays with its trace
}

// A cached is a box in the cache.
type cached struct {
	box
	owner *trace
	bytes int
	used  atomic.Bool // set by readers, cleared by the cache's hand
	place int32       // guarded by cache.mu: in the ring, from 1; 0: it is not in the ring
}

// use tells the cache that the value is in use.
func (b *box) use() {
	if c := b.cached; c != nil && !c.used.Load() {
		c.used.Store(true)
	}
}

// put publishes a decoded value on its trace and makes room for it. The value stays with the trace
// unless it alone is larger than the whole cache, or the trace has left its entry.
func (c *cache) put(tr *trace, value any, bytes int) *box {
	if bytes <= c.tinyMax {
		b := &box{value: value}
		if !tr.value.CompareAndSwap(nil, b) {
			return tr.value.Load()
		}
		return b
	}
	b := &cached{owner: tr, bytes: bytes + boxOverheadBytes}
	b.box = box{value, b}
	if int64(b.bytes) > c.bytesMax.Load() {
		return &b.box
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if cur := tr.value.Load(); cur != nil {
		return cur // somebody decoded it at the same time: share theirs
	}
	if tr.gone {
		return &b.box
	}
	tr.value.Store(&b.box)
	c.enter(b)
	c.makeRoom(b)
	return &b.box
}

// makeRoom drops values until they are within the bound, or the hand has gone round twice. What was
// put just now stays. The caller holds mu.
func (c *cache) makeRoom(stays *cached) {
	for scanned := 0; c.bytes.Load() > c.bytesMax.Load() && scanned < 2*len(c.ring)+2 && len(c.ring) > 1; scanned++ {
		if c.hand >= len(c.ring) {
			c.hand = 0
		}
		victim := c.ring[c.hand]
		if victim.used.Swap(false) || victim == stays {
			c.hand++
			continue
		}
		if c.batches[victim.owner] == victim {
			delete(c.batches, victim.owner)
		} else {
			victim.owner.value.CompareAndSwap(&victim.box, nil)
		}
		c.evicted.Add(1)
		c.leave(victim)
	}
}

// bound makes the cache no larger than so many bytes, at once and from now on.
func (c *cache) bound(bytes int64) {
	c.bytesMax.Store(bytes)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.makeRoom(nil)
}

// enter puts a box into the ring. The caller holds mu.
func (c *cache) enter(b *cached) {
	c.ring = append(c.ring, b)
	b.place = int32(len(c.ring))
	c.bytes.Add(int64(b.bytes))
}

// leave takes a box out of the ring. The caller holds mu.
func (c *cache) leave(b *cached) {
	last := len(c.ring) - 1
	moved := c.ring[last]
	c.ring[b.place-1], moved.place = moved, b.place
	c.ring[last], b.place = nil, 0
	c.ring = c.ring[:last]
	c.bytes.Add(-int64(b.bytes))
}

// forget takes the values of traces that have left their entry out of the cache. Those who hold a
// trace still find its value there.
func (c *cache) forget(traces ...*trace) {
	if len(traces) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, tr := range traces {
		tr.gone = true
		if b := tr.inCache(); b != nil && b.place > 0 {
			c.leave(b)
		}
		if b := c.batches[tr]; b != nil {
			delete(c.batches, tr)
			c.leave(b)
		}
	}
}

// remember is for a trace that is back in its entry.
func (c *cache) remember(tr *trace) {
	c.mu.Lock()
	defer c.mu.Unlock()
	tr.gone = false
	if b := tr.inCache(); b != nil && b.place == 0 && int64(b.bytes) <= c.bytesMax.Load() {
		c.enter(b)
	}
}

// inCache returns the value of a trace as the cache has it, nil if it has none there.
func (tr *trace) inCache() *cached {
	if b := tr.value.Load(); b != nil {
		return b.cached
	}
	return nil
}

// boxOverheadBytes is added to a value's encoded size: the box, its slot in the ring, headers of
// the decoded form.
const boxOverheadBytes = 128
