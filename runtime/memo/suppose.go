package memo

import (
	"errors"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// A supposition is a snapshot as it would be had some things not changed. Answers in it are found
// by walks of the traces that are known and by calls of functions, and nothing of it is kept: see
// "Causes".
type supposition struct {
	table   *Table
	strand  *Strand
	answers map[supposedKey]*supposed
	depth   int
	calls   *int  // that may still be made
	err     error // why it was given up
}

type supposedKey struct{ query, key string }

// A supposed is an answer in a supposition.
type supposed struct {
	hash     mmapcas.Hash
	value    any
	hasValue bool
	group    *group // of the head of a cycle whose trace holds
	err      error  // it has failed, or what it was computed from cannot be named
	busy     bool   // it is being computed
}

var (
	errSupposedDeep  = errors.New("what it rests on is nested too deep to be replayed")
	errSupposedCalls = errors.New("replaying it takes too many calls")
	errSupposedTaint = errors.New("memo: it rests on what no trace can name")
)

// supposedDepth bounds how deep answers of a supposition are nested: they are computed on one
// stack.
const supposedDepth = 2000

// suppose calls fn with what s's snapshot would be with changes. s reads that snapshot meanwhile.
func (t *Table) suppose(s *Strand, changes []db.Change, calls *int, fn func(w *supposition)) error {
	base := s.Snap
	snap, err := base.Supposing(changes)
	if err != nil {
		return err
	}
	s.Snap = snap
	defer func() {
		s.Snap = base
		snap.Release()
	}()
	w := &supposition{table: t, strand: s, answers: map[supposedKey]*supposed{}, calls: calls}
	fn(w)
	return w.err
}

// tracesOf returns the traces of a key, the one that answered last first.
func (t *Table) tracesOf(q *Query, key string) ([]*trace, error) {
	if err := q.fits(key); err != nil {
		return nil, err
	}
	e := t.entry(q, key)
	if err := t.load(e); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.appendTraces(nil), nil
}

// find returns the answer of q for key.
func (w *supposition) find(q *Query, key string) *supposed {
	id := supposedKey{q.Name, key}
	if a := w.answers[id]; a != nil {
		if a.busy {
			return &supposed{err: ErrCycle}
		}
		return a
	}
	a := &supposed{busy: true}
	w.answers[id] = a
	w.depth++
	defer func() {
		w.depth--
		a.busy = false
	}()
	if w.depth > supposedDepth {
		w.fail(errSupposedDeep)
	}
	traces, err := w.table.tracesOf(q, key)
	if err != nil {
		w.fail(err)
	}
	for _, tr := range traces {
		if w.firstDifference(id, tr) == nil && w.err == nil {
			a.hash, a.group = tr.result, tr.group
			return a
		}
	}
	w.run(a, q, key)
	return a
}

// fail gives the supposition up.
func (w *supposition) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// firstDifference returns the first read of a trace of an answer that is not as it was, nil if
// there is none.
func (w *supposition) firstDifference(of supposedKey, tr *trace) *read {
	for i := range tr.reads {
		if r := &tr.reads[i]; w.err != nil || !w.unchanged(of, r) {
			return r
		}
	}
	return nil
}

func (w *supposition) unchanged(of supposedKey, r *read) bool {
	var (
		h   mmapcas.Hash
		err error
	)
	switch {
	case r.kind.ranged():
		h, err = r.stateOf(w.strand.Snap)
	case r.kind == readRecord, r.kind == readPresence:
		h, _, err = w.strand.Snap.Get(r.part, r.key)
		if r.kind == readPresence {
			h = presence(h)
		}
	case r.kind.asks():
		q := w.table.o.Lookup(r.query)
		if q == nil {
			return false
		}
		a := w.find(q, r.key)
		switch {
		case a.err != nil || r.kind == readQuery:
			return a.err == nil && a.hash == r.hash
		case r.kind == readMember:
			h, there := a.group.resultOf(of.query, of.key)
			return there && h == r.hash
		}
		value, valueErr := w.value(a, q, r.key)
		table, ok := value.(Parted)
		if !ok {
			return false
		}
		h, err = table.Parts().hashOf(r), valueErr
	default:
		return false
	}
	return err == nil && h == r.hash
}

// run computes an answer.
func (w *supposition) run(a *supposed, q *Query, key string) {
	if *w.calls--; *w.calls < 0 {
		w.fail(errSupposedCalls)
	}
	if err := w.strand.Task.Err(); err != nil {
		w.fail(err)
	}
	if a.err = w.err; a.err != nil {
		return
	}
	out := w.table.call(w.strand, w.table.entry(q, key), w)
	switch {
	case w.err != nil:
		a.err = w.err
	case out.err != nil:
		a.err = out.err
	case out.tainted:
		a.err = errSupposedTaint
	default:
		a.hash, a.value, a.hasValue = out.hash, out.res.Value, true
	}
}

// answer is what a call in a supposition reads of another query.
func (w *supposition) answer(fr *Frame, q *Query, key string) (Answer, error) {
	return w.parts(fr, q, key, []read{{kind: readQuery, about: q.about, key: key}}, q.Whole)
}

// parts is answer for what see looks at.
func (w *supposition) parts(fr *Frame, q *Query, key string, reads []read, see func(value any) error) (Answer, error) {
	a := w.find(q, key)
	value, err := w.value(a, q, key)
	if err == nil && see != nil {
		err = see(value)
	}
	if err != nil {
		fr.tainted = true
		return Answer{}, err
	}
	for _, r := range reads {
		r.hash = a.hash
		if r.kind != readQuery {
			r.hash = value.(Parted).Parts().hashOf(&r) // see has looked whether it is one
		}
		fr.record(r, 0, nil)
	}
	return Answer{a.hash, value}, nil
}

// value returns the value of an answer, of which only the hash may be known.
func (w *supposition) value(a *supposed, q *Query, key string) (any, error) {
	if a.err == nil && !a.hasValue {
		var err error
		if a.value, err = w.table.recorded(q, key, a.hash); err == nil {
			a.hasValue = true
		} else {
			w.run(a, q, key) // the result is gone
		}
	}
	return a.value, a.err
}
