package runtime

import (
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/runtime/gc"
)

// An assist has commits help the collector when it is behind: see "Saturation" in the package
// comment of gc, A1 to A5.
type assist struct {
	look   atomic.Int64 // what was put when the next look is due
	behind atomic.Bool
	reaped atomic.Int64 // what was put when the reaper counted
	put    atomic.Int64 // what had been put when it came to be behind
	worked atomic.Int64 // and the work that had been done
}

const (
	assistLook  = 256 << 10       // bytes put between two looks
	assistPrice = 8               // work owed for each byte that is put
	assistTime  = time.Nanosecond // that a byte of work takes, about

	// assistPatience is how long a commit waits for an errand at the most.
	assistPatience = 100 * time.Millisecond

	// assistReap is what is put since the reaper counted before commits have it count some more.
	assistReap = 1 << 20

	// assistSlice is what one slice does, about, as work. A slice ends by the clock as well.
	assistSlice = 512 << 10

	// behindShare is how much more known garbage than makes a collection due makes commits assist,
	// and how many times as much as is live may have been put in all.
	behindShare = 2

	// assistAgain is what is put before commits look again after a cycle that was given up.
	assistAgain = garbageFloor
)

// put is what was put into the store, counted as work is.
func (e *Engine) put() int64 {
	records, bytes := e.store.Added()
	return records*gc.RecordWork + bytes
}

// help does a part of a collection after a commit that began when so much had been put, if the
// collector is behind.
func (e *Engine) help(before int64) {
	a := &e.assist
	put := e.put()
	if due := a.look.Load(); put >= due && a.look.CompareAndSwap(due, put+assistLook) {
		e.lookBehind(put)
	}
	if !a.behind.Load() || e.closing.Load() {
		return
	}
	owed := assistPrice*(put-a.put.Load()) - (e.gc.Work() - a.worked.Load())
	share := max(assistPrice*(put-before), assistSlice)
	if owed <= 0 {
		return
	}
	aid := gc.Aid{Most: min(owed, share), Begin: true}
	if e.o.simulated == nil { // a simulation knows no clock, and no other goroutine
		aid.Slice = max(collectSlice, time.Duration(aid.Most)*assistTime)
		aid.Patience = min(time.Duration(max(owed, share))*assistTime, assistPatience)
		aid.Apart = func(errand func()) { go errand() }
	}
	e.gc.Assist(aid)
	e.governor.relieve(false)
}

// lookBehind looks whether the collector is behind, when so much was put.
func (e *Engine) lookBehind(put int64) {
	a := &e.assist
	if put-a.reaped.Load() >= assistReap { // the keeper is late
		a.reaped.Store(put)
		e.gc.ReapSome()
	}
	if a.behind.Load() || !e.isBehind() {
		return
	}
	a.put.Store(put)
	a.worked.Store(e.gc.Work())
	a.behind.Store(true)
}

// isBehind reports whether more is garbage, or new, than should be if collections were made when
// they are due.
func (e *Engine) isBehind() bool {
	every := e.o.CollectEvery
	if every < 0 {
		return false
	}
	stored, garbage := e.store.Stats().StoredBytes, int64(e.gc.Stats().GarbageBytes)
	last := e.lastCycle.Load()
	live := max(stored-garbage, 0)
	if last != nil {
		live = last.live
	}
	if e.disk.due(stored, garbage, last, e.db.Generation()) {
		return true
	}
	return garbage >= behindShare*max(min(every, garbageFloor), live)/background.garbage ||
		stored-live >= behindShare*max(every, live)
}

// cycleOver is told when a cycle has ended, or was given up.
func (e *Engine) cycleOver(short bool, err error) {
	a := &e.assist
	switch {
	case err != nil:
		a.look.Store(e.put() + assistAgain)
		a.behind.Store(false)
		return
	case !short:
		e.noteCycle()
	}
	if !e.isBehind() {
		a.behind.Store(false)
	}
}
