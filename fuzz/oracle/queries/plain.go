package queries

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The partitions of every program, by number.
const (
	first     = iota
	second    // of the same kind
	dependent // of the tier Dependency
	volatile  // of the tier Volatile: empty after opening
	parts
)

var partNames = [parts]string{"first", "second", "deps", "volatile"}

// recordKeys are the keys of partitions.
var recordKeys = []string{"a", "b", "c", "d1", "d2", "d3"}

// A state is what the partitions hold in one generation. It is not changed.
type state [parts]map[string]int

// with returns the state after a change.
func (s state) with(part int, key string, value int, there bool) state {
	m := maps.Clone(s[part])
	if m == nil {
		m = map[string]int{}
	}
	if delete(m, key); there {
		m[key] = value
	}
	s[part] = m
	return s
}

func (s state) equal(o state, but int) bool {
	for i := range s {
		if i != but && !maps.Equal(s[i], o[i]) {
			return false
		}
	}
	return true
}

func (s state) String() string {
	var b strings.Builder
	for i, m := range s {
		if len(m) > 0 {
			fmt.Fprintf(&b, "%s%v ", partNames[i], m)
		}
	}
	return strings.TrimSpace(b.String())
}

// A plain computes everything from scratch, in one state. What it has computed it computes once.
type plain struct {
	prog  *Program
	state state
	sky   int // the weather

	done  map[Cell]*outcome
	stack []Cell
}

// An outcome is what a query is from scratch.
type outcome struct {
	run
	reads []Read
	needs []Cell // read, by it and below it, and itself

	// Of a query that may need itself.
	from  *plain
	limit fixedValue // that its calls lead to
	cycle []Cell     // that it is in; nil: none
	last  *outcome   // of the cycle's last calls, its own

	errs []error // that it may be instead: which is met first in a cycle depends on the order of calls
}

func newPlain(prog *Program, s state, sky int) *plain {
	return &plain{prog: prog, state: s, sky: sky, done: map[Cell]*outcome{}}
}

// of computes a query. One that needs itself is a cycle, and so is all that needs one: queries do
// not tolerate that, so it does not matter which is asked first.
func (p *plain) of(c Cell) *outcome {
	if o := p.done[c]; o != nil {
		return o
	}
	if p.prog.Queries[c.Query].Policy == Fixed {
		return p.solve(c)
	}
	if slices.Contains(p.stack, c) {
		return &outcome{run: run{err: &Failure{Kind: cycle}}}
	}
	p.stack = append(p.stack, c)
	o := p.compute(c, nil)
	p.stack = p.stack[:len(p.stack)-1]
	p.done[c] = o
	return o
}

// compute calls a query, whose cycles have values that are not final.
func (p *plain) compute(c Cell, s *settling) *outcome {
	w := &plainWorld{plain: p, settling: s}
	o := &outcome{run: p.prog.Queries[c.Query].call(w, c)}
	o.kept = o.kept && !w.tainted
	o.errs = w.errs[o.err]
	o.reads = w.reads
	o.needs = sortedCells(append(w.needs, c))
	return o
}

func sortedCells(cells []Cell) []Cell {
	slices.SortFunc(cells, compareCells)
	return slices.Compact(cells)
}

// A plainWorld is what a query sees of a state.
type plainWorld struct {
	*plain
	settling *settling // nil: values are final
	tainted  bool
	errs     map[error][]error // instead of one that was met
	reads    []Read
	needs    []Cell
}

func (w *plainWorld) weather() int { return w.sky }
func (w *plainWorld) unstable()    { w.tainted = true }
func (w *plainWorld) yield()       {}

func (w *plainWorld) maybe(r *Read) string {
	w.reads = append(w.reads, *r)
	told, beside := w.state.read(r)
	return told + beside
}

func (w *plainWorld) read(r *Read) (told, beside string, err error) {
	switch w.reads = append(w.reads, *r); r.Kind {
	case Ask:
		told, err = w.ask(Cell{r.Query, r.Arg})
		return told, fmt.Sprint(err), err
	case PartOf, AsideOf, PartsOf, NamesOf:
		c := Cell{r.Query, r.Arg}
		if _, err := w.ask(c); err != nil {
			return "", err.Error(), err
		}
		return tellPart(w.of(c).table, r), "", nil
	case All:
		var all []string
		for _, c := range r.cells() {
			text, e := w.ask(c)
			if err == nil {
				err = e
			}
			if w.tainted && err != nil {
				break // what is behind it may be in a cycle only because it is looked at
			}
			all = append(all, text)
			beside += fmt.Sprint(text, e, ";") // each is read, also behind an error
		}
		if told = strings.Join(all, " "); err != nil {
			told = ""
		}
		return told, beside, err
	}
	told, beside = w.state.read(r)
	return told, beside, nil
}

func (w *plainWorld) ask(c Cell) (string, error) {
	if w.settling != nil && w.done[c] == nil && w.prog.Queries[c.Query].Policy == Fixed {
		return w.settling.read(c), nil
	}
	o := w.of(c)
	w.needs = append(w.needs, o.needs...)
	w.tainted = w.tainted || !o.kept
	if o.errs != nil {
		if w.errs == nil {
			w.errs = map[error][]error{}
		}
		w.errs[o.err] = o.errs
	}
	return o.text, o.err
}

// read reads a partition.
func (s *state) read(r *Read) (told, beside string) {
	m := s[r.Part]
	v, there := m[r.Key]
	switch r.Kind {
	case Get, Hash:
		return tellValue(v, there), ""
	case Has:
		return fmt.Sprint(there), ""
	case Batch:
		for _, k := range recordKeys {
			v, there := m[k]
			told += tellValue(v, there) + " "
		}
		return told, ""
	}
	keys := slices.Sorted(maps.Keys(m))
	keys = slices.DeleteFunc(keys, func(k string) bool {
		return !r.Pat.matches(k) || r.After != "" && (k <= r.After) != r.Backward || r.After == k
	})
	if r.Backward {
		slices.Reverse(keys)
	}
	switch r.Kind {
	case Count:
		return fmt.Sprint(len(keys)), ""
	case Page:
		if n := max(r.Most, 1); len(keys) > n {
			keys, beside = keys[:n], keys[n]
		}
		for _, k := range keys {
			told += tellEntry(k, m[k])
		}
		return told + fmt.Sprint(beside != ""), beside
	}
	if r.Most > 0 {
		keys = keys[:min(r.Most, len(keys))]
	}
	if r.Kind == Scan && r.Stop > 0 {
		keys = keys[:min(r.Stop, len(keys))]
	}
	for _, k := range keys {
		if r.Kind == Keys {
			told += k + " "
		} else {
			told += tellEntry(k, m[k])
		}
	}
	return told, ""
}

// tellValue and tellEntry are how worlds tell what they see.
func tellValue(v int, there bool) string {
	if !there {
		return "nothing"
	}
	return fmt.Sprint(v)
}

func tellEntry(key string, v int) string { return fmt.Sprintf("%s=%d ", key, v) }

// tellPart tells what of a table is read.
func tellPart(table map[string]int, r *Read) (told string) {
	switch v, there := table[r.Key]; r.Kind {
	case PartOf, AsideOf:
		return tellValue(v, there)
	case NamesOf:
		return fmt.Sprint(slices.Sorted(maps.Keys(table)))
	}
	return tellTable(table)
}

func tellTable(table map[string]int) (told string) {
	for _, name := range slices.Sorted(maps.Keys(table)) {
		told += tellEntry(name, table[name])
	}
	return told
}

// cells are the cells that a read is of.
func (r *Read) cells() (all []Cell) {
	switch {
	case r.Kind < Ask:
	case r.Kind == All:
		for _, arg := range strings.Split(r.Arg, "") {
			all = append(all, Cell{r.Query, arg})
		}
	default:
		all = append(all, Cell{r.Query, r.Arg})
	}
	return all
}

// touches reports whether a change of a key between two states may be a change of what r reads: as
// finely as changes are told, which is by key, by presence, and by range.
func (r *Read) touches(part int, key string, replaced bool) bool {
	if r.Kind >= Ask || r.Part != part {
		return false
	}
	switch r.Kind {
	case Get, Hash:
		return r.Key == key
	case Has:
		return r.Key == key && !replaced
	case Batch:
		return true
	case Count, Keys:
		return r.Pat.matches(key) && !replaced
	}
	return r.Pat.matches(key)
}
