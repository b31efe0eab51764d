package runtime_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/mmapcas/vfs"
	"github.com/cytisus/cytisus/runtime"
)

// The power goes while a commit waits for the disk that puts a value with a blob. The key has what
// it had before, or the new value with its blob: never the one without the other.
func TestPowerCutTakesNoBlobFromItsValue(t *testing.T) {
	ctx := t.Context()
	disk := vfs.NewMem()
	power := vfs.FailFrom(disk, 1<<40, nil)
	o := runtime.Options{Workers: 1, CollectEvery: -1, StallAfter: -1, Logger: quiet, SegmentBytes: 256 << 10, Sync: mmapcas.SyncGroup}
	e, err := runtime.Open("/s", runtime.OnFS(o, power))
	if err != nil {
		t.Fatal(err)
	}
	put := func(text string) error {
		return e.Commit(ctx, func(w *runtime.Writer) error {
			b, err := w.PutBlob([]byte(strings.Repeat(text, 100)))
			if err != nil {
				return err
			}
			return errors.Join(inputs.Put(w, "k", text), collected.Put(w, "k", report{"k", []runtime.Blob{b}}))
		})
	}
	const before, after = "before", "after it"
	if err := put(before); err != nil {
		t.Fatal(err)
	}
	power.FailNow()
	if err := put(after); err == nil {
		t.Fatal("a commit was acknowledged without power")
	}
	var olds, news int
	for seed := range uint64(200) {
		cut, err := runtime.Open("/s", runtime.OnFS(o, disk.CrashClone(seed)))
		if err != nil {
			t.Fatal(err)
		}
		snap := cut.Snapshot()
		text, err := inputs.Get(snap, "k")
		if err != nil || text != before && text != after {
			t.Errorf("seed %d: %.20q, %v", seed, text, err)
		}
		rep, err := collected.Get(snap, "k")
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if b, err := runtime.ReadBlob(snap, rep.Parts[0]); err != nil || string(b) != strings.Repeat(text, 100) {
			t.Errorf("seed %d: the blob of %.20q is %.20q, %v", seed, text, b, err)
		}
		if text == after {
			news++
		} else {
			olds++
		}
		snap.Release()
		if err := cut.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if olds == 0 || news == 0 {
		t.Errorf("%d times as before, %d times as after: one of them was not seen", olds, news)
	}
	_ = e.Close(ctx)
}

// A value whose blob is gone is refused, so that a kill loses no commit behind it: a recovery could
// not tell it from one that a power cut has torn.
func TestValueWithoutItsBlobIsRefused(t *testing.T) {
	ctx := t.Context()
	disk := vfs.NewMem()
	o := runtime.Options{Workers: 1, CollectEvery: -1, StallAfter: -1, Logger: quiet, SegmentBytes: 256 << 10, Sync: mmapcas.SyncNone}
	e, err := runtime.Open("/s", runtime.OnFS(o, disk))
	if err != nil {
		t.Fatal(err)
	}
	var gone runtime.Blob
	name := mmapcas.HashOf(0, []byte("never put"))
	if err := gone.UnmarshalBinary(name[:]); err != nil {
		t.Fatal(err)
	}
	put := func(key string, blobs ...runtime.Blob) error {
		return e.Commit(ctx, func(w *runtime.Writer) error { return collected.Put(w, key, report{key, blobs}) })
	}
	if err := put("gone", gone); !errors.Is(err, runtime.ErrDamaged) {
		t.Errorf("a value with a blob that is gone: %v", err)
	}
	if err := errors.Join(put("none"), put("zero", runtime.Blob{})); err != nil {
		t.Error(err)
	}
	killed, err := runtime.Open("/s", runtime.OnFS(o, disk.Clone()))
	if err != nil {
		t.Fatal(err)
	}
	snap := killed.Snapshot()
	keys, err := collected.Keys(snap, runtime.All())
	if err != nil || len(keys) != 2 {
		t.Errorf("after a kill: %q, %v", keys, err)
	}
	snap.Release()
	if err := errors.Join(killed.Close(ctx), e.Close(ctx)); err != nil {
		t.Error(err)
	}
}
