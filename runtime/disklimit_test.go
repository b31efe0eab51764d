package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/inspect"
)

// filesIn is the bytes of a store's files, as long as they are.
func filesIn(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}

// L1 to L3: a store stays within its limit; what it has no room for is refused with an error that
// says who holds what; what is overwritten and deleted makes room, without anybody asking for a
// collection; answers go on from memory; and the store opens again, whole.
func TestDiskLimit(t *testing.T) {
	const most = 8 << 20
	dir := t.TempDir()
	o := runtime.Options{Workers: 1, SegmentBytes: 1 << 20, DiskLimit: most, Logger: quiet}
	e, err := runtime.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { e.Close(context.Background()) }()
	write := func(key string, seed int) error {
		return e.Commit(t.Context(), func(w *runtime.Writer) error { return inputs.Put(w, key, noise(uint64(seed), 50_000)) })
	}
	within := func(when string) {
		t.Helper()
		if n := filesIn(t, dir); n > most {
			t.Fatalf("%s the files have %d bytes, the limit is %d", when, n, most)
		}
	}
	// It is filled until it refuses.
	n := 0
	for ; ; n++ {
		if err = write(fmt.Sprint(n), n); err != nil {
			break
		}
		if n > 2*most/50_000 {
			t.Fatal("the limit refuses nothing")
		}
	}
	within("full,")
	var full *runtime.LimitError
	if !errors.Is(err, runtime.ErrLimit) || !errors.Is(err, runtime.ErrNoSpace) || !errors.As(err, &full) {
		t.Fatalf("a full store refuses with %v", err)
	}
	if full.What != "disk" || full.Limit != most || len(full.Holders) == 0 || full.Holders[0].Bytes < most/2 {
		t.Errorf("a full store says %+v", full)
	}
	if n < most/50_000/2 {
		t.Errorf("%d values of 50,000 bytes fit into %d", n, most)
	}
	if got := ask(t, e, echoes, "0"); got != echoed(noise(0, 50_000)) {
		t.Error("an answer over a full store is wrong")
	}
	within("asked,")
	// What is deleted makes room.
	err = e.Commit(t.Context(), func(w *runtime.Writer) error {
		for i := range n {
			if i%4 != 0 {
				if err := inputs.Delete(w, fmt.Sprint(i)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("deleting from a full store: %v", err)
	}
	for i := 0; i < n/4; {
		if err = write("new", 10_000+i); err == nil {
			i++ // steady overwrites go on for good
		} else if !errors.Is(err, runtime.ErrLimit) {
			t.Fatal(err)
		} else if _, err = e.Collect(t.Context()); err != nil {
			t.Fatalf("a collection in a full store: %v", err)
		}
		within("overwritten,")
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatalf("closing: %v", err)
	}
	within("closed,")
	if e, err = runtime.Open(dir, o); err != nil {
		t.Fatal(err)
	}
	snap := e.Snapshot()
	defer snap.Release()
	for i := 0; i < n; i += 4 {
		if got, err := inputs.Get(snap, fmt.Sprint(i)); err != nil || got != noise(uint64(i), 50_000) {
			t.Fatalf("value %d after all that: %.20q, %v", i, got, err)
		}
	}
	if rep, err := inspect.Verify(t.Context(), e, nil); err != nil || !rep.Clean() {
		t.Errorf("%+v, %v", rep, err)
	}
	within("opened again,")
}

// L4: a store that has more than a new limit opens, is read, and shrinks by what is deleted.
func TestDiskLimitBelowWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	o := runtime.Options{Workers: 1, SegmentBytes: 1 << 20, Logger: quiet}
	e, err := runtime.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		put(t, e, inputs, fmt.Sprint(i), noise(uint64(i), 50_000))
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.DiskLimit = 4 << 20
	if e, err = runtime.Open(dir, o); err != nil {
		t.Fatalf("opening a store that is larger than the limit: %v", err)
	}
	defer e.Close(context.Background())
	if got := ask(t, e, faceLength, "7"); got != 50_000 {
		t.Errorf("an answer from it: %d", got)
	}
	err = e.Commit(t.Context(), func(w *runtime.Writer) error { return inputs.Put(w, "more", noise(1e6, 900_000)) })
	if !errors.Is(err, runtime.ErrLimit) {
		t.Errorf("a commit to a store that is larger than the limit: %v", err)
	}
}
