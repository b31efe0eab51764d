package mmapcas

import (
	"sync"

	"github.com/cytisus/cytisus/arena"
)

// A lender lends things to calls that have none of their own. A pool finds one for the processor it
// runs on without a locked instruction, which makes the processor finish one lookup before it begins
// the next. Under the race detector sync.Pool forgets on purpose, so there it is a list.
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
