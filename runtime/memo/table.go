package memo

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// Options of a Table. Store, DB and Lookup are required.
type Options struct {
	Store *mmapcas.Store
	DB    *db.DB

	// Lookup finds a query by name while a stored trace is verified; nil means that no query of
	// this name exists, which invalidates the trace.
	Lookup func(name string) *Query

	// Program names the queries of the program and their versions: two programs of one name agree
	// in both. It may change when a query is defined. Nil: the program is always the same.
	Program func() uint64

	// Session is called before a run puts its first record and its return value when what it put is
	// referred to or abandoned; the collector does not sweep what a session that began before its
	// cycle may still refer to. Nil: no collector.
	Session func() (end func())

	// Refs returns what a record refers to; payload is valid during the call only. Nil: nothing
	// refers to anything.
	Refs func(kind mmapcas.Kind, payload []byte) []mmapcas.Hash

	// Shade tells the collector that a live record refers to h from now on. Nil: no collector.
	Shade func(h mmapcas.Hash)

	// CacheBytes bounds the decoded results kept in memory, counted by their encoded size. Zero
	// means 256 MiB.
	CacheBytes int64

	// TraceBytes bounds the keys and traces kept in memory, by an estimate of their size, as of the
	// last Flush. Zero means 256 MiB.
	TraceBytes int64

	// AuditShare is the share of reused answers, 0 to 1, that are kept for an audit. Zero keeps
	// none. AuditSeed decides which.
	AuditShare float64
	AuditSeed  uint64

	// WallFrom is how many answers must rest on one for marks to stop there; see "Walls". Zero
	// means 64: with fewer, telling them costs less than what each of them does to find out by
	// itself.
	WallFrom int

	// LevelsMax is how many answers are computed within each other on one stack; see "Depth". Zero
	// means 1024.
	LevelsMax int

	// Trace, if not nil, is told what happens to answers, by the strands and callers that it
	// happens to: see "Telling what happens".
	Trace func(Event)

	// Now is the clock that runs and loads are measured by; nil: time.Now.
	Now func() time.Time

	// MeasuredFrom is how often a query must have run before its answers may be found to be cheap
	// without being said to be; 0: 1,024.
	MeasuredFrom uint64

	Logger *slog.Logger // nil: slog.Default()
}

// since is the time since then by the clock of the table.
func (t *Table) since(then time.Time) time.Duration { return t.o.Now().Sub(then) }

// PartitionName is the side partition that holds the traces.
const PartitionName = "$memo"

// A Table holds every memoised answer of one engine. All methods may be called concurrently; frames
// belong to their strands.
type Table struct {
	o       Options
	part    db.PartID
	runs    atomic.Uint64 // runs that gave a result
	entries atomic.Int64
	cache   cache
	shared  sharedResults
	clock   clock

	steadies steadies
	audits   audits
	damage   atomic.Uint32 // how often something that results refer to was found missing

	marks

	levels int  // how many flights are evaluated on one stack; see "Depth"
	soon   bool // of tests: what the ledger answers for is linked to prints the first time (R16)

	waitMu sync.Mutex // guards who waits for what; see "Cycles"

	dirtyMu sync.Mutex
	dirty   []*entry   // guarded by dirtyMu
	flushMu sync.Mutex // one Flush at a time

	asides asides // what the store does not take
	held   held   // what it does not take now

	broughtBack broughtBack

	full bool // guarded by flushMu: the last Flush could not write everything

	partDamaged atomic.Bool // the trace partition was found damaged; the database empties it
}

// New returns an empty table over the traces that the store holds.
func New(o Options) (*Table, error) {
	if o.CacheBytes == 0 {
		o.CacheBytes = 256 << 20
	}
	if o.TraceBytes == 0 {
		o.TraceBytes = 256 << 20
	}
	if o.WallFrom == 0 {
		o.WallFrom = 64
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MeasuredFrom == 0 {
		o.MeasuredFrom = measuredFrom
	}
	if o.LevelsMax == 0 {
		o.LevelsMax = levelsMax
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Session == nil {
		o.Session = func() func() { return func() {} }
	}
	if o.Refs == nil {
		o.Refs = func(mmapcas.Kind, []byte) []mmapcas.Hash { return nil }
	}
	if o.Shade == nil {
		o.Shade = func(mmapcas.Hash) {}
	}
	if o.Program == nil {
		o.Program = func() uint64 { return 0 }
	}
	part, err := o.DB.Partition(PartitionName, true)
	if err != nil {
		return nil, fmt.Errorf("memo: opening the trace partition: %w", err)
	}
	t := &Table{o: o, part: part, levels: o.LevelsMax}
	t.cache.bytesMax.Store(o.CacheBytes)
	t.cache.tinyMax = tinyBytes
	t.clock.bytesMax.Store(o.TraceBytes)
	return t, nil
}

// Bound makes the bounds of Options.CacheBytes and Options.TraceBytes others: at once for results,
// and as of the next Flush for keys and traces.
func (t *Table) Bound(cacheBytes, traceBytes int64) {
	t.cache.bound(cacheBytes)
	t.clock.bytesMax.Store(traceBytes)
}

// CachedBytes returns the encoded size of the decoded results in memory.
func (t *Table) CachedBytes() int64 { return t.cache.bytes.Load() }

// Entries returns the number of keys in memory.
func (t *Table) Entries() int { return int(t.entries.Load()) }

// Bind makes q usable with t. It is called once, before anything else is done with q.
func (t *Table) Bind(q *Query) *Query {
	q.about = &about{query: q.Name}
	q.table = t
	q.audit.begin(q, &t.o)
	q.costs.cheap.Store(q.Cost == Cheap)
	return q
}

// keySeparator stands between the name of a query and a key of it.
const keySeparator = "\x00"

func storeKey(q *Query, key string) string { return q.Name + keySeparator + key }

// storeKeyIn is storeKey in memory that is used again: the key is valid until then. Nil: there is
// none.
func storeKeyIn(scratch *[]byte, q *Query, key string) string {
	if scratch == nil {
		return storeKey(q, key)
	}
	*scratch = append(append(append((*scratch)[:0], q.Name...), keySeparator...), key...)
	return transient(*scratch)
}

func (t *Table) entry(q *Query, key string) *entry {
	if e := q.entry(key); e != nil {
		return e
	}
	return t.entryMissed(q, key, false)
}

// entryMissed is entry for a key that has just been looked for. passing says that it is valid
// during the call only.
func (t *Table) entryMissed(q *Query, key string, passing bool) *entry {
	e, known := q.entries.put(&newEntry(q, key, passing).source)
	if !known {
		t.entries.Add(1)
		t.clock.add(e.asEntry())
	}
	return e.asEntry()
}

// load reads the stored traces once. A record that is missing, damaged or of another version counts
// as none.
func (t *Table) load(e *entry) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return t.loadLocked(e, nil)
}

// loadFor is load for a flight. If there is nothing for it to look at it is running then, and
// first.
func (t *Table) loadFor(f *flight, scratch *[]byte) (first bool, err error) {
	e := f.entry
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := t.loadLocked(e, scratch); err != nil {
		return false, err
	}
	return f.startFirst(), nil
}

// loadLocked is load; the caller holds e.mu. scratch is memory that may be used, nil if there is
// none.
func (t *Table) loadLocked(e *entry, scratch *[]byte) error {
	if e.loaded || e.dead {
		return nil
	}
	h, ok, err := t.o.DB.Latest(t.part, storeKeyIn(scratch, e.query, e.key()))
	if errors.Is(err, db.ErrDamaged) {
		t.o.Logger.Warn("memo: stored traces cannot be looked up, the query will run again", "query", e.query.show(e.key()), "err", err)
		t.partDamaged.Store(true)
		ok, err = false, nil
	}
	if err != nil {
		return fmt.Errorf("memo: looking up the traces of %s: %w", e.query.show(e.key()), err)
	}
	e.loaded = true
	if !ok {
		return nil
	}
	var traces []*trace
	err = t.o.Store.View(h, func(kind mmapcas.Kind, payload []byte) error {
		made, tr, err := decodeTraces(payload, t.named)
		if err != nil || kind != KindTrace || made.version != e.query.Version {
			return err
		}
		traces = slices.DeleteFunc(tr, func(tr *trace) bool { return !tr.group.of(t.o.Lookup) })
		if made.program != t.o.Program() { // K1: a query below may have another version
			for _, tr := range traces {
				tr.doubt()
			}
		}
		return nil
	})
	if err != nil {
		t.o.Logger.Warn("memo: stored traces dropped, the query will run again", "query", e.query.show(e.key()), "err", err)
		return nil
	}
	if len(traces) > 0 {
		traces[0].kept = t.has(traces[0].result)
	}
	for _, tr := range slices.Backward(traces) {
		if t.has(tr.result) {
			tr.next, e.traces = e.traces, tr
		}
	}
	if e.traces != nil {
		t.broughtBack.add(e)
	}
	t.clock.weigh(e)
	return nil
}

// named returns the about of reads of a query, which those of one that the program has share.
func (t *Table) named(query []byte) *about {
	name := string(query)
	if q := t.o.Lookup(name); q != nil {
		return q.about
	}
	return &about{query: name}
}

// add makes a new trace the entry's first.
func (t *Table) add(e *entry, tr *trace, why Reason) {
	e.mu.Lock()
	e.setWhy(why)
	e.tracesAdded++
	t.remove(e, tr.sameReads)
	t.first(e, tr)
	news := !tr.unstored && !e.dirty
	e.dirty = e.dirty || news
	e.mu.Unlock()
	if news {
		t.enqueue(e)
	}
}

// reuse makes a known trace the entry's first. It reports false if the trace's result is gone: then
// the trace is dropped.
func (t *Table) reuse(e *entry, tr *trace, why Reason) bool {
	e.mu.Lock()
	kept := tr.kept
	e.mu.Unlock()
	if !kept && !tr.unstored && !isTiny(tr.result) {
		// The collector may be about to take the result: it is put again, for the reference that
		// will be written, or is lost.
		defer t.o.Session()()
		if err := t.revive(tr.result); err != nil {
			t.drop(e, tr)
			return false
		}
	}
	e.mu.Lock()
	e.setWhy(why)
	if !e.takeOut(tr) { // a run has replaced it since it was looked at, or it was dropped
		t.remove(e, tr.sameReads)
		t.cache.remember(tr)
	}
	t.first(e, tr)
	e.mu.Unlock()
	if !kept && !tr.unstored {
		t.markDirty(e)
	}
	return true
}

// first puts tr in front. The caller holds e.mu.
func (t *Table) first(e *entry, tr *trace) {
	if e.traces != nil {
		e.traces.kept = false
	}
	tr.kept = true
	tr.next, e.traces = e.traces, tr
	last := tr
	for range e.query.tracesMax() - 1 {
		if last.next == nil {
			break
		}
		last = last.next
	}
	for out := last.next; out != nil; out = last.next {
		t.cache.forget(out)
		e.takeOut(out)
	}
	e.last.Store(tr)
	t.clock.weigh(e)
}

// remove takes traces out of an entry. The caller holds e.mu.
func (t *Table) remove(e *entry, which func(*trace) bool) {
	for at := &e.traces; *at != nil; {
		tr := *at
		if !which(tr) {
			at = &tr.next
			continue
		}
		*at, tr.next, tr.kept = tr.next, nil, false
		t.cache.forget(tr)
	}
}

// revive puts a record and all that it refers to once more, so that a collection that goes on keeps
// them. What is held is out of a collection's reach.
func (t *Table) revive(h mmapcas.Hash) error {
	var (
		last   mmapcas.Hash // what was read last: mostly what is to be put next
		record heldRecord
		isHeld bool
	)
	read := func(h mmapcas.Hash) (err error) {
		if last == h {
			return nil
		}
		if record, isHeld = t.held.get(h); !isHeld {
			record.payload, record.kind, err = t.o.Store.Get(h, nil)
		}
		if last = h; err != nil {
			last = mmapcas.Hash{}
		}
		return err
	}
	refs := func(h mmapcas.Hash) ([]mmapcas.Hash, error) {
		if err := read(h); err != nil {
			return nil, err
		}
		return t.o.Refs(record.kind, record.payload), nil
	}
	return below(h, refs, func(h mmapcas.Hash) error {
		if err := read(h); err != nil || isHeld {
			return err
		}
		_, err := t.Keep(record.kind, record.payload)
		return err
	})
}

// markDirty puts e on the list of what Flush writes.
func (t *Table) markDirty(e *entry) {
	e.mu.Lock()
	was := e.dirty
	e.dirty = true
	e.mu.Unlock()
	if !was {
		t.enqueue(e)
	}
}

// enqueue puts an entry that has just become dirty on the list.
func (t *Table) enqueue(e *entry) {
	t.dirtyMu.Lock()
	t.dirty = append(t.dirty, e)
	t.dirtyMu.Unlock()
}

// Distrust says that a record which results refer to was found to be damaged or missing. From now
// on each result is looked at once more before it is used; those that are not whole are computed
// again.
func (t *Table) Distrust() { t.damage.Add(1) }

// sound reports whether the result of tr and what it refers to are there.
func (t *Table) sound(tr *trace) bool {
	now := t.damage.Load()
	if tr.soundAt.Load() == now {
		return true
	}
	if !t.whole(tr) {
		return false
	}
	tr.soundAt.Store(now)
	return true
}

// whole looks whether the result of tr and what it refers to are there.
func (t *Table) whole(tr *trace) bool {
	if tr.unstored {
		return true // it refers to nothing, and has its value
	}
	whole := true
	err := t.View(tr.result, func(kind mmapcas.Kind, payload []byte) error {
		for _, ref := range t.o.Refs(kind, payload) {
			whole = whole && t.has(ref)
		}
		return nil
	})
	return err == nil && whole
}

// doubt forgets where a trace that reads queries holds.
func (tr *trace) doubt() {
	for i := range tr.reads {
		if tr.group != nil || tr.reads[i].kind.asks() {
			tr.holds.Store(nil)
			return
		}
	}
}

// drop forgets a trace whose result is gone.
func (t *Table) drop(e *entry, tr *trace) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t.remove(e, func(o *trace) bool { return o == tr })
	e.last.CompareAndSwap(tr, nil)
	t.clock.weigh(e)
}
