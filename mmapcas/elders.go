package mmapcas

import (
	"sync"
	"sync/atomic"
)

// elders says whether a short cycle may begin: whether the segments' elders say what was there when
// the last cycle ended, and whether that is still there.
type elders struct {
	ok      atomic.Bool
	damaged atomic.Int64 // places, when that cycle began

	mu       sync.Mutex
	putAgain map[Hash]struct{} // guarded by mu: of the elders, those that were put again since
}

// againMax bounds how many elders are remembered. Beyond that a cycle of all is no more work.
const againMax = 1 << 16

func (e *elders) known(damaged int64) bool { return e.ok.Load() && e.damaged.Load() == damaged }

func (e *elders) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ok.Store(false)
	e.putAgain = nil
}

// again notes that an elder was put again.
func (e *elders) again(h Hash) {
	if !e.ok.Load() {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.ok.Load() {
		return
	}
	if len(e.putAgain) >= againMax {
		e.ok.Store(false)
		e.putAgain = nil
		return
	}
	if e.putAgain == nil {
		e.putAgain = map[Hash]struct{}{}
	}
	e.putAgain[h] = struct{}{}
}
