package queries

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/runtime"
)

// A warmth is what a restart must find.
type warmth struct {
	computed map[Cell]map[uint64]when // when each trace was computed last
	told     []keyChange              // what has changed
	runs     int                      // of all queries

	// The engine has been given, or has lost, what leaves it unable to say by key what has changed:
	// a bulk, or an end that was no Close.
	vague bool
}

// A when is a generation of an opening, and of a program.
type when struct {
	opening int
	gen     uint64
	prog    *Program
}

func (w when) before(o when) bool {
	return w.opening < o.opening || w.opening == o.opening && w.gen < o.gen
}

func (j *judge) when(gen uint64) when { return when{j.openings, gen, j.prog} }

// A keyChange is a change of a key.
type keyChange struct {
	when
	part     int
	key      string
	replaced bool
}

// tell takes down what changes from now on.
func (j *judge) tell(gen uint64, to state) {
	for part := range parts {
		for _, key := range recordKeys {
			v, there := to[part][key]
			if old, was := j.now[part][key]; there != was || v != old {
				j.told = append(j.told, keyChange{j.when(gen), part, key, was && there})
			}
		}
	}
}

// ranLast takes down that a trace of a cell was computed in a generation.
func (j *judge) ranLast(c Cell, trace, gen uint64) {
	if j.computed[c] == nil {
		j.computed[c] = map[uint64]when{}
	}
	j.computed[c][trace] = j.when(gen)
}

// needed returns the cells that are evaluated for one, itself among them: what it reads, and what
// these read. What is behind an error of All is among them.
func (p *plain) needed(c Cell) []Cell {
	all := []Cell{c}
	for i := 0; i < len(all); i++ {
		for _, r := range p.of(all[i]).reads {
			for _, below := range r.cells() {
				if !slices.Contains(all, below) {
					all = append(all, below)
				}
			}
		}
	}
	return all
}

// wereNeeded judges whether what ran in a step was needed for what was asked.
func (j *judge) wereNeeded(a asking, runs []ran) error {
	if a.of == nil || len(a.gens) != 1 || j.setting.Fixed || j.setting.Cyclic || j.setting.Threads {
		return nil
	}
	var needed []Cell
	for _, c := range a.of {
		needed = append(needed, j.plain(a.gens[0]).needed(c)...)
	}
	for i := range runs {
		if c := runs[i].Cell; !slices.Contains(needed, c) {
			return faultf(unneeded, "%v ran, and %v needs %v", c, a.of, needed)
		}
	}
	return nil
}

// A cold counts what answering one question after the other costs an engine that knows nothing:
// each answer that is kept is computed once, and what is not kept once for each question.
type cold struct {
	known map[Cell]bool
	runs  int
}

func (k *cold) ask(p *plain, c Cell) {
	for _, n := range p.needed(c) {
		if k.known[n] {
			continue
		}
		k.runs++
		k.known[n] = p.of(n).kept
	}
}

// everything returns all cells that are asked for where everything is.
func everything() (all []Cell) {
	for i := range queryMax {
		for _, arg := range args {
			all = append(all, Cell{i, arg})
		}
	}
	return all
}

// warm asks for everything, closes the engine, opens it again, commits, and asks for everything
// again. It judges what that takes: Q9 and Q10.
func (t *trial) warm(ctx context.Context, s *Step) error {
	for _, c := range everything() {
		if _, err := t.askAlone(c); err != nil {
			return err
		}
	}
	if err := t.end(Close); err != nil {
		return err
	}
	t.exposed = true
	if err := t.begin(Close); err != nil {
		return err
	}
	if len(s.Changes) > 0 {
		t.begun()
		if err := t.commit(ctx, func(fn func(*runtime.Writer) error) error { return t.eng.Commit(ctx, fn) }, s); err != nil {
			return fmt.Errorf("commit: %w", err)
		}
		if err := t.committed(apply(t.now, s)); err != nil {
			return err
		}
		t.begun()
	}
	k := cold{known: map[Cell]bool{}}
	runs := 0
	for _, c := range everything() {
		p := t.plain(t.gen)
		before, most := t.looks(), t.looksMost(p, c, map[Cell]bool{})
		n, err := t.askAlone(c)
		if err != nil {
			return during("warm", err)
		}
		runs += n
		if looks := t.looks() - before; looks > most && !t.setting.Cyclic && t.neverCircular(p, c) {
			return faultf(overlooks, "answering %v after a restart verified %d reads, where %d will do", c, looks, most)
		}
		if k.ask(p, c); !t.setting.Fixed && !t.setting.Cyclic && t.setting.HeapBytes == 0 && runs > k.runs {
			return faultf(needless, "after a restart %d queries ran until %v was answered, and %d would have without a store", runs, c, k.runs)
		}
	}
	return nil
}

// askAlone asks for one cell, judges that, and returns how many queries ran.
func (t *trial) askAlone(c Cell) (runs int, err error) {
	t.begun()
	before := t.warmth.runs
	err = t.batch(&Step{Kind: Batches, Actors: []Actor{{Kind: AskOut, Cell: c}}})
	return t.warmth.runs - before, err
}

// looks returns how many reads the engine has verified.
func (t *trial) looks() (n int) {
	for name, s := range t.eng.Stats().Queries {
		if strings.HasPrefix(name, "oracle/") {
			n += int(s.Looked)
		}
	}
	return n
}

// looksSince is looks since runs were judged last, where that is asked for.
func (t *trial) looksSince() (n int) {
	if t.setting.HeapBytes > 0 {
		n, t.seen = t.looks()-t.seen, t.looks()
	}
	return n
}

// looksMost is how many reads may be verified at most to answer c after a restart: those of each
// trace of a key that a change may have touched, and so on with what these read. What reads no
// query is verified by looking at what it reads, whatever has changed.
func (j *judge) looksMost(p *plain, c Cell, seen map[Cell]bool) (most int) {
	o := p.of(c)
	asks := slices.ContainsFunc(o.reads, func(r Read) bool { return r.Kind >= Ask })
	if seen[c] || asks && !j.touchedSince(c, p) {
		return 0
	}
	seen[c] = true
	for _, r := range o.reads {
		most += j.prog.Queries[c.Query].kept() * r.looks()
		for _, below := range r.cells() {
			most += j.looksMost(p, below, seen)
		}
	}
	return most
}

// neverCircular reports whether no cell that c needs was in a cycle in anything that was asked
// about.
func (j *judge) neverCircular(p *plain, c Cell) bool {
	return !slices.ContainsFunc(p.needed(c), func(n Cell) bool { return !j.alwaysIn(n, nil) })
}

// touchedSince reports whether something that a cell, or one below it, has ever read may have
// changed since its answer was computed, as far as that is told after a restart; or the answer is
// not there.
func (j *judge) touchedSince(c Cell, p *plain) bool {
	o := p.of(c)
	ran, ok := j.computed[c][o.trace]
	if !ok || !o.kept || j.unstored(&j.prog.Queries[c.Query]) || ran.prog != j.prog || j.vague || j.coarse {
		return true
	}
	if s := &j.setting; s.Walls || s.Fixed || s.Cyclic || s.Threads {
		return true
	}
	return slices.ContainsFunc(j.told, func(ch keyChange) bool {
		return ran.before(ch.when) && j.rests(c, &ch, map[Cell]bool{})
	})
}

// rests reports whether a cell, or one below it, has ever read what a change may touch: a key, or
// any range of its partition.
func (j *judge) rests(c Cell, ch *keyChange, seen map[Cell]bool) bool {
	if seen[c] {
		return false
	}
	seen[c] = true
	for r := range j.read[c] {
		ranged := r
		if r.Kind > Hash && r.Kind != Batch {
			ranged.Pat = Pattern{}
		}
		if ranged.touches(ch.part, ch.key, ch.replaced) {
			return true
		}
		for _, below := range r.cells() {
			if j.rests(below, ch, seen) {
				return true
			}
		}
	}
	return false
}

// looks is how many things the engine compares, at most, to verify a read.
func (r *Read) looks() int {
	switch r.Kind {
	case Batch:
		return len(recordKeys)
	case PartsOf:
		return len(tableNames)
	case All:
		return len(r.cells())
	case Page, Scan, Keys:
		return 1 + len(recordKeys) // which keys there are, and each record
	}
	return 1
}
