package runtime_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/gc"
	"github.com/cytisus/cytisus/runtime/inspect"
)

// A report holds blobs, so that the collector must follow values.
type report struct {
	Name  string
	Parts []runtime.Blob
}

var (
	reports = runtime.NewPartition[report]("reports")

	doubled = runtime.NewQuery("doubled", 1, func(t *runtime.Task, key string) (report, error) {
		s, err := inputs.Get(t, key)
		if err != nil {
			return report{}, err
		}
		b, err := t.PutBlob([]byte(s + s))
		return report{Name: key, Parts: []runtime.Blob{b}}, err
	})
)

func readParts(t testing.TB, r runtime.Reader, rep report) []byte {
	t.Helper()
	var all []byte
	for _, b := range rep.Parts {
		p, err := runtime.ReadBlob(r, b)
		if err != nil {
			t.Fatalf("blob of %s: %v", rep.Name, err)
		}
		all = append(all, p...)
	}
	return all
}

func TestCollectorKeepsWhatIsReachable(t *testing.T) {
	for _, place := range []string{"memory", "disk"} {
		t.Run(place, func(t *testing.T) {
			dir := ""
			if place == "disk" {
				dir = t.TempDir()
			}
			e := open(t, dir, runtime.Options{CollectEvery: -1})
			text := func(i, round int) string { return fmt.Sprint(i, round) + string(bytes.Repeat([]byte{byte(i)}, 3000)) }
			held := e.Snapshot()
			defer held.Release()
			for round := range 6 {
				for i := range 50 {
					put(t, e, inputs, fmt.Sprint(i), text(i, round))
					err := e.Commit(t.Context(), func(w *runtime.Writer) error {
						b, err := w.PutBlob([]byte(text(i, round) + "blob"))
						if err != nil {
							return err
						}
						return reports.Put(w, fmt.Sprint(i), report{Name: "r", Parts: []runtime.Blob{b}})
					})
					if err != nil {
						t.Fatal(err)
					}
				}
				if round == 2 {
					held.Release()
					held = e.Snapshot()
				}
				if _, err := e.Collect(t.Context()); err != nil {
					t.Fatal(err)
				}
				now := e.Snapshot()
				for i := range 50 {
					rep, err := doubled.Ask(t.Context(), e, fmt.Sprint(i))
					if err != nil {
						t.Fatal(err)
					}
					if got, want := string(readParts(t, now, rep)), text(i, round)+text(i, round); got != want {
						t.Fatalf("round %d: doubled(%d) differs", round, i)
					}
					rep, err = reports.Get(now, fmt.Sprint(i))
					if err != nil {
						t.Fatal(err)
					}
					if got, want := string(readParts(t, now, rep)), text(i, round)+"blob"; got != want {
						t.Fatalf("round %d: report %d differs", round, i)
					}
					if round >= 2 {
						s, err := inputs.Get(held, fmt.Sprint(i))
						if err != nil || s != text(i, 2) {
							t.Fatalf("round %d: the held snapshot lost input %d: %v", round, i, err)
						}
					}
				}
				now.Release()
			}
			if st := e.Stats().Collector; st.FreedRecords == 0 || st.Missing != 0 {
				t.Errorf("collector: %+v, want something freed and nothing missing", st)
			}
			if rep, err := inspect.Verify(t.Context(), e, nil); err != nil || !rep.Clean() {
				t.Errorf("verify: %+v, %v", rep, err)
			}
		})
	}
}

func TestDiskUseStaysFlat(t *testing.T) {
	e := open(t, t.TempDir(), runtime.Options{CollectEvery: -1, SegmentBytes: 256 << 10})
	noise := rand.NewChaCha8([32]byte{1})
	var after10, last int64
	for round := range 30 {
		err := e.Commit(t.Context(), func(w *runtime.Writer) error {
			for i := range 100 {
				text := make([]byte, 1_500)
				_, _ = noise.Read(text)
				if err := inputs.Put(w, fmt.Sprint(i), hex.EncodeToString(text)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		ask(t, e, sumOfLengths, "")
		if _, err := e.Collect(t.Context()); err != nil {
			t.Fatal(err)
		}
		last = e.Stats().Store.StoredBytes
		if round == 9 {
			after10 = last
		}
	}
	if last > after10*5/4 {
		t.Errorf("stored bytes grew from %d after round 10 to %d after round 30", after10, last)
	}
}

// The heap walker after commits, queries, snapshots and collections at the same time: nothing
// reachable is missing, and, once all is quiet, the store finds exactly what is reachable.
func TestCollectorUnderLoad(t *testing.T) {
	for _, place := range []string{"memory", "disk"} {
		t.Run(place, func(t *testing.T) {
			dir := ""
			if place == "disk" {
				dir = t.TempDir()
			}
			e := open(t, dir, runtime.Options{CollectEvery: -1, SegmentBytes: 256 << 10})
			put(t, e, inputs, "0", "x")
			var workers sync.WaitGroup
			busy := func(times int, fn func(rng *rand.Rand) error) {
				seed := rand.Uint64()
				workers.Go(func() {
					rng := rand.New(rand.NewPCG(seed, 0))
					for range times {
						if err := fn(rng); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			for range 2 {
				busy(200, func(rng *rand.Rand) error {
					key := fmt.Sprint(rng.IntN(40))
					return e.Commit(t.Context(), func(w *runtime.Writer) error {
						b, err := w.PutBlob(bytes.Repeat([]byte(key), rng.IntN(300)))
						if err != nil {
							return err
						}
						if err := reports.Put(w, key, report{Name: key, Parts: []runtime.Blob{b}}); err != nil {
							return err
						}
						return inputs.Put(w, key, strings.Repeat(fmt.Sprint(rng.IntN(5)), rng.IntN(500)))
					})
				})
				busy(40, func(rng *rand.Rand) error {
					return e.Submit(t.Context(), 0, func(task *runtime.Task) error {
						keys, err := inputs.Keys(task, runtime.All())
						if err != nil {
							return err
						}
						for _, rep := range must(doubled.All(task, keys)) {
							readParts(t, task, rep)
						}
						return reports.Scan(task, runtime.All(), func(_ string, rep report) error {
							readParts(t, task, rep)
							return nil
						})
					})
				})
			}
			done := make(chan struct{})
			go func() {
				workers.Wait()
				close(done)
			}()
			for busy := true; busy; {
				if _, err := e.Collect(t.Context()); err != nil {
					t.Fatal(err)
				}
				select {
				case <-done:
					busy = false
				default:
				}
			}
			for range 2 { // what was young in the first cycle is old in the second
				if _, err := e.Collect(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			rep, err := inspect.Verify(t.Context(), e, nil)
			if err != nil || !rep.Clean() {
				t.Fatalf("verify: %+v, %v", rep, err)
			}
			st := e.Stats()
			// The last collection has replaced what the one before had noted about itself.
			if n := st.Store.Records - rep.Reachable.Records; n < 0 || n > 1 {
				t.Errorf("the store finds %d records, %d are reachable", st.Store.Records, rep.Reachable.Records)
			}
			if st.Collector.Missing != 0 || st.Collector.FreedRecords == 0 {
				t.Errorf("collector: %+v, want something freed and nothing missing", st.Collector)
			}
		})
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Each process replaces everything and leaves a little garbage, too little to collect for any one
// of them.
func TestGarbageOfShortRunsAddsUp(t *testing.T) {
	dir := t.TempDir()
	noise := rand.NewChaCha8([32]byte{2})
	cycles := uint64(0)
	for run := range 40 {
		e, err := runtime.Open(dir, runtime.Options{Workers: 1, SegmentBytes: 1 << 20, CollectEvery: 2 << 20, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			text := make([]byte, 10_000)
			_, _ = noise.Read(text)
			put(t, e, inputs, fmt.Sprint(i), string(text))
		}
		if err := e.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		st := e.Stats()
		cycles += st.Collector.Cycles
		if st.Store.StoredBytes > 4<<20 {
			t.Fatalf("run %d: %d bytes are stored, 200,000 are live", run, st.Store.StoredBytes)
		}
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if cycles == 0 || cycles > 30 {
		t.Errorf("%d collections in 40 runs: want some, and not one each", cycles)
	}
}

// Results that only old traces name are collected; an undo that comes back to one runs again, and
// never stores a reference to nothing.
func TestUndoAfterCollection(t *testing.T) {
	e := open(t, "", runtime.Options{CollectEvery: -1})
	for _, text := range []string{"A", "bb", "ccc", "dddd"} {
		put(t, e, inputs, "k", text)
		ask(t, e, doubled, "k")
		if _, err := e.Collect(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"ccc", "A", "bb", "dddd"} {
		put(t, e, inputs, "k", text)
		rep := ask(t, e, doubled, "k")
		s := e.Snapshot()
		if got := string(readParts(t, s, rep)); got != text+text {
			t.Errorf("doubled %q is %q", text, got)
		}
		s.Release()
		if _, err := e.Collect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rep, err := inspect.Verify(t.Context(), e, nil); err != nil || !rep.Clean() {
			t.Fatalf("after going back to %q: %+v, %v", text, rep, err)
		}
	}
}

// A value that is put while a collection marks may name a blob that nothing refers to any more: the
// collector is told of it, so from then on it lives.
func TestPutDuringMarkingKeepsTheBlobsOfItsValue(t *testing.T) {
	e := open(t, "", runtime.Options{CollectEvery: -1})
	err := e.Commit(t.Context(), func(w *runtime.Writer) error {
		moved, err := w.PutBlob([]byte("moved"))
		left, err2 := w.PutBlob([]byte("left"))
		return errors.Join(err, err2, reports.Put(w, "from", report{Name: "r", Parts: []runtime.Blob{moved, left}}))
	})
	if err != nil {
		t.Fatal(err)
	}
	s := e.Snapshot()
	rep, err := reports.Get(s, "from")
	s.Release()
	if err != nil {
		t.Fatal(err)
	}
	remove(t, e, reports, "from")
	for i := range 300 { // more than a slice marks
		put(t, e, inputs, fmt.Sprint(i), fmt.Sprint(i))
	}
	for i := range 3 { // then the log has forgotten the value, too
		put(t, e, inputs, "k", fmt.Sprint(i))
		if err := e.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	left := rep.Parts[1]
	rep.Name, rep.Parts = "another, so the value is a new record", rep.Parts[:1]
	moved := false
	err = e.CollectInSteps(t.Context(), func() {
		if !moved && e.Stats().Collector.Phase == gc.Marking {
			put(t, e, reports, "to", rep)
			moved = true
		}
	})
	if err != nil || !moved {
		t.Fatal(moved, err)
	}
	now := e.Snapshot()
	defer now.Release()
	if got := string(readParts(t, now, rep)); got != "moved" {
		t.Errorf("the blob reads %q", got)
	}
	if _, err := runtime.ReadBlob(now, left); !errors.Is(err, runtime.ErrDamaged) {
		t.Errorf("this collection would have kept any blob: %v", err)
	}
	if rep, err := inspect.Verify(t.Context(), e, nil); err != nil || !rep.Clean() {
		t.Errorf("verify: %+v, %v", rep, err)
	}
}
