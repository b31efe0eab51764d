package memo

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cytisus/cytisus/mmapcas"
)

// An Answer is a query's result in one snapshot. Value is shared: it must not be changed.
type Answer struct {
	Hash  mmapcas.Hash
	Value any
}

// Get answers q for key in fr's snapshot and records the read in fr.
func (t *Table) Get(fr *Frame, q *Query, key string) (Answer, error) {
	for {
		e, tr, err := t.upToDate(fr, q, key)
		if err != nil {
			fr.tainted = true
			return Answer{}, err
		}
		value, err := t.value(e, tr)
		if lost(err) {
			t.drop(e, tr) // the result is gone or damaged: run the query again
			continue
		}
		if err != nil {
			fr.tainted = true
			return Answer{}, err
		}
		fr.tainted = fr.tainted || tr.tainted
		fr.record(read{kind: readQuery, query: q.Name, key: key, hash: tr.result}, tr.readParts())
		return Answer{tr.result, value}, nil
	}
}

// lost reports whether err says that a record is not there or not intact, which costs a run.
func lost(err error) bool {
	return errors.Is(err, mmapcas.ErrNotFound) || errors.Is(err, mmapcas.ErrCorrupt)
}

// value returns the decoded result of a trace.
func (t *Table) value(e *entry, tr *trace) (any, error) {
	if b := tr.value.Load(); b != nil {
		if !b.used.Load() {
			b.used.Store(true)
		}
		return b.value, nil
	}
	var (
		value any
		bytes int
	)
	err := t.o.Store.View(tr.result, func(kind mmapcas.Kind, payload []byte) (err error) {
		bytes = len(payload)
		value, err = e.query.Decode(kind, payload)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("memo: result of %s: %w", e.query.show(e.key), err)
	}
	return t.cache.put(tr, value, bytes).value, nil
}

// upToDate returns a trace of the key that holds in fr's snapshot, evaluating the query if need be.
func (t *Table) upToDate(fr *Frame, q *Query, key string) (*entry, *trace, error) {
	snap := fr.strand.Snap
	for {
		e := t.entry(q, key)
		if tr := e.last.Load(); tr != nil && t.covers(q, tr, snap) && t.sound(tr) {
			e.touch()
			q.Counts.Reused.Add(1)
			return e, tr, nil
		}
		f := e.join(snap.Gen())
		if f == nil {
			t.forget(e) // if whoever evicted it has not done so yet
			continue
		}
		if t.claim(fr, f) {
			t.fly(fr, f)
			if errors.Is(f.err, errAbandoned) {
				return e, nil, fr.strand.Task.Err()
			}
		} else if err := t.wait(fr, f); err != nil {
			return e, nil, err
		}
		if f.err == nil || !errors.Is(f.err, errAbandoned) {
			return e, f.trace, f.err
		}
		if err := fr.strand.Task.Err(); err != nil {
			return e, nil, err
		}
	}
}

// fly evaluates a flight that the caller claimed.
func (t *Table) fly(fr *Frame, f *flight) {
	returned := false
	defer func() {
		if !returned { // a panic or Goexit goes on up; those who wait try again on their own account (M1)
			f.finish(nil, errAbandoned)
		}
	}()
	tr, ran, err := t.evaluate(fr, f)
	returned = true
	if !ran {
		tr, err = fr.forOthers(tr, err)
	}
	f.finish(tr, err)
}

// forOthers returns an outcome as others may see it: the strand's cancellation, or an answer in spite of it, is not one for them.
func (f *Frame) forOthers(tr *trace, err error) (*trace, error) {
	if err == nil && !tr.tainted {
		return tr, nil
	}
	if why := f.strand.Task.Err(); why != nil {
		return nil, fmt.Errorf("%w: %w", errAbandoned, errors.Join(err, why))
	}
	return tr, err
}

// evaluate finds a trace that holds or runs the query; ran says that it did the latter, and the outcome is as others may see it.
func (t *Table) evaluate(fr *Frame, f *flight) (tr *trace, ran bool, err error) {
	e := f.entry
	if err := t.load(e); err != nil {
		return nil, false, err
	}
	why := Reason{Verdict: RanFirst}
	for range othersAwaited {
		tr, seen, reason, err := t.verifyTraces(fr, f)
		if tr != nil || err != nil {
			return tr, false, err
		}
		why = reason
		may, other := f.startRun(seen)
		if may {
			break
		}
		if other == nil {
			continue
		}
		// The key is being computed for another generation. What comes out may well hold here, too. Where the two would
		// wait for each other, this one goes ahead.
		if err := t.wait(fr, other); errors.Is(err, ErrCycle) {
			break
		} else if err != nil {
			return nil, false, err
		}
	}
	tr, err = t.run(fr, f, why)
	return tr, true, err
}

// othersAwaited bounds how many computations for other generations a flight waits for before it goes its own way.
const othersAwaited = 3

// verifyTraces returns the first trace that holds, or nil and why a run is needed; seen says which traces it looked at.
func (t *Table) verifyTraces(fr *Frame, f *flight) (holds *trace, seen uint64, why Reason, err error) {
	e, snap := f.entry, fr.strand.Snap
	e.mu.Lock()
	traces := append(make([]*trace, 0, tracesKept), e.traces...)
	seen = e.tracesAdded
	e.mu.Unlock()

	traces = slices.DeleteFunc(traces, func(tr *trace) bool {
		if t.sound(tr) {
			return false
		}
		t.drop(e, tr)
		return true
	})
	for _, tr := range traces {
		if t.covers(e.query, tr, snap) && t.reuse(e, tr, Reason{Verdict: Reused}) {
			e.query.Counts.Reused.Add(1)
			return tr, seen, why, nil
		}
	}
	why = Reason{Verdict: RanFirst}
	verify := fr.child(e, false)
	for i, tr := range traces {
		verify.parts = 0
		diff, err := t.firstDifference(verify, tr)
		if err != nil {
			return nil, seen, why, err
		}
		if diff == nil {
			if t.sampled() {
				tr, err = t.recheck(fr, f, tr)
				return tr, seen, why, err
			}
			news := tr.dependsOn(verify.parts)
			tr.verified(snap.Gen())
			if !t.reuse(e, tr, Reason{Verdict: Validated}) {
				continue
			}
			e.query.Counts.Validated.Add(1)
			if news {
				t.markDirty(e)
			}
			return tr, seen, why, nil
		}
		if i == 0 {
			why = Reason{Verdict: RanChanged, Read: t.describe(diff)}
		}
	}
	return nil, seen, why, nil
}

// firstDifference verifies the reads of tr in order; nil means that all are as they were, and fr.parts is what the walk touched.
func (t *Table) firstDifference(fr *Frame, tr *trace) (*read, error) {
	for i := range tr.reads {
		r := &tr.reads[i]
		same, err := t.unchanged(fr, r)
		if err != nil {
			return nil, err
		}
		if !same {
			return r, nil
		}
	}
	return nil, nil
}

func (t *Table) unchanged(fr *Frame, r *read) (bool, error) {
	snap := fr.strand.Snap
	if r.kind.ranged() {
		fr.parts |= partBit(r.part)
		h, err := r.stateOf(snap)
		return h == r.hash, err
	}
	switch r.kind {
	case readRecord:
		fr.parts |= partBit(r.part)
		h, _, err := snap.Get(r.part, r.key)
		return h == r.hash, err
	case readPresence:
		fr.parts |= partBit(r.part)
		h, _, err := snap.Get(r.part, r.key)
		return presence(h) == r.hash, err
	case readQuery:
		q := t.o.Lookup(r.query)
		if q == nil {
			return false, nil // the program no longer has this query
		}
		_, tr, err := t.upToDate(fr, q, r.key)
		if err != nil {
			if ctxErr := fr.strand.Task.Err(); ctxErr != nil {
				return false, ctxErr
			}
			return false, nil // it fails now: whoever read it runs again and meets the error itself
		}
		fr.parts |= tr.readParts()
		return tr.result == r.hash, nil
	}
	return false, nil // unknown kind, from a newer program: run again
}

// run calls the query function and keeps what came out. The outermost run of a strand is shielded, and those inside it are with it.
func (t *Table) run(fr *Frame, f *flight, why Reason) (tr *trace, err error) {
	body := func() { tr, err = fr.forOthers(t.runFunction(fr, f, why)) }
	if fr.strand.shielded() {
		body()
	} else {
		fr.strand.shield(body)
	}
	return tr, err
}

func (t *Table) runFunction(fr *Frame, f *flight, why Reason) (*trace, error) {
	e, q := f.entry, f.entry.query
	fc := fr.child(e, true)
	defer t.o.Session()()
	res, err := q.Eval(fc, e.key)
	if err != nil {
		q.Counts.Failed.Add(1)
		return nil, err
	}
	q.Counts.Ran.Add(1)
	h, _, err := t.o.Store.Put(res.Kind, res.Payload)
	if err != nil {
		return nil, fmt.Errorf("memo: storing the result of %s: %w", q.show(e.key), err)
	}
	for _, ref := range res.Refs {
		t.o.Shade(ref)
	}
	tr := &trace{reads: fc.reads, result: h, tainted: fc.tainted}
	tr.dependsOn(fc.parts)
	tr.soundAt.Store(t.damage.Load())
	tr.verified(fr.strand.Snap.Gen())
	t.cache.put(tr, res.Value, len(res.Payload))
	if !tr.tainted {
		t.add(e, tr, why)
	}
	return tr, nil
}

// sampled decides whether this validated answer is one to compute again.
func (t *Table) sampled() bool {
	share := t.o.RecomputeShare
	if share <= 0 {
		return false
	}
	// A low-discrepancy sequence: every k-th answer for share 1/k, spread over all queries.
	n := t.sampler.Add(1)
	return uint64(float64(n)*share) != uint64(float64(n-1)*share)
}

// recheck runs a query whose trace was found to hold and compares: a pure function gives the same result.
func (t *Table) recheck(fr *Frame, f *flight, kept *trace) (*trace, error) {
	q := f.entry.query
	tr, err := t.run(fr, f, Reason{Verdict: RanSampled})
	if err != nil {
		return nil, err
	}
	if tr.result != kept.result {
		q.Counts.Impure.Add(1)
		t.o.Logger.Error("memo: query is not pure: the same reads gave another result",
			"query", q.show(f.entry.key), "kept", kept.result.String(), "now", tr.result.String())
	}
	return tr, nil
}
