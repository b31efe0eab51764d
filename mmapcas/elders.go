package mmapcas

import (
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/arena"
)

// elders says whether a short cycle may begin: whether the segments' elders say what was there when
// the last cycle ended, and whether that is still there.
//
// Which elders were put again is noted under a lock, once: what is noted lately is in recent as
// well, where the next put of the same record finds it with two loads. That is as good as the lock.
// An address is put into recent by the holder of mu, when the name is in putAgain. It stands for
// that record as long as the elders are the same: segments are only appended to, and one that is
// mapped where another was has no elders. So the name was noted at some moment between the two
// loads, and the put may count as one that held the lock then. A time of elders that ended between
// them has ended after that, as it may right after a put that took the lock.
type elders struct {
	ok      atomic.Bool
	damaged atomic.Int64 // places, when that cycle began
	recent  atomic.Pointer[recentElders]

	mu       sync.Mutex
	putAgain map[Hash]struct{} // guarded by mu: of the elders, those that were put again since
}

// againMax bounds how many elders are remembered. Beyond that a cycle of all is no more work.
const againMax = 1 << 16

// recentElders has addresses of records that are in putAgain, each at a place that it shares with
// others: 32 KiB.
type recentElders [4096]atomic.Uint64

func (r *recentElders) place(at arena.Addr) *atomic.Uint64 {
	return &r[uint64(at)/arena.Unit%uint64(len(r))]
}

func (e *elders) known(damaged int64) bool { return e.ok.Load() && e.damaged.Load() == damaged }

func (e *elders) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.drop()
}

// drop is forget for the holder of mu.
func (e *elders) drop() {
	e.ok.Store(false)
	e.recent.Store(nil)
	e.putAgain = nil
}

// again notes that the elder at an address was put again.
func (e *elders) again(h Hash, at arena.Addr) {
	if r := e.recent.Load(); r != nil && r.place(at).Load() == uint64(at) || !e.ok.Load() {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.ok.Load() {
		return
	}
	if _, known := e.putAgain[h]; !known && len(e.putAgain) >= againMax {
		e.drop()
		return
	}
	if e.putAgain == nil {
		e.putAgain = map[Hash]struct{}{}
		e.recent.Store(new(recentElders))
	}
	e.putAgain[h] = struct{}{}
	e.recent.Load().place(at).Store(uint64(at))
}
