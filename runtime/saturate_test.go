package runtime_test

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	goruntime "runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/account"
	"github.com/cytisus/cytisus/runtime/gc"
	"github.com/cytisus/cytisus/runtime/inspect"
	"github.com/cytisus/cytisus/runtime/lane"
)

var saturateFor = flag.Duration("saturate.for", 0, "how long each case of TestSaturation goes on at least")

const (
	saturateKeys  = 1000
	saturateBytes = 4000     // of a value
	saturateLeast = 48 << 20 // is overwritten
	saturateQueue = 4        // tasks that wait in each lane

	// What "Saturation" in the package comment of runtime/gc allows beside D: 1.5 B, as known
	// garbage begins at 4 MiB, and an eighth of what is live.
	saturateLive   = saturateKeys * (saturateBytes + 500)
	saturateStored = 3*max(saturateLive, 4<<20) + saturateLive/8
	saturateDisk   = 5 << 20  // more: of open segments, in reserve, and the saved index
	saturateHeap   = 24 << 20 // that is live, beyond what was
)

// saturateD is D: what is put while an emptied segment is synced. That depends on the disk, which a
// short run does not wait to know.
func saturateD() int64 {
	if *saturateFor == 0 {
		return 20 << 20
	}
	return 10 << 20
}

var flooded = runtime.NewPartition[[]byte]("test/flooded")

// A flood keeps all lanes above lane.Idle full of tasks that compute without a pause, while values
// are overwritten.
type flood struct {
	e        *runtime.Engine
	over     atomic.Bool
	tasks    atomic.Int64 // that are not over
	written  atomic.Int64 // values
	versions [saturateKeys]atomic.Uint64
	failed   atomic.Pointer[error]
}

func (f *flood) fail(err error) {
	if err != nil {
		f.failed.CompareAndSwap(nil, &err)
	}
}

// overwrite gives some keys new values in one commit. Keys of one writer are its own.
func (f *flood) overwrite(commit func(func(*runtime.Writer) error) error, rng *rand.Rand, keys int) {
	f.fail(commit(func(w *runtime.Writer) error {
		for range keys {
			i := rng.IntN(saturateKeys)
			var seed [32]byte
			binary.LittleEndian.PutUint64(seed[:], f.versions[i].Add(1)<<16|uint64(i))
			value := make([]byte, saturateBytes)
			_, _ = rand.NewChaCha8(seed).Read(value)
			if err := flooded.Put(w, fmt.Sprint(i), value); err != nil {
				return err
			}
		}
		return nil
	}))
	f.written.Add(int64(keys))
}

// spawn puts a task on a lane that computes for some time, and puts another there in its place.
func (f *flood) spawn(l lane.Lane, busy time.Duration, commits bool) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 0))
	_, err := f.e.Go(context.Background(), l, func(t *runtime.Task) error {
		defer f.tasks.Add(-1)
		if f.over.Load() {
			return nil
		}
		f.tasks.Add(1)
		f.spawn(l, busy, commits)
		if commits {
			f.overwrite(t.Commit, rng, 1)
		}
		for until := time.Now().Add(busy); time.Now().Before(until); {
		}
		return nil
	})
	if err != nil {
		f.tasks.Add(-1)
		f.fail(err)
	}
}

// TestSaturation: while every lane above lane.Idle has more work than the workers can do, what is
// overwritten goes all the same. Neither the store nor the heap has more at any time than
// "Saturation" in the package comment of runtime/gc says.
func TestSaturation(t *testing.T) {
	for _, c := range []struct {
		name    string
		busy    time.Duration // of a task
		within  bool          // the tasks commit, else a goroutine outside
		keys    int           // in a commit
		workers int
		disk    bool
	}{
		{"tasks commit", 100 * time.Microsecond, true, 1, 2, true},
		{"one worker", 100 * time.Microsecond, true, 1, 1, true},
		{"commits from outside", 2 * time.Millisecond, false, 1, 2, true},
		{"large commits from outside", 2 * time.Millisecond, false, 100, 2, true},
		{"in memory", 100 * time.Microsecond, true, 1, 2, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := ""
			if c.disk {
				dir = t.TempDir()
			}
			f := &flood{e: open(t, dir, runtime.Options{Workers: c.workers, SegmentBytes: 1 << 20})}
			rng := rand.New(rand.NewPCG(1, 0))
			for range saturateKeys / 100 { // all keys, nearly
				f.overwrite(func(fn func(*runtime.Writer) error) error { return f.e.Commit(t.Context(), fn) }, rng, 100)
			}
			for l := lane.SyncHydration; l < lane.Idle; l <<= 1 {
				for range saturateQueue {
					f.tasks.Add(1)
					f.spawn(l, c.busy, c.within)
				}
			}
			heap := func() int64 { return account.ReadGo().Live } // of other tests there is garbage
			goruntime.GC()
			var most, mostDisk, mostHeap int64
			before := heap()
			began := time.Now()
			for look := began; (time.Since(began) < *saturateFor || f.written.Load() < saturateLeast/saturateBytes) && f.failed.Load() == nil; {
				if c.within {
					time.Sleep(time.Millisecond)
				} else {
					f.overwrite(func(fn func(*runtime.Writer) error) error { return f.e.Commit(t.Context(), fn) }, rng, c.keys)
				}
				if time.Since(look) < 20*time.Millisecond {
					continue
				}
				look = time.Now()
				most = max(most, f.e.Stats().Store.StoredBytes)
				if c.disk {
					mostDisk = max(mostDisk, diskUse(t, dir))
				}
				mostHeap = max(mostHeap, heap())
			}
			took := time.Since(began)
			f.over.Store(true)
			st := f.e.Stats()
			for f.tasks.Load() > 0 {
				time.Sleep(time.Millisecond)
			}
			if err := f.failed.Load(); err != nil {
				t.Fatal(*err)
			}
			mib := func(n int64) float64 { return float64(n) / (1 << 20) }
			t.Logf("%.0f MiB were overwritten in %v; at most %.1f MiB were stored, %.1f on disk, and the heap had %.1f more; %d cycles",
				mib(f.written.Load()*saturateBytes), took.Round(time.Millisecond), mib(most), mib(mostDisk), mib(mostHeap-before), st.Collector.Cycles+st.Collector.Short)
			mayStore := saturateStored + saturateD()
			if most > mayStore || mostDisk > mayStore+saturateDisk {
				t.Errorf("want at most %.1f MiB stored, and %.1f on disk", mib(mayStore), mib(mayStore+saturateDisk))
			}
			mayHeap := int64(saturateHeap)
			if !c.disk {
				mayHeap += mayStore // where Go's heap has the segments
			}
			if mostHeap-before > mayHeap {
				t.Errorf("want a heap of at most %.1f MiB more", mib(mayHeap))
			}
			if st.Collector.Cycles == 0 {
				t.Error("no cycle ended")
			}
			if rep, err := inspect.Verify(t.Context(), f.e, nil); err != nil || !rep.Clean() {
				t.Errorf("verify: %+v, %v", rep, err)
			}
		})
	}
}

// While the collector is behind, a small commit does one slice of what is owed, however much that
// is, and a large one does more. Commits alone bring a cycle to its end, after which they pay no
// more.
func TestCommitPaysItsShare(t *testing.T) {
	e := open(t, "", runtime.Options{CollectEvery: -1, SegmentBytes: 4 << 20})
	commit := func(keys, round int) {
		t.Helper()
		err := e.Commit(t.Context(), func(w *runtime.Writer) error {
			for i := range keys {
				if err := inputs.Put(w, fmt.Sprint(i), fmt.Sprint(i, " in round ", round)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	marking := func(keys, round int) (did int64, measured bool) {
		t.Helper()
		before := e.Stats().Collector
		commit(keys, round)
		after := e.Stats().Collector
		return after.Work - before.Work, before.Phase == gc.Marking && after.Phase == gc.Marking
	}
	for i := range 200 {
		err := e.Commit(t.Context(), func(w *runtime.Writer) error {
			for j := range 100 {
				if err := inputs.Put(w, fmt.Sprint("live ", i, j), fmt.Sprint("text ", i, j)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	e.FallBehind(1 << 30)
	const inHand = 256 << 10
	small, large, commits := 0, int64(0), 0
	for ; e.Assisting(); commits++ {
		if commits > 100_000 {
			t.Fatalf("no cycle ended: %+v", e.Stats().Collector)
		}
		if commits%8 == 7 && large <= runtime.AssistSlice { // a slice may pass while its thread has no processor
			did, _ := marking(1000, commits)
			large = max(large, did)
			continue
		}
		did, measured := marking(1, commits)
		if measured && did > 0 {
			small++
		}
		if measured && did > runtime.AssistSlice+inHand {
			t.Errorf("a small commit has done %d of work, want at most %d", did, runtime.AssistSlice+inHand)
		}
	}
	if small < 5 || large <= runtime.AssistSlice {
		t.Errorf("%d small commits have assisted in marking; a large one has done %d", small, large)
	}
	before := e.Stats().Collector
	commit(1000, commits)
	if after := e.Stats().Collector; after.Work != before.Work || before.Cycles != 1 {
		t.Errorf("a commit has done %d of work after the cycle, of %d", after.Work-before.Work, before.Cycles)
	}
}
