package memo

import (
	"sync"

	"github.com/cytisus/cytisus/mmapcas"
)

// A Sharer is a decoded result that some hold for longer than it is in the cache. Weak returns a
// function that gives the result for as long as it is held, and nil after that.
type Sharer interface{ Weak() func() any }

// sharedResults finds large decoded results that the cache has dropped while somebody holds them:
// another decoded one beside them would take memory instead of giving it back.
type sharedResults struct {
	mu    sync.Mutex
	known map[sharedKey]func() any // guarded by mu
}

type sharedKey struct {
	query  *Query
	result mmapcas.Hash
}

// sharedBytes is how large a stored result is at least that is looked for.
const sharedBytes = 64 << 10

// find returns a decoded result, nil if nobody has it.
func (s *sharedResults) find(q *Query, result mmapcas.Hash) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if get := s.known[sharedKey{q, result}]; get != nil {
		return get()
	}
	return nil
}

// add remembers a decoded result if it can be shared.
func (s *sharedResults) add(q *Query, result mmapcas.Hash, bytes int, value any) {
	v, ok := value.(Sharer)
	if !ok || bytes < sharedBytes {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, get := range s.known {
		if get() == nil {
			delete(s.known, key)
		}
	}
	if s.known == nil {
		s.known = map[sharedKey]func() any{}
	}
	s.known[sharedKey{q, result}] = v.Weak()
}
