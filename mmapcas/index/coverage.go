package index

import (
	"math/bits"

	"github.com/cytisus/cytisus/arena"
)

// A coverage says for each slot of the arena up to which address there are records that an index
// file knows.
type coverage struct {
	shift uint
	ends  []arena.Addr
}

func newCoverage(a *arena.Arena) coverage {
	return coverage{shift: uint(bits.TrailingZeros64(uint64(a.SegmentBytes() / arena.Unit)))}
}

// add covers the first length bytes of a segment.
func (c *coverage) add(first arena.Addr, length int64) {
	end := first + arena.Addr(length/arena.Unit)
	for at := first; at < end; at += 1 << c.shift {
		i := int(at >> c.shift)
		if i >= len(c.ends) {
			c.ends = append(c.ends, make([]arena.Addr, i+1-len(c.ends))...)
		}
		c.ends[i] = end
	}
}

func (c *coverage) has(at arena.Addr) bool {
	i := at >> c.shift
	return i < arena.Addr(len(c.ends)) && at < c.ends[i]
}
