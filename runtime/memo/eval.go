package memo

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/sched"
)

// An Answer is a query's result in one snapshot. Value is shared: it must not be changed.
type Answer struct {
	Hash  mmapcas.Hash
	Value any
}

// Get answers q for key in fr's snapshot and records the read in fr.
func (t *Table) Get(fr *Frame, q *Query, key string) (Answer, error) {
	a, err := t.get(fr, q, key, false)
	fr.answered()
	return a, err
}

// GetBytes is Get for a key whose bytes are valid during the call only.
func (t *Table) GetBytes(fr *Frame, q *Query, key []byte) (Answer, error) {
	a, err := t.get(fr, q, transient(key), true)
	fr.answered()
	return a, err
}

// get is Get as a part of a question. passing says that the key is valid during the call only.
func (t *Table) get(fr *Frame, q *Query, key string, passing bool) (Answer, error) {
	if fr.replay != nil {
		return fr.replay.answer(fr, q, strings.Clone(key))
	}
	found, value, err := t.answer(fr, q, key, passing, q.Whole)
	if err != nil {
		if fr.strand.unwinding {
			panic(unwound{})
		}
		fr.tainted = true
		return Answer{}, err
	}
	fr.took(q, &found)
	return Answer{found.trace.result, value}, nil
}

// took records an answer.
func (f *Frame) took(q *Query, found *holding) {
	tr := found.trace
	if f.restsOn(found) {
		return
	}
	f.tainted = f.tainted || tr.tainted
	if f.records() {
		f.recordAnswer(read{kind: readQuery, about: q.about, key: found.entry.key(), hash: tr.result}, found)
	}
}

// recordAnswer adds a read that an answer was found for.
func (f *Frame) recordAnswer(r read, found *holding) {
	f.account.add(found)
	f.footing.addTrace(found.trace)
	f.nested = true
	f.record(r, found.trace.readParts(), &found.entry.source)
}

// A holding is a trace that holds in the snapshot that it was asked for in, and why.
type holding struct {
	entry *entry
	trace *trace
	vouch
	member *member // the trace is provisional; nil: it is not
}

// answer returns a trace of the key that holds in fr's snapshot, with its result, as far as the
// caller reads that: read says whether it can be, nil that it can. passing says that the key is
// valid during the call only. It ends: each time round, a trace that was there when it began is
// dropped, or the result is one that was computed since.
func (t *Table) answer(fr *Frame, q *Query, key string, passing bool, read func(value any) error) (holding, any, error) {
	e, tr, iv := t.hit(fr, q, key)
	if iv != nil && fr.strand.fix == nil {
		if b := tr.value.Load(); b != nil && (read == nil || read(b.value) == nil) {
			e.touch()
			b.use()
			t.reused(q, e, tr)
			return holding{entry: e, trace: tr, vouch: iv.vouch(tr)}, b.value, nil
		}
	}
	if e == nil {
		if err := q.fits(key); err != nil {
			return holding{}, nil, err
		}
		e = t.entryMissed(q, key, passing)
	}
	return t.evaluated(fr, e, read)
}

// evaluated is answer where the key is not known to hold. e is the key's entry, or one that it had.
func (t *Table) evaluated(fr *Frame, e *entry, read func(value any) error) (holding, any, error) {
	if fr.timed {
		defer fr.under(t.o.Now())
	}
	began := t.runs.Load()
	for {
		found, err := t.upToDate(fr, e.query, e.key(), e)
		if err != nil {
			return holding{}, nil, err
		}
		value, err := t.value(found.entry, found.trace)
		if err == nil && read != nil {
			err = read(value)
		}
		if !lost(err) {
			return found, value, err
		}
		if why := fr.strand.Task.Err(); why != nil {
			return holding{}, nil, why
		}
		if found.trace.run > began {
			return holding{}, nil, fmt.Errorf("memo: what a run has just given cannot be read back: %w", err)
		}
		t.drop(found.entry, found.trace) // the result is gone or damaged: run the query again
	}
}

// hit returns the entry of the key, or one that it had, nil if it has none; and of the trace that
// answered last, if that is known to hold in fr's snapshot without looking any further, the
// interval, nil if it is not. With the value in memory it is all of answer.
func (t *Table) hit(fr *Frame, q *Query, key string) (*entry, *trace, *interval) {
	e, _ := fr.recorder.query(q, key, fr.recorder.at)
	if e == nil {
		if e = fr.strand.landed(q, key); e == nil {
			e = q.entry(key)
		}
		if e == nil {
			return nil, nil, nil
		}
	}
	tr := e.last.Load()
	if tr == nil || tr.soundAt.Load() != t.damage.Load() {
		return e, nil, nil
	}
	return e, tr, tr.holdsIn(fr.strand.Snap.Gen())
}

// lost reports whether err says that a record is not there or not intact, which costs a run.
func lost(err error) bool {
	return errors.Is(err, mmapcas.ErrNotFound) || errors.Is(err, mmapcas.ErrCorrupt)
}

// value returns the decoded result of a trace.
func (t *Table) value(e *entry, tr *trace) (any, error) {
	if b := tr.value.Load(); b != nil {
		b.use()
		return b.value, nil
	}
	var (
		value any
		bytes int
	)
	err := t.View(tr.result, func(kind mmapcas.Kind, payload []byte) (err error) {
		if bytes = len(payload); bytes >= sharedBytes {
			if value = t.shared.find(e.query, tr.result); value != nil {
				return nil
			}
		}
		defer caught(&err)
		if value, err = e.query.Decode(kind, payload); err == nil {
			t.shared.add(e.query, tr.result, bytes, value)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("memo: result of %s: %w", e.query.show(e.key()), err)
	}
	return t.cache.put(tr, value, bytes).value, nil
}

// caught makes an error of a panic of the function that defers it.
func caught(err *error) {
	if r := recover(); r != nil {
		*err = sched.Caught(r)
	}
}

// upToDate returns a trace of the key that holds in fr's snapshot, evaluating the query if need be.
// The trace may be tainted. hint is the key's entry, or one that it had, or nil.
func (t *Table) upToDate(fr *Frame, q *Query, key string, hint *entry) (holding, error) {
	snap := fr.strand.Snap
	for {
		e := hint
		if e == nil || e.changed.Load() == never {
			if err := q.fits(key); err != nil {
				return holding{}, err
			}
			e = t.entry(q, key)
		}
		if x := fr.strand.fix; x != nil {
			if m := x.members[e]; m != nil {
				return fr.provisional(m), nil
			}
		}
		if tr := e.last.Load(); tr != nil && t.sound(tr) {
			if v, ok := t.covers(e, tr, snap); ok {
				e.touch()
				t.reused(q, e, tr)
				return holding{entry: e, trace: tr, vouch: v}, nil
			}
		}
		if f := fr.met(e); f != nil {
			return holding{entry: e, trace: f.trace, vouch: f.vouch}, f.err
		}
		if fr.strand.tooDeep(t.levels) {
			return holding{entry: e}, errUnwound
		}
		if f := fr.strand.lone[e]; f != nil {
			return t.reenter(fr, f)
		}
		f, mine := e.take(fr.strand, snap.Gen())
		if f == nil {
			t.forget(e) // if whoever evicted it has not done so yet
			hint = nil
			continue
		}
		if mine || t.claim(fr, f) {
			t.fly(fr, f)
		} else {
			switch err := t.wait(fr, f); err {
			case nil:
			case errOwn:
				return t.reenter(fr, f)
			case errCloses:
				f = fr.strand.alone(e, snap.Gen())
				t.fly(fr, f)
			default:
				return holding{entry: e}, err
			}
		}
		if fr.strand.unwinding {
			return holding{entry: e}, errUnwound
		}
		if m := f.member; m != nil && m.complete { // of this strand: another's is done, and has none
			return fr.provisional(m), nil
		}
		if f.usable(fr.strand) {
			fr.note(f)
			found, err := holding{entry: e, trace: f.trace, vouch: f.vouch}, f.err
			if mine {
				fr.strand.retire(f)
			}
			return found, err
		}
		if err := fr.strand.Task.Err(); err != nil {
			return holding{entry: e}, err
		}
	}
}

// fly evaluates a flight that the caller claimed. After it f is done, unless the strand unwinds.
func (t *Table) fly(fr *Frame, f *flight) {
	s := fr.strand
	t.climb(fr, f)
	if s.unwinding && s.levels == 0 {
		t.land(s)
	}
}

// climb evaluates a claimed flight on the stack as it is.
func (t *Table) climb(fr *Frame, f *flight) {
	s := fr.strand
	s.levels++
	if f.index == 0 {
		s.flown++
		f.index = s.flown
	}
	returned := false
	defer func() {
		s.levels--
		if returned {
			return
		}
		// A panic or Goexit goes on up; those who wait try again on their own account (M1).
		s.drop(f)
		f.abandon()
		if s.levels == 0 {
			s.abandonAll()
		}
	}()
	tr, ran, err := t.evaluate(fr, f)
	returned = true
	if s.unwinding {
		s.suspend(f)
		return
	}
	if err == nil && f.member != nil && f.member.complete {
		return // the head of its cycle finishes it
	}
	if !ran {
		tr, err = fr.forOthers(tr, err)
	}
	s.drop(f)
	f.trace, f.err = tr, err
	s.share(f) // before it leaves its entry: see unkept
	f.publish()
}

// forOthers returns an outcome as others may see it: the strand's cancellation, or an answer in
// spite of it, is not one for them.
func (f *Frame) forOthers(tr *trace, err error) (*trace, error) {
	if err == nil && !tr.tainted {
		return tr, nil
	}
	if why := f.strand.Task.Err(); why != nil {
		return nil, fmt.Errorf("%w: %w", errAbandoned, errors.Join(err, why))
	}
	return tr, err
}

// evaluate finds a trace that holds or runs the query; ran says that it did the latter, and the
// outcome is as others may see it.
func (t *Table) evaluate(fr *Frame, f *flight) (tr *trace, ran bool, err error) {
	if g := fr.strand.shared(f.entry); g != nil {
		f.vouch = g.vouch
		return g.trace, true, g.err
	}
	t.catchUp(f.gen)
	first, err := t.loadFor(f, &fr.strand.scratch)
	if err != nil {
		return nil, false, err
	}
	why := Reason{Verdict: RanFirst}
	for look := 1; !first; look++ {
		tr, seen, reason, err := t.verifyTraces(fr, f)
		if tr != nil || err != nil {
			return tr, false, err
		}
		why = reason
		last := look == looksMax
		if !last {
			if joined, err := t.joinOlder(fr, f); err != nil {
				return nil, false, err
			} else if joined {
				continue
			}
		}
		if f.startRun(seen, last) {
			break
		}
	}
	tr, err = t.run(fr, f, why)
	return tr, true, err
}

// looksMax bounds how often a flight looks at traces before it goes its own way.
const looksMax = 4

// verifyTraces returns the first trace that holds, or nil and why a run is needed; seen says which
// traces it looked at.
func (t *Table) verifyTraces(fr *Frame, f *flight) (holds *trace, seen uint32, why Reason, err error) {
	e, snap := f.entry, fr.strand.Snap
	e.mu.Lock()
	traces := e.appendTraces(make([]*trace, 0, tracesKept))
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
		v, ok := t.covers(e, tr, snap)
		if ok && t.reuse(e, tr, Reason{Verdict: Reused}) {
			f.vouch = v
			t.reused(e.query, e, tr)
			return tr, seen, why, nil
		}
	}
	why = Reason{Verdict: RanFirst}
	if len(traces) == 0 {
		return nil, seen, why, nil
	}
	newest := traces[0]
	headsFirst(traces)
	began := t.begun()
	verify := fr.child(e, false)
	defer verify.release()
	for _, tr := range traces {
		verify.parts, verify.account = 0, account{}
		verify.footing.begin(tr.basis.Load())
		diff, err := t.firstDifference(verify, tr)
		f.low = lower(f.low, verify.low)
		looked := uint64(len(verify.account.looked))
		if diff != nil {
			looked++
		}
		e.query.Counts.Looked.Add(looked)
		if err != nil {
			return nil, seen, why, err
		}
		if diff == nil {
			news := tr.dependsOn(verify.parts)
			news = tr.restsOn(&verify.footing) || news
			news = news || tr.holds.Load() == nil
			t.linkWalk(&verify.account, e, tr)
			f.vouch = verify.account.publish(&interval{}, e, tr, snap.Gen())
			if !t.reuse(e, tr, Reason{Verdict: Validated}) {
				continue
			}
			t.validated(e.query, e, tr, began)
			if news && !tr.unstored {
				t.markDirty(e)
			}
			return tr, seen, why, nil
		}
		if tr == newest {
			why = Reason{Verdict: RanChanged, Read: t.describe(diff)}
		}
	}
	return nil, seen, why, nil
}

// firstDifference verifies the reads of tr in order; nil means that all are as they were, and then
// fr.parts is what the walk touched, and fr.account what it found of the reads.
func (t *Table) firstDifference(fr *Frame, tr *trace) (*read, error) {
	a := &fr.account
	standing := t.standing(tr, fr.strand.Snap)
	doubt := false // whether walls stand
	if standing.links != nil {
		a.linkedBefore(standing.links, len(tr.reads))
		a.stamps, a.walls = standing.stamps, standing.walls
		parts, ok := t.wallsStand(standing.walls, standing.to, fr.strand.Snap)
		fr.parts |= parts
		doubt = !ok
	} else {
		a.linkedBefore(tr.linked(), len(tr.reads))
	}
	for i := range tr.reads {
		var x *source
		if a.links != nil {
			x = a.was[i]
			if standing.links != nil && x.changed.Load() <= standing.to && !(doubt && x.isEntry) {
				a.note(x)
				continue // R12
			}
		}
		r := &tr.reads[i]
		same, err := t.unchanged(fr, tr, i, x)
		if lost(err) {
			return r, nil // it cannot be read now: whoever needs it runs again, and meets the error if it reads it still
		}
		if err != nil {
			return nil, err
		}
		if !same {
			return r, nil
		}
		a.looked = append(a.looked, int32(i))
	}
	return nil, nil
}

// unchanged verifies read i of tr, which was linked to x, or nil.
func (t *Table) unchanged(fr *Frame, tr *trace, i int, x *source) (bool, error) {
	snap, r := fr.strand.Snap, &tr.reads[i]
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
	case readQuery, readPart, readNames, readMember:
		var (
			q    *Query
			hint *entry
		)
		if x != nil {
			hint = x.asEntry()
			q = hint.query
		} else if q = t.o.Lookup(r.query); q == nil {
			return false, nil // the program no longer has this query
		}
		if fr.entry != nil && fr.entry.state.Load()&toLink != 0 {
			hint = t.toBeLinked(q, r.key, hint) // which has no links if what it reads has none
		}
		found, err := t.upToDate(fr, q, r.key, hint)
		if err != nil {
			if fr.strand.unwinding {
				return false, err
			}
			if ctxErr := fr.strand.Task.Err(); ctxErr != nil {
				return false, ctxErr
			}
			return false, nil // it fails now: what read it runs again and meets the error itself
		}
		if found.trace.tainted {
			return false, nil // K1: the hash may be the same, but what it rests on is not known
		}
		fr.parts |= found.trace.readParts()
		fr.footing.addTrace(found.trace)
		fr.account.add(&found)
		fr.account.set(i, len(tr.reads), &found.entry.source)
		switch r.kind {
		case readQuery:
			return found.trace.result == r.hash, nil
		case readMember:
			h, there := found.trace.group.result(fr.entry)
			return there && h == r.hash, nil
		}
		h, err := t.partHash(found.trace, r)
		return h == r.hash, err
	}
	return false, nil // unknown kind, from a newer program: run again
}

// run calls the query function and keeps what came out. The outermost run of a strand is shielded,
// and those inside it are with it.
func (t *Table) run(fr *Frame, f *flight, why Reason) (tr *trace, err error) {
	if fr.strand.Hydrates {
		fr.strand.Task.Handle().Cancel(ErrMustRun)
		return nil, fmt.Errorf("%w: %w", errAbandoned, ErrMustRun)
	}
	if why := fr.strand.Task.Err(); why != nil {
		// Nothing of it would be kept or shared, so a function that goes on after errors would have
		// all below it run at each level again.
		return nil, fmt.Errorf("%w: %w", errAbandoned, why)
	}
	if fr.strand.shielded {
		return fr.forOthers(t.runFunction(fr, f, why))
	}
	fr.strand.whileWanted(func() error {
		tr, err = fr.forOthers(t.runFunction(fr, f, why))
		return nil
	})
	return tr, err
}

func (t *Table) runFunction(fr *Frame, f *flight, why Reason) (*trace, error) {
	e, q := f.entry, f.entry.query
	fc := fr.child(e, true)
	defer fc.release()
	if why.Verdict != RanFirst {
		fc.recorder.follow(e.linkedBefore())
	}
	fc.recorder.shown = &f.shown
	defer fc.enter()()
	defer t.o.Session()()
	t.held.running.Add(1)
	defer t.held.running.Add(-1)
	damage := t.damage.Load()
	var began time.Time
	if t.traces() || q.timesRun() {
		began = t.o.Now()
		fc.timed = true
	}
	// What was viewed in place before is not looked at again, as across a wait. So a task that runs
	// one query after the other holds back no memory for longer than one of them takes.
	fr.strand.Task.Refresh()
	res, err := q.eval(fc, e.key())
	if fr.strand.unwinding {
		return nil, errUnwound // whatever the function made of it
	}
	var took time.Duration
	if !began.IsZero() {
		took = t.since(began)
		q.took(took)
	}
	f.cyclic = fc.cyclic
	f.low = lower(f.low, fc.low)
	if len(fc.rests) > 0 {
		return t.fixpoint(f, fc, res, err, took, why)
	}
	if err != nil {
		q.Counts.Failed.Add(1)
		e.explain(failure(err))
		if t.traces() && fr.strand.Task.Err() == nil { // else it is one that is given up
			t.happened(WasRun, q, e.key(), took, failure(err).String())
		}
		return nil, err
	}
	if fc.looked && fr.strand.Task.Err() != nil {
		fc.tainted = true
	}
	q.Counts.Ran.Add(1)
	h, unstored, err := t.keepOrHold(q, &res)
	if err != nil {
		return nil, fmt.Errorf("memo: storing the result of %s: %w", q.show(e.key()), err)
	}
	for _, ref := range res.Refs {
		t.o.Shade(ref)
	}
	tr, made := newTrace(&fc.recorder)
	tr.result, tr.tainted, tr.run = h, fc.tainted, t.runs.Add(1)
	tr.dependsOn(fc.parts)
	if fc.nested && !tr.tainted {
		fc.footing.addPlain(tr.reads)
		tr.basis.Store(fc.footing.basis(fc.parts))
	}
	tr.soundAt.Store(damage)
	if tr.tainted {
		// Nothing refers to the result, so a collection may take it; the value lives with the
		// trace, which lives as long as the questions that were given it.
		tr.hasValue(res.Value)
		why = Reason{Verdict: RanUnkept}
		e.explain(why)
	} else {
		t.hold(tr, &res, unstored)
		t.shared.add(e.query, tr.result, len(res.Payload), res.Value)
		t.keepBatches(tr, fc.recorder.batches)
		if !began.IsZero() {
			q.ran(costOf(took-fc.below, tr.reads, made), t.o.MeasuredFrom)
		}
		t.linkRun(&fc.account, e, tr.reads, &fc.recorder, made)
		f.vouch = fc.account.publish(&tr.firstInterval, e, tr, fr.strand.Snap.Gen())
		t.add(e, tr, why)
	}
	if t.traces() {
		t.happened(WasRun, q, e.key(), took, why.String())
	}
	return tr, nil
}

// linkedBefore returns the trace of e that was used last.
func (e *entry) linkedBefore() *trace {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.traces
}

// eval calls the query function. A panic of it is an error that names the query and the key, and so
// is the task's if the function calls Goexit.
func (q *Query) eval(f *Frame, key string) (res Result, err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		r := recover()
		if _, ours := r.(unwound); ours && f.strand.unwinding {
			return
		}
		if r == nil {
			f.strand.Task.ExitsFrom("query " + q.show(key))
			return
		}
		err = fmt.Errorf("memo: query %s: %w", q.show(key), sched.Caught(r))
	}()
	res, err = q.Eval(f, key)
	returned = true
	return res, err
}
