package memo

import (
	"math"
	"sync/atomic"
	"time"
)

// A schedule says which of the answers of a query are kept for an audit, by their number.
type schedule struct{ at atomic.Uint64 } // the next one, or one after it

// take reports whether answer n is one, which only one caller is told.
func (s *schedule) take(n uint64, o *Options, salt uint64) bool {
	at := s.at.Load()
	return n >= at && s.at.CompareAndSwap(at, n+gapAfter(n, o.AuditShare, o.AuditSeed^salt))
}

// gapsEarly is how much denser than its share a query is audited at first: after n answers the gap
// is a gapsEarly-th of n on average, until it is the share's.
const gapsEarly = 8

// gapAfter returns how far behind answer n the next one is: a number that is chance, by the seed,
// and 1/share on average, or less of a query that has given few answers.
func gapAfter(n uint64, share float64, seed uint64) uint64 {
	most := math.Min(1/share, math.MaxUint32)
	gap := math.Max(1, math.Min(float64(n)/gapsEarly, most))
	chance := float64(mix(seed+n)>>11) / (1 << 53) // in [0, 1)
	return 1 + uint64(chance*(2*gap-1))
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood, 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// reused counts an answer that was known to hold. On the fast path that is an addition and a
// comparison with a word beside it.
func (t *Table) reused(q *Query, e *entry, tr *trace) {
	if n := q.Counts.Reused.Add(1); n >= q.noticeAt.Load() {
		t.noticeReuse(q, e, tr, n)
	}
}

// noticeReuse is called for the reuses that a hook or an audit is to know of.
func (t *Table) noticeReuse(q *Query, e *entry, tr *trace, n uint64) {
	if q.audit.reused.take(n, &t.o, q.audit.salt) {
		t.sample(e, tr)
	}
	if t.traces() {
		t.happened(WasReused, q, e.key(), 0, Reused.String())
		return // of the next, too
	}
	q.noticeAt.Store(q.audit.reused.at.Load()) // late or early by another caller's: it looks again
}

// validated counts an answer whose reads were verified, since began if that is to be told.
func (t *Table) validated(q *Query, e *entry, tr *trace, began time.Time) {
	if n := q.Counts.Validated.Add(1); q.audit.walked.take(n, &t.o, q.audit.salt) {
		t.sample(e, tr)
	}
	if t.traces() {
		t.happened(WasVerified, q, e.key(), time.Since(began), Validated.String())
	}
}

// A queryAudits is what a query's audits are about.
type queryAudits struct {
	salt           uint64 // immutable
	reused, walked schedule
	samples        []sample      // guarded by audits.mu
	mean           time.Duration // guarded by audits.mu: that an audit took; 0: none has been
}

// begin schedules the first audits.
func (a *queryAudits) begin(q *Query, o *Options) {
	for _, c := range q.Name {
		a.salt = mix(a.salt ^ uint64(c))
	}
	first := uint64(1)
	if o.AuditShare <= 0 {
		first = math.MaxUint64
	}
	a.reused.at.Store(first)
	a.walked.at.Store(first)
	if o.Trace != nil {
		first = 0 // and stays
	}
	q.noticeAt.Store(first)
}

// Of the runs of a query the first few are timed, and one of runsTimed then.
const (
	runsTimedFirst = 8
	runsTimed      = 64
)

// timesRun reports whether the next run of q is one to be timed.
func (q *Query) timesRun() bool {
	n := q.Counts.Ran.Load()
	return n < runsTimedFirst || n%runsTimed == 0
}

// took takes down what a run took, with all that it read and had to compute.
func (q *Query) took(d time.Duration) {
	q.runMean.Store(int64(mean(time.Duration(q.runMean.Load()), d)))
}
