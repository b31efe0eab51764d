//go:build check

package epoch

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// checkDomain knows which keyed objects are retired and not yet freed.
type checkDomain struct {
	mu   sync.Mutex
	keys map[uint64]struct{}
}

func (c *checkDomain) retired(key uint64) {
	if key == 0 {
		panic("epoch: RetireKeyed with key 0")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, twice := c.keys[key]; twice {
		panic(fmt.Sprintf("epoch: E1: object %#x retired twice", key))
	}
	if c.keys == nil {
		c.keys = make(map[uint64]struct{})
	}
	c.keys[key] = struct{}{}
}

func (c *checkDomain) freed(key uint64) {
	if key == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.keys, key)
}

// checkSlot counts the pins of a guard slot: an odd turn is a pin in force.
type checkSlot struct {
	turn atomic.Uint64
	pc   atomic.Uintptr // caller of the latest Pin
}

// checkGuard is the turn that a guard was made in.
type checkGuard struct{ turn uint64 }

// pinned runs after the slot was claimed, so nobody else writes turn now. skip frames lie between
// it and the caller to be named.
func (c *checkSlot) pinned(skip int) checkGuard {
	var pcs [1]uintptr
	runtime.Callers(skip+2, pcs[:])
	c.pc.Store(pcs[0])
	return checkGuard{c.turn.Add(1)}
}

func (c *checkSlot) unpinned(g checkGuard) {
	if !c.turn.CompareAndSwap(g.turn, g.turn+1) {
		panic("epoch: guard unpinned twice")
	}
}

func (c *checkSlot) label() string {
	frame, _ := runtime.CallersFrames([]uintptr{c.pc.Load()}).Next()
	return fmt.Sprintf("guard pinned in %s (%s:%d)", frame.Function, frame.File, frame.Line)
}

func (g Guard) mustHold() {
	if g.s == nil || g.s.debug.turn.Load() != g.debug.turn {
		panic("epoch: use after unpin")
	}
}
