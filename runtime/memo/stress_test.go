package memo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/sched"
)

// Askers of several generations, commits, evictions and restarts of the table's memory on real
// threads: every answer is that of a plain computation in the same snapshot.
func TestChangesOnRealThreads(t *testing.T) {
	const keys, questions = 6, 3000
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	r := newRig(t, 1, Options{TraceBytes: 40_000, WallFrom: 3}) // its pool is not used
	pool, err := sched.New(sched.Options{Workers: 4, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	p, other := r.partition("files"), r.partition("other")
	// level reads a key, two answers of the level below, and now and then a count.
	level := func(n int) string { return fmt.Sprint("level", n) }
	plain := func(get func(part db.PartID, key string) (string, error), below func(key int) (string, error), n, i int) (string, error) {
		s, err := get(p, fmt.Sprint(i))
		if err != nil || n == 0 {
			return s, err
		}
		a, err := below(i)
		if err != nil {
			return "", err
		}
		if s == "2" {
			b, err := get(other, fmt.Sprint(i))
			return b + a, err
		}
		b, err := below((i + 1) % keys)
		return fmt.Sprintf("%.6s", b+s+a), err
	}
	for n := range 4 {
		r.query(level(n), func(f *Frame, key string) (string, error) {
			var i int
			fmt.Sscan(key, &i)
			get := func(part db.PartID, key string) (string, error) { return r.text(f, part, key) }
			return plain(get, func(i int) (string, error) { return r.get(f, level(n-1), fmt.Sprint(i)) }, n, i)
		})
	}
	hashes := map[mmapcas.Hash]string{}
	var texts []mmapcas.Hash
	for i := range 4 {
		h, _, err := r.store.Put(kindTest, []byte(fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		hashes[h] = fmt.Sprint(i)
		texts = append(texts, h)
	}
	direct := func(snap *db.Snapshot, n, i int) (string, error) {
		get := func(part db.PartID, key string) (string, error) {
			h, _, err := snap.Get(part, key)
			return hashes[h], err
		}
		var at func(n, i int) (string, error)
		at = func(n, i int) (string, error) {
			return plain(get, func(i int) (string, error) { return at(n-1, i) }, n, i)
		}
		return at(n, i)
	}
	var asked atomic.Int64
	var doers sync.WaitGroup
	do := func(fn func(rng *rand.Rand)) {
		rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
		doers.Go(func() {
			for asked.Load() < questions && !t.Failed() {
				fn(rng)
			}
		})
	}
	for range 3 {
		do(func(rng *rand.Rand) {
			h, err := pool.Submit(context.Background(), sched.Spec{Lane: lane.Default}, func(task *sched.Task) error {
				snap := r.db.Snapshot()
				defer snap.Release()
				f := r.table.Root(&Strand{Task: task, Snap: snap})
				for range 1 + rng.IntN(12) { // the later ones ask an older generation
					n, i := rng.IntN(4), rng.IntN(keys)
					want, err := direct(snap, n, i)
					if err != nil {
						return err
					}
					got, err := r.get(f, level(n), fmt.Sprint(i))
					if err != nil {
						return err
					}
					if got != want {
						t.Errorf("%s(%d) in generation %d is %q, want %q", level(n), i, snap.Gen(), got, want)
					}
					asked.Add(1)
				}
				return nil
			})
			if err == nil {
				err = h.Wait(context.Background())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	do(func(rng *rand.Rand) {
		op := db.Op{Part: p, Key: fmt.Sprint(rng.IntN(keys)), Verb: db.Put, Hash: texts[rng.IntN(len(texts))]}
		if rng.IntN(4) == 0 {
			op.Part = other
		}
		if rng.IntN(6) == 0 {
			op.Verb, op.Hash = db.Delete, mmapcas.Hash{}
		}
		if _, err := r.db.Commit(context.Background(), []db.Op{op}); err != nil {
			t.Error(err)
		}
	})
	do(func(rng *rand.Rand) {
		if err := r.table.Flush(context.Background()); err != nil {
			t.Error(err)
		}
		q := r.queries[level(rng.IntN(4))]
		if e := q.entry(fmt.Sprint(rng.IntN(keys))); e != nil {
			r.table.flushMu.Lock()
			if rng.IntN(20) == 0 {
				r.table.evict(e)
			}
			r.table.nodes.kept = -1 << 20 // sweep at each Flush
			r.table.flushMu.Unlock()
		}
	})
	doers.Wait()
	if err := pool.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// Askers of several generations whose runs overlap, with tainted answers, errors and askers that
// are cancelled: every answer is that of a plain computation in the same snapshot.
func TestGenerationsOnRealThreads(t *testing.T) {
	const keys, questions = 3, 3000
	r := newRig(t, 1, Options{}) // its pool is not used
	pool, err := sched.New(sched.Options{Workers: 4, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	p := r.partition("files")
	hashes := map[mmapcas.Hash]string{}
	var texts []mmapcas.Hash
	for i := range 4 {
		h, _, err := r.store.Put(kindTest, []byte(fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		hashes[h] = fmt.Sprint(i)
		texts = append(texts, h)
	}
	errBad := errors.New("bad")
	// sum reads all keys; where the second is 2 it fails, and where it is 3 it is tainted.
	sum := func(get func(key string) (string, error), taint, pause func()) (all string, err error) {
		for i := range keys {
			s, err := get(fmt.Sprint(i))
			if err != nil {
				return "", err
			}
			pause()
			if all += s + ","; i == 1 && s == "2" {
				return "", errBad
			}
			if i == 1 && s == "3" {
				taint()
			}
		}
		return all, nil
	}
	pauses := func(f *Frame) func() {
		return func() {
			for range 1 + rand.IntN(20) {
				f.Strand().Task.Yield()
				runtime.Gosched()
			}
		}
	}
	r.query("text", func(f *Frame, key string) (string, error) {
		defer pauses(f)()
		return r.text(f, p, key)
	})
	r.query("sum", func(f *Frame, _ string) (string, error) {
		return sum(func(key string) (string, error) { return r.get(f, "text", key) }, f.Taint, pauses(f))
	})
	r.query("top", func(f *Frame, key string) (string, error) {
		s, err := r.get(f, "sum", key)
		if errors.Is(err, errBad) {
			s, err = "bad", nil
		}
		return "top " + s, err
	})
	direct := func(snap *db.Snapshot) string {
		get := func(key string) (string, error) {
			h, _, err := snap.Get(p, key)
			return hashes[h], err
		}
		s, err := sum(get, func() {}, func() {})
		if err != nil {
			s = "bad"
		}
		return "top " + s
	}
	var asked atomic.Int64
	var doers sync.WaitGroup
	do := func(fn func(rng *rand.Rand)) {
		rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
		doers.Go(func() {
			for asked.Load() < questions && !t.Failed() {
				fn(rng)
			}
		})
	}
	for range 6 {
		do(func(rng *rand.Rand) {
			ctx, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			key := fmt.Sprint(rng.IntN(2))
			h, err := pool.Submit(ctx, sched.Spec{Lane: lane.Default}, func(task *sched.Task) error {
				snap := r.db.Snapshot()
				defer snap.Release()
				f := r.table.Root(&Strand{Task: task, Snap: snap})
				got, err := r.get(f, "top", key)
				if err != nil {
					return err
				}
				if want := direct(snap); got != want {
					t.Errorf("in generation %d: %q, want %q", snap.Gen(), got, want)
				}
				return nil
			})
			if rng.IntN(3) == 0 {
				for range rng.IntN(30) {
					runtime.Gosched()
				}
				cancel(errWhy)
			}
			if err == nil {
				err = h.Wait(context.Background())
			}
			if err != nil && !errors.Is(err, errWhy) {
				t.Error(err)
			}
			asked.Add(1)
		})
	}
	do(func(rng *rand.Rand) {
		op := db.Op{Part: p, Key: fmt.Sprint(rng.IntN(keys + 2)), Verb: db.Put, Hash: texts[rng.IntN(len(texts))]}
		if _, err := r.db.Commit(context.Background(), []db.Op{op}); err != nil {
			t.Error(err)
		}
		runtime.Gosched()
	})
	doers.Wait()
	if err := pool.Close(context.Background()); err != nil {
		t.Error(err)
	}
}
