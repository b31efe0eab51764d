package memo

import (
	"sync"
	"sync/atomic"
)

// A cache bounds the bytes of decoded results that traces hold, by the CLOCK rule (Corbató, 1968): a hand goes round
// and drops the first value that was not used since it last came by. Readers only set a bit.
type cache struct {
	bytesMax int64
	bytes    atomic.Int64
	evicted  atomic.Uint64

	mu   sync.Mutex
	ring []*box // guarded by mu
	hand int    // guarded by mu
}

// put publishes a decoded value on its trace and makes room for it. The value stays with the trace unless it
// alone is larger than the whole cache.
func (c *cache) put(tr *trace, value any, bytes int) *box {
	b := &box{value: value, bytes: bytes + boxOverheadBytes, owner: tr}
	if int64(b.bytes) > c.bytesMax {
		return b
	}
	if !tr.value.CompareAndSwap(nil, b) {
		if cur := tr.value.Load(); cur != nil {
			return cur // somebody decoded it at the same time: share theirs
		}
		return b
	}
	total := c.bytes.Add(int64(b.bytes))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ring = append(c.ring, b)
	for scanned := 0; total > c.bytesMax && scanned < 2*len(c.ring)+2 && len(c.ring) > 1; scanned++ {
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
		total = c.bytes.Add(-int64(victim.bytes))
		last := len(c.ring) - 1
		c.ring[c.hand] = c.ring[last]
		c.ring[last] = nil
		c.ring = c.ring[:last]
	}
	return b
}

// boxOverheadBytes is added to a value's encoded size: the box, its slot in the ring, headers of the decoded form.
const boxOverheadBytes = 128
