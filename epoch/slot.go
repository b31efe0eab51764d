package epoch

import (
	"sync/atomic"
	"unsafe"
)

// lineBytes is the distance between two words written by different threads: two cache lines, as
// the adjacent-line prefetcher moves them in pairs.
const lineBytes = 128

// A slot is one reader's announcement. See "Slots" in the package comment.
type slot struct {
	word  atomic.Uint64 // 0 outside, epoch<<1|1 inside
	debug checkSlot     // empty without the check tag
	_     [lineBytes - 8 - unsafe.Sizeof(checkSlot{})]byte
}

// An overflowSlot is a slot made because the probed ones were taken. It stays for later guards.
type overflowSlot struct {
	slot slot
	next *overflowSlot // immutable once published
}

// inside is the word of a slot pinned in epoch e.
func inside(e uint64) uint64 { return e<<1 | 1 }

// stackHash returns a number that differs between goroutines running at the same time and mostly
// stays the same for one of them: its stack's address. It is a hint for spreading; any value is
// correct.
func stackHash() uint64 {
	var here byte
	// Safe: the address is used as a number only and never turned back into a pointer. Stacks are
	// at least 2 KiB apart, so the bits below carry nothing.
	a := uint64(uintptr(unsafe.Pointer(&here))) >> 11
	return a * 0x9E3779B97F4A7C15 >> 32
}
