package memo

import (
	"sync"
	"sync/atomic"
)

// A cache bounds the bytes of decoded results that traces hold, by the CLOCK rule (Corbató, 1968): a hand goes round
// and drops the first value that was not used since it last came by. Readers only set a bit.
//
// A trace that leaves its entry takes its value out of the cache (M7): nothing asks for it any
// more, and a ring of what is superseded would keep values, traces and what these read until the
// bound is reached, one for each edit.
type cache struct {
	bytesMax int64
	bytes    atomic.Int64
	evicted  atomic.Uint64

	mu   sync.Mutex
	ring []*box // guarded by mu
	hand int    // guarded by mu
}

// put publishes a decoded value in b on its trace and makes room for it. The value stays with the
// trace unless it alone is larger than the whole cache, or the trace has left its entry.
func (c *cache) put(b *box, tr *trace, value any, bytes int) *box {
	b.value, b.owner, b.bytes = value, tr, bytes+boxOverheadBytes
	if int64(b.bytes) > c.bytesMax {
		return b
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if cur := tr.value.Load(); cur != nil {
		return cur // somebody decoded it at the same time: share theirs
	}
	if tr.gone {
		return b
	}
	tr.value.Store(b)
	c.enter(b)
	for scanned := 0; c.bytes.Load() > c.bytesMax && scanned < 2*len(c.ring)+2 && len(c.ring) > 1; scanned++ {
		if c.hand >= len(c.ring) {
			c.hand = 0
		}
		victim := c.ring[c.hand]
		if victim.used.Swap(false) || victim == b {
			c.hand++
			continue
		}
		victim.owner.value.CompareAndSwap(victim, nil)
		c.evicted.Add(1)
		c.leave(victim)
	}
	return b
}

// enter puts a box into the ring. The caller holds mu.
func (c *cache) enter(b *box) {
	c.ring = append(c.ring, b)
	b.place = int32(len(c.ring))
	c.bytes.Add(int64(b.bytes))
}

// leave takes a box out of the ring. The caller holds mu.
func (c *cache) leave(b *box) {
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
		if b := tr.value.Load(); b != nil && b.place > 0 {
			c.leave(b)
		}
	}
}

// remember is for a trace that is back in its entry.
func (c *cache) remember(tr *trace) {
	c.mu.Lock()
	defer c.mu.Unlock()
	tr.gone = false
	if b := tr.value.Load(); b != nil && b.place == 0 && !tr.unstored && int64(b.bytes) <= c.bytesMax {
		c.enter(b)
	}
}

// boxOverheadBytes is added to a value's encoded size: the box, its slot in the ring, headers of the decoded form.
const boxOverheadBytes = 128
