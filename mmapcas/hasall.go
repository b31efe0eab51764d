package mmapcas

import "github.com/cytisus/cytisus/arena"

// hasPinned is how many names HasAll looks up under one pin.
const hasPinned = 256

// HasAll returns the position of the first of names for which Has would say no, -1 if there is none. It is quicker than to ask for each.
func (s *Store) HasAll(names []Hash) int {
	for from := 0; from < len(names); from += hasPinned {
		part := names[from:min(from+hasPinned, len(names))]
		if i := s.hasPart(part); i >= 0 {
			if s.Has(part[i]) { // a place that could not be read, and is not in the way any more
				i = s.hasEach(part)
			}
			if i >= 0 {
				return from + i
			}
		}
	}
	return -1
}

func (s *Store) hasPart(names []Hash) int {
	g := s.epochs.Pin()
	defer g.Unpin()
	if s.closed.Load() {
		return 0
	}
	i := 0
	_ = s.arena.Confine(func() error { // a fault leaves i at the name that met it
		for i < len(names) && s.index.Find(names[i]) != arena.Nil {
			i++
		}
		return nil
	})
	if i == len(names) {
		return -1
	}
	return i
}

func (s *Store) hasEach(names []Hash) int {
	for i, h := range names {
		if !s.Has(h) {
			return i
		}
	}
	return -1
}
