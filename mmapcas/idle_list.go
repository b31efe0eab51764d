//go:build race

package mmapcas

import "sync"

// idleReaders lends readers to calls that have none of their own. Under the race detector sync.Pool forgets on purpose.
type idleReaders struct {
	mu   sync.Mutex
	list []*Reader // guarded by mu
}

func (p *idleReaders) take(s *Store) *Reader {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.list); n > 0 {
		r := p.list[n-1]
		p.list = p.list[:n-1]
		return r
	}
	return newIdle(s)
}

func (p *idleReaders) put(r *Reader) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, r)
}
