package memo

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/gc"
	"github.com/cytisus/cytisus/runtime/sched"
)

var (
	modelSeed  = flag.Uint64("memo.seed", 0, "seed of TestTracesAgainstScratch; 0 takes a new one")
	modelRuns  = flag.Int("memo.runs", 25, "runs of TestTracesAgainstScratch, each with a seed of its own")
	modelSteps = flag.Int("memo.steps", 60, "steps of a run of TestTracesAgainstScratch")
)

// A model is a table under random queries beside a computation from scratch. One seed decides
// everything, the order of tasks included.
type model struct {
	*rig
	rng      *rand.Rand
	o        Options
	levels   int  // Table.levels
	soon     bool // Table.soon
	greedy   bool // queries catch panics of what they ask for
	programs map[string]*program
	parts    [programParts]db.PartID
	weather  int
	sum      uint64 // Options.Program

	now     worldState
	history map[uint64]worldState // by generation
	held    []*db.Snapshot
	known   map[scratchKey]outcome // forgotten when the weather or a program changes

	gc      *gc.Collector
	victims map[mmapcas.Hash]bool // records that the collector is made to lose
	lost    map[mmapcas.Hash]bool // with all they refer to; until they are there again
	step    int
	stood   int // how often walls answered
}

type scratchKey struct {
	gen       uint64
	name, key string
}

// Random queries over random partitions, with errors, tolerated errors and looks outside; several
// generations and older snapshots; askers and collections side by side; evictions, flushes, new
// tables over what was flushed, other versions of queries, lost records. After each step every
// answer, and every interval of every trace in memory, must be what a computation from scratch
// says.
func TestTracesAgainstScratch(t *testing.T) {
	seed := *modelSeed
	if seed == 0 {
		seed = rand.Uint64N(1 << 48)
	}
	stood := 0
	for run := range *modelRuns {
		seed := seed + uint64(run)
		ok := t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			m := newModel(t, seed)
			for m.step = range *modelSteps {
				m.move()
				m.check()
				if t.Failed() {
					t.Fatalf("step %d; replay with -run TracesAgainstScratch -memo.runs=1 -memo.seed=%d", m.step, seed)
				}
			}
			for _, s := range m.held {
				s.Release()
			}
			m.gc.Close()
			stood += m.stood
		})
		if !ok {
			return
		}
	}
	if t.Logf("walls answered %d times", stood); stood == 0 && *modelRuns > 20 {
		t.Error("no answer rested on walls")
	}
}

func newModel(t *testing.T, seed uint64) *model {
	rng := rand.New(rand.NewPCG(seed, 1))
	m := &model{
		rng: rng, programs: map[string]*program{}, history: map[uint64]worldState{}, known: map[scratchKey]outcome{},
		victims: map[mmapcas.Hash]bool{}, lost: map[mmapcas.Hash]bool{}, weather: 1,
	}
	m.o = Options{
		Refs: refsOfTest, Program: func() uint64 { return m.sum },
		CacheBytes: pick(rng, []int64{1, 2000, 0}), TraceBytes: pick(rng, []int64{1, 6000, 0}),
		AuditShare: pick(rng, []float64{0, 0.2, 1}), AuditSeed: seed, WallFrom: pick(rng, []int{1, 2, 1, 0}),
		Session: func() func() { return m.gc.Session() },
		Shade:   func(h mmapcas.Hash) { m.gc.Shade(h) },
	}
	m.soon = rng.IntN(4) > 0
	m.levels, m.greedy = pick(rng, []int{2, 3, levelsMax}), rng.IntN(2) == 0
	m.rig = newRig(t, seed, m.o)
	if seed%2 == 0 {
		m.keepsTiny = true
		m.table.cache.tinyMax = tinyBytes
	}
	m.gc = gc.New(gc.Options{
		Store: m.store, DB: m.db, Logger: slog.New(slog.DiscardHandler),
		Refs:    func(kind mmapcas.Kind, p []byte) []mmapcas.Hash { return m.followed(allRefs(kind, p)) },
		OldRefs: func(kind mmapcas.Kind, p []byte) []mmapcas.Hash { return m.followed(OldRefs(kind, p)) },
		Flush: func(context.Context) []mmapcas.Hash {
			m.flush()
			return nil
		},
	})
	for i := range m.parts {
		m.parts[i] = m.partition(fmt.Sprint("part", i))
		m.now[i] = map[string]string{}
	}
	m.empty()
	for _, p := range newPrograms(rng) {
		m.define(p)
	}
	m.revive()
	return m
}

// allRefs is what a collector follows.
func allRefs(kind mmapcas.Kind, payload []byte) []mmapcas.Hash {
	switch {
	case kind == KindTrace || kind == KindParts:
		return Refs(kind, payload)
	case kind >= kindTest:
		return refsOfTest(kind, payload)
	default:
		return db.Refs(kind, payload)
	}
}

func (m *model) followed(refs []mmapcas.Hash) []mmapcas.Hash {
	return slices.DeleteFunc(refs, func(h mmapcas.Hash) bool { return m.victims[h] })
}

// define makes a query of a program.
func (m *model) define(p *program) {
	m.programs[p.name] = p
	m.query(p.name, nil)
	q := m.queries[p.name]
	q.Version = p.version
	q.Eval = func(f *Frame, key string) (Result, error) {
		text, err := p.run(&live{m, f}, key)
		if err != nil {
			return Result{}, err
		}
		res := p.result(text)
		if p.blob {
			if _, _, err := m.store.Put(kindBlob, blobOf(text)); err != nil {
				return Result{}, err
			}
		}
		f.Strand().Task.Yield() // between putting a record and referring to it
		return res, nil
	}
	q.Decode = func(kind mmapcas.Kind, p []byte) (any, error) {
		if kind == KindParts {
			return decodeTestTable(kind, p)
		}
		if kind == kindBlobbed {
			p = p[len(mmapcas.Hash{}):]
		}
		return string(p), nil
	}
}

// revive takes a new table, which knows what was flushed.
func (m *model) revive() {
	m.newTable(m.o)
	m.table.levels, m.table.soon = m.levels, m.soon
	m.table.Steady(m.parts[2])
}

// scratch computes a query from nothing but the state.
func (m *model) scratch(state worldState, name, key string) outcome {
	w := &scratch{m: m, state: state}
	text, err := m.programs[name].run(w, key)
	w.out.text, w.out.err = text, err
	return w.out
}

// want returns what a query is from scratch in a generation.
func (m *model) want(gen uint64, name, key string) outcome {
	k := scratchKey{gen, name, key}
	o, ok := m.known[k]
	if !ok {
		state, there := m.history[gen]
		if !there {
			m.t.Fatalf("generation %d was never made", gen)
		}
		o = m.scratch(state, name, key)
		m.known[k] = o
	}
	return o
}

func (m *model) move() {
	switch n := m.rng.IntN(20); {
	case n < 6:
		m.commit()
	case n < 7:
		m.weather = m.rng.IntN(3)
		clear(m.known)
	case n < 8:
		m.hold()
	case n < 9:
		m.flush()
	case n < 10:
		if m.rng.IntN(2) == 0 {
			m.flush()
		}
		m.revive()
	case n < 11 && m.rng.IntN(3) == 0:
		m.raise()
	case n < 12 && m.rng.IntN(3) == 0:
		m.lose()
	case n < 13 && m.rng.IntN(4) == 0:
		m.empty()
	case n < 14:
		m.table.Distrust()
	}
	m.ask()
}

// commit changes one or two partitions in a task of its own, which another task may be in the
// middle of.
func (m *model) commit() {
	err := func() error {
		defer m.gc.Session()()
		var ops []db.Op
		next := m.now
		for range 1 + m.rng.IntN(2) {
			i := m.rng.IntN(programParts)
			next[i] = maps.Clone(next[i])
			for range 1 + m.rng.IntN(2) {
				op := db.Op{Part: m.parts[i], Key: pick(m.rng, recordKeys), Verb: db.Delete}
				delete(next[i], op.Key)
				if m.rng.IntN(3) > 0 {
					text := fmt.Sprint(m.rng.IntN(3))
					h, _, err := m.store.Put(kindTest, []byte(text))
					if err != nil {
						return err
					}
					m.gc.Shade(h)
					op.Verb, op.Hash, next[i][op.Key] = db.Put, h, text
				}
				ops = append(ops, op)
			}
		}
		_, err := m.db.Commit(context.Background(), ops)
		m.now = next
		m.history[m.db.Generation()] = next
		return err
	}()
	if err != nil {
		m.t.Fatal(err)
	}
}

// empty empties the last partition, which is in no log, as opening a store does.
func (m *model) empty() {
	const volatile = programParts - 1
	if err := m.db.SetUnlogged(context.Background(), true, m.parts[volatile]); err != nil {
		m.t.Fatal(err)
	}
	m.now[volatile] = map[string]string{}
	m.history[m.db.Generation()] = m.now
}

// hold takes or gives up a snapshot.
func (m *model) hold() {
	if len(m.held) > 2 || len(m.held) > 0 && m.rng.IntN(2) == 0 {
		i := m.rng.IntN(len(m.held))
		m.held[i].Release()
		m.held = slices.Delete(m.held, i, i+1)
		return
	}
	m.held = append(m.held, m.db.Snapshot())
}

func (m *model) flush() {
	if err := m.table.Flush(context.Background()); err != nil {
		m.t.Fatal(err)
	}
}

// raise gives a query another version and function, as another build of the program would.
func (m *model) raise() {
	m.flush()
	layer, i := m.rng.IntN(programLayers), m.rng.IntN(programsInLayer)
	p := newProgram(m.rng, layer, i)
	p.version = m.programs[p.name].version + 1
	m.define(p)
	m.sum++
	clear(m.known)
	m.revive()
}

// lose runs a collection that does not see some records, as if they were damaged.
func (m *model) lose() {
	m.collect()
	for _, name := range slices.Sorted(maps.Keys(m.programs)) {
		for _, key := range programKeys {
			if m.rng.IntN(4) > 0 {
				continue
			}
			o := m.want(m.db.Generation(), name, key)
			if o.err != nil {
				continue
			}
			res := m.programs[name].result(o.text)
			for _, ref := range res.Refs {
				m.lost[ref] = true
			}
			h := resultName(res.Kind, res.Payload)
			if isTiny(h) {
				continue // it is in no store
			}
			if m.rng.IntN(2) == 0 && len(res.Refs) > 0 {
				h = res.Refs[0]
			}
			m.victims[h], m.lost[h] = true, true
		}
	}
	m.collect()
	clear(m.victims)
}

// collect runs the collector to the end of a cycle that begins now.
func (m *model) collect() {
	if err := m.gc.Collect(context.Background(), gc.Pace{Wait: func() {}}); err != nil {
		m.t.Fatal(err)
	}
}

// An asker asks one query, or one for all keys, in one generation.
type asker struct {
	h    *sched.Handle
	name string
	keys []string
	all  bool
	gone bool // was cancelled

	gen   uint64
	texts []string
	err   error
}

// ask lets some tasks ask at the same time, in several generations, while others are cancelled,
// commit, flush and collect.
func (m *model) ask() {
	var askers []*asker
	for range 1 + m.rng.IntN(4) {
		a := &asker{
			name: programName(m.rng.IntN(programLayers), m.rng.IntN(programsInLayer)),
			keys: []string{pick(m.rng, programKeys)},
		}
		if m.rng.IntN(3) == 0 {
			a.keys, a.all = programKeys, true
		}
		var at *db.Snapshot
		if len(m.held) > 0 && m.rng.IntN(2) == 0 {
			at = pick(m.rng, m.held)
		}
		a.h = m.task(context.Background(), func(f *Frame) error {
			if at != nil {
				f.strand.Snap = at
			}
			m.answer(f, a)
			return nil
		})
		askers = append(askers, a)
		if m.rng.IntN(4) == 0 {
			m.chore(m.commit, m.rng.IntN(4))
		}
	}
	if m.rng.IntN(3) == 0 {
		m.task(context.Background(), func(f *Frame) error {
			for more := true; more; {
				_, more = m.table.Audit(f.strand)
			}
			return nil
		})
	}
	switch m.rng.IntN(6) {
	case 0:
		m.chore(m.flush, m.rng.IntN(6))
	case 1, 2, 3:
		m.collectBeside(m.rng.IntN(20))
	case 4:
		a := pick(m.rng, askers)
		a.gone = true
		m.chore(func() { a.h.Cancel(errWhy) }, m.rng.IntN(6))
	}
	m.settle()
	for _, a := range askers {
		if err := a.h.Wait(context.Background()); a.gone {
			continue
		} else if err != nil {
			m.t.Fatal(err)
		}
		m.judge(a)
	}
}

// chore runs fn in a task that others go before n times.
func (m *model) chore(fn func(), n int) {
	m.task(context.Background(), func(f *Frame) error {
		for range n {
			f.Strand().Task.Yield()
		}
		fn()
		return nil
	})
}

// collectBeside goes on with a collection for some slices, and begins one when none runs.
func (m *model) collectBeside(slices int) {
	m.task(context.Background(), func(f *Frame) error {
		ctx, enough := context.WithCancelCause(context.Background())
		defer enough(nil)
		pace := gc.Pace{Wait: func() {
			if slices--; slices < 0 {
				enough(errWhy)
			}
			f.Strand().Task.Yield()
		}}
		finished, err := m.gc.Finish(ctx, pace)
		if err == nil && !finished {
			err = m.gc.Collect(ctx, pace)
		}
		if err != errWhy {
			return err
		}
		return nil
	})
}

// answer is the task of an asker.
func (m *model) answer(f *Frame, a *asker) {
	a.gen = f.strand.Snap.Gen()
	for range 2 { // once more if a record was lost
		a.texts, a.err = nil, nil
		if a.all {
			a.texts, a.err = (&live{m, f}).all(a.name, a.keys)
		} else {
			var text string
			text, a.err = m.get(f, a.name, a.keys[0])
			a.texts = []string{text}
		}
		if a.err != nil || f.tainted || m.whole(a) {
			return
		}
		m.table.Distrust()
	}
	if f.strand.Task.Err() == nil {
		m.t.Errorf("%s%q in generation %d: asked again after a Distrust, an answer still refers to a record that is not there",
			a.name, a.keys, a.gen)
	}
}

// whole reports whether what the answers refer to is there, except where the test lost it.
func (m *model) whole(a *asker) bool {
	whole := true
	for _, text := range a.texts {
		res := m.programs[a.name].result(text)
		h := resultName(res.Kind, res.Payload)
		unheld := m.lost[h] && !m.store.Has(h) // what it refers to goes with it, at the next collection
		for _, ref := range res.Refs {
			switch {
			case m.store.Has(ref):
				if !unheld {
					delete(m.lost, ref)
				}
			case m.lost[ref]:
				whole = false
			default:
				m.t.Errorf("%s%q in generation %d: what a kept answer refers to is not there, and was not lost by this test",
					a.name, a.keys, a.gen)
			}
		}
	}
	return whole
}

// judge compares answers with those from scratch.
func (m *model) judge(a *asker) {
	for i, key := range a.keys {
		want := m.want(a.gen, a.name, key)
		switch {
		case want.err != nil:
			if a.err == nil || a.err.Error() != want.err.Error() {
				m.t.Errorf("%s(%s) in generation %d: error %v, from scratch %v", a.name, key, a.gen, a.err, want.err)
			}
			return // the first one
		case a.err != nil && i+1 == len(a.keys):
			m.t.Errorf("%s(%s) in generation %d: error %v, from scratch %q", a.name, key, a.gen, a.err, want.text)
		case a.err == nil && a.texts[i] != want.text:
			m.t.Errorf("%s(%s) in generation %d: %q, from scratch %q", a.name, key, a.gen, a.texts[i], want.text)
		}
	}
}

// check compares every trace in memory with what is true, generation by generation.
func (m *model) check() {
	for name, q := range m.queries {
		q.entries.each(func(x *source) bool {
			key, e := x.key(), x.asEntry()
			m.checkEntry(e, name, key)
			return true
		})
	}
	checkCache(m.t, m.table, m.queries)
	for _, found := range m.table.Impurities() {
		m.t.Errorf("a pure query is called impure: %+v", found)
	}
}

func (m *model) checkEntry(e *entry, name, key string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.flights != nil {
		m.t.Errorf("%s(%s) has a flight although nothing is being computed", name, key)
	}
	last := e.last.Load()
	listed := func(tr *trace) bool { return tr == nil || slices.Contains(e.appendTraces(nil), tr) }
	if len(e.appendTraces(nil)) > tracesKept || !listed(last) || !listed(e.keptTrace()) {
		m.t.Errorf("%s(%s): M3: %d traces, the last among them: %t, the kept one: %t",
			name, key, len(e.appendTraces(nil)), listed(last), listed(e.keptTrace()))
	}
	traces := e.appendTraces(nil)
	for i, tr := range traces {
		if tr.tainted {
			m.t.Errorf("%s(%s): K1: a trace is kept although its run met what a trace cannot name", name, key)
		}
		if slices.ContainsFunc(traces[:i], tr.sameReads) {
			m.t.Errorf("%s(%s): M3: two traces have the same reads", name, key)
		}
		for iv := tr.holds.Load(); iv != nil; iv = iv.next {
			if iv.to > m.table.marked.Load() && tr.run != 0 {
				m.t.Errorf("%s(%s): an interval ends at %d, and changes are marked up to %d", name, key, iv.to, m.table.marked.Load())
			}
			for gen := iv.from; gen <= m.reach(e, *iv); gen++ {
				if _, there := m.history[gen]; there { // others are partitions being made
					m.checkTrace(tr, gen, name, key)
				}
			}
			m.checkWalls(e, tr, *iv)
		}
	}
}

// reach is how far an interval answers although nothing was looked at there.
func (m *model) reach(e *entry, iv interval) uint64 {
	if iv.links == nil || iv.walls != 0 || max(e.changed.Load(), m.table.floor.Load()) > iv.to {
		return iv.to
	}
	snap := m.db.Snapshot()
	defer snap.Release()
	if !iv.stamps.unchangedSince(snap, iv.to) {
		return iv.to // as far as this snapshot can say
	}
	return max(iv.to, min(m.table.marked.Load(), snap.Gen()))
}

// checkWalls checks a trace in the newest generation, and in those that are held, if an interval
// that rests on walls answers there.
func (m *model) checkWalls(e *entry, tr *trace, iv interval) {
	if iv.links == nil || iv.walls == 0 || max(e.changed.Load(), m.table.floor.Load()) > iv.to {
		return
	}
	newest := m.db.Snapshot()
	defer newest.Release()
	for _, snap := range append(slices.Clone(m.held), newest) {
		gen := snap.Gen()
		if _, there := m.history[gen]; !there || gen <= iv.to || gen > m.table.marked.Load() || !iv.stamps.unchangedSince(snap, iv.to) {
			continue
		}
		if parts, ok := m.table.wallsStand(iv.walls, iv.to, snap); ok {
			tr.dependsOn(parts)
			m.checkTrace(tr, gen, e.query.Name, e.key())
			m.stood++
		}
	}
}

func (m *model) checkTrace(tr *trace, gen uint64, name, key string) {
	want := m.want(gen, name, key)
	res := m.programs[name].result(want.text)
	switch {
	case want.err != nil || want.tainted:
		m.t.Errorf("%s(%s): K1: a trace is said to hold in generation %d; from scratch what is given there is not kept (error: %v)",
			name, key, gen, want.err)
	case resultName(res.Kind, res.Payload) != tr.result:
		m.t.Errorf("%s(%s): a trace is said to hold in generation %d; from scratch the result there is another, %q",
			name, key, gen, want.text)
	case want.parts&^tr.readParts() != 0:
		m.t.Errorf("%s(%s): a trace holds in generation %d by partitions %b, a computation from scratch reads %b",
			name, key, gen, tr.readParts(), want.parts)
	}
}
