package memo

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
)

// audits are the reused answers that wait to be computed again; see "Audits".
type audits struct {
	mu    sync.Mutex
	turns []*Query   // guarded by mu: those with samples, each once, the next one first
	found []Impurity // guarded by mu: of each query the first
}

// A sample is an answer that was reused.
type sample struct {
	entry *entry
	trace *trace
}

// samplesKept is how many samples of a query may wait. They come from different reuses, and mostly
// from different keys.
const samplesKept = 16

// sample keeps a reused answer for an audit, unless enough of the query's wait.
func (t *Table) sample(e *entry, tr *trace) {
	if tr.circular() {
		return // what its runs have read is in no one trace
	}
	a, q := &t.audits, e.query
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(q.audit.samples) >= samplesKept {
		return
	}
	if len(q.audit.samples) == 0 {
		a.turns = append(a.turns, q)
	}
	q.audit.samples = append(q.audit.samples, sample{e, tr})
}

// next takes the sample whose turn it is: the queries take turns, so that one that is asked
// incessantly does not keep others from being audited.
func (a *audits) next() (x sample, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.turns) == 0 {
		return sample{}, false
	}
	q := a.turns[0]
	a.turns = slices.Delete(a.turns, 0, 1)
	x = q.audit.samples[0]
	q.audit.samples = slices.Delete(q.audit.samples, 0, 1)
	if len(q.audit.samples) > 0 {
		a.turns = append(a.turns, q)
	}
	return x, true
}

// costUnknown is what an audit is expected to take of a query that has not run in this process.
const costUnknown = 10 * time.Millisecond

// NextAudit returns how long the next audit is expected to take, and false if there is none.
func (t *Table) NextAudit() (expected time.Duration, ok bool) {
	a := &t.audits
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.turns) == 0 {
		return 0, false
	}
	q := a.turns[0]
	switch {
	case q.audit.mean > 0:
		return q.audit.mean, true
	case q.runMean.Load() > 0:
		return time.Duration(q.runMean.Load()), true
	}
	return costUnknown, true
}

// Audit computes the next sample again and compares, if it is still known to hold in s's snapshot.
// It returns how long that took, not counting what more urgent tasks did meanwhile, and false if
// there is no sample. s is a task's own and evaluates nothing.
func (t *Table) Audit(s *Strand) (took time.Duration, ok bool) {
	x, ok := t.audits.next()
	if !ok {
		return 0, false
	}
	var (
		began   = time.Now()
		stopped time.Duration
		found   *Impurity
		q       = x.entry.query
	)
	done := t.holdsStill(s, x)
	if done {
		found, done = t.audit(s, x, &stopped)
	}
	took = time.Since(began) - stopped
	if t.traces() && done {
		cause := "as before"
		if found != nil {
			cause = found.Cause.String()
		}
		t.happened(WasAudited, q, x.entry.key(), took, cause)
	}
	switch {
	case !done:
		q.Counts.Unaudited.Add(1)
	case found == nil:
		q.Counts.Audited.Add(1)
	default:
		q.Counts.Audited.Add(1)
		q.Counts.Impure.Add(1)
		t.tell(q, found)
	}
	if done {
		t.audits.mu.Lock()
		q.audit.mean = mean(q.audit.mean, took)
		t.audits.mu.Unlock()
	}
	return took, true
}

// mean takes one more duration into a running mean.
func mean(before, took time.Duration) time.Duration {
	if before == 0 {
		return max(took, 1)
	}
	return max(before+(took-before)/4, 1)
}

// holdsStill reports whether a sample is still an answer of its key, and known to hold in s's
// snapshot.
func (t *Table) holdsStill(s *Strand, x sample) bool {
	x.entry.mu.Lock()
	there := slices.Contains(x.entry.appendTraces(nil), x.trace)
	x.entry.mu.Unlock()
	if !there || !t.sound(x.trace) {
		return false
	}
	_, holds := t.covers(x.entry, x.trace, s.Snap)
	return holds
}

// audit computes a sample again, a second time if the result differs, and says what is wrong; nil:
// nothing. It reports false if it cannot tell.
func (t *Table) audit(s *Strand, x sample, stopped *time.Duration) (*Impurity, bool) {
	r := &replay{kept: indexed(x.trace.reads)}
	defer func() { *stopped = r.stopped }()
	first, ok := t.replay(s, x.entry, r)
	switch {
	case !ok:
		return nil, false
	case first.err == nil && first.hash == x.trace.result && r.stale == nil:
		return nil, true
	}
	second, ok := t.replay(s, x.entry, r)
	if !ok {
		return nil, false
	}
	return t.impurity(x, s.Snap.Gen(), first, second, r.stale)
}

// A replayer answers what a call reads of other queries of which nothing is kept.
type replayer interface {
	answer(fr *Frame, q *Query, key string) (Answer, error)
	parts(fr *Frame, q *Query, key string, reads []read, see func(value any) error) (Answer, error)
}

// A replay answers with what a trace says, so that nothing is evaluated.
type replay struct {
	kept    map[readID]*read // what the trace had read
	stale   *read            // one of kept that is not as it was
	stopped time.Duration    // that more urgent tasks had meanwhile
}

// A rerun is what came out of a call.
type rerun struct {
	reads   []read
	res     Result
	hash    mmapcas.Hash
	err     error
	tainted bool // the function saw what a trace cannot name, or the task was cancelled
}

// call calls the query function of e and keeps nothing of it.
func (t *Table) call(s *Strand, e *entry, by replayer) rerun {
	fc := t.Root(s).child(e, true)
	defer fc.release()
	fc.replay = by
	defer fc.enter()()
	defer t.o.Session()() // the function may put records of its own
	t.held.running.Add(1)
	defer t.held.running.Add(-1)
	res, err := e.query.eval(fc, e.key())
	res.Payload = bytes.Clone(res.Payload) // it is compared with that of another call
	out := rerun{reads: slices.Clone(fc.recorder.reads), res: res, err: err}
	out.tainted = fc.tainted || s.Task.Err() != nil
	if err == nil {
		out.hash = resultName(res.Kind, res.Payload)
	}
	return out
}

// replay calls the query function of e in an audit. It reports false if what came out is no
// evidence.
func (t *Table) replay(s *Strand, e *entry, r *replay) (rerun, bool) {
	defer t.Root(s).answered()
	out := t.call(s, e, r)
	if out.tainted {
		return rerun{}, false
	}
	for i := range out.reads {
		now := &out.reads[i]
		if before := r.kept[now.id()]; before != nil && before.hash != now.hash && r.stale == nil {
			r.stale = before
		}
	}
	return out, true
}

// indexed returns reads by what they are about.
func indexed(reads []read) map[readID]*read {
	by := make(map[readID]*read, len(reads))
	for i := range reads {
		by[reads[i].id()] = &reads[i]
	}
	return by
}

// errNoEvidence ends a replay that cannot go on.
var errNoEvidence = errors.New("memo: the answer cannot be computed again now")

// answer is what a replay reads of another query. A query that the trace did not read is asked as
// by any run.
func (r *replay) answer(fr *Frame, q *Query, key string) (Answer, error) {
	t := fr.table
	if err := r.yield(fr); err != nil {
		return Answer{}, err
	}
	read := r.kept[readID{kind: readQuery, about: *q.about, key: key}]
	if read == nil {
		found, value, err := t.answer(fr, q, key, false, q.Whole)
		if err != nil {
			fr.tainted = true
			return Answer{}, err
		}
		fr.took(q, &found)
		return Answer{found.trace.result, value}, nil
	}
	value, err := t.recorded(q, key, read.hash)
	if err == nil && q.Whole != nil {
		err = q.Whole(value)
	}
	if err != nil {
		fr.tainted = true
		return Answer{}, errNoEvidence
	}
	if e := q.entry(key); e != nil && r.stale == nil {
		if tr := e.last.Load(); tr != nil && tr.result != read.hash && tr.holdsIn(fr.strand.Snap.Gen()) != nil {
			r.stale = read
		}
	}
	fr.record(*read, 0, nil)
	return Answer{read.hash, value}, nil
}

// yield lets more urgent tasks run before a read of another query.
func (r *replay) yield(fr *Frame) error {
	task := fr.strand.Task
	from := time.Now()
	task.Yield()
	r.stopped += time.Since(from)
	err := task.Err()
	fr.tainted = fr.tainted || err != nil
	return err
}

// parts is what a replay reads of parts of a table: that of an answer in which they are what the
// trace says. Parts that it did not read are asked for as by any run.
func (r *replay) parts(fr *Frame, q *Query, key string, reads []read, see func(value any) error) (Answer, error) {
	t := fr.table
	if err := r.yield(fr); err != nil {
		return Answer{}, err
	}
	var kept []read
	for i := range reads {
		if k := r.kept[reads[i].id()]; k != nil {
			kept = append(kept, *k)
		}
	}
	if len(kept) < len(reads) {
		return t.readParts(fr, q, key, reads, see)
	}
	e := t.entry(q, key)
	e.mu.Lock()
	traces := e.appendTraces(nil)
	e.mu.Unlock()
	for _, tr := range traces {
		var other *read
		for i := range kept {
			if h, err := t.partHash(tr, &kept[i]); err != nil || h != kept[i].hash {
				other = r.kept[kept[i].id()]
				break
			}
		}
		if other != nil {
			if r.stale == nil && tr == e.last.Load() && tr.holdsIn(fr.strand.Snap.Gen()) != nil {
				r.stale = other
			}
			continue
		}
		value, err := t.recorded(q, key, tr.result)
		if err == nil {
			err = see(value)
		}
		if err != nil {
			continue
		}
		for _, k := range kept {
			fr.record(k, 0, nil)
		}
		return Answer{tr.result, value}, nil
	}
	fr.tainted = true
	return Answer{}, errNoEvidence
}

// replayAll is All in a replay.
func replayAll(fr *Frame, q *Query, keys []string) ([]Answer, error) {
	answers := make([]Answer, len(keys))
	for i, key := range keys {
		var err error
		if answers[i], err = fr.replay.answer(fr, q, key); err != nil {
			return answers[:i], err
		}
	}
	return answers, nil
}

// recorded returns the value of a result that a trace has read.
func (t *Table) recorded(q *Query, key string, h mmapcas.Hash) (value any, err error) {
	if e := q.entry(key); e != nil {
		e.mu.Lock()
		traces := e.appendTraces(nil)
		e.mu.Unlock()
		for _, tr := range traces {
			if b := tr.value.Load(); b != nil && tr.result == h {
				return b.value, nil
			}
		}
	}
	err = t.View(h, func(kind mmapcas.Kind, payload []byte) (err error) {
		defer caught(&err)
		value, err = q.Decode(kind, payload)
		return err
	})
	return value, err
}

// tell reports what an audit has found: the first of a query in the log, all at level debug.
func (t *Table) tell(q *Query, found *Impurity) {
	a := &t.audits
	a.mu.Lock()
	first := !slices.ContainsFunc(a.found, func(o Impurity) bool { return o.Query == q.Name })
	if first {
		a.found = append(a.found, *found)
	}
	a.mu.Unlock()
	log := t.o.Logger.Debug
	if first {
		log = t.o.Logger.Error
	}
	log("memo: query is not pure: computed again, it gave another result", "query", found.Query, "key", found.Key,
		"cause", found.Cause.String(), "read", found.Read, "kept", found.Kept, "now", found.Now)
}

// Impurities returns what audits have found, of each query the first.
func (t *Table) Impurities() []Impurity {
	t.audits.mu.Lock()
	defer t.audits.mu.Unlock()
	return slices.Clone(t.audits.found)
}
