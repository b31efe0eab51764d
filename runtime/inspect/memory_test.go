package inspect_test

import (
	"fmt"
	"math/rand/v2"
	goruntime "runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/account"
	"github.com/cytisus/cytisus/runtime/inspect"
	"github.com/cytisus/cytisus/runtime/internal/inside"
	"github.com/cytisus/cytisus/runtime/lane"
)

var (
	weights = runtime.NewPartition[string]("weights")

	weighed = runtime.NewQuery("weighed", 1, func(t *runtime.Task, key string) (string, error) {
		s, err := weights.Get(t, key)
		return strings.Repeat(s, 2), err
	})
)

// wantsAddingUp checks that what the holders have is what is in memory, within a tenth.
func wantsAddingUp(t *testing.T, e *runtime.Engine, when string) account.Account {
	t.Helper()
	a, err := inspect.Memory(e)
	if err != nil {
		t.Fatal(err)
	}
	if a.Resident == 0 {
		if len(a.Unknown) == 0 {
			t.Error("what is in memory is not known, and the account does not say so")
		}
		t.Skip("this system does not say what is in memory")
	}
	t.Logf("%s: %d MiB in memory, %d of them nobody's: %v", when, a.Resident>>20, a.Unaccounted()>>20, &a)
	if off := a.Unaccounted(); off > a.Resident/10 || off < -a.Resident/10 {
		t.Errorf("%s: %d bytes of %d are nobody's", when, off, a.Resident)
	}
	return a
}

// An account adds up to what the system says is in memory: of a store that was just filled, and
// after most of it has left memory.
func TestMemoryAddsUp(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's memory is nobody's")
	}
	dir := t.TempDir()
	e, err := runtime.Open(dir, runtime.Options{
		Workers: 1, TraceBytes: 4 << 20, CacheBytes: 4 << 20,
		CollectEvery: -1, // a collection reads pages that were dropped
	})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(t.Context())
	const keys, bytes = 20_000, 2_000
	noise := rand.NewChaCha8([32]byte{1}) // which compressing does not make smaller
	for from := 0; from < keys; from += 1000 {
		err := e.Commit(t.Context(), func(w *runtime.Writer) error {
			for i := from; i < from+1000; i++ {
				text := make([]byte, bytes)
				_, _ = noise.Read(text) // it does not fail
				if err := weights.Put(w, fmt.Sprintf("key %06d", i), string(text)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	ask := func() {
		err := e.Submit(t.Context(), lane.Default, func(task *runtime.Task) error {
			for i := range keys {
				if _, err := weighed.Get(task, fmt.Sprintf("key %06d", i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	ask()
	full := wantsAddingUp(t, e, "filled")
	if s := full.Find("segments"); s == nil || s.Bytes < keys*bytes {
		t.Errorf("%d values of %d bytes were put, and segments have %+v in memory", keys, bytes, s)
	}
	if p := full.Find("heap", "partitions", "weights"); p == nil || p.Count == 0 {
		t.Errorf("the nodes of a partition that was just written are not in the account: %+v", p)
	}
	if err := e.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	ask()
	if q := e.Stats(); q.MemoEvicted == 0 || q.CacheEvicted == 0 {
		t.Errorf("nothing was evicted: %d keys, %d results", q.MemoEvicted, q.CacheEvicted)
	}
	inside.Of(e).Store.DropPages()
	goruntime.GC()
	debug.FreeOSMemory()
	small := wantsAddingUp(t, e, "evicted")
	if s := small.Find("segments"); s.Bytes > keys*bytes/2 {
		t.Errorf("segments have %d bytes in memory after their pages were dropped", s.Bytes)
	}
	ask() // and all is there
	wantsAddingUp(t, e, "asked again")
}
