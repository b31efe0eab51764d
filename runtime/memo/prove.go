package memo

import (
	"fmt"
	"iter"
	"slices"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// A Change is a key of a partition whose record is not the one that a run had read.
type Change struct {
	Partition string `json:"partition"`
	Key       string `json:"key"`
	Then      string `json:"then,omitempty"` // the record's hash; empty: there was none
	Now       string `json:"now,omitempty"`
}

func (c Change) String() string {
	how := "changed"
	switch {
	case c.Then == "":
		how = "was created"
	case c.Now == "":
		how = "was deleted"
	}
	return fmt.Sprintf("%s[%q] %s", c.Partition, c.Key, how)
}

// A Proof says which changes are the cause of a run, or of one to come, and what was replayed to
// show it.
type Proof struct {
	// Due: the query has to run when it is asked next. Else the cause is that of its last run.
	Due bool `json:"due,omitempty"`

	// Changes are the cause: had these not been made, and all others have, the run before would
	// have been reused; had any of them been made, not. Empty: no cause can be told, see Problem.
	Changes []Change `json:"changes,omitempty"`

	// Replays is how many worlds were supposed for it, and Calls how many functions were called.
	Replays int `json:"replays"`
	Calls   int `json:"calls"`

	// Problem says why no cause can be told.
	Problem string `json:"problem,omitempty"`
}

// Bounds of a proof.
const (
	provenChangesMax = 1024   // that are supposed undone at once
	provenCallsMax   = 100000 // of functions
	provenTriesMax   = 256    // of sets of changes, before the smaller ones are given up
)

// A proving is a proof that is being made.
type proving struct {
	table  *Table
	strand *Strand
	of     supposedKey // what is proven
	old    *trace      // the run before
	undone []db.Change // what is supposed: New is the record that was there
	calls  int
	Proof
}

// Prove finds the cause of the last run of q for key, or of the one that is due, in s's snapshot.
// It keeps nothing of what it computes. s is a task's own and evaluates nothing.
func (t *Table) Prove(s *Strand, q *Query, key string) (Proof, error) {
	p := &proving{table: t, strand: s, of: supposedKey{q.Name, key}, calls: provenCallsMax}
	defer t.Root(s).answered()
	t.catchUp(s.Snap.Gen())
	traces, err := t.tracesOf(q, key)
	if err != nil {
		return Proof{}, err
	}
	err = p.find(traces)
	p.Calls = provenCallsMax - p.calls
	switch {
	case s.Task.Err() != nil:
		return Proof{}, s.Task.Err()
	case err != nil:
		p.Changes, p.Problem = nil, err.Error()
	}
	return p.Proof, nil
}

// find fills in Due and Changes, or Problem.
func (p *proving) find(traces []*trace) error {
	if len(traces) == 0 {
		p.Problem = "no run of it is known"
		return nil
	}
	p.old = traces[0]
	holds, err := p.holds(nil)
	if err != nil {
		return err
	}
	if p.Due = !holds; holds {
		if len(traces) == 1 {
			p.Problem = "no earlier run of it is known"
			return nil
		}
		p.old = traces[1]
		if holds, err = p.holds(nil); err != nil {
			return err
		}
		if holds {
			p.Problem = "what the run before has read is as it was"
			return nil
		}
	}
	if found, err := p.undo(); err != nil || !found {
		if err == nil {
			p.Problem = "what the run before has read is not known well enough any more"
		}
		return err
	}
	if err := p.minimise(); err != nil {
		return err
	}
	for _, c := range p.undone {
		now, _, err := p.strand.Snap.Get(c.Part, c.Key)
		if err != nil {
			return err
		}
		p.Changes = append(p.Changes, Change{p.table.o.DB.PartitionName(c.Part), c.Key, hashText(c.New), hashText(now)})
	}
	return nil
}

func hashText(h mmapcas.Hash) string {
	if h.IsZero() {
		return ""
	}
	return h.String()
}

// holds reports whether the run before would be reused if changes were undone.
func (p *proving) holds(undone []db.Change) (holds bool, err error) {
	p.Replays++
	err = p.table.suppose(p.strand, undone, &p.calls, func(w *supposition) {
		holds = w.firstDifference(p.of, p.old) == nil
	})
	return holds && err == nil, err
}

// undo finds changes without which the run before holds: the first difference is undone, then what
// is the first then, and so on. Where a difference does not say what was there, all that is known
// to have changed since is undone at once.
func (p *proving) undo() (found bool, err error) {
	all := false
	for {
		var more []db.Change
		holds := false
		p.Replays++
		err := p.table.suppose(p.strand, p.undone, &p.calls, func(w *supposition) {
			r := w.firstDifference(p.of, p.old)
			if holds = r == nil; !holds && w.err == nil {
				more = w.reasons(p.of, r, p.old, 0)
			}
		})
		if err != nil || holds {
			return holds, err
		}
		before := len(p.undone)
		p.add(more)
		if len(p.undone) == before && !all {
			all = true
			p.undone = nil
			p.add(p.table.history.since(p.old.newest().to))
			before = 0
		}
		if len(p.undone) == before || len(p.undone) > provenChangesMax {
			return false, nil
		}
	}
}

// add undoes more, but for what is undone already.
func (p *proving) add(more []db.Change) {
	for _, c := range more {
		if !slices.ContainsFunc(p.undone, func(o db.Change) bool { return o.Part == c.Part && o.Key == c.Key }) {
			p.undone = append(p.undone, c)
		}
	}
}

// minimise finds the fewest of the changes that suffice. Where trying all sets of a size would be
// too many, it leaves out one change after the other. What was needed may not be any more when
// another is left out, so that ends when it has gone round without leaving out any.
func (p *proving) minimise() error {
	tries := 0
	for size := 1; size < len(p.undone); size++ {
		if tries += choices(len(p.undone), size); tries > provenTriesMax {
			break
		}
		for some := range subsets(p.undone, size) {
			holds, err := p.holds(some)
			if err != nil || holds {
				p.undone = some
				return err
			}
		}
	}
	if tries <= provenTriesMax {
		return nil
	}
	for i, needed := 0, 0; needed < len(p.undone); {
		i = (i + len(p.undone) - 1) % len(p.undone)
		without := slices.Delete(slices.Clone(p.undone), i, i+1)
		holds, err := p.holds(without)
		if err != nil {
			return err
		}
		if needed++; holds {
			p.undone, needed = without, 0
		}
	}
	return nil
}

// choices returns how many sets of a size there are of n things, or more than are tried.
func choices(n, size int) int {
	c := 1
	for i := range size {
		if c = c * (n - i) / (i + 1); c > provenTriesMax {
			break
		}
	}
	return c
}

// subsets returns all sets of a size.
func subsets(of []db.Change, size int) iter.Seq[[]db.Change] {
	return func(yield func([]db.Change) bool) {
		at := make([]int, size)
		for i := range at {
			at[i] = i
		}
		for {
			some := make([]db.Change, size)
			for i, j := range at {
				some[i] = of[j]
			}
			if !yield(some) {
				return
			}
			i := size - 1
			for i >= 0 && at[i] == len(of)-size+i {
				i--
			}
			if i < 0 {
				return
			}
			at[i]++
			for j := i + 1; j < size; j++ {
				at[j] = at[j-1] + 1
			}
		}
	}
}

// reasons returns what has to be undone for a read of tr to be as it was, as far as it is known.
func (w *supposition) reasons(of supposedKey, r *read, tr *trace, depth int) []db.Change {
	snap := w.strand.Snap
	switch {
	case r.kind == readRecord, r.kind == readPresence && r.hash.IsZero():
		return []db.Change{{Part: r.part, Key: r.key, New: r.hash}}
	case !r.kind.asks():
		var in []db.Change
		for _, c := range w.table.history.since(tr.newest().to) {
			if c.Part != r.part || !r.covers(c.Key) {
				continue
			}
			now, _, err := snap.Get(c.Part, c.Key)
			replaced := !now.IsZero() && !c.New.IsZero()
			if err == nil && now != c.New && !(replaced && r.kind&^readFiltered != readRange) {
				in = append(in, c)
			}
		}
		return in
	}
	q := w.table.o.Lookup(r.query)
	if q == nil || depth > supposedDepth {
		return nil
	}
	traces, err := w.table.tracesOf(q, r.key)
	if err != nil {
		return nil
	}
	id := supposedKey{q.Name, r.key}
	for _, below := range traces {
		if h, err := w.table.seen(of, below, r); err == nil && h == r.hash {
			if diff := w.firstDifference(id, below); diff != nil && w.err == nil {
				return w.reasons(id, diff, below, depth+1)
			}
		}
	}
	return nil
}

// seen returns what a read of an answer, by another or by a member of its cycle, sees in a trace.
func (t *Table) seen(by supposedKey, tr *trace, r *read) (mmapcas.Hash, error) {
	switch r.kind {
	case readQuery:
		return tr.result, nil
	case readMember:
		h, _ := tr.group.resultOf(by.query, by.key)
		return h, nil
	}
	return t.partHash(tr, r)
}

// covers reports whether a change of a key may touch a read of a presence or a range.
func (r *read) covers(key string) bool {
	if r.kind == readPresence {
		return key == r.key
	}
	return r.key <= key && (r.hi == "" || key < r.hi) && (r.glob == "" || doublestar.MatchUnvalidated(r.glob, key))
}
