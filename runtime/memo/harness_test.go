package memo

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/sched"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A rig is a table over a store in memory, with tasks that a seed orders: nothing moves but when a
// test waits for it.
type rig struct {
	t       testing.TB
	store   *mmapcas.Store
	db      *db.DB
	pool    *sched.Pool
	table   *Table
	queries map[string]*Query

	payloads sync.Map // by strand

	keepsTiny bool // as a table does by itself; else all values are in the cache
}

const kindTest mmapcas.Kind = 200

func newRig(t testing.TB, seed uint64, o Options) *rig {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	r := &rig{t: t, queries: map[string]*Query{}}
	var err error
	reserve := int64(0) // what the store takes by itself
	if strconv.IntSize == 32 {
		reserve = 64 << 20 // a test has many rigs, and 4 GiB of addresses
	}
	if r.store, err = mmapcas.Open("", mmapcas.Options{SegmentBytes: 1 << 20, ReserveBytes: reserve, Logger: quiet}); err != nil {
		t.Fatal(err)
	}
	if r.db, err = db.Open(r.store, db.Options{Volatile: true, Logger: quiet}); err != nil {
		t.Fatal(err)
	}
	r.pool, err = sched.New(sched.Options{Workers: 3, Logger: quiet, Deterministic: &sched.Deterministic{Seed: seed}})
	if err != nil {
		t.Fatal(err)
	}
	r.newTable(o)
	t.Cleanup(func() {
		for _, close := range []func() error{
			func() error { return r.pool.Close(context.Background()) },
			func() error { return r.db.Close(context.Background()) },
			r.store.Close,
		} {
			if err := close(); err != nil {
				t.Errorf("closing: %v", err)
			}
		}
	})
	return r
}

// newTableAlone is newTable without the ledger.
func (r *rig) newTableAlone(o Options) {
	r.t.Helper()
	op := db.Op{Part: r.table.part, Key: ledgerKey, Verb: db.Delete}
	if _, err := r.db.Commit(context.Background(), []db.Op{op}); err != nil {
		r.t.Fatal(err)
	}
	r.newTable(o)
	r.table.catchUp(r.db.Generation()) // begins the journal
	r.table.ledger.now.Store(nil)
}

// newTable replaces the table by one that knows only what was flushed.
func (r *rig) newTable(o Options) {
	r.t.Helper()
	o.Store, o.DB = r.store, r.db
	o.Lookup = func(name string) *Query { return r.queries[name] }
	o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	var err error
	if r.table, err = New(o); err != nil {
		r.t.Fatal(err)
	}
	if !r.keepsTiny {
		r.table.cache.tinyMax = -1
	}
	r.table.Resume()
	for name, q := range r.queries {
		r.queries[name] = r.table.Bind(&Query{Name: q.Name, Version: q.Version, Eval: q.Eval, Decode: q.Decode, ShowKey: q.ShowKey, Fixpoint: q.Fixpoint, MemoryOnly: q.MemoryOnly, TracesMax: q.TracesMax, Cost: q.Cost})
	}
}

// query defines a query whose results are strings.
func (r *rig) query(name string, fn func(f *Frame, key string) (string, error)) string {
	r.queries[name] = r.table.Bind(&Query{
		Name: name, Version: 1,
		Eval: func(f *Frame, key string) (Result, error) {
			s, err := fn(f, key)
			return Result{Kind: kindTest, Payload: r.payload(f.strand, s), Value: s}, err
		},
		Decode:  func(_ mmapcas.Kind, p []byte) (any, error) { return string(p), nil },
		ShowKey: func(key string) string { return key },
	})
	return name
}

// payload returns bytes that are valid until the strand runs a function again, as Query.Eval may.
func (r *rig) payload(s *Strand, text string) []byte {
	last, _ := r.payloads.Load(s)
	b, _ := last.([]byte)
	for i := range b {
		b[i] = '!'
	}
	b = append(b[:0], text...)
	r.payloads.Store(s, b)
	return b
}

func (r *rig) partition(name string) db.PartID {
	r.t.Helper()
	id, err := r.db.Partition(name, false)
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

// put sets keys of a partition in one commit: key, text, key, text; an empty text deletes.
func (r *rig) put(part db.PartID, pairs ...string) {
	r.t.Helper()
	var ops []db.Op
	for i := 0; i < len(pairs); i += 2 {
		op := db.Op{Part: part, Key: pairs[i], Verb: db.Delete}
		if pairs[i+1] != "" {
			h, _, err := r.store.Put(kindTest, []byte(pairs[i+1]))
			if err != nil {
				r.t.Fatal(err)
			}
			op.Verb, op.Hash = db.Put, h
		}
		ops = append(ops, op)
	}
	if _, err := r.db.Commit(context.Background(), ops); err != nil {
		r.t.Fatal(err)
	}
}

// text reads a record inside a query; a key that is absent is "".
func (r *rig) text(f *Frame, part db.PartID, key string) (string, error) {
	h, ok, err := f.Get(part, key)
	if err != nil || !ok {
		return "", err
	}
	p, _, err := r.store.Get(h, nil)
	return string(p), err
}

// get asks for a query inside a query.
func (r *rig) get(f *Frame, query, key string) (string, error) {
	a, err := r.table.Get(f, r.queries[query], key)
	if err != nil {
		return "", err
	}
	return textOf(a.Value), nil
}

// task submits fn with a root frame in the newest generation.
func (r *rig) task(ctx context.Context, fn func(f *Frame) error) *sched.Handle {
	r.t.Helper()
	h, err := r.pool.Submit(ctx, sched.Spec{Lane: lane.Default}, func(task *sched.Task) error {
		snap := r.db.Snapshot()
		defer snap.Release()
		return fn(r.table.Root(&Strand{Task: task, Snap: snap}))
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return h
}

// An asked is a query that was asked in a task of its own.
type asked struct {
	*sched.Handle
	answer string
}

func (r *rig) ask(query, key string) *asked {
	r.t.Helper()
	a := &asked{}
	a.Handle = r.task(context.Background(), func(f *Frame) (err error) {
		a.answer, err = r.get(f, query, key)
		return err
	})
	return a
}

// want asks and compares.
func (r *rig) want(query, key, answer string) {
	r.t.Helper()
	a := r.ask(query, key)
	if err := a.Wait(context.Background()); err != nil {
		r.t.Fatalf("%s(%s): %v", query, key, err)
	}
	if a.answer != answer {
		r.t.Errorf("%s(%s) is %q, want %q", query, key, a.answer, answer)
	}
}

// audit computes again what waits for it.
func (r *rig) audit() {
	r.t.Helper()
	h := r.task(context.Background(), func(f *Frame) error {
		for more := true; more; {
			_, more = r.table.Audit(f.strand)
		}
		return nil
	})
	if err := h.Wait(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

// counted returns how often a query ran, was validated and was reused, as "ran/validated/reused".
func (r *rig) counted(query string) string {
	c := &r.queries[query].Counts
	return fmt.Sprintf("%d/%d/%d", c.Ran.Load(), c.Validated.Load(), c.Reused.Load())
}

// settle moves tasks until none can.
func (r *rig) settle() { r.pool.Simulate(nil) }
