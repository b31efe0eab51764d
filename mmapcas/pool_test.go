package mmapcas

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// What waits at a pool goes on as soon as it may: each kind of waiter, with any other beside it,
// and a commit, which takes all appenders, before puts that came later.
func TestPoolWakesWhoMayGoOn(t *testing.T) {
	bubble := func(name string, fn func(t *testing.T, p *pool)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPool(1)
				t.Cleanup(func() { // a waiter that nothing has woken ends with the test all the same
					p.mu.Lock()
					defer p.mu.Unlock()
					p.stops = 0
					p.max = 100
					p.idle.Broadcast()
				})
				fn(t, p)
			})
		})
	}
	leasing := func(p *pool, leased *atomic.Bool) {
		go func() { a := p.lease(); leased.Store(true); p.giveBack(a) }()
		synctest.Wait()
	}
	taking := func(p *pool, taken *atomic.Bool, inside func()) {
		go p.exclusive(func([]*appender) { inside(); taken.Store(true) })
		synctest.Wait()
	}
	bubble("an appender comes back", func(t *testing.T, p *pool) {
		var leased, taken atomic.Bool
		a := p.lease()
		leasing(p, &leased)
		taking(p, &taken, func() {
			if leased.Load() {
				t.Error("a put that has not begun got an appender that a commit waits for")
			}
		})
		if leased.Load() || taken.Load() {
			t.Fatal("an appender was lent twice")
		}
		p.giveBack(a)
		synctest.Wait()
		if !taken.Load() {
			t.Error("the appender came back, and the commit that waits for all of them was not woken")
		}
		if !leased.Load() {
			t.Error("the commit has ended, and the put that waited was not woken")
		}
	})
	bubble("a commit ends", func(t *testing.T, p *pool) {
		var first, second, leased atomic.Bool
		a := p.lease()
		taking(p, &first, func() {})
		taking(p, &second, func() {})
		leasing(p, &leased)
		p.giveBack(a)
		synctest.Wait()
		if !first.Load() || !second.Load() || !leased.Load() {
			t.Errorf("of those who waited went on: a commit %v, another %v, a put %v; want all", first.Load(), second.Load(), leased.Load())
		}
	})
	bubble("puts do not starve a commit", func(t *testing.T, p *pool) {
		var taken, leased atomic.Bool
		p.max = 2
		a := p.lease()
		taking(p, &taken, func() {})
		leasing(p, &leased) // there is another appender
		if leased.Load() {
			t.Error("a put began while a commit waited for all appenders: puts could go on so for ever")
		}
		p.giveBack(a)
		synctest.Wait()
		if !taken.Load() || !leased.Load() {
			t.Errorf("the appender came back; went on: the commit %v, the put %v", taken.Load(), leased.Load())
		}
	})
}
