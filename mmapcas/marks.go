package mmapcas

import (
	"sync/atomic"

	"github.com/cytisus/cytisus/arena"
)

// Two bits per unit of a segment, off the Go heap and outside the records, whose pages stay clean.
// Only the unit a record starts at is used.
//
//	00  white: not reached yet
//	01  marked: reached, or put again during the cycle
//	10  condemned: was white when the sweeper came by
//
// Both transitions start at 00 and are one compare-and-swap on the same word, so a record is either
// kept or condemned (G3).
const (
	bitMarked    = 1
	bitCondemned = 2
	markBits     = 2
	marksPerWord = 64 / markBits
)

// marks is a segment's part of a cycle.
type marks struct {
	cycle *Cycle // immutable
	block *arena.Block
	words []atomic.Uint64
	// bornBlack is the length of the segment when the cycle began: what lies behind is kept without
	// a mark. Marks there say only whether Mark has been there.
	bornBlack int64
	// elders is the length up to which records are kept without a mark and are not traced: they
	// were there when the cycle before ended. 0 in a whole cycle. Immutable.
	elders int64
	live   atomic.Int64 // bytes of marked records below bornBlack
}

func newMarks(c *Cycle, segmentBytes, elders, bornBlack int64) (*marks, error) {
	units := segmentBytes / arena.Unit
	b, err := arena.NewBlock(int((units + marksPerWord - 1) / marksPerWord * 8))
	if err != nil {
		return nil, err
	}
	return &marks{cycle: c, block: b, words: b.Words(), bornBlack: bornBlack, elders: elders}, nil
}

// prepare has the system make the pages of the marks, which takes milliseconds where it has to make
// huge ones. Who marks in slices does not wait for that.
func (m *marks) prepare() {
	const words = 4096 / 8 // of the smallest pages
	for i := 0; i < len(m.words); i += words {
		m.words[i].Add(0) // a write that changes no mark, also beside other writers
	}
}

// fetch brings the marks of the record at off into the cache.
func (m *marks) fetch(off int64) {
	m.block.Fetch(int(off / arena.Unit / marksPerWord))
}

// get returns the bits of the record at off.
func (m *marks) get(off int64) uint64 {
	unit := off / arena.Unit
	return m.words[unit/marksPerWord].Load() >> (unit % marksPerWord * markBits) & 3
}

// stays reports whether the record at off was marked in this cycle, and is not young.
func (m *marks) stays(off int64) bool {
	return off >= m.elders && off < m.bornBlack && m.get(off) == bitMarked
}

// set makes the record at off marked or condemned if it is white, and returns the bits it has then
// and whether this call set them.
func (m *marks) set(off int64, bit uint64) (now uint64, done bool) {
	unit := off / arena.Unit
	w := &m.words[unit/marksPerWord]
	shift := unit % marksPerWord * markBits
	for {
		old := w.Load()
		if b := old >> shift & 3; b != 0 {
			return b, false
		}
		if w.CompareAndSwap(old, old|bit<<shift) {
			return bit, true
		}
	}
}
