package memo

import "sync"

// An unkept holds the flights that ended with what is not kept while one question of a task is
// answered: one call of Get or All outside of any query. The strands of the question's helpers
// share it. All its flights have their outcome, and are of the question's generation.
//
// The strand that evaluates a flight puts it here before it leaves its entry, and looks here when
// the flight is its own. So of two strands of a question the second finds the first one's flight in
// the entry, or its outcome here, and no function is called twice.
type unkept struct {
	mu      sync.Mutex
	flights map[KeyOf]*flight // guarded by mu; by key, as an entry may be forgotten meanwhile
}

// kept reports whether a done flight ended with an answer that is kept.
func (f *flight) kept() bool { return f.err == nil && !f.trace.tainted }

// note takes down how a done flight ended whose outcome fr's strand was given.
func (fr *Frame) note(f *flight) {
	fr.cyclic = fr.cyclic || f.cyclic
	fr.strand.share(f)
}

// share gives the outcome of a flight to the strand's question, if it is one that is not kept and
// does not rest on a cycle.
func (s *Strand) share(f *flight) {
	if f.member != nil || f.cyclic || f.kept() || f.abandoned() {
		return
	}
	u := s.question()
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.flights == nil {
		u.flights = map[KeyOf]*flight{}
	}
	u.flights[f.entry.keyOf()] = f
}

// question returns what the strand's question has met that is not kept.
func (s *Strand) question() *unkept {
	if s.unkept == nil {
		s.unkept = &unkept{}
	}
	return s.unkept
}

// met returns the flight of a key whose outcome fr was given before, nil if there is none.
func (fr *Frame) met(e *entry) *flight {
	if f := fr.given(e); f != nil {
		fr.cyclic = true
		return f
	}
	return fr.strand.shared(e)
}

// shared returns the flight of a key whose outcome the strand's question has, nil if there is none.
func (s *Strand) shared(e *entry) *flight {
	u := s.unkept
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.flights[e.keyOf()]
}

// answered ends a question if fr is the frame that put it. A panic that goes through it ends the
// task.
func (fr *Frame) answered() {
	if fr.entry == nil {
		fr.strand.unkept = nil
	}
}
