package queries

import "slices"

// Shrink returns a smaller history of which fails is still true, after at most so many attempts.
// It takes away: steps, actors, changes, operations, then what makes steps and settings unusual.
func Shrink(h *History, attempts int, fails func(*History) bool) *History {
	s := &shrinker{best: h, left: attempts, fails: fails}
	for before := -1; before != s.left && s.left > 0; {
		before = s.left
		size := s.best.size()
		s.round()
		if s.best.size() == size {
			break
		}
	}
	return s.best
}

type shrinker struct {
	best  *History
	left  int // attempts
	fails func(*History) bool
}

// try keeps a history if it fails.
func (s *shrinker) try(change func(*History)) bool {
	if s.left <= 0 {
		return false
	}
	s.left--
	h := s.best.clone()
	change(h)
	if !s.fails(h) {
		return false
	}
	s.best = h
	return true
}

func (s *shrinker) round() {
	s.cut(func(h *History) int { return len(h.Steps) }, func(h *History, from, to int) {
		h.Steps = slices.Delete(h.Steps, from, to)
	})
	for i := range s.best.Steps {
		if i >= len(s.best.Steps) {
			break
		}
		s.cut(func(h *History) int { return len(h.Steps[i].Actors) }, func(h *History, from, to int) {
			h.Steps[i].Actors = slices.Delete(h.Steps[i].Actors, from, to)
		})
		s.cut(func(h *History) int { return len(h.Steps[i].Changes) }, func(h *History, from, to int) {
			h.Steps[i].Changes = slices.Delete(h.Steps[i].Changes, from, to)
		})
	}
	for b := range s.best.Builds {
		for q := range s.best.Builds[b].Queries {
			s.cut(func(h *History) int { return len(h.Builds[b].Queries[q].Body) }, func(h *History, from, to int) {
				h.edit(b, q, func(body []Op) []Op { return slices.Delete(body, from, to) })
			})
		}
	}
	s.plainer()
}

// cut takes away parts of a list: halves, quarters, single ones.
func (s *shrinker) cut(size func(*History) int, remove func(h *History, from, to int)) {
	for chunk := size(s.best); chunk > 0; chunk /= 2 {
		for to := size(s.best); to > 0; to -= chunk {
			from := max(0, to-chunk)
			s.try(func(h *History) { remove(h, from, to) })
		}
	}
}

// plainer makes ordinary what is unusual.
func (s *shrinker) plainer() {
	settings := []func(*Setting){
		func(o *Setting) { o.Workers = 1 },
		func(o *Setting) { o.Threads = false },
		func(o *Setting) { o.Durable = false },
		func(o *Setting) { o.HeapBytes = 0 },
		func(o *Setting) { o.Walls = false },
		func(o *Setting) { o.Levels = 0 },
		func(o *Setting) { o.Repeats = false },
		func(o *Setting) { o.Measured = false },
		func(o *Setting) { o.Peeks = false },
	}
	for _, set := range settings {
		if o := s.best.Setting; func() bool { set(&o); return o != s.best.Setting }() {
			s.try(func(h *History) { set(&h.Setting) })
		}
	}
	for i := range s.best.Steps {
		switch st := &s.best.Steps[i]; {
		case st.Kind == Reopen && st.Ending != Close:
			s.try(func(h *History) { h.Steps[i].Ending = Close })
		case st.Kind == Commit && st.Form != Plainly && st.Form != Replace:
			s.try(func(h *History) { h.Steps[i].Form = Plainly })
		}
		for a := range s.best.Steps[i].Actors {
			if s.best.Steps[i].Actors[a].After > 0 {
				s.try(func(h *History) { h.Steps[i].Actors[a].After = 0 })
			}
		}
	}
	for b := range s.best.Builds {
		for q := range s.best.Builds[b].Queries {
			if s.best.Builds[b].Queries[q].Blob {
				s.try(func(h *History) { h.editQuery(b, q, func(q *Query) { q.Blob = false }) })
			}
			if p := s.best.Builds[b].Queries[q].Policy; p != Ordinary && p != Fixed {
				s.try(func(h *History) { h.editQuery(b, q, func(q *Query) { q.Policy = Ordinary }) })
			}
			for i := range s.best.Builds[b].Queries[q].Body {
				if op := s.best.Builds[b].Queries[q].Body[i]; op.Mod > 0 {
					s.try(func(h *History) { h.edit(b, q, func(body []Op) []Op { body[i].Mod = 0; return body }) })
				}
				if op := s.best.Builds[b].Queries[q].Body[i]; op.Needs > 0 || op.Grow || op.Turn > 0 {
					s.try(func(h *History) {
						h.edit(b, q, func(body []Op) []Op {
							body[i].Needs, body[i].Grow, body[i].Turn = 0, false, 0
							return body
						})
					})
				}
				if op := s.best.Builds[b].Queries[q].Body[i]; op.Tolerant {
					s.try(func(h *History) { h.edit(b, q, func(body []Op) []Op { body[i].Tolerant = false; return body }) })
				}
			}
		}
	}
}

// edit changes the body of a query, in each build that has the same version of it.
func (h *History) edit(build, query int, change func([]Op) []Op) {
	h.editQuery(build, query, func(q *Query) { q.Body = change(q.Body) })
}

func (h *History) editQuery(build, query int, change func(*Query)) {
	version := h.Builds[build].Queries[query].Version
	for _, p := range h.Builds {
		if q := &p.Queries[query]; q.Version == version {
			change(q)
		}
	}
}

// clone copies all that shrinking changes.
func (h *History) clone() *History {
	c := *h
	c.Steps = slices.Clone(h.Steps)
	for i := range c.Steps {
		c.Steps[i].Actors = slices.Clone(c.Steps[i].Actors)
		c.Steps[i].Changes = slices.Clone(c.Steps[i].Changes)
	}
	c.Builds = nil
	for _, p := range h.Builds {
		p := &Program{slices.Clone(p.Queries)}
		for i := range p.Queries {
			p.Queries[i].Body = slices.Clone(p.Queries[i].Body)
		}
		c.Builds = append(c.Builds, p)
	}
	return &c
}

// size is what Shrink makes less of.
func (h *History) size() (n int) {
	for i := range h.Steps {
		n += 1 + len(h.Steps[i].Actors) + len(h.Steps[i].Changes)
	}
	for _, p := range h.Builds {
		for i := range p.Queries {
			n += len(p.Queries[i].Body)
		}
	}
	return n
}
