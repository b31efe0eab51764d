package db

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
)

// These tests run on the real store, in files.

const testSegment = 256 << 10

type realBench struct {
	*DB
	dir  string
	st   *mmapcas.Store
	p, s PartID
}

func openReal(t testing.TB, dir string, o Options) *realBench {
	t.Helper()
	so := mmapcas.Options{SegmentBytes: testSegment, ReserveBytes: 4 << 30, ReadOnly: o.ReadOnly, Sync: mmapcas.SyncNone}
	if o.Durable {
		so.Sync = mmapcas.SyncGroup
	}
	st, err := mmapcas.Open(dir, so)
	if err != nil {
		t.Fatal(err)
	}
	if o.Logger == nil {
		o.Logger = quiet
	}
	d, err := Open(st, o)
	if err != nil {
		t.Fatal(err)
	}
	b := &realBench{DB: d, dir: dir, st: st}
	t.Cleanup(func() { b.close(t) })
	var err2 error
	b.p, err = d.Partition("p", false)
	b.s, err2 = d.Partition("s", true)
	if err = errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *realBench) close(t testing.TB) {
	t.Helper()
	err := b.DB.Close(t.Context())
	if t.Context().Err() != nil {
		err = nil // in Cleanup, where the context has ended: that was Close's, not the database's
	}
	if err := errors.Join(err, b.st.Close()); err != nil && !errors.Is(err, mmapcas.ErrClosed) {
		t.Fatal(err)
	}
}

// crash copies the files as they are, as if the process had been killed now.
func (b *realBench) crash(t testing.TB) string {
	t.Helper()
	// A kill stops everything at one moment. File after file is as good only while nobody writes: a
	// manifest copied after a checkpoint would name records that came into segments copied before
	// it.
	b.checkpointing.Lock()
	defer b.checkpointing.Unlock()
	b.turn.Lock()
	defer b.turn.Unlock()
	dir := t.TempDir()
	files, err := os.ReadDir(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(b.dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, f.Name()), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func (b *realBench) contents(t testing.TB) map[string]Hash {
	t.Helper()
	m := map[string]Hash{}
	for _, part := range []PartID{b.p, b.s} {
		if err := b.LatestRange(part, "", "", false, func(k string, h Hash) bool { m[fmt.Sprint(part, k)] = h; return true }); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestKilledProcessLosesNothing(t *testing.T) {
	for _, durable := range []bool{false, true} {
		t.Run(fmt.Sprint("durable=", durable), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, 7))
			b := openReal(t, t.TempDir(), Options{CheckpointCommits: 70, Durable: durable, fan: 8})
			want := map[string]Hash{}
			rounds := 6
			if testing.Short() {
				rounds = 2
			}
			for range rounds {
				for range rng.IntN(60) {
					var ops []Op
					for range rng.IntN(6) {
						part := b.p
						if rng.IntN(3) == 0 {
							part = b.s
						}
						k := fmt.Sprint(rng.IntN(300))
						if rng.IntN(4) == 0 {
							ops = append(ops, Op{Part: part, Key: k, Verb: Delete})
							delete(want, fmt.Sprint(part, k))
							continue
						}
						h := value(t, b.st, fmt.Sprint(rng.IntN(1000)))
						ops = append(ops, Op{part, k, Put, h})
						want[fmt.Sprint(part, k)] = h
					}
					if _, err := b.Commit(t.Context(), ops); err != nil {
						t.Fatal(err)
					}
				}
				gen := b.Generation()
				b2 := openReal(t, b.crash(t), Options{CheckpointCommits: 70, Durable: durable, fan: 8})
				b.close(t)
				b = b2
				if got := b.contents(t); !maps.Equal(got, want) || b.Generation() != gen {
					t.Fatalf("generation %d with %d entries, want %d with %d", b.Generation(), len(got), gen, len(want))
				}
			}
		})
	}
}

// collect runs one whole collection; sessions are held as read locks around put and commit.
func (b *realBench) collect(t testing.TB, sessions *sync.RWMutex) mmapcas.SweepStats {
	t.Helper()
	c, err := b.st.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Abort()
	sessions.Lock() // everyone who began before the cycle has ended
	//lint:ignore SA2001 the wait is the point
	sessions.Unlock()
	var grey []Hash
	mark := func(h Hash) error {
		first, err := c.Mark(h)
		if first {
			grey = append(grey, h)
		}
		return err
	}
	trace := func(follow func(mmapcas.Kind, []byte) []Hash) {
		for len(grey) > 0 {
			h := grey[len(grey)-1]
			grey = grey[:len(grey)-1]
			var refs []Hash
			err := b.st.View(h, func(kind mmapcas.Kind, payload []byte) error { refs = follow(kind, payload); return nil })
			for _, r := range refs {
				err = errors.Join(err, mark(r))
			}
			if err != nil {
				t.Errorf("tracing %v: %v", h, err)
			}
		}
	}
	roots := b.Roots()
	for _, h := range roots.Live {
		if err := mark(h); err != nil {
			t.Errorf("root %v: %v", h, err)
		}
	}
	trace(Refs)
	// What a put has marked meanwhile is grey, and nothing may be when the bare roots come: a node
	// that they mark is not followed to the values that it names.
	for grey = c.Shaded(); len(grey) > 0; grey = c.Shaded() {
		trace(Refs)
	}
	for _, h := range roots.Bare {
		if err := mark(h); err != nil {
			t.Errorf("root %v: %v", h, err)
		}
	}
	trace(BareRefs)
	if err := b.Settle(roots); err != nil {
		t.Fatal(err)
	}
	var sum mmapcas.SweepStats
	for {
		grey = append(grey, c.Shaded()...)
		trace(Refs)
		done, st, err := c.Sweep(time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		sum.Dropped += st.Dropped
		sum.Freed += st.Freed
		if done {
			return sum
		}
	}
}

// Collections, commits, checkpoints and snapshots side by side, then a kill in the middle of it:
// every record that can be named must be there.
func TestCollectionBesideCommits(t *testing.T) {
	b := openReal(t, t.TempDir(), Options{CheckpointCommits: 60, CacheBytes: 1, fan: 8})
	var sessions sync.RWMutex
	var stop atomic.Bool
	var wg sync.WaitGroup
	commits, often, failed := 0, make(chan struct{}), make(chan struct{}, 2)
	b.OnCommit(func(Result) {
		if commits++; commits%200 == 0 {
			select {
			case often <- struct{}{}:
			default:
			}
		}
	})
	const writers = 2
	acked := make([]map[string]Hash, writers)
	for w := range writers {
		acked[w] = map[string]Hash{}
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 0))
			for i := 0; !stop.Load(); i++ {
				k := fmt.Sprint(w, "/", rng.IntN(200))
				sessions.RLock()
				// Some contents come back after they were garbage, and may be condemned just now.
				h := value(t, b.st, strings.Repeat(fmt.Sprint(w, rng.IntN(500), " "), 50))
				_, err := b.Commit(t.Context(), []Op{{b.p, k, Put, h}, {b.s, k, Put, h}})
				sessions.RUnlock()
				if err != nil {
					t.Error(err)
					failed <- struct{}{}
					return
				}
				acked[w][k] = h
			}
		})
	}
	wg.Go(func() {
		for !stop.Load() {
			s := b.Snapshot()
			err := s.Range(b.p, "", "", false, func(k string, h Hash) bool {
				if err := b.st.View(h, func(mmapcas.Kind, []byte) error { return nil }); err != nil {
					t.Errorf("generation %d: %s: %v", s.Gen(), k, err)
				}
				return !t.Failed()
			})
			if err != nil {
				t.Error(err)
			}
			s.Release()
		}
	})
	cycles := 6
	if testing.Short() {
		cycles = 3
	}
	var dropped, freed int64
	for range cycles {
		select { // once there is garbage
		case <-often:
		case <-failed:
		}
		st := b.collect(t, &sessions)
		dropped, freed = dropped+st.Dropped, freed+st.Freed
	}
	stop.Store(true)
	wg.Wait()
	if dropped == 0 {
		t.Error("no collection found garbage")
	}
	t.Logf("%d commits, %d records dropped, %d bytes of segments freed", b.Stats().Chunks, dropped, freed)
	b2 := openReal(t, b.crash(t), Options{})
	got := b2.contents(t)
	for w := range acked {
		for k, h := range acked[w] {
			if got[fmt.Sprint(b2.p, k)] != h || got[fmt.Sprint(b2.s, k)] != h {
				t.Errorf("%s is lost", k)
			}
			if err := b2.st.View(h, func(mmapcas.Kind, []byte) error { return nil }); err != nil {
				t.Errorf("%s: %v", k, err)
			}
		}
	}
}

// Bytes flipped anywhere in the files: the database opens, and whatever it answers was true once,
// or is an error.
func TestFlippedBytesNeverGiveAWrongAnswer(t *testing.T) {
	b := openReal(t, t.TempDir(), Options{CheckpointCommits: -1, fan: 8})
	history := map[string]map[Hash]bool{}
	commit := func(from, to int) {
		for i := from; i < to; i++ {
			k := fmt.Sprint(i % 100)
			h := value(t, b.st, fmt.Sprint(i))
			if history[k] == nil {
				history[k] = map[Hash]bool{}
			}
			history[k][h] = true
			if _, err := b.Commit(t.Context(), []Op{{b.p, k, Put, h}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range 3 {
		commit(i*100, i*100+80)
		if i == 2 {
			break
		}
		if err := b.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	rounds := 40
	if testing.Short() {
		rounds = 10
	}
	for seed := range uint64(rounds) {
		rng := rand.New(rand.NewPCG(seed, 1))
		dir := b.crash(t)
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Base(name) == "lock" || len(data) == 0 || strings.Contains(filepath.Base(name), "super") {
				continue
			}
			used := len(data)
			for used > 0 && data[used-1] == 0 {
				used--
			}
			for range 1 + rng.IntN(6) {
				if used > 0 {
					data[rng.IntN(used)] ^= byte(1 + rng.IntN(255))
				}
			}
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		st, err := mmapcas.Open(dir, mmapcas.Options{SegmentBytes: testSegment, ReserveBytes: 4 << 30})
		if errors.Is(err, mmapcas.ErrCorrupt) || errors.Is(err, mmapcas.ErrNewerFormat) {
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		d, err := Open(st, Options{Logger: quiet})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		p, err := d.Partition("p", false)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := d.LatestRange(p, "", "", false, func(k string, h Hash) bool {
			if !history[k][h] {
				t.Errorf("seed %d: %q never was %v", seed, k, h)
			}
			return true
		}); err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("seed %d: %v", seed, err)
		}
		if err := errors.Join(d.Reset(t.Context(), p), d.Close(t.Context()), st.Close()); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

func TestReadOnlyStore(t *testing.T) {
	b := openReal(t, t.TempDir(), Options{})
	h := value(t, b.st, "A")
	if _, err := b.Commit(t.Context(), []Op{{b.p, "k", Put, h}}); err != nil {
		t.Fatal(err)
	}
	ro := openReal(t, b.crash(t), Options{ReadOnly: true})
	if got, ok, err := ro.Latest(ro.p, "k"); got != h || !ok || err != nil {
		t.Fatal(got, ok, err)
	}
}

func TestStoreInMemory(t *testing.T) {
	b := openReal(t, "", Options{CheckpointCommits: 10})
	for i := range 100 {
		if _, err := b.Commit(t.Context(), []Op{{b.p, fmt.Sprint(i), Put, value(t, b.st, "A")}}); err != nil {
			t.Fatal(err)
		}
	}
	want := b.contents(t)
	if err := b.DB.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, err := Open(b.st, Options{})
	if err != nil {
		t.Fatal(err)
	}
	b.DB = again
	if got := b.contents(t); !maps.Equal(got, want) {
		t.Fatalf("%d entries, want %d", len(got), len(want))
	}
}

// TestRootsBesideCheckpoints: whoever finds that a checkpoint has written a node finds its hash,
// too (T6).
func TestRootsBesideCheckpoints(t *testing.T) {
	b := newBench(t, Options{fan: 4})
	h := value(t, b.st, "A")
	var ops []Op
	for i := range 200 {
		ops = append(ops, Op{b.p, fmt.Sprintf("%03d", i), Put, h})
	}
	b.commit(ops...)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 60 {
			g := value(t, b.st, fmt.Sprint(i))
			for j := range ops {
				ops[j].Hash = g
			}
			b.commit(ops...)
			if err := b.Checkpoint(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}()
	for going := true; going; {
		select {
		case <-done:
			going = false
		default:
		}
		roots := b.Roots()
		for _, h := range roots.Live {
			if h.IsZero() {
				t.Fatal("a clean node without a hash")
			}
		}
	}
}
