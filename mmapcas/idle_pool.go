//go:build !race

package mmapcas

import "sync"

// idleReaders lends readers to calls that have none of their own. A pool finds one for the processor it runs on without a locked
// instruction, which makes the processor finish one lookup before it begins the next.
type idleReaders struct{ pool sync.Pool }

func (p *idleReaders) take(s *Store) *Reader {
	if r, ok := p.pool.Get().(*Reader); ok {
		return r
	}
	return newIdle(s)
}

func (p *idleReaders) put(r *Reader) { p.pool.Put(r) }
