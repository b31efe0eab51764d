package queries

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// Queries of the policy Fixed may need themselves and each other. Their values have an order: a set
// of letters, and a level. What such a query reads of others adds letters, which are in the order
// of their number, and what it reads of its own kind is joined. A letter that is there may have it
// read more, or be all letters, so all is monotone: with more letters read there are no fewer.
// Levels end where no cycle raises them.
//
// The plain interpreter calls all functions in turn, each with the values that there are, until
// none grows (settle). Where that ends does not depend on the order of calls, and what is called
// when on the way does: see "What must run" in the package comment.
const (
	letters  = 8
	levelMax = fixedCells // of a value that has one: each query raises it once
	stepsMax = 20         // of a value, more than letters and levels
)

// fixedCells is how many cells of queries there are that may need themselves.
const fixedCells = (layers - 1) * 2

// isFixed reports whether queries of a number may need themselves, where there are any that may.
func isFixed(query int) bool { return query >= inLayer && query%inLayer == 1 }

// A fixedValue is what a query that may need itself gives.
type fixedValue struct {
	Letters uint8
	Level   int
}

func joined(a, b fixedValue) fixedValue {
	return fixedValue{a.Letters | b.Letters, max(a.Level, b.Level)}
}

// within reports whether v is no more than o, levels of values that grow without end aside.
func (v fixedValue) within(o fixedValue) bool {
	return v.Letters&^o.Letters == 0 && (v.Level <= o.Level || o.Level > levelMax)
}

// growths is how often a value can have grown.
func (v fixedValue) growths() int {
	return bits.OnesCount8(v.Letters) + min(v.Level, stepsMax+1)
}

func (v fixedValue) has(letter int) bool { return v.Letters>>(letter-1)&1 == 1 }

// tell is how worlds tell a value.
func (v fixedValue) tell() string { return fmt.Sprintf("%02x.%d", v.Letters, v.Level) }

// readFixed is the inverse of tell for one value, or several with a space between, joined.
func readFixed(told string) (v fixedValue) {
	for _, one := range strings.Fields(told) {
		set, level, _ := strings.Cut(one, ".")
		l, err := strconv.ParseUint(set, 16, 8)
		n, err2 := strconv.Atoi(level)
		if err = cmp.Or(err, err2); err != nil {
			panic(fmt.Sprintf("%q is no value of a query that may need itself", told))
		}
		v = joined(v, fixedValue{uint8(l), n})
	}
	return v
}

// callFixed is call for a query that may need itself. Only what no value decides goes into the
// number.
func (q *Query) callFixed(w world, c Cell) (r run) {
	now := r.begin(q, c)
	var v fixedValue
	for i := 0; i < len(q.Body); i++ {
		op := &q.Body[i]
		if op.Mod > 0 && now>>16%op.Mod != op.Is || op.Needs > 0 && !v.has(op.Needs) {
			continue
		}
		switch op.Kind {
		case DoRead:
			read := op.Read.at(now)
			if op.Unless > 0 && v.has(op.Unless) {
				v.Letters = 1<<letters - 1
				r.trace = mix(mix(r.trace, read.String()), w.maybe(&read))
				continue
			}
			told, beside, err := w.read(&read)
			told, ends := r.took(op, &read, told, beside, err)
			r.seen = append(r.seen, seen{read, told})
			switch {
			case ends:
				return r.fail(q, err)
			case read.Kind >= Ask && isFixed(read.Query):
				more := readFixed(told)
				more.Letters = bits.RotateLeft8(more.Letters, op.Turn)
				if op.Grow {
					more.Level++
				}
				v = joined(v, more)
			default:
				v.Letters |= 1 << (mix(mix(0, read.String()), told) >> 16 % letters)
				if op.Needs == 0 && op.Unless == 0 {
					now = mix(now, told)
				}
			}
		case Skip:
			i += op.N
		default:
			var err error
			if now, err = r.other(q, w, op, c, now); err != nil {
				return r.fail(q, err)
			}
		}
	}
	r.text = v.tell()
	return r
}

// A settling is what is known of cells that need each other while their values are computed.
type settling struct {
	values map[Cell]fixedValue
	order  []Cell // of values
	last   map[Cell]*outcome
	reads  map[Cell][]Cell // of values, by the last call
	of     Cell            // that is called
}

// read is a read of a value that is not final.
func (s *settling) read(c Cell) string {
	v, known := s.values[c]
	if !known {
		s.values[c] = v
		s.order = append(s.order, c)
	}
	s.reads[s.of] = append(s.reads[s.of], c)
	return v.tell()
}

// solve computes a cell of a query that may need itself.
func (p *plain) solve(c Cell) *outcome {
	for p.done[c] == nil {
		p.settle(c)
	}
	return p.done[c]
}

// settle computes c, or cells that it needs and that do not need it.
func (p *plain) settle(c Cell) {
	s := &settling{values: map[Cell]fixedValue{c: {}}, order: []Cell{c}}
	for grown := true; grown; {
		grown = false
		s.last, s.reads = map[Cell]*outcome{}, map[Cell][]Cell{}
		for i := 0; i < len(s.order); i++ {
			s.of = s.order[i]
			o := p.compute(s.of, s)
			s.last[s.of] = o
			before, v := s.values[s.of], s.values[s.of]
			if o.err == nil {
				v = joined(v, readFixed(o.text))
			}
			v.Level = min(v.Level, levelMax+1)
			if s.values[s.of] = v; v != before {
				grown = true
			}
		}
	}
	// Of all that the calls rest on, what rests on the least rests on nothing but itself.
	of, needs := c, s.below(c)
	for _, o := range s.order {
		if n := s.below(o); len(n) < len(needs) {
			of, needs = o, n
		}
	}
	if len(needs) == 0 { // in no cycle
		p.finish(of, s)
		return
	}
	p.close(needs, s)
}

// below returns the cells that c rests on, itself if it is in a cycle, in order.
func (s *settling) below(c Cell) (all []Cell) {
	seen := map[Cell]bool{}
	work := []Cell{c}
	for len(work) > 0 {
		at := work[0]
		work = work[1:]
		for _, o := range s.reads[at] {
			if !seen[o] {
				seen[o] = true
				work = append(work, o)
				all = append(all, o)
			}
		}
	}
	slices.SortFunc(all, compareCells)
	return all
}

// compareCells is the order in which the engine has cells.
func compareCells(a, b Cell) int {
	return cmp.Or(strings.Compare(fmt.Sprint(a.Query), fmt.Sprint(b.Query)), strings.Compare(a.Arg, b.Arg))
}

// finish makes the last call of a cell its outcome.
func (p *plain) finish(c Cell, s *settling) *outcome {
	o := s.last[c]
	o.from, o.limit = p, s.values[c]
	p.done[c] = o
	return o
}

// close makes the values of a cycle final.
func (p *plain) close(cycle []Cell, s *settling) {
	var (
		needs   []Cell
		failed  []error
		trace   = mix(0, "cycle")
		least   = trace
		kept    = true
		growing = false
	)
	for _, c := range cycle {
		o := p.finish(c, s)
		o.cycle = cycle
		needs = append(needs, o.needs...)
		if o.err != nil {
			failed = append(append(failed, o.err), o.errs...)
		}
		growing = growing || o.limit.Level > levelMax
		kept = kept && o.kept
		trace = mix(mix(trace, c.String()), strconv.FormatUint(o.trace, 36))
		least = mix(mix(least, c.String()), strconv.FormatUint(o.least, 36))
	}
	if growing {
		failed = append([]error{&Failure{Kind: diverges}}, failed...)
	}
	needs = sortedCells(append(needs, cycle...))
	for _, c := range cycle {
		o := p.done[c]
		last := *o
		o.last = &last
		o.trace, o.least, o.needs = trace, least, needs
		o.kept = kept && len(failed) == 0
		if o.errs = failed; len(failed) > 0 {
			o.err, o.text = failed[0], ""
		}
	}
}

// A replay is a world in which values are those that a run was told.
type replay struct {
	*plainWorld
	told   []seen
	bounds *plain
	wrong  bool // a value is none that can have been
}

func (w *replay) read(r *Read) (told, beside string, err error) {
	if r.Kind < Ask || !isFixed(r.Query) || w.wrong {
		return w.plainWorld.read(r)
	}
	for len(w.told) > 0 && w.told[0].Read != *r {
		w.told = w.told[1:]
	}
	if len(w.told) == 0 {
		w.wrong = true
		return "", "", errEnough
	}
	told = w.told[0].told
	w.told = w.told[1:]
	if told == "tolerated" {
		return w.plainWorld.read(r)
	}
	each := strings.Fields(told)
	for i, c := range r.cells() {
		if i >= len(each) || !w.bounds.of(c).mayBe(readFixed(each[i])) {
			w.wrong = true
		}
	}
	return told, "", nil
}

// onTheWay reports whether a run is one that may be made on the way to the value of c: it read what
// there is, and values that are no more than those in the end.
func (p *plain) onTheWay(r *run, c Cell) bool {
	w := &replay{plainWorld: &plainWorld{plain: p}, told: r.seen, bounds: p}
	again := p.prog.Queries[c.Query].call(w, c)
	return !w.wrong && again.told == r.told && again.text == r.text && sameError(again.err, r.err) &&
		(again.err != nil || p.of(c).mayBe(readFixed(again.text)))
}

// mayBe reports whether a cell may have a value on the way to what it is in the end. If that is an
// error, it may be that of a cell whose value was not final.
func (o *outcome) mayBe(v fixedValue) bool { return o.err != nil || v.within(o.limit) }

// ranOnTheWay judges a run of a query that may need itself, which read a value that is not final.
func (j *judge) ranOnTheWay(a asking, r *ran) error {
	may, must := false, true
	for _, gen := range a.gens {
		if p := j.plain(gen); p.onTheWay(&r.run, r.Cell) {
			may = true
			o := p.of(r.Cell)
			must = must && o.kept && j.mustKnow(r.Cell, o)
		}
	}
	switch {
	case !may:
		return faultf(wrongRun, "%v ran to %v, having read %v, which it does in none of the generations asked about%s", r.Cell, &r.run, r.seen, j.tellAll(a.gens, r.Cell))
	case must:
		return faultf(needless, "%v ran on the way to a value that must be known still%s", r.Cell, j.tellAll(a.gens, r.Cell))
	}
	return nil
}

// ranOften judges how often cells of queries that may need themselves ran.
func (j *judge) ranOften(a asking, runs []ran) error {
	times := map[Cell]int{}
	for i := range runs {
		if c := runs[i].Cell; j.prog.Queries[c.Query].Policy == Fixed && !runs[i].alien {
			times[c]++
		}
	}
	if len(times) == 0 {
		return nil
	}
	most, kept := 0, true
	for _, gen := range a.gens {
		most++
		for i := range queryMax {
			for _, arg := range args {
				if j.prog.Queries[i].Policy == Fixed {
					o := j.plain(gen).of(Cell{i, arg})
					most += o.limit.growths()
					kept = kept && o.kept
				}
			}
		}
	}
	if !kept || !a.alone || j.setting.Workers > 1 { // each cell that is asked for in turn, and each strand alone
		most *= fixedCells * max(1, a.questions)
	}
	for c, n := range times {
		if n > most {
			return faultf(twice, "%v ran %d times for %d questions about %d generations, where %d will do", c, n, a.questions, len(a.gens), most)
		}
	}
	return nil
}
