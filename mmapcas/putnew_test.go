package mmapcas

import (
	"errors"
	"testing"

	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// PutNew refuses what Put refuses: a store that is closed or was opened to be read alone.
func TestPutNewRefuses(t *testing.T) {
	o := small(vfs.NewMem())
	s := mustOpen(t, "/s", o)
	mustPut(t, s, 1, payload(1, 100))
	mustClose(t, s)
	if _, fresh, err := s.PutNew(1, payload(2, 100)); fresh || !errors.Is(err, ErrClosed) {
		t.Errorf("a closed store: %v, %v", fresh, err)
	}
	o.ReadOnly = true
	s = mustOpen(t, "/s", o)
	defer mustClose(t, s)
	if _, fresh, err := s.PutNew(1, payload(2, 100)); fresh || !errors.Is(err, ErrReadOnly) {
		t.Errorf("a store that is read alone: %v, %v", fresh, err)
	}
}

// PutNew compresses what Put compresses.
func TestPutNewCompresses(t *testing.T) {
	s := mustOpen(t, "", Options{Table: true, Compress: []Kind{9}})
	defer mustClose(t, s)
	for i, kind := range []Kind{9, 10} {
		h, fresh, err := s.PutNew(kind, prose(i, 5000))
		if err != nil || !fresh {
			t.Fatal(fresh, err)
		}
		_, _, r, reason := s.load(s.index.Find(h))
		if want := kind == 9; reason != "" || r.Stored.Compressed != want {
			t.Errorf("kind %d: compressed is %v, want %v; %s", kind, r.Stored.Compressed, want, reason)
		}
	}
}

// With SyncEvery what PutNew has put outlives a power cut, whether it was new or there already.
func TestPutNewSyncsEvery(t *testing.T) {
	rng := seeded(t)
	mem := vfs.NewMem()
	o := small(mem)
	o.Sync = SyncEvery
	s := mustOpen(t, "/s", o)
	defer mustClose(t, s)
	for i := range 20 {
		p := payload(i/2, 2000)
		h, fresh, err := s.PutNew(1, p)
		if err != nil || fresh != (i%2 == 0) {
			t.Fatal(fresh, err)
		}
		c := mustOpen(t, "/s", small(mem.CrashClone(rng.Uint64())))
		if got, _, err := c.Get(h, nil); err != nil || string(got) != string(p) {
			t.Errorf("record %d was acknowledged, after a power cut: %v", i/2, err)
		}
		mustClose(t, c)
	}
}
