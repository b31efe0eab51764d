package memo

import "sync"

// An unkept holds the flights that ended with what is not kept while one question of a task is
// answered: one call of Get or All outside of any query. The strands of the question's helpers
// share it. All its flights are done, and are of the question's generation.
type unkept struct {
	mu      sync.Mutex
	flights map[*entry]*flight // guarded by mu
}

// kept reports whether a done flight ended with an answer that is kept.
func (f *flight) kept() bool { return f.err == nil && !f.trace.tainted }

// note takes down how a done flight ended whose outcome fr's strand was given.
func (fr *Frame) note(f *flight) {
	fr.cyclic = fr.cyclic || f.cyclic
	if f.member != nil || f.cyclic || f.kept() || f.abandoned() {
		return
	}
	u := fr.strand.share()
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.flights == nil {
		u.flights = map[*entry]*flight{}
	}
	u.flights[f.entry] = f
}

// share returns what the strand's question has met that is not kept.
func (s *Strand) share() *unkept {
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
	u := fr.strand.unkept
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.flights[e]
}

// answered ends a question if fr is the frame that put it. A panic that goes through it ends the
// task.
func (fr *Frame) answered() {
	if fr.entry == nil {
		fr.strand.unkept = nil
	}
}
