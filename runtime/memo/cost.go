package memo

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
)

// A Cost says what computing a query's answers costs, as far as its author knows.
type Cost uint8

const (
	Measured Cost = iota // nothing is known but what is measured
	Cheap                // computing is quicker than loading, unless it is measured not to be
)

// A costs is what is measured of a query: its own work in a run, without that of queries below;
// what it takes to bring back the answers that a run reads; and the loading of a stored answer. All
// are running means. See "What is not worth storing".
type costs struct {
	run, below, load atomic.Int64 // nanoseconds; 0: not measured
	runs, loads      atomic.Uint32
	passed           atomic.Uint32 // answers that might have been loaded to see what that takes
	cheap            atomic.Bool
	unsure           atomic.Bool // below is not measured
	waits            atomic.Bool // an answer is among broughtBack.entries
}

const (
	runsMeasured  = 8 // before a query may count as cheap
	loadsMeasured = 4

	// measuredFrom is how often a query must have run to count as cheap if that is not said of it:
	// of fewer answers there is little to be had.
	measuredFrom = 1024

	// outlier: a measurement counts as at most so many times the mean, so that one in which the
	// thread was preempted does not decide what is stored.
	outlier = 4
)

// A ranFor is what one run took: its own work, and what bringing back what it read would take, if
// that is known.
type ranFor struct {
	own, below time.Duration
	known      bool
}

// ran takes down what a run took. from is how often a query must have run to count as cheap.
func (q *Query) ran(took ranFor, from uint64) {
	c := &q.costs
	c.unsure.Store(!took.known)
	if took.known {
		c.below.Store(int64(mean(time.Duration(c.below.Load()), took.below)))
	}
	take(&c.run, &c.runs, took.own, mean)
	q.decide(from)
}

// loaded takes down what loading an answer took.
func (q *Query) loaded(took time.Duration, from uint64) {
	take(&q.costs.load, &q.costs.loads, took, least)
	q.decide(from)
}

// take adds a measurement to a running mean, which begins as what first makes of some.
func take(of *atomic.Int64, count *atomic.Uint32, took time.Duration, first func(before, took time.Duration) time.Duration) {
	before := time.Duration(of.Load())
	if count.Add(1) <= runsMeasured {
		of.Store(int64(first(before, took)))
		return
	}
	of.Store(int64(mean(before, min(took, outlier*before))))
}

// least is the smaller of two measurements; before may be none.
func least(before, took time.Duration) time.Duration {
	if before == 0 {
		return max(took, 1)
	}
	return max(min(before, took), 1)
}

// decide says whether answers of q are cheap.
func (q *Query) decide(from uint64) {
	c := &q.costs
	if c.runs.Load() < runsMeasured || c.loads.Load() < loadsMeasured {
		return
	}
	compute, load := c.run.Load(), c.load.Load()
	quicker, slower := int64(2), int64(1) // so many times compute is less than load, or more
	if q.Cost != Cheap {
		if q.Fixpoint != nil || c.unsure.Load() || q.Counts.Ran.Load() < from {
			return
		}
		compute += c.below.Load()
		quicker, slower = 4, 2
	}
	switch {
	case quicker*compute < load:
		c.cheap.Store(true)
	case slower*compute > load:
		c.cheap.Store(false)
	}
}

// back returns what it takes to have an answer of q after a restart, if that is measured.
func (q *Query) back() (took time.Duration, known bool) {
	c := &q.costs
	if q.MemoryOnly || c.cheap.Load() {
		return time.Duration(c.run.Load() + c.below.Load()), c.runs.Load() > 0 && !c.unsure.Load()
	}
	return time.Duration(c.load.Load()), c.loads.Load() > 0
}

// costOf returns what a run took whose reads were answered by these sources.
func costOf(own time.Duration, reads []read, from []*source) ranFor {
	took := ranFor{own: own, known: true}
	for i := range reads {
		if !reads[i].kind.asks() || i > 0 && from[i] == from[i-1] {
			continue
		}
		e := from[i].asEntry()
		if e == nil {
			return ranFor{own: own}
		}
		below, known := e.query.back()
		if !known {
			return ranFor{own: own}
		}
		took.below += below
	}
	return took
}

// unstored reports whether a result of q is to stay in memory. What refers to records does not: a
// collection follows only what is in the store. Nor does what the cache can drop, unless it is said
// to be cheap: it would take more memory.
func (t *Table) unstored(q *Query, res *Result) bool {
	switch {
	case len(res.Refs) > 0:
		return false
	case q.MemoryOnly:
		return true
	}
	return q.costs.cheap.Load() && (q.Cost == Cheap || len(res.Payload) <= t.cache.tinyMax)
}

// A Costs is what is measured of a query: running means; 0: not measured.
type Costs struct {
	Run   time.Duration // the own work of a run
	Below time.Duration // to bring back the answers that it reads
	Load  time.Duration // an answer that is stored
	Cheap bool          // computing is so much quicker than loading that small answers are not stored
}

// Costs returns what is measured of q.
func (q *Query) Costs() Costs {
	c := &q.costs
	return Costs{
		Run: time.Duration(c.run.Load()), Below: time.Duration(c.below.Load()), Load: time.Duration(c.load.Load()),
		Cheap: c.cheap.Load(),
	}
}

// whyUnstored says why a result of q is in no store.
func (q *Query) whyUnstored() string {
	if q.MemoryOnly {
		return "the query's answers are in memory only"
	}
	c := q.Costs()
	what := "computing one is measured to be quicker than loading one"
	compute := c.Run + c.Below
	if q.Cost == Cheap {
		what = "the query is said to be quicker to compute than to load"
		compute = c.Run
	}
	if !c.Cheap {
		return what + ", as it was when it ran"
	}
	if c.Run == 0 || c.Load == 0 {
		return what
	}
	return fmt.Sprintf("%s (%v against %v)", what, compute, c.Load)
}

// tracesMax is how many traces a key of q has in memory.
func (q *Query) tracesMax() int {
	if q.TracesMax > 0 {
		return q.TracesMax
	}
	return tracesKept
}

// keepOrHold stores a result, or says that it is to stay in memory. One that is tiny is in no
// store.
func (t *Table) keepOrHold(q *Query, res *Result) (h mmapcas.Hash, unstored bool, err error) {
	if unstored = t.unstored(q, res); unstored {
		q.Counts.Unstored.Add(1)
	}
	if unstored || len(res.Payload) <= tinyMost {
		h = resultName(res.Kind, res.Payload)
	} else if h, err = t.Keep(res.Kind, res.Payload); err != nil {
		return h, false, err
	}
	if isTiny(h) != (len(res.Payload) <= tinyMost) {
		err = errNameTaken
	}
	return h, unstored, err
}

// hold gives a new trace its value. One that is not stored has it for good.
func (t *Table) hold(tr *trace, res *Result, unstored bool) {
	if tr.unstored = unstored; !unstored && len(res.Payload) > t.cache.tinyMax {
		t.cache.put(tr, res.Value, len(res.Payload))
		return
	}
	tr.own = int32(len(res.Payload))
	tr.hasValue(res.Value)
}

// hasValue gives a new trace a value that is not in the cache.
func (tr *trace) hasValue(value any) {
	tr.firstBox = box{value: value}
	tr.value.Store(&tr.firstBox)
}

// appendStored appends what is to be written of an entry's traces. The caller holds e.mu.
func (e *entry) appendStored(out []*trace) []*trace {
	most := len(out) + min(tracesStored, e.query.tracesMax())
	for tr := e.traces; tr != nil; tr = tr.next {
		if !tr.unstored && len(out) < most {
			out = append(out, tr)
		}
	}
	return out
}

// broughtBack are answers that were brought back from the store, one of each query of which loading
// was measured seldom: a process that finds all that it needs there writes nothing. The next Flush
// measures them, which has the time that a question has not.
type broughtBack struct {
	mu      sync.Mutex
	entries []*entry // guarded by mu
}

// add takes down that the traces of e were brought back.
func (b *broughtBack) add(e *entry) {
	if c := &e.query.costs; c.loads.Load() >= loadsMeasured || c.waits.Swap(true) {
		return
	}
	b.mu.Lock()
	b.entries = append(b.entries, e)
	b.mu.Unlock()
}

// take returns some of the entries, and forgets them.
func (b *broughtBack) take() []*entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(loadsTried, len(b.entries))
	taken := b.entries[:n:n]
	if b.entries = b.entries[n:]; len(b.entries) == 0 {
		b.entries = nil
	}
	for _, e := range taken {
		e.query.costs.waits.Store(false)
	}
	return taken
}

// loadsTried is how many answers of different queries are loaded again at a Flush to see what that
// takes: of those that it has written, and of those that were brought back.
const loadsTried = 4

// tryLoads measures what loading takes, of answers that are in the store. Each query is measured
// often at first, and seldom later.
func (t *Table) tryLoads(written []*entry) {
	tried := 0
	seen := map[*Query]bool{}
	for _, e := range written {
		q := e.query
		if tried == loadsTried {
			return
		}
		if n := q.costs.loads.Load(); seen[q] || n >= loadsMeasured && q.costs.passed.Add(1)%64 != 0 {
			continue
		}
		seen[q] = true
		tried++
		began := t.o.Now()
		if t.tryLoad(e) {
			q.loaded(t.since(began), t.o.MeasuredFrom)
		}
	}
}

// tryBroughtBack is tryLoads for some of what was brought back.
func (t *Table) tryBroughtBack() {
	if entries := t.broughtBack.take(); len(entries) > 0 {
		defer t.o.Session()()
		t.tryLoads(entries)
	}
}

// tryLoad does what a question after a restart does with the newest stored trace of e. It reports
// false if that is not there.
func (t *Table) tryLoad(e *entry) (there bool) {
	h, ok, err := t.o.DB.Latest(t.part, storeKey(e.query, e.key()))
	if err != nil || !ok {
		return false
	}
	var traces []*trace
	err = t.o.Store.View(h, func(kind mmapcas.Kind, payload []byte) (err error) {
		_, traces, err = decodeTraces(payload, t.named)
		return err
	})
	if err != nil || len(traces) == 0 {
		return false
	}
	return t.View(traces[0].result, func(kind mmapcas.Kind, payload []byte) (err error) {
		defer caught(&err)
		_, err = e.query.Decode(kind, payload)
		return err
	}) == nil
}
