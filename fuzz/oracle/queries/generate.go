package queries

import (
	"math/rand/v2"
)

const (
	layers    = 4
	inLayer   = 3
	queryMax  = layers * inLayer
	buildsMax = 3
)

// Generate makes a history of so many steps. Equal seeds make equal histories.
func Generate(seed uint64, steps int) *History {
	g := &generator{rng: rand.New(rand.NewPCG(seed, 0x6f7261636c65))}
	h := &History{Seed: seed, Setting: Setting{
		Workers: 1 + g.rng.IntN(3), Threads: g.one(8), Durable: g.one(3), Walls: g.one(2), Cyclic: g.one(6),
	}}
	if g.one(3) {
		h.Setting.HeapBytes = pick(g, []int64{1, 3000, 8000})
	}
	if g.one(3) {
		h.Setting.Fixed, h.Setting.Cyclic = true, false
	}
	if g.one(5) {
		h.Setting.Levels = 2 + g.rng.IntN(4)
	}
	h.Setting.Repeats, h.Setting.Peeks, h.Setting.Measured = g.one(2), g.one(2), g.one(4)
	if g.one(5) {
		g.calm, h.Setting.Peeks = true, true
		h.Setting.Walls, h.Setting.HeapBytes = false, 0
	}
	g.cyclic, g.fixed, g.policies = h.Setting.Cyclic, h.Setting.Fixed, g.one(2)
	g.repeats = h.Setting.Repeats
	g.parts = 1 + g.rng.IntN(parts)
	h.Builds = append(h.Builds, g.program())
	for len(h.Builds) < buildsMax {
		h.Builds = append(h.Builds, g.rebuilt(h.Builds[len(h.Builds)-1]))
	}
	if g.calm {
		h.Steps = append(h.Steps, g.commit())
	}
	for len(h.Steps) < steps {
		g.calm = g.calm && len(h.Steps) < steps/2
		h.Steps = append(h.Steps, g.step())
	}
	return h
}

type generator struct {
	rng      *rand.Rand
	cyclic   bool
	fixed    bool
	policies bool
	repeats  bool
	parts    int  // partitions in use
	calm     bool // for the first half of the steps all that changes is told by key, so that Peek must know it

	state state
	past  []state
	build int
	asked []Cell // lately
	focus Cell   // what is asked for again and again
	left  int    // for so many steps
}

// one is true once in n times.
func (g *generator) one(n int) bool { return g.rng.IntN(n) == 0 }

func pick[T any](g *generator, from []T) T { return from[g.rng.IntN(len(from))] }

func (g *generator) part() int { return g.rng.IntN(g.parts) }

func (g *generator) program() *Program {
	p := &Program{}
	for i := range queryMax {
		p.Queries = append(p.Queries, g.query(i, 1))
	}
	return p
}

// isTable reports whether queries of a number are tables, in every build.
func isTable(query int) bool { return query%inLayer == inLayer-1 }

// isPlain reports whether queries of a number never name blobs, so that a run can remember their
// answers.
func isPlain(query int) bool { return query%inLayer == 1 }

// rebuilt is another build: a query or two do something else.
func (g *generator) rebuilt(p *Program) *Program {
	next := &Program{Queries: append([]Query(nil), p.Queries...)}
	for range g.rng.IntN(3) {
		i := g.rng.IntN(queryMax)
		if v := next.Queries[i].Version; v < buildsMax {
			next.Queries[i] = g.query(i, v+1)
		}
	}
	return next
}

func (g *generator) query(i, version int) Query {
	q := Query{Version: version, Results: 1 + g.rng.Uint64N(4), Table: isTable(i)}
	q.Blob = !q.Table && !isPlain(i) && g.one(2)
	if g.policies && g.one(2) {
		q.Policy = pick(g, []Policy{KeepsErrors, InMemory, SaidCheap, OneRun, ManyRuns})
		if q.Policy == KeepsErrors && (q.Table || g.cyclic) {
			q.Policy = InMemory
		}
	}
	if g.fixed && isFixed(i) {
		q.Policy, q.Blob, q.Results = Fixed, false, 0
		g.fixedBody(&q)
		return q
	}
	for range 1 + g.rng.IntN(5) {
		q.Body = append(q.Body, g.op(i))
	}
	return q
}

// fixedBody makes the body of a query that may need itself.
func (g *generator) fixedBody(q *Query) {
	grows := false
	for range 2 + g.rng.IntN(4) {
		op := g.op(0) // reads partitions
		for op.Kind > Skip && op.Kind != Yield && !g.one(8) {
			op = g.op(0) // or most cycles would fail
		}
		switch n := g.rng.IntN(12); {
		case op.Kind != DoRead:
		case n == 0: // of what is below all cycles
			op.Read = Read{Kind: Ask, Query: g.rng.IntN(inLayer - 1), Arg: pick(g, args)}
			op.Tolerant = g.one(3)
		case n < 9:
			op.Read = Read{Kind: Ask, Query: inLayer*(1+g.rng.IntN(layers-1)) + 1}
			if g.one(2) {
				op.Read.Arg = pick(g, args)
			} else if g.one(4) {
				op.Read.Kind, op.Read.Arg = All, allArgs
			}
			if op.Turn = g.rng.IntN(4); g.one(3) {
				op.Needs = 1 + g.rng.IntN(letters)
			}
			op.Grow = !grows && g.one(16)
			grows = grows || op.Grow
		case n == 9:
			op.Needs = 1 + g.rng.IntN(letters)
		case n == 10:
			op.Unless = 1 + g.rng.IntN(letters)
		}
		q.Body = append(q.Body, op)
	}
}

func (g *generator) op(i int) (op Op) {
	if g.one(4) {
		op.Mod = 2 + g.rng.Uint64N(2)
		op.Is = g.rng.Uint64N(op.Mod)
	}
	switch n := g.rng.IntN(40); {
	case n < 3:
		op.Kind, op.N = Skip, 1+g.rng.IntN(2)
		g.condition(&op)
	case n == 3:
		op.Kind = Fail
		g.condition(&op)
	case n == 4 && g.one(3):
		op.Kind = Panic
		g.condition(&op)
	case n == 5 && g.one(2):
		op.Kind = Unstable
		g.condition(&op)
	case n == 6 && g.one(2):
		op.Kind = Look
		g.condition(&op)
	case n == 7:
		op.Kind = Yield
	default:
		op.Read = g.read(i)
		op.Tolerant = op.Read.Kind >= Ask && g.one(3)
	}
	return op
}

// condition has an operation done now and then only.
func (g *generator) condition(op *Op) {
	op.Mod = 2 + g.rng.Uint64N(3)
	op.Is = g.rng.Uint64N(op.Mod)
}

func (g *generator) read(i int) Read {
	below := i / inLayer * inLayer
	if g.cyclic && g.one(8) {
		below = queryMax
	}
	if below > 0 && g.rng.IntN(5) > 1 {
		r := Read{Kind: Ask, Query: g.rng.IntN(below)}
		if below > inLayer && g.one(2) {
			r.Query = below - 1 - g.rng.IntN(inLayer) // deep programs
		}
		if g.one(2) {
			r.Arg = pick(g, args)
		}
		switch {
		case isTable(r.Query) && !g.one(4):
			r.Kind, r.Key = pick(g, []ReadKind{PartOf, PartOf, PartsOf, NamesOf}), pick(g, tableNames)
			if r.Kind == PartOf && r.Key == tableNames[0] {
				r.Kind = AsideOf
			}
		case g.one(4), g.repeats && isPlain(r.Query) && !g.one(3):
			r.Kind, r.Arg = All, ""
			if g.one(2) {
				r.Arg = pick(g, lists)
			}
			if g.cyclic || g.fixed && isFixed(r.Query) {
				r.Arg = allArgs
			}
		}
		return r
	}
	r := Read{Kind: ReadKind(g.rng.IntN(int(Ask))), Part: g.part(), Key: pick(g, recordKeys)}
	if g.one(3) || g.repeats && isPlain(i) {
		r.Among = g.parts
	}
	if g.one(4) || g.repeats && isPlain(i) && !g.one(3) {
		r.Key = ""
	}
	if g.one(2) {
		r.Kind = Get
	}
	switch r.Kind {
	case Count, Keys, Scan, Page:
		r.Pat = g.pattern()
	}
	switch r.Kind {
	case Keys, Scan, Page:
		r.Backward = g.one(3)
		if g.one(4) {
			r.After = pick(g, recordKeys)
		}
		if g.one(2) || r.Kind == Page {
			r.Most = 1 + g.rng.IntN(3)
		}
		if r.Kind == Scan && g.one(2) {
			r.Stop = 1 + g.rng.IntN(3)
		}
	}
	return r
}

func (g *generator) pattern() Pattern {
	switch Form(g.rng.IntN(5)) {
	case Exact:
		return Pattern{Form: Exact, A: pick(g, recordKeys)}
	case Prefix:
		return Pattern{Form: Prefix, A: pick(g, []string{"d", "b", "x"})}
	case Range:
		lo, hi := g.rng.IntN(len(recordKeys)), g.rng.IntN(len(recordKeys)+1)
		p := Pattern{Form: Range, A: recordKeys[min(lo, hi)]}
		if m := max(lo, hi); m < len(recordKeys) {
			p.B = recordKeys[m]
		}
		return p
	case Glob:
		return Pattern{Form: Glob, A: pick(g, []string{"d*", "[a-c]", "*[13]", "{a,d?}"})}
	}
	return Pattern{}
}

func (g *generator) cell() Cell {
	if len(g.asked) > 0 && g.one(2) {
		return pick(g, g.asked)
	}
	c := Cell{queryMax - 1 - min(g.rng.IntN(queryMax), g.rng.IntN(queryMax)), pick(g, args)}
	if g.asked = append(g.asked, c); len(g.asked) > 4 {
		g.asked = g.asked[1:]
	}
	return c
}

func (g *generator) slot() int { return 1 + g.rng.IntN(slots-1) }

// focused is a step of a time in which little else happens than that one cell is asked for, and a
// key or two change: what a run takes over from the one before is wrong, if it is, only when that
// cell is asked for several times, with the right changes between.
func (g *generator) focused() Step {
	g.left--
	switch n := g.rng.IntN(20); {
	case n < 8:
		s := Step{Kind: Commit, Changes: g.changes()}
		g.past = append(g.past, g.state)
		g.state = apply(g.state, &s)
		return s
	case n < 10:
		return g.undo()
	case n < 18:
		a := Actor{Cell: g.focus, Kind: []ActorKind{AskOne, AskOut, AskAll, Peek}[g.rng.IntN(4)]}
		if g.one(5) {
			a.Slot = g.slot()
		}
		return Step{Kind: Batches, Actors: []Actor{a}}
	case n == 18 || g.calm:
		return Step{Kind: Hold, Slot: g.slot()}
	}
	return g.reopen()
}

func (g *generator) reopen() Step {
	s := Step{Kind: Reopen, Ending: Ending(g.rng.IntN(3)), Build: g.build}
	if g.one(3) && g.build+1 < buildsMax {
		g.build++
		s.Build = g.build
	}
	g.state[volatile] = nil
	return s
}

func (g *generator) step() Step {
	if g.left > 0 {
		return g.focused()
	}
	if g.one(80) && !g.calm {
		s := Step{Kind: Warm, Build: g.build}
		g.state[volatile] = nil
		if !g.one(4) {
			s.Changes = g.changes()
		}
		g.past = append(g.past, g.state)
		g.state = apply(g.state, &s)
		return s
	}
	if g.one(40) {
		g.focus, g.left = g.cell(), 10+g.rng.IntN(30)
	}
	switch n := g.rng.IntN(1000); {
	case n < 330:
		return g.commit()
	case n < 400:
		return g.undo()
	case n < 800:
		return g.batch()
	case n >= 972 && g.calm:
		return g.commit()
	case n < 850:
		return Step{Kind: Hold, Slot: g.slot()}
	case n < 870:
		return Step{Kind: Release, Slot: g.slot()}
	case n < 890:
		return Step{Kind: Watch, Slot: g.rng.IntN(slots), Part: g.part(), Pat: g.pattern(), When: g.one(3)}
	case n < 910:
		return Step{Kind: WatchQuery, Slot: g.rng.IntN(slots), Cell: g.cell()}
	case n < 925:
		return Step{Kind: Unwatch, Slot: g.rng.IntN(slots)}
	case n < 935:
		return Step{Kind: Weather, Sky: g.rng.IntN(3)}
	case n < 960:
		return Step{Kind: Checkpoint}
	case n < 972:
		return Step{Kind: Forget}
	case n < 984:
		return Step{Kind: Collect}
	default:
		return g.reopen()
	}
}

func (g *generator) commit() Step {
	s := Step{Kind: Commit}
	if g.one(4) {
		s.Form = CommitForm(g.rng.IntN(4))
	}
	if g.calm && s.Form == Bulk {
		s.Form = Plainly
	}
	if s.Form == Bulk || s.Form == Replace {
		part := g.part()
		for _, k := range recordKeys {
			if (s.Form == Bulk || k[0] == 'd') && g.one(2) {
				s.Changes = append(s.Changes, Change{part, k, g.rng.IntN(3), s.Form == Replace || !g.one(4)})
			}
		}
		if s.Form == Replace {
			s.Part = part
		}
	} else {
		s.Changes = g.changes()
	}
	g.past = append(g.past, g.state)
	g.state = apply(g.state, &s)
	return s
}

func (g *generator) changes() (list []Change) {
	for range 1 + g.rng.IntN(2)*g.rng.IntN(3) {
		list = append(list, Change{g.part(), pick(g, recordKeys), g.rng.IntN(3), !g.one(4)})
	}
	return list
}

// undo is a commit that makes all as it was.
func (g *generator) undo() Step {
	if len(g.past) == 0 {
		return g.commit()
	}
	was := g.past[max(0, len(g.past)-1-g.rng.IntN(4))]
	s := Step{Kind: Commit}
	for part := range parts {
		for _, k := range recordKeys {
			v, there := was[part][k]
			if now, is := g.state[part][k]; v != now || there != is {
				s.Changes = append(s.Changes, Change{part, k, v, there})
			}
		}
	}
	g.past = append(g.past, g.state)
	g.state = apply(g.state, &s)
	return s
}

// batch is a question, or several at once, and what goes on beside.
func (g *generator) batch() Step {
	s := Step{Kind: Batches}
	n := 1
	if g.one(3) {
		n = 2 + g.rng.IntN(3)
	}
	for range n {
		a := Actor{Cell: g.cell(), Kind: []ActorKind{AskOne, AskOne, AskOut, AskOut, AskAll, Peek}[g.rng.IntN(6)]}
		if g.one(3) {
			a.Slot = g.slot()
		}
		if n > 1 {
			a.After = g.rng.IntN(4)
		}
		s.Actors = append(s.Actors, a)
	}
	if n > 1 && g.one(3) {
		s.Actors = append(s.Actors, Actor{Kind: Cancel, After: g.rng.IntN(5)})
	}
	if n > 1 && g.one(3) {
		c := Actor{Kind: Change1, Changes: g.changes(), After: g.rng.IntN(4)}
		g.past = append(g.past, g.state)
		g.state = apply(g.state, &Step{Changes: c.Changes})
		s.Actors = append(s.Actors, c)
	}
	return s
}

// apply returns the state after a commit.
func apply(s state, c *Step) state {
	if c.Form == Replace {
		for _, k := range recordKeys {
			if k[0] == 'd' {
				s = s.with(c.Part, k, 0, false)
			}
		}
	}
	for _, ch := range c.Changes {
		if c.Form == Updates && ch.There {
			ch.Value = (s[ch.Part][ch.Key] + ch.Value) % updateMod
		}
		s = s.with(ch.Part, ch.Key, ch.Value, ch.There)
	}
	return s
}

// updateMod bounds the values that updates make.
const updateMod = 4
