package mmapcas

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// A wreck is a store with damage of every sort.
type wreck struct {
	whole map[Hash][]byte // what must survive
	lost  []Hash          // what has damage in a payload, or a wrong one
	gone  Hash            // what has damage in its header
}

// wreckStore makes a store of several segments in dir and damages it. reopen options must have room
// to copy.
func wreckStore(t *testing.T, dir string, o Options) (w wreck) {
	t.Helper()
	o.Appenders = 1
	s := mustOpen(t, dir, o)
	w.whole = map[Hash][]byte{}
	type place struct {
		seg *segment
		off int64
		r   record.Record
	}
	var places []place
	for i := range 400 {
		p := payload(i, 500)
		w.whole[mustPut(t, s, 3, p)] = p
	}
	if err := s.Commit([]byte("note")); err != nil {
		t.Fatal(err)
	}
	segs := s.segments()
	if len(segs) < 3 {
		t.Fatalf("%d segments", len(segs))
	}
	for _, seg := range segs {
		sc := s.scan(seg, segmentHeaderBytes, seg.mem.Length())
		for off, r, ok := sc.next(); ok; off, r, ok = sc.next() {
			places = append(places, place{seg, off, r})
		}
	}
	payloadFlip, headerFlip, wrong := places[3], places[10], places[200]
	w.lost = []Hash{payloadFlip.r.Hash, wrong.r.Hash}
	w.gone = headerFlip.r.Hash
	for _, h := range append(w.lost, w.gone) {
		delete(w.whole, h)
	}
	// A record that passes its checksums and is not what its name says.
	forged := make([]byte, wrong.r.Extent())
	var scratch [record.HeaderBytes]byte
	record.Write(forged, wrong.r.Kind, wrong.r.Hash, record.Plain(payload(9999, 500)), &scratch)
	fs := s.fs
	mustClose(t, s)
	flip(t, fs, payloadFlip.seg.name, payloadFlip.off+record.HeaderBytes+5, 1)
	flip(t, fs, headerFlip.seg.name, headerFlip.off+record.HashAt, 1)
	f, err := fs.Open(wrong.seg.name, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(forged, wrong.off); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	flip(t, fs, segs[2].name, 20, 1) // the header of a segment
	return w
}

func (w *wreck) check(t *testing.T, s *Store) {
	t.Helper()
	for h, p := range w.whole {
		if got, _, err := s.Get(h, nil); err != nil || string(got) != string(p) {
			t.Fatalf("whole record %v: %v", h, err)
		}
	}
}

func TestRepair(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		if dir == "" {
			t.Skip("needs files")
		}
		for _, saved := range []bool{true, false} {
			dir := dir + map[bool]string{true: "1", false: "2"}[saved]
			w := wreckStore(t, dir, o)
			s := mustOpen(t, dir, o)
			if !saved {
				mustClose(t, s)
				// Without the index file all headers are looked at by Open.
				if err := s.fs.Remove(s.indexFile()); err != nil {
					t.Fatal(err)
				}
				s = mustOpen(t, dir, o)
			}
			rep, err := s.Repair(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if rep.Found.DamagedAll < 4 || rep.Rewritten < 2 || rep.Kept == 0 {
				t.Errorf("%+v", rep)
			}
			for _, h := range w.lost {
				if !slices.Contains(rep.Lost, LostRecord{h, 3}) {
					t.Errorf("%v is not said to be lost", h)
				}
			}
			w.check(t, s)
			for _, h := range append(w.lost, w.gone) {
				if s.Has(h) {
					t.Errorf("damaged record %v is there", h)
				}
			}
			mustVerify(t, s)
			if string(s.Note()) != "note" {
				t.Errorf("note %q", s.Note())
			}
			if h, fresh, err := s.Put(3, payload(3, 500)); err != nil || !fresh || h != w.lost[0] {
				t.Errorf("put of what was lost: %v %v %v", h, fresh, err)
			}
			again, err := s.Repair(t.Context(), nil)
			if err != nil || !again.Found.OK() || again.LostAll != 0 || again.Rewritten != 0 || again.Kept != 0 {
				t.Errorf("a second repair: %+v, %v", again, err)
			}
			mustClose(t, s)
			s = mustOpen(t, dir, o)
			if n := s.Stats().Damaged; n != 0 {
				t.Errorf("after reopening %d places are damaged", n)
			}
			w.check(t, s)
			mustVerify(t, s)
			mustClose(t, s)
		}
	})
}

// The power goes, or the disk fails, at every step of a repair: what is whole survives, and the
// next one mends the rest.
func TestRepairInterrupted(t *testing.T) {
	rng := seeded(t)
	o := small(nil)
	o.Sync = SyncGroup
	mem := vfs.NewMem()
	o.FS = mem
	w := wreckStore(t, "/s", o)
	stride := stride()
	for n := 1 + rng.Int64N(stride); ; n += stride {
		disk := mem.Clone()
		fs := vfs.FailFrom(disk, n, nil)
		broken := o
		broken.FS = fs
		if s, err := Open("/s", broken); err == nil {
			_, _ = s.Repair(t.Context(), nil)
			_ = s.Close()
		}
		for _, left := range []*vfs.Mem{disk.Clone(), disk.CrashClone(rng.Uint64())} {
			o.FS = left
			s := mustOpen(t, "/s", o)
			w.check(t, s)
			if _, err := s.Repair(t.Context(), nil); err != nil {
				t.Fatalf("step %d: %v", n, err)
			}
			w.check(t, s)
			mustVerify(t, s)
			mustClose(t, s)
		}
		if !fs.Fired() {
			return
		}
	}
}

// Without room for copies the damage stays, and so does everything else.
func TestRepairOnFullDisk(t *testing.T) {
	mem := vfs.NewMem()
	o := small(mem)
	w := wreckStore(t, "/s", o)
	s := mustOpen(t, "/s", o)
	defer mustClose(t, s)
	mem.SetLimit(1)
	if rep, err := s.Repair(t.Context(), nil); !errors.Is(err, ErrNoSpace) || rep.Found.OK() {
		t.Fatalf("%+v, %v", rep, err)
	}
	w.check(t, s)
	mem.SetLimit(0)
	if _, err := s.Repair(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	w.check(t, s)
	mustVerify(t, s)
}

func TestRepairRefuses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s")
	s := mustOpen(t, dir, small(nil))
	h := mustPut(t, s, 1, payload(1, 100))
	c, err := s.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Repair(t.Context(), nil); !errors.Is(err, ErrCycle) {
		t.Errorf("during a collection: %v", err)
	}
	c.Abort()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Repair(gone, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := s.Repair(t.Context(), nil); err != nil {
		t.Errorf("after one that was cancelled: %v", err)
	}
	if !s.Has(h) {
		t.Error("a repair dropped something")
	}
	mustClose(t, s)
	if _, err := s.Repair(t.Context(), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	s = mustOpen(t, dir, Options{ReadOnly: true})
	if _, err := s.Repair(t.Context(), nil); !errors.Is(err, ErrReadOnly) {
		t.Errorf("read-only: %v", err)
	}
	mustClose(t, s)
}
