package runtime

import (
	"time"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/gc"
	"github.com/cytisus/cytisus/runtime/latency"
	"github.com/cytisus/cytisus/runtime/memo"
	"github.com/cytisus/cytisus/runtime/sched"
)

// Stats is what an engine counts. Reading it is cheap: nothing is gone through.
type Stats struct {
	Generation  uint64                `json:"generation"`
	Snapshots   int                   `json:"snapshots"` // held now
	Queries     map[string]QueryStats `json:"queries"`
	MemoEntries int                   `json:"memoEntries"` // query keys in memory, with what their runs read
	TraceBytes  int64                 `json:"traceBytes"`  // what they take, estimated; bounded by Options.TraceBytes
	CachedBytes int64                 `json:"cachedBytes"` // decoded results in memory, by stored size; bounded by Options.CacheBytes

	MemoEvicted  uint64           `json:"memoEvicted"`  // query keys forgotten to stay within the bound; asked again, they are read back from the store
	MemoUnstored uint64           `json:"memoUnstored"` // how often the store refused what a run read, which stays in memory only
	MemoHeld     int64            `json:"memoHeld"`     // bytes of results that the store could not take (the disk is full), and that are tried again
	CacheEvicted uint64           `json:"cacheEvicted"` // decoded results dropped to stay within the bound
	Impure       []Impurity       `json:"impure"`       // what audits have found, of each query the first
	WatchLoops   uint64           `json:"watchLoops"`   // how often watchers set each other off without end
	LostCommits  uint64           `json:"lostCommits"`  // that Open could not recover, the engine's own among them: the log is damaged there, or before
	Store        mmapcas.Stats    `json:"store"`
	Collector    gc.Stats         `json:"collector"`
	Latencies    []latency.OfLane `json:"latencies"` // of lanes in which something was timed, most urgent first
	Scheduler    sched.Stats      `json:"scheduler"`
}

// Profiling switches pprof labels (lane, task, client) on or off for tasks that start from now on.
func (e *Engine) Profiling(on bool) { e.sched.Profiling(on) }

// QueryStats tells how often a query was answered in this process, and how.
type QueryStats struct {
	Reused    uint64 `json:"reused"`    // known to hold without a look at what it read
	Steady    uint64 `json:"steady"`    // found to hold because all that was read was in partitions of durability Dependency or Frozen, and no partition of these had changed
	Validated uint64 `json:"validated"` // all it read was as it had been
	Looked    uint64 `json:"looked"`    // reads that were compared to find that out, or what differs
	Ran       uint64 `json:"ran"`       // the function ran and returned a result
	Failed    uint64 `json:"failed"`    // the function ran and returned an error
	Unstored  uint64 `json:"unstored"`  // of the results, those that stay in memory: MemoryOnly, or computing is quicker than loading
	Audited   uint64 `json:"audited"`   // reused answers that were computed again and compared
	Unaudited uint64 `json:"unaudited"` // that were to be, and had changed by then, or could not be compared
	Impure    uint64 `json:"impure"`    // that came out differently: see Stats.Impure

	// Running means of some in this process; 0: not measured, as of a run where none was needed.
	RunTime   time.Duration `json:"runTime"`   // of the function's own work in a run
	BelowTime time.Duration `json:"belowTime"` // to bring back the answers that it reads
	LoadTime  time.Duration `json:"loadTime"`  // to load an answer that is in the store
	Cheap     bool          `json:"cheap"`     // computing is so much quicker than loading that small answers are not stored
}

// Stats returns the engine's counters. Inside a query they are zero.
func (e *Engine) Stats() Stats {
	if notInQuery("") != nil {
		return Stats{}
	}
	in := e.memo.Residency()
	s := Stats{
		Generation:  e.db.Generation(),
		Snapshots:   e.db.Snapshots(),
		Queries:     map[string]QueryStats{},
		MemoEntries: in.Entries, TraceBytes: in.Bytes, MemoEvicted: in.Evicted, MemoUnstored: in.Unstored, MemoHeld: in.HeldBytes,
		CachedBytes: in.DecodedBytes, CacheEvicted: in.DecodedEvicted,
		Impure:     append([]Impurity{}, e.memo.Impurities()...),
		WatchLoops: e.watchers.loops.Load(), LostCommits: e.db.Stats().LostChunks,
		Store:     e.store.Stats(),
		Collector: e.gc.Stats(),
		Scheduler: e.sched.Stats(),
		Latencies: e.latencies(),
	}
	e.queries.Range(func(name string, b boundQuery) bool {
		c := &b.memo.Counts
		of := b.memo.Costs()
		s.Queries[name] = QueryStats{
			Reused: c.Reused.Load(), Steady: c.Steady.Load(), Validated: c.Validated.Load(), Looked: c.Looked.Load(), Ran: c.Ran.Load(), Failed: c.Failed.Load(), Impure: c.Impure.Load(),
			Audited: c.Audited.Load(), Unaudited: c.Unaudited.Load(), Unstored: c.Unstored.Load(), RunTime: of.Run, BelowTime: of.Below, LoadTime: of.Load, Cheap: of.Cheap,
		}
		return true
	})
	return s
}

// An Explanation says why a query was last answered as it was.
type Explanation struct {
	Query string `json:"query"`
	Key   string `json:"key"`
	memo.Reason
	Reads []string `json:"reads"`           // what the newest run read, in order
	Proof *Proof   `json:"proof,omitempty"` // for those who have asked for one, which Explain does not

	engine *Engine
	key    memo.KeyOf
}

// Explain says what the engine did when it was last asked for q at k: whether it ran or reused, and
// which read had changed.
func Explain[K comparable, V any](e *Engine, q *Query[K, V], k K) (Explanation, error) {
	if err := e.admit("Explain"); err != nil {
		return Explanation{}, err
	}
	m, key, err := q.resolve(e, k)
	if err != nil {
		return Explanation{}, err
	}
	why, reads := e.memo.Explain(m, key)
	return Explanation{Query: q.name, Key: m.ShowKey(key), Reason: why, Reads: reads, engine: e, key: memo.KeyOf{Query: m, Key: key}}, nil
}
