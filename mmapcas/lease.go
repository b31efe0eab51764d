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

// pool lends appenders, the one given back last first: so no more segments are open than goroutines
// put at once.
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

// exclusive runs fn while no call has an appender, with all of them.
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

// A lender lends things to calls that have none of their own. A pool finds one for the processor it
// runs on without a locked instruction, which makes the processor finish one lookup before it
// begins the next. Under the race detector sync.Pool forgets on purpose, so there it is a list.
type lender struct {
	pool sync.Pool
	mu   sync.Mutex
	list []any // guarded by mu
}

// take returns nil if nothing was put back that is not lent.
func (l *lender) take() any {
	if arena.Race {
		return l.takeListed()
	}
	return l.pool.Get()
}

func (l *lender) takeListed() any {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.list)
	if n == 0 {
		return nil
	}
	x := l.list[n-1]
	l.list = l.list[:n-1]
	return x
}

func (l *lender) put(x any) {
	if !arena.Race {
		l.pool.Put(x)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, x)
}
