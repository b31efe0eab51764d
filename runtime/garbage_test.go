package runtime_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/mmapcas/vfs"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/inspect"
)

// noise is text that does not repeat.
func noise(seed uint64, n int) string {
	rng := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(' ' + rng.IntN(90))
	}
	return string(b)
}

// One collection frees all that nothing refers to when it is called, checkpoints or not, and what
// the engine says of itself is true right after.
func TestCollectFreesAllThatWasUnreachable(t *testing.T) {
	for _, place := range []string{"memory", "disk"} {
		t.Run(place, func(t *testing.T) {
			dir := ""
			if place == "disk" {
				dir = t.TempDir()
			}
			e := open(t, dir, runtime.Options{CollectEvery: -1, SegmentBytes: 1 << 20})
			put(t, e, inputs, "kept", noise(0, 100_000))
			const n = 40
			for i := range n {
				put(t, e, inputs, fmt.Sprint(i), noise(uint64(i), 100_000))
				ask(t, e, doubled, fmt.Sprint(i))
			}
			if err := e.Checkpoint(t.Context()); err != nil {
				t.Fatal(err)
			}
			for i := range n { // replaced, and the newer one is removed, all since the checkpoint
				put(t, e, inputs, fmt.Sprint(i), noise(uint64(n+i), 100_000))
				ask(t, e, doubled, fmt.Sprint(i))
			}
			err := e.Commit(t.Context(), func(w *runtime.Writer) error {
				for i := range n {
					if err := inputs.Put(w, fmt.Sprint(i), "small"); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for i := range n {
				ask(t, e, doubled, fmt.Sprint(i))
			}
			if _, err := e.Collect(t.Context()); err != nil {
				t.Fatal(err)
			}
			st := e.Stats()
			const live = 250_000 // one text, traces, trees
			if st.Store.LiveBytes > live || st.Store.StoredBytes > st.Store.LiveBytes*5/4+100_000 || st.Store.Retired != 0 {
				t.Errorf("after one collection %d bytes are called live and %d are stored, %d segments wait; want no more than %d live",
					st.Store.LiveBytes, st.Store.StoredBytes, st.Store.Retired, live)
			}
			if st.Collector.LiveBytes > live || st.Collector.GarbageBytes > live {
				t.Errorf("the collector says %d bytes are live and %d are garbage", st.Collector.LiveBytes, st.Collector.GarbageBytes)
			}
			if rep, err := inspect.Verify(t.Context(), e, nil); err != nil || !rep.Clean() {
				t.Errorf("verify: %+v, %v", rep, err)
			}
		})
	}
}

// A disk that is full is usable after what is old was deleted, and one collection.
func TestFullDiskIsUsableAfterOneCollection(t *testing.T) {
	for seed := range uint64(20) {
		mem := vfs.NewMem()
		e, err := runtime.Open("/s", runtime.OnFS(runtime.Options{
			Workers: 1, CollectEvery: -1, SegmentBytes: 256 << 10, Logger: quiet, Sync: mmapcas.SyncGroup,
		}, mem))
		if err != nil {
			t.Fatal(err)
		}
		mem.SetLimit(3<<20 + int64(seed)*10_007)
		n := 0
		commit := func(key, text string) error {
			return e.Commit(t.Context(), func(w *runtime.Writer) error { return inputs.Put(w, key, text) })
		}
		for ; err == nil; n++ {
			if err = commit(fmt.Sprint(n), noise(seed<<32|uint64(n), 20_000)); err == nil && n%7 == 0 {
				_, err = doubled.Ask(t.Context(), e, fmt.Sprint(n))
			}
		}
		if !errors.Is(err, mmapcas.ErrNoSpace) {
			t.Fatalf("seed %d: the disk is not full: %v", seed, err)
		}
		err = e.Commit(t.Context(), func(w *runtime.Writer) error {
			for i := range n * 3 / 4 {
				if err := inputs.Delete(w, fmt.Sprint(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatalf("seed %d: deleting on a full disk: %v", seed, err)
		}
		if _, err := e.Collect(t.Context()); err != nil {
			t.Fatalf("seed %d: collecting on a full disk: %v", seed, err)
		}
		after := e.Stats().Store
		if after.Retired > 0 {
			t.Errorf("seed %d: %d segments that were freed still lie on the disk", seed, after.Retired)
		}
		if err := commit("more", noise(seed, 100_000)); err != nil {
			t.Fatalf("seed %d: most was deleted and collected, and a commit says %v; after the collection: %+v", seed, err, after)
		}
		if rep, err := inspect.Verify(t.Context(), e, nil); err != nil || !rep.Clean() {
			t.Fatalf("seed %d: verify: %+v, %v", seed, rep, err)
		}
		if err := e.Close(t.Context()); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// session holds a text that is edited and belongs to the process.
var unsaved = runtime.NewPartition[string]("test/unsaved", runtime.Volatile)

// lines is a large result over the unsaved text, and words one over that.
var (
	lines = runtime.NewQuery("test/lines", 1, func(t *runtime.Task, key string) ([]string, error) {
		s, err := unsaved.Get(t, key)
		return strings.Split(s, "e"), err
	})
	longest = runtime.NewQuery("test/longest", 1, func(t *runtime.Task, key string) (string, error) {
		all, err := lines.Get(t, key)
		best := ""
		for _, l := range all {
			if len(l) > len(best) {
				best = l
			}
		}
		return best, err
	})
)

func diskUse(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a segment that went meanwhile
		}
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return bytes
}

// Some hundreds of edits of one text, with queries over it, leave the store as large as it was:
// what is live stays the same, and what was replaced goes. It is the same whether the text is one
// that is kept or one that belongs to the process.
func TestEditsDoNotGrowTheStore(t *testing.T) {
	const (
		size    = 200_000
		segment = 1 << 20
		every   = 8 << 20
	)
	for _, durability := range []string{"volatile", "kept"} {
		t.Run(durability, func(t *testing.T) {
			dir := t.TempDir()
			e := open(t, dir, runtime.Options{SegmentBytes: segment, CollectEvery: every})
			text := []byte(noise(1, size))
			edit := func(i int) {
				t.Helper()
				text[(i*7919)%size] = byte('a' + i%26)
				if durability == "volatile" {
					put(t, e, unsaved, "text", string(text))
					ask(t, e, longest, "text")
				} else {
					put(t, e, inputs, "text", string(text))
					ask(t, e, doubled, "text")
				}
			}
			live := func() int64 {
				t.Helper()
				if _, err := e.Collect(t.Context()); err != nil {
					t.Fatal(err)
				}
				return e.Stats().Store.LiveBytes
			}
			edit(0)
			first := live()
			// What may lie on the disk: what is live, twice, what makes a collection due, and some
			// open segments.
			limit := 2*first + every/2 + 6*segment
			edits := 600
			if testing.Short() {
				edits = 200
			}
			for i := range edits {
				edit(i + 1)
				if i%10 > 0 {
					continue
				}
				if err := e.Tidy(t.Context()); err != nil {
					t.Fatal(err)
				}
				if used := diskUse(t, dir); used > limit {
					t.Fatalf("%d bytes are on the disk after %d edits of %d bytes, %d are live; want at most %d; %+v", used, i, size, first, limit, e.Stats().Store)
				}
			}
			if e.Stats().Collector.Cycles < 3 {
				t.Errorf("%d collections: none was due", e.Stats().Collector.Cycles)
			}
			if last := live(); last > first*5/4+20_000 {
				t.Errorf("%d bytes are live after %d edits, %d were after the first", last, edits, first)
			}
			if used := diskUse(t, dir); used > limit {
				t.Errorf("%d bytes are on the disk after a collection", used)
			}
			if rep, err := inspect.Verify(t.Context(), e, nil); err != nil || !rep.Clean() {
				t.Errorf("verify: %+v, %v", rep, err)
			}
		})
	}
}

// What a process notes about its last collection is what was live, so a later one knows what is
// garbage.
func TestTidyFreesWhatAnotherProcessLeft(t *testing.T) {
	const every = 4 << 20
	dir := t.TempDir()
	o := runtime.Options{Workers: 1, SegmentBytes: 1 << 20, CollectEvery: every, Logger: quiet}
	e, err := runtime.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		put(t, e, inputs, "text", noise(uint64(i), 200_000))
		if i == 28 {
			if _, err := e.Collect(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range 15 {
		put(t, e, inputs, "text", noise(uint64(100+i), 200_000))
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e, err = runtime.Open(dir, o); err != nil {
		t.Fatal(err)
	}
	if err := e.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	// A quarter of what is worth a collection may stay.
	if st := e.Stats(); st.Store.StoredBytes > every/4+450_000 {
		t.Errorf("%d bytes are stored, %d are called live, 200,000 are", st.Store.StoredBytes, st.Store.LiveBytes)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A collection takes what an older state needs, so the newer one is on the disk before anything
// goes: a power cut after it finds every key with its value, also where no commit waits for the
// disk.
func TestPowerCutAfterACollection(t *testing.T) {
	for _, sync := range []mmapcas.SyncMode{mmapcas.SyncNone, mmapcas.SyncGroup} {
		for seed := range uint64(12) {
			mem := vfs.NewMem()
			o := runtime.OnFS(runtime.Options{Workers: 1, CollectEvery: -1, SegmentBytes: 256 << 10, Sync: sync, Logger: quiet}, mem)
			e, err := runtime.Open("/s", o)
			if err != nil {
				t.Fatal(err)
			}
			const keys, rounds = 6, 5
			for round := range rounds {
				for i := range keys {
					put(t, e, inputs, fmt.Sprint(i), noise(uint64(round*keys+i), 30_000))
				}
				if round == 1 {
					if err := e.Checkpoint(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
			if _, err := e.Collect(t.Context()); err != nil {
				t.Fatal(err)
			}
			if e.Stats().Collector.FreedBytes < 20*30_000 {
				t.Fatalf("%d bytes were freed", e.Stats().Collector.FreedBytes)
			}
			left := mem.CrashClone(seed)
			if err := e.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			after, err := runtime.Open("/s", runtime.OnFS(runtime.Options{Workers: 1, CollectEvery: -1, Logger: quiet}, left))
			if err != nil {
				t.Fatal(err)
			}
			s := after.Snapshot()
			for i := range keys {
				if got, err := inputs.Get(s, fmt.Sprint(i)); err != nil || got != noise(uint64((rounds-1)*keys+i), 30_000) {
					t.Errorf("%v, seed %d: key %d: %v", sync, seed, i, err)
				}
			}
			s.Release()
			if err := after.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A checkpoint that was asked for is on the disk when it returns, also where no commit waits for
// the disk: a power cut after it loses neither a value nor what was computed from it.
func TestCheckpointIsDurable(t *testing.T) {
	for seed := range uint64(20) {
		mem := vfs.NewMem()
		o := runtime.OnFS(runtime.Options{Workers: 1, CollectEvery: -1, SegmentBytes: 256 << 10, Logger: quiet}, mem)
		e, err := runtime.Open("/s", o)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 1 + seed%3 { // the second one syncs what the first has not
			put(t, e, inputs, "key", noise(seed+i, 3000))
			if _, err := doubled.Ask(t.Context(), e, "key"); err != nil {
				t.Fatal(err)
			}
			if err := e.Checkpoint(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		left := mem.CrashClone(seed)
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		after, err := runtime.Open("/s", runtime.OnFS(runtime.Options{Workers: 1, CollectEvery: -1, Logger: quiet}, left))
		if err != nil {
			t.Fatal(err)
		}
		s := after.Snapshot()
		if got, err := inputs.Get(s, "key"); err != nil || got != noise(seed+seed%3, 3000) {
			t.Errorf("seed %d: %v", seed, err)
		}
		if _, known, err := doubled.Peek(s, "key"); err != nil || !known {
			t.Errorf("seed %d: the answer is known: %t, %v", seed, known, err)
		}
		s.Release()
		if err := after.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

var blobOfInput = runtime.NewQuery("blob of input", 1, func(t *runtime.Task, key string) (runtime.Blob, error) {
	text, err := inputs.Get(t, key)
	if err != nil {
		return runtime.Blob{}, err
	}
	return t.PutBlob([]byte("blob of " + text))
})

// A collection takes what older answers refer to. Peek does not give such an answer, although it is
// known to hold and in memory.
func TestPeekGivesWholeAnswers(t *testing.T) {
	e := open(t, "", runtime.Options{CollectEvery: -1})
	put(t, e, inputs, "key", "old")
	if _, err := blobOfInput.Ask(t.Context(), e, "key"); err != nil {
		t.Fatal(err)
	}
	before := e.Snapshot()
	defer before.Release()
	for _, text := range []string{"newer", "newest"} { // of three answers the store has two
		put(t, e, inputs, "key", text)
		if _, err := blobOfInput.Ask(t.Context(), e, "key"); err != nil {
			t.Fatal(err)
		}
	}
	if b, known, err := blobOfInput.Peek(before, "key"); err != nil || !known || b.IsZero() {
		t.Fatalf("before the collection the old answer is known: %t, %v", known, err)
	}
	if _, err := e.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, known, err := blobOfInput.Peek(before, "key")
	if err != nil {
		t.Fatal(err)
	}
	if known {
		if _, err := runtime.ReadBlob(before, b); err != nil {
			t.Errorf("an answer that was peeked at: %v", err)
		}
	}
}
