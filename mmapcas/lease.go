package mmapcas

import (
	"sync"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// An appender fills one segment. Whoever leases it owns it until it is given back.
type appender struct {
	arena.Appender
	scratch [record.HeaderBytes]byte // for writeRecord
}

// pool lends appenders, the one given back last first: so no more segments are open than goroutines put at once.
type pool struct {
	mu    sync.Mutex
	idle  sync.Cond // signalled when an appender comes back or exclusive ends
	free  []*appender
	made  int
	max   int
	stops int // callers of exclusive, waiting or inside
}

func newPool(n int) *pool {
	p := &pool{max: n}
	p.idle.L = &p.mu
	return p
}

func (p *pool) lease() *appender {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if p.stops == 0 {
			if n := len(p.free); n > 0 {
				a := p.free[n-1]
				p.free = p.free[:n-1]
				return a
			}
			if p.made < p.max {
				p.made++
				return &appender{}
			}
		}
		p.idle.Wait()
	}
}

// giveBack takes an appender back. A reservation that a panic has left open is abandoned: the
// caller of a put may recover, and others append after it.
func (p *pool) giveBack(a *appender) {
	a.Abandon()
	p.mu.Lock()
	p.free = append(p.free, a)
	p.mu.Unlock()
	p.idle.Broadcast()
}

// exclusive runs fn while nobody has an appender, with all of them.
func (p *pool) exclusive(fn func(all []*appender)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stops++
	for len(p.free) != p.made {
		p.idle.Wait()
	}
	fn(p.free)
	p.stops--
	p.idle.Broadcast()
}
