package memo

import (
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
)

// A Cost says what computing a query's answers costs, as far as its author knows.
type Cost uint8

const (
	Stored Cost = iota // answers are stored, whatever is measured
	Cheap              // computing is quicker than loading, unless it is measured not to be
)

// A costs is what is measured of a query: its own work in a run, without that of queries below, and
// the loading of a stored answer. Both are running means.
//
// Answers of a query that is said to be Cheap are not stored until computing is measured to take
// longer than loading, and then again when it takes less than half of that. A wait or a preemption
// within a run counts as work, and loading is measured right after writing, when all of it is in
// memory: both are in favour of storing.
type costs struct {
	run, load   atomic.Int64 // nanoseconds; 0: not measured
	runs, loads atomic.Uint32
	passed      atomic.Uint32 // answers that might have been loaded to see what that takes
	cheap       atomic.Bool
}

const (
	runsMeasured  = 8 // before a query may count as cheap
	loadsMeasured = 4
)

// ran takes down the own work of a run.
func (q *Query) ran(own time.Duration) { q.costs.take(&q.costs.run, &q.costs.runs, own, q.Cost) }

// loaded takes down what loading an answer took.
func (q *Query) loaded(took time.Duration) {
	q.costs.take(&q.costs.load, &q.costs.loads, took, q.Cost)
}

func (c *costs) take(of *atomic.Int64, count *atomic.Uint32, took time.Duration, hint Cost) {
	of.Store(int64(mean(time.Duration(of.Load()), took)))
	count.Add(1)
	run, load := c.run.Load(), c.load.Load()
	switch {
	case hint != Cheap || c.runs.Load() < runsMeasured || c.loads.Load() < loadsMeasured:
	case 2*run < load:
		c.cheap.Store(true)
	case run > load:
		c.cheap.Store(false)
	}
}

// unstored reports whether a result of q is to stay in memory. What refers to records does not: a
// collection follows only what is in the store.
func (q *Query) unstored(res *Result) bool {
	return len(res.Refs) == 0 && (q.MemoryOnly || q.costs.cheap.Load())
}

// Costs returns the mean of a run's own work, and of loading an answer; zero: not measured.
func (q *Query) Costs() (run, load time.Duration) {
	return time.Duration(q.costs.run.Load()), time.Duration(q.costs.load.Load())
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
	if unstored = q.unstored(res); unstored {
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

// loadsTried is how many written answers of different queries are loaded again after a Flush to see
// what that takes.
const loadsTried = 4

// tryLoads measures what loading takes, of answers that were just written. Each query is measured
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
		began := time.Now()
		if t.tryLoad(e) {
			q.loaded(time.Since(began))
		}
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
