package queries

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/mmapcas/vfs"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/sched"
)

// A Host gives the oracle what only the engine's own tests can reach.
type Host struct {
	OnFS        func(runtime.Options, vfs.FS) runtime.Options
	Walled      func(o runtime.Options, from int) runtime.Options
	Shallow     func(o runtime.Options, levels int) runtime.Options
	Repeating   func(o runtime.Options, from int) runtime.Options
	Measuring   func(o runtime.Options, from uint64, now func() time.Time) runtime.Options
	Simulated   func(runtime.Options, *sched.Deterministic) runtime.Options
	Simulate    func(*runtime.Engine)
	WriteTraces func(*runtime.Engine, context.Context)
	CursorAt    func(key string) runtime.Cursor
}

// A subject is the engine under test.
type subject struct {
	host Host
	h    *History
	mem  *vfs.Mem
	eng  *runtime.Engine
	prog *Program
	air  atomic.Int64 // the weather

	opened int
	torn   bool // the power was cut while something was not on the disk, which may show for ever

	mu    sync.Mutex
	runs  []ran // guarded by mu: since they were taken
	calls uint64
}

// A ran is one call of a query by the engine.
type ran struct {
	Cell
	run
}

// A result is what queries give.
type result struct {
	Text string
	Blob runtime.Blob
}

var (
	partitions = [parts]*runtime.Partition[int]{
		first:     runtime.NewPartition[int]("oracle/first"),
		second:    runtime.NewPartition[int]("oracle/second"),
		dependent: runtime.NewPartition[int]("oracle/deps", runtime.Dependency),
		volatile:  runtime.NewPartition[int]("oracle/volatile", runtime.Volatile),
	}

	// defined are the queries of all programs, by number, version and policy: the engines of a
	// process know every query that it has made, so no history makes its own.
	defined [queryMax][buildsMax][policies]asked

	// tables are those of them that are tables.
	tables [queryMax][buildsMax][policies]*runtime.Table[string, int]

	subjects sync.Map // by *runtime.Engine
)

func init() {
	for i := range defined {
		for v := range defined[i] {
			for policy := range policies {
				define(i, v, policy)
			}
		}
	}
}

// define makes a query of a policy that goes with it.
func define(i, v int, policy Policy) {
	name := fmt.Sprintf("oracle/q%d", i)
	switch {
	case isTable(i) && policy != KeepsErrors && policy != Fixed:
		tab := runtime.NewTable(name, v+1, func(t *runtime.Task, arg string) (map[string]int, error) {
			r, err := called(t, Cell{i, arg})
			return r.table, err
		}, policy.options()...)
		tables[i][v][policy] = tab
		defined[i][v][policy] = &askedAs[map[string]int]{tab.Whole(), func(table map[string]int) result {
			return result{Text: tellTable(table)}
		}}
	case policy == Fixed && isFixed(i):
		q := runtime.NewQuery(name, v+1, func(t *runtime.Task, arg string) (fixedValue, error) {
			r, err := called(t, Cell{i, arg})
			if err != nil {
				return fixedValue{}, err
			}
			return readFixed(r.text), nil
		}, policy.options()...)
		defined[i][v][policy] = &askedAs[fixedValue]{q, func(v fixedValue) result { return result{Text: v.tell()} }}
	case isPlain(i) && policy != Fixed:
		q := runtime.NewQuery(name, v+1, func(t *runtime.Task, arg string) (string, error) {
			r, err := called(t, Cell{i, arg})
			return r.text, err
		}, policy.options()...)
		defined[i][v][policy] = &askedAs[string]{q, func(text string) result { return result{Text: text} }}
	case !isTable(i) && policy != Fixed:
		q := runtime.NewQuery(name, v+1, func(t *runtime.Task, arg string) (res result, err error) {
			r, err := called(t, Cell{i, arg})
			if res.Text = r.text; err == nil && r.blob {
				res.Blob, err = t.PutBlob(blobOf(r.text))
			}
			return res, err
		}, policy.options()...)
		defined[i][v][policy] = &askedAs[result]{q, func(res result) result { return res }}
	}
}

func (p Policy) options() []runtime.QueryOption {
	switch p {
	case KeepsErrors:
		return []runtime.QueryOption{runtime.KeepErrors[*Failure]()}
	case InMemory:
		return []runtime.QueryOption{runtime.MemoryOnly()}
	case SaidCheap:
		return []runtime.QueryOption{runtime.Cheap()}
	case OneRun:
		return []runtime.QueryOption{runtime.KeepRuns(1)}
	case ManyRuns:
		return []runtime.QueryOption{runtime.KeepRuns(manyRuns)}
	case Fixed:
		return []runtime.QueryOption{runtime.Fixpoint(func(string) fixedValue { return fixedValue{} }, joined, stepsMax)}
	}
	return nil
}

const manyRuns = 7

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func (s *subject) open() error {
	o := runtime.Options{
		Workers: s.h.Setting.Workers, SegmentBytes: 64 << 10, CollectEvery: -1, StallAfter: -1, AuditShare: -1, Logger: quiet,
	}
	if n := s.h.Setting.HeapBytes; n > 0 {
		o.TraceBytes, o.CacheBytes = n, n/100+1
	}
	if s.h.Setting.Walls {
		o = s.host.Walled(o, 2)
	}
	if n := s.h.Setting.Levels; n > 0 {
		o = s.host.Shallow(o, n)
	}
	if s.h.Setting.Repeats {
		o = s.host.Repeating(o, 1)
	}
	if s.h.Setting.Measured {
		o = s.host.Measuring(o, 1, chance(s.h.Seed))
	}
	if s.h.Setting.Durable {
		o.Sync = mmapcas.SyncGroup
	}
	s.opened++
	if !s.h.Setting.Threads {
		o = s.host.Simulated(o, &sched.Deterministic{Seed: s.h.Seed + uint64(s.opened)<<32})
	}
	var err error
	if s.eng, err = runtime.Open("/store", s.host.OnFS(o, s.mem)); err != nil {
		return err
	}
	s.calls = 0
	subjects.Store(s.eng, s)
	for i := range s.prog.Queries { // so that it knows which versions this build has
		if err := s.query(i).meet(s.eng); err != nil {
			return err
		}
	}
	return nil
}

// chance is a clock that goes on by chance, from one look at it to the next.
func chance(seed uint64) (now func() time.Time) {
	var (
		mu  sync.Mutex
		rng = rand.New(rand.NewPCG(seed, 1))
		at  = time.Unix(0, 0)
	)
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(time.Duration(1) << rng.IntN(12))
		return at
	}
}

// close ends the engine, and leaves what its successor finds.
func (s *subject) close(how Ending, seed uint64) error {
	left := s.mem
	if how != Close {
		s.host.WriteTraces(s.eng, context.Background()) // or they are written while the memory is copied
	}
	switch how {
	case Kill:
		left = s.mem.Clone()
	case Power:
		left = s.mem.CrashClone(seed)
		s.torn = s.torn || !s.h.Setting.Durable
	}
	err := s.eng.Close(context.Background())
	subjects.Delete(s.eng)
	s.mem = left
	return err
}

func (s *subject) query(i int) asked {
	q := &s.prog.Queries[i]
	return defined[i][q.Version-1][q.Policy]
}

// settle waits until nothing moves. Of threads that is known for the moment only: what follows from
// the end of a task may be about to begin.
func (s *subject) settle() {
	if !s.h.Setting.Threads {
		s.host.Simulate(s.eng)
		return
	}
	for idle := 0; idle < 2; time.Sleep(20 * time.Microsecond) {
		if sum := s.eng.Stats().Scheduler.Total(); sum.Submitted == sum.Ended() {
			idle++
		} else {
			idle = 0
		}
	}
}

// called is the function of all queries.
func called(t *runtime.Task, c Cell) (r run, err error) {
	x, _ := subjects.Load(t.Engine())
	s := x.(*subject)
	r = s.prog.Queries[c.Query].call(&live{s, t}, c)
	s.mu.Lock()
	s.runs = append(s.runs, ran{c, r})
	s.calls++
	s.mu.Unlock()
	if f, ok := r.err.(*Failure); ok && f.Kind == panics && f.Of == c {
		panic(f)
	}
	return r, r.err
}

// taken returns the runs since it was called last.
func (s *subject) taken() []ran {
	s.mu.Lock()
	defer s.mu.Unlock()
	runs := s.runs
	s.runs = nil
	return runs
}

// blobOf is what the blob of a result holds.
func blobOf(text string) []byte { return []byte("the blob of " + text) }

// whole returns the text of a result whose blob is there.
func (r result) whole(from runtime.Reader) (string, error) {
	if r.Blob.IsZero() {
		return r.Text, nil
	}
	b, err := runtime.ReadBlob(from, r.Blob)
	if err == nil && string(b) != string(blobOf(r.Text)) {
		err = fmt.Errorf("its blob is %q", b)
	}
	if err != nil {
		return "", fmt.Errorf("the blob of the answer %q: %w", r.Text, err)
	}
	return r.Text, nil
}

// A live is the engine as a query sees it.
type live struct {
	s *subject
	t *runtime.Task
}

func (w *live) weather() int { return int(w.s.air.Load()) }
func (w *live) unstable()    { w.t.Unstable() }
func (w *live) yield()       { w.t.Yield() }

func (w *live) maybe(*Read) string { return "" }

func (w *live) read(r *Read) (told, beside string, err error) {
	switch r.Kind {
	case Ask:
		res, err := w.s.query(r.Query).get(w.t, r.Arg)
		return res.Text, "", failure(err)
	case All:
		all, err := w.s.query(r.Query).all(w.t, strings.Split(r.Arg, ""))
		var texts []string
		for _, res := range all {
			texts = append(texts, res.Text)
		}
		return strings.Join(texts, " "), "", failure(err)
	}
	if r.Kind > All {
		q := &w.s.prog.Queries[r.Query]
		table, err := readTable(w.t, tables[r.Query][q.Version-1][q.Policy], r)
		if err != nil {
			return "", "", failure(err)
		}
		return tellPart(table, r), "", nil
	}
	told, err = w.s.readPart(w.t, r)
	return told, "", err
}

// failure is what an error of the engine means to a program.
func failure(err error) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	if p, ok := errors.AsType[*runtime.PanicError](err); ok {
		if f, ok := p.Value.(*Failure); ok {
			return f
		}
	}
	if errors.Is(err, runtime.ErrCycle) {
		return &Failure{Kind: cycle}
	}
	if errors.Is(err, runtime.ErrDiverges) {
		return &Failure{Kind: diverges}
	}
	return err
}

var errEnough = errors.New("enough")

// readPart reads a partition, and tells what a plain one tells.
func (s *subject) readPart(from runtime.Reader, r *Read) (told string, err error) {
	var (
		p    = partitions[r.Part]
		opts []runtime.ReadOption
		pat  = r.Pat.pattern()
	)
	if r.Backward {
		opts = append(opts, runtime.Backward())
	}
	if r.After != "" {
		opts = append(opts, runtime.After(s.host.CursorAt(r.After)))
	}
	switch r.Kind {
	case Get:
		v, err := p.Get(from, r.Key)
		if errors.Is(err, runtime.ErrNotFound) {
			return tellValue(0, false), nil
		}
		return tellValue(v, true), err
	case Has:
		is, err := p.Has(from, r.Key)
		return fmt.Sprint(is), err
	case Hash:
		b, err := p.Blob(from, r.Key)
		if errors.Is(err, runtime.ErrNotFound) {
			return tellValue(0, false), nil
		} else if err != nil {
			return "", err
		}
		v, err := p.Load(from, b)
		return tellValue(v, true), err
	case Batch:
		vs, is, err := p.GetBatch(from, recordKeys)
		for i := range vs {
			told += tellValue(vs[i], is[i]) + " "
		}
		return told, err
	case Count:
		n, err := p.Count(from, pat)
		return fmt.Sprint(n), err
	case Page:
		page, next, err := p.Page(from, pat, runtime.Cursor{}, r.Most, opts...)
		for _, e := range page {
			told += tellEntry(e.Key, e.Value)
		}
		return told + fmt.Sprint(!next.IsZero()), err
	}
	if r.Most > 0 {
		opts = append(opts, runtime.Limit(r.Most))
	}
	if r.Kind == Keys {
		keys, err := p.Keys(from, pat, opts...)
		for _, k := range keys {
			told += k + " "
		}
		return told, err
	}
	seen := 0
	err = p.Scan(from, pat, func(key string, v int) error {
		told += tellEntry(key, v)
		if seen++; seen == r.Stop {
			return errEnough
		}
		return nil
	}, opts...)
	if errors.Is(err, errEnough) {
		err = nil
	}
	return told, err
}

// commit commits what a step says.
func (s *subject) commit(ctx context.Context, e committer, step *Step) error {
	if step.Form == Bulk {
		if len(step.Changes) == 0 {
			return nil
		}
		return partitions[step.Changes[0].Part].Bulk(ctx, s.eng, func(w *runtime.BulkWriter[int]) (err error) {
			for _, c := range step.Changes {
				if c.There {
					err = errors.Join(err, w.Put(c.Key, c.Value))
				} else {
					err = errors.Join(err, w.Delete(c.Key))
				}
			}
			return err
		})
	}
	return e(func(w *runtime.Writer) (err error) {
		if step.Form == Replace {
			err = partitions[step.Part].ClearPrefix(w, "d")
		}
		for _, c := range step.Changes {
			p := partitions[c.Part]
			switch {
			case step.Form == Updates && c.There:
				err = errors.Join(err, p.Update(w, c.Key, func(old *int) (*int, error) {
					sum := c.Value
					if old != nil {
						sum += *old
					}
					sum %= updateMod
					return &sum, nil
				}))
			case c.There:
				err = errors.Join(err, p.Put(w, c.Key, c.Value))
			default:
				err = errors.Join(err, p.Delete(w, c.Key))
			}
		}
		return err
	})
}

// A committer is Engine.Commit or Task.Commit.
type committer func(fn func(*runtime.Writer) error) error

// stateOf reads what the partitions hold.
func stateOf(from runtime.Reader) (s state, err error) {
	for part, p := range partitions {
		s[part] = map[string]int{}
		err = errors.Join(err, p.Scan(from, runtime.All(), func(key string, v int) error {
			s[part][key] = v
			return nil
		}))
	}
	return s, err
}
