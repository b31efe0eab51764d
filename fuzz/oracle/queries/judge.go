package queries

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/runtime"
)

// A judge knows what a plain interpreter says of each generation, and which runs the engine must
// still know of. See "What must run" in the package comment.
type judge struct {
	setting Setting
	prog    *Program
	sky     int

	gen    uint64 // the newest
	was    uint64 // the newest when the step began
	now    state
	states map[uint64]state // by generation, of this opening
	plains map[uint64]*plain
	lately []uint64 // the generations of the step before, of this opening

	// When each trace was certainly the first of its cell last, an index in past; notKnown: it is
	// known only that it was made.
	made     map[Cell]map[uint64]int
	past     []event
	at       int // where in past the questions of this step begin
	durably  int // what came before this place in past is on the disk
	openings int

	least  map[Cell]map[uint64]bool // of runs, without what they might have read
	own    map[Cell]map[uint64]bool // the same, without what the rest of a cycle reads
	latest map[Cell]uint64          // in this step, of cells of cycles: traces of last calls
	inLife map[Cell]bool            // ran since the engine was opened
	beside map[Cell]bool            // ran last beside a commit, whose generation was told already
	fewest [queryMax]int            // traces that a build keeps

	// Cells that were answered in the newest generation and rest on nothing that has changed since.
	fresh map[Cell]*plain
	read  map[Cell]map[Read]bool // what runs have read

	// Cells that a change was told to since they ran last only because of what a run before that
	// has read. See Q5 in the package comment.
	strayed map[Cell]bool

	// There may be answers that nothing is told of: they came before the first commit, or there was
	// a bulk since. They hold as long as no partition changes that they rest on.
	coarse bool

	warmth
}

// The rules, by what breaks them.
const (
	wrongAnswer = "wrong answer"
	wrongRun    = "run in no generation"
	needless    = "needless run"
	twice       = "run twice"
	unsupported = "answer without a run"
	unkept      = "answer that must not be kept"
	unknown     = "answer not known"
	miscounted  = "miscounted"
	wrongWatch  = "watch"
	wrongState  = "state"
	wrongStore  = "store"
	engineFails = "error"
	overlooks   = "verified without need"
	unneeded    = "run that no question needs"
)

func newJudge(h *History) judge {
	j := judge{
		setting: h.Setting, made: map[Cell]map[uint64]int{}, fresh: map[Cell]*plain{}, strayed: map[Cell]bool{}, read: map[Cell]map[Read]bool{},
		least: map[Cell]map[uint64]bool{}, own: map[Cell]map[uint64]bool{}, beside: map[Cell]bool{},
		warmth: warmth{computed: map[Cell]map[uint64]when{}},
	}
	for i := range j.fewest {
		j.fewest[i] = tracesKept
		for _, p := range h.Builds {
			j.fewest[i] = min(j.fewest[i], p.Queries[i].kept())
		}
	}
	return j
}

func (j *judge) reopened(prog *Program, gen uint64, now state) {
	j.openings++
	j.tell(gen, now)
	j.prog, j.gen, j.was, j.now = prog, gen, gen, now
	j.states, j.plains = map[uint64]state{gen: now}, map[uint64]*plain{}
	j.lately = nil
	j.inLife = map[Cell]bool{}
}

func (j *judge) begun() { j.was = j.gen }

func (j *judge) changed(gen uint64, now state) error {
	if gen == j.gen && !now.equal(j.now, -1) {
		return faultf(wrongState, "a commit made %v of %v, and no generation", now, j.now)
	}
	if gen > j.gen+1 || gen < j.gen || gen > j.gen && now.equal(j.now, -1) {
		return faultf(wrongState, "a commit of %v over %v led from generation %d to %d", now, j.now, j.gen, gen)
	}
	j.stale(now)
	j.tell(gen, now)
	j.gen, j.now, j.states[gen] = gen, now, now
	return nil
}

// stale takes cells off fresh that a change may touch, and takes down which of them stray.
func (j *judge) stale(now state) {
	was := j.plain(j.gen)
	ever := func(c Cell) (all []Read) { return slices.Collect(maps.Keys(j.read[c])) }
	last := func(c Cell) []Read { return was.of(c).reads }
	for part := range parts {
		for _, key := range recordKeys {
			v, there := now[part][key]
			old, was := j.now[part][key]
			if there == was && v == old {
				continue
			}
			for c := range j.read {
				if !touched(c, part, key, was && there, ever, map[Cell]bool{}) {
					continue
				}
				delete(j.fresh, c)
				if !touched(c, part, key, was && there, last, map[Cell]bool{}) {
					j.strayed[c] = true
				}
			}
		}
	}
}

// touched reports whether a change of a key may be told to a cell: if it, or a cell below it, reads
// that.
func touched(c Cell, part int, key string, replaced bool, reads func(Cell) []Read, seen map[Cell]bool) bool {
	if seen[c] {
		return false
	}
	seen[c] = true
	for _, r := range reads(c) {
		if r.touches(part, key, replaced) {
			return true
		}
		for _, below := range r.cells() {
			if touched(below, part, key, replaced, reads, seen) {
				return true
			}
		}
	}
	return false
}

func (j *judge) weather(sky int) { j.sky, j.plains = sky, map[uint64]*plain{} }

func (j *judge) collected() { j.past = append(j.past, event{results: true}) }

func (j *judge) durable() { j.durably = len(j.past) }

func (j *judge) ended(how Ending) {
	j.past = append(j.past, event{lost: true, cut: how == Power && !j.setting.Durable, durably: j.durably})
	if how == Power {
		j.durable()
	}
	j.vague = j.vague || how != Close
	clear(j.fresh)
}

// recent returns the generations that were the newest in this step.
func (j *judge) recent() []uint64 {
	if j.was == j.gen {
		return []uint64{j.gen}
	}
	return []uint64{j.was, j.gen}
}

// plain is what is true in a generation.
func (j *judge) plain(gen uint64) *plain {
	p := j.plains[gen]
	if p == nil {
		s, ok := j.states[gen]
		if !ok {
			panic(fmt.Sprintf("generation %d was never made", gen))
		}
		p = newPlain(j.prog, s, j.sky)
		j.plains[gen] = p
	}
	return p
}

// An asking is the questions of a step.
type asking struct {
	gens      []uint64 // that they are about
	questions int
	alone     bool   // one after the other
	cancels   bool   // some were cancelled
	of        []Cell // nothing else was asked for; nil: that is not known
	looked    int    // reads that were verified
}

// ran judges the calls of queries in a step.
func (j *judge) ran(a asking, runs []ran) error {
	if len(runs) > 0 && a.questions == 0 && !j.setting.Threads {
		return faultf(needless, "%v ran, and nothing was asked that may run", runs[0].Cell)
	}
	if j.setting.Threads { // a watch may be late
		a.gens = append(a.gens, j.lately...)
		a.alone = false
		a.questions += len(runs)
	}
	j.lately = j.recent()
	j.warmth.runs += len(runs)
	if err := j.wereNeeded(a, runs); err != nil {
		return err
	}
	if !a.alone {
		clear(j.fresh)
	}
	slices.Sort(a.gens)
	a.gens = slices.Compact(a.gens)
	at := len(j.past)
	j.at = at
	for _, gen := range a.gens {
		j.past = append(j.past, event{asked: j.plain(gen)})
		j.coarse = j.coarse || gen == 0
		if gen != j.gen {
			clear(j.fresh)
		}
	}
	unkeptMost, keptMost := a.questions, len(a.gens)
	if a.cancels { // another task of the same question may take over what one has left
		unkeptMost, keptMost = 2*unkeptMost, 2*keptMost
	}
	type outcomeOf struct {
		Cell
		trace uint64 // none: not kept
	}
	times := map[outcomeOf]int{}
	j.latest = map[Cell]uint64{}
	for i := range runs {
		r := &runs[i]
		j.inLife[r.Cell] = true
		delete(j.strayed, r.Cell)
		j.beside[r.Cell] = len(a.gens) > 1
		if r.alien && a.cancels {
			continue
		}
		if f, ok := r.err.(*Failure); ok && f.Kind == cycle {
			continue // All asks for more at once than it needs, and what is on the stack is in the way
		}
		var as []*outcome
		for _, gen := range a.gens {
			if o := j.plain(gen).of(r.Cell); o.same(&r.run) {
				as = append(as, o)
			}
		}
		if len(as) == 0 && j.prog.Queries[r.Cell.Query].Policy == Fixed {
			if err := j.ranOnTheWay(a, r); err != nil {
				return err
			}
			continue
		}
		if len(as) == 0 {
			return faultf(wrongRun, "%v ran to %v, which it does in none of the generations asked about%s", r.Cell, &r.run, j.tellAll(a.gens, r.Cell))
		}
		o := as[0]
		if slices.ContainsFunc(as, func(o *outcome) bool { return !o.kept }) {
			if j.prog.Queries[r.Cell.Query].Policy == Fixed {
				continue
			}
			times[outcomeOf{Cell: r.Cell}]++
			if n := times[outcomeOf{Cell: r.Cell}]; n > unkeptMost && !j.setting.Cyclic {
				return faultf(twice, "%v ran %d times for %d questions", r.Cell, n, a.questions)
			}
			continue
		}
		unknown := func(o *outcome) bool { return !j.mustKnow(r.Cell, o) }
		if !slices.ContainsFunc(as, unknown) {
			return faultf(needless, "%v ran without need: all that it read was so in a run that must be known still%s", r.Cell, j.tellAll(a.gens, r.Cell))
		}
		if j.prog.Queries[r.Cell.Query].Policy == Fixed {
			continue // as often as values of its cycle may grow: see ranOften
		}
		times[outcomeOf{r.Cell, o.trace}]++
		most := keptMost
		if q := &j.prog.Queries[r.Cell.Query]; j.unstored(q) && j.setting.HeapBytes > 0 {
			if len(a.gens) > 1 || j.setting.Levels > 0 {
				continue // compared with runs for older generations, or called again by what unwinds
			}
			most = max(most, j.timesAsked(a, runs, r.Cell)) // it may be forgotten in between
		}
		if j.prog.Queries[r.Cell.Query].kept() < len(a.gens) {
			continue // one generation takes from another what is kept
		}
		if n := times[outcomeOf{r.Cell, o.trace}]; n > most {
			return faultf(twice, "%v ran %d times in %d generations", r.Cell, n, len(a.gens))
		}
	}
	if err := j.ranOften(a, runs); err != nil {
		return err
	}
	for i := range runs {
		r := &runs[i]
		sure := !a.cancels
		j.reads(r.Cell, r.seen)
		var was *outcome
		for _, gen := range a.gens {
			if o := j.plain(gen).of(r.Cell); o.same(&r.run) {
				sure = sure && o.kept && (was == nil || was.trace == o.trace)
				was = o
				for _, read := range o.reads {
					j.reads(r.Cell, []seen{{Read: read}})
				}
				if o.kept {
					j.ranLast(r.Cell, o.trace, a.gens[0])
					j.first(r.Cell, o.trace, notKnown)
					if j.least[r.Cell] == nil {
						j.least[r.Cell], j.own[r.Cell] = map[uint64]bool{}, map[uint64]bool{}
					}
					j.least[r.Cell][o.least] = true
					j.own[r.Cell][o.own()] = true
				}
			}
		}
		switch {
		case was == nil || !sure:
		case was.cycle != nil:
			j.latest[r.Cell] = was.trace // kept if the cycle is answered
		default:
			j.first(r.Cell, was.trace, at)
		}
	}
	return nil
}

// timesAsked is how often a cell can have been asked for by questions about one generation: by
// these, by what ran for them, and where a read was verified. All asks for a key twice.
func (j *judge) timesAsked(a asking, runs []ran, c Cell) int {
	n := 2*a.questions + a.looked
	p := j.plain(a.gens[0])
	for i := range runs {
		for _, read := range p.of(runs[i].Cell).reads {
			if slices.Contains(read.cells(), c) {
				n += 2
			}
		}
	}
	return n
}

// reads takes down what a run has read.
func (j *judge) reads(c Cell, all []seen) {
	if j.read[c] == nil {
		j.read[c] = map[Read]bool{}
	}
	for _, s := range all {
		j.read[c][s.Read] = true
	}
}

// first takes down that a trace of a cell was the first at a place in past.
func (j *judge) first(c Cell, trace uint64, at int) {
	if j.made[c] == nil {
		j.made[c] = map[uint64]int{}
	}
	if last, ok := j.made[c][trace]; !ok || at > last {
		j.made[c][trace] = at
	}
}

// answered judges what an actor was told.
func (j *judge) answered(a *saying, alone bool) error {
	if a.Kind > Peek || a.gone.Load() {
		return nil
	}
	if a.Kind == Peek && !a.known && a.err == nil {
		if alone && a.at == nil && j.fresh[a.Cell] != nil && j.setting.HeapBytes == 0 && !j.setting.Walls && j.openings == 1 {
			return faultf(unknown, "nothing that it rests on has changed since it was answered, and Peek does not know it")
		}
		return nil
	}
	cells := a.cells()
	var (
		told []string
		bad  error
	)
	for _, gen := range a.gens { // one will do
		p := j.plain(gen)
		want, kept, err := p.all(cells)
		if o := p.failing(cells); o != nil && o.fails(a.err) {
			err = a.err
		}
		if !sameError(err, a.err) || !slices.Equal(want, a.texts) {
			told = append(told, fmt.Sprintf("generation %d (%v): %v %v", gen, j.states[gen], want, err))
			continue
		}
		if !kept {
			if a.Kind == Peek {
				return faultf(unkept, "Peek knows an answer that must not be kept")
			}
			return nil
		}
		if bad = j.supported(p, cells); bad != nil {
			continue
		}
		if a.Kind == Peek || len(a.gens) > 1 {
			return nil
		}
		for _, c := range cells {
			o := p.of(c)
			if j.prog.Queries[c.Query].Policy == InMemory && !o.blob && !j.inLife[c] {
				return faultf(unsupported, "it is in memory only, and %v has not run since the engine was opened", c)
			}
			j.first(c, o.trace, j.at)
			beside := slices.ContainsFunc(o.needs, func(c Cell) bool { return j.beside[c] })
			if alone && gen == j.gen && !j.coarse && !beside && !slices.ContainsFunc(o.needs, func(n Cell) bool { return j.strayed[n] }) {
				j.fresh[c] = p
			}
			for _, m := range o.cycle {
				if j.latest[m] == o.trace {
					j.first(m, o.trace, j.at)
				}
			}
		}
		return nil
	}
	if bad != nil {
		return bad
	}
	return faultf(wrongAnswer, "told %v %v; from scratch, in %s", a.texts, a.err, strings.Join(told, "; "))
}

// all returns what several cells are: the answers and whether all are kept, or the first error.
func (p *plain) all(cells []Cell) (texts []string, kept bool, err error) {
	kept = true
	for _, c := range cells {
		o := p.of(c)
		if err == nil {
			err = o.err
		}
		texts = append(texts, o.text)
		kept = kept && o.kept
	}
	if err != nil {
		texts = nil
	}
	return texts, kept, err
}

// failing is the first of several cells that fails, nil if none does.
func (p *plain) failing(cells []Cell) *outcome {
	for _, c := range cells {
		if o := p.of(c); o.err != nil {
			return o
		}
	}
	return nil
}

// supported reports whether each answer that an answer rests on is one of a run that read what it
// would read now.
func (j *judge) supported(p *plain, cells []Cell) error {
	for _, c := range cells {
		for _, n := range p.of(c).needs {
			o := p.of(n)
			ran := j.least[n][o.least]
			if j.setting.Workers > 1 && j.prog.Queries[n.Query].Policy == Fixed && !j.alwaysIn(n, o.cycle) {
				ran = j.own[n][o.own()] // several strands may close its cycles, each with other cells
			}
			if !ran {
				return faultf(unsupported, "it rests on %v, which has never run and read what it reads in this generation (%v)", n, p.state)
			}
		}
	}
	return nil
}

// counted compares what the engine counts with the calls that there were.
func (j *judge) counted(stats map[string]runtime.QueryStats, calls uint64) error {
	var n uint64
	for name, s := range stats {
		if strings.HasPrefix(name, "oracle/") {
			n += s.Ran + s.Failed
		}
	}
	if n != calls {
		return faultf(miscounted, "%d calls of queries were counted, and there were %d", n, calls)
	}
	return nil
}

// same reports whether a run of the engine is what o is.
func (o *outcome) same(r *run) bool {
	if o.last != nil {
		o = o.last
	}
	return o.told == r.told && o.text == r.text && o.fails(r.err)
}

// own is least, of a cell in a cycle without what the rest of that reads.
func (o *outcome) own() uint64 {
	if o.last != nil {
		return o.last.least
	}
	return o.least
}

// fails reports whether err is what o fails with, or one of what it may fail with; nil: o does not.
func (o *outcome) fails(err error) bool {
	is := func(e error) bool { return sameError(e, err) }
	return is(o.err) || slices.ContainsFunc(o.errs, is)
}

func sameError(a, b error) bool {
	f, ok := a.(*Failure)
	g, is := b.(*Failure)
	if !ok || !is {
		return a == nil && b == nil
	}
	return *f == *g
}

func (r *run) String() string {
	if r.err != nil {
		return fmt.Sprintf("the error %q", r.err.Error())
	}
	return r.text
}

// tellAll says what a cell is in each of some generations.
func (j *judge) tellAll(gens []uint64, c Cell) string {
	var b strings.Builder
	for _, gen := range gens {
		fmt.Fprintf(&b, "; in generation %d (%v): %v", gen, j.states[gen], &j.plain(gen).of(c).run)
	}
	return b.String()
}
