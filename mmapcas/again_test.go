package mmapcas

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/mmapcas/index"
	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// damages are what may happen to a record that lies at off in a segment file.
var damages = []struct {
	name string
	do   func(t *testing.T, fs vfs.FS, file string, off, n int64)
}{
	{"payload", func(t *testing.T, fs vfs.FS, file string, off, _ int64) {
		flip(t, fs, file, off+record.HeaderBytes+20, 1)
	}},
	{"length", func(t *testing.T, fs vfs.FS, file string, off, _ int64) { flip(t, fs, file, off, 8) }},
	{"name", func(t *testing.T, fs vfs.FS, file string, off, _ int64) { flip(t, fs, file, off+record.HashAt+3, 1) }},
	{"zeros", func(t *testing.T, fs vfs.FS, file string, off, n int64) {
		f, err := fs.Open(file, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt(make([]byte, n), off); err != nil {
			t.Fatal(err)
		}
	}},
}

// sessionEnds are the ways in which a session may be over. Each returns what the next one finds.
var sessionEnds = []string{"close", "commit and close", "commit and kill", "kill", "collect and close", "collect and kill", "close without index file"}

func endSession(t *testing.T, fs *vfs.Mem, s *Store, how string, live []Hash) *vfs.Mem {
	t.Helper()
	switch {
	case strings.HasPrefix(how, "commit"):
		if err := s.Commit([]byte("again")); err != nil {
			t.Fatal(err)
		}
		s.waitForSave()
	case strings.HasPrefix(how, "collect"):
		collect(t, s, live)
	}
	if strings.HasSuffix(how, "kill") {
		next := fs.Clone()
		mustClose(t, s)
		return next
	}
	mustClose(t, s)
	if strings.HasSuffix(how, "without index file") {
		if err := fs.Remove(filepath.Join("/s", indexFileName)); err != nil && !strings.HasSuffix(err.Error(), "not exist") {
			t.Fatal(err)
		}
	}
	return fs
}

// TestPutAgainSurvives: a record whose stored copy is damaged is put again, and then the copy that
// is whole counts, in every session to come, however this one ends, and again when that copy is
// struck later.
func TestPutAgainSurvives(t *testing.T) {
	for _, compressed := range []bool{false, true} {
		for _, hurt := range damages {
			for _, first := range sessionEnds {
				for _, second := range sessionEnds {
					t.Run(fmt.Sprintf("compressed=%v/%s/%s/%s", compressed, hurt.name, first, second), func(t *testing.T) {
						t.Parallel()
						putAgainSurvives(t, compressed, hurt.do, first, second)
					})
				}
			}
		}
	}
}

func putAgainSurvives(t *testing.T, compressed bool, hurt func(t *testing.T, fs vfs.FS, file string, off, n int64), how ...string) {
	fs := vfs.NewMem()
	o := small(fs)
	if compressed {
		o.Compress = []Kind{9}
	}
	records := map[Hash][]byte{}
	s := mustOpen(t, "/s", o)
	for i := range 12 {
		p := prose(i, 600)
		records[mustPut(t, s, 9, p)] = p
	}
	if err := s.Commit([]byte("one")); err != nil {
		t.Fatal(err)
	}
	s.waitForSave()
	h := HashOf(9, prose(5, 600))
	for round, how := range how {
		at := s.index.Find(h)
		seg := s.segmentOf(at)
		off := seg.mem.Offset(at)
		r, _ := record.Parse(seg.mem.Mem()[off:])
		if r.Stored.Compressed != compressed {
			t.Fatal("the record is stored in the other form")
		}
		n := r.Extent()
		mustClose(t, s)
		hurt(t, fs, seg.name, off, n)
		s = mustOpen(t, "/s", o)
		for h, p := range records {
			if got, _, err := s.Get(h, nil); err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrCorrupt) || err == nil && !bytes.Equal(got, p) {
				t.Fatalf("round %d: %v: %v", round, h, err)
			}
			mustPut(t, s, 9, p)
		}
		fs = endSession(t, fs, s, how, keysOf(records))
		o.FS = fs
		s = mustOpen(t, "/s", o)
		for h, p := range records {
			if got, _, err := s.Get(h, nil); err != nil || !bytes.Equal(got, p) {
				t.Fatalf("round %d: %v was put again, and after %s it is not there: %v", round, h, how, err)
			}
		}
	}
	if rep, err := s.Repair(t.Context(), nil); err != nil || rep.LostAll != 0 {
		t.Fatalf("repair finds that %d records are lost, of which there are whole copies: %v", rep.LostAll, err)
	}
	mustVerify(t, s)
	mustAnswer(t, s, records)
	mustClose(t, s)
}

// twoCopies is a store in which there are two whole copies of a record, in segments of their own.
// Its index leads to the first.
func twoCopies(t *testing.T, fs *vfs.Mem, o Options) (s *Store, h Hash, first, second *segment) {
	t.Helper()
	s = mustOpen(t, "/s", o)
	h = mustPut(t, s, 9, payload(1, 300))
	for i := range 20 {
		mustPut(t, s, 9, payload(10+i, 300))
	}
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	at := s.index.Find(h)
	s.drop(h, at, record.Extent(300))
	s.pool.exclusive(func(all []*appender) {
		for _, a := range all {
			a.Detach().Seal()
		}
	})
	mustPut(t, s, 9, payload(1, 300))
	for i := range 20 {
		mustPut(t, s, 9, payload(50+i, 300))
	}
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	s.waitForSave()
	second = s.segmentOf(s.index.Find(h))
	first = s.segmentOf(at)
	if first == second {
		t.Fatal("both copies are in one segment")
	}
	s.index.Change(h, s.index.Find(h), at)
	return s, h, first, second
}

// TestCollectionPrefersTheWholeCopy: a sweep that meets a second copy of a record, of which the one
// that counted has been damaged, keeps it.
func TestCollectionPrefersTheWholeCopy(t *testing.T) {
	fs := vfs.NewMem()
	o := small(fs)
	o.Appenders = 1
	s, h, first, _ := twoCopies(t, fs, o)
	hurtSegment(t, first, first.mem.Offset(s.index.Find(h))+record.HeaderBytes+20)
	collect(t, s, []Hash{h}) // all others are garbage, so both segments are emptied
	if got, _, err := s.Get(h, nil); err != nil || !bytes.Equal(got, payload(1, 300)) {
		t.Fatalf("a whole copy was swept in favour of a damaged one: %v", err)
	}
	mustVerify(t, s)
	mustClose(t, s)
}

// TestRepairFindsTheWholeCopy: what is damaged is not lost as long as there is another copy.
func TestRepairFindsTheWholeCopy(t *testing.T) {
	for _, off := range []int64{record.HeaderBytes + 20, record.HashAt + 2} {
		fs := vfs.NewMem()
		o := small(fs)
		o.Appenders = 1
		s, h, first, _ := twoCopies(t, fs, o)
		hurtSegment(t, first, first.mem.Offset(s.index.Find(h))+off)
		rep, err := s.Repair(t.Context(), nil)
		if err != nil || rep.LostAll != 0 || rep.Found.OK() {
			t.Fatalf("%+v, %v", rep, err)
		}
		if got, _, err := s.Get(h, nil); err != nil || !bytes.Equal(got, payload(1, 300)) {
			t.Fatalf("repair gave up a record of which there was a whole copy: %v", err)
		}
		mustVerify(t, s)
		mustClose(t, s)
	}
}

// TestRecoveryPrefersTheWholeCopy: of two copies that opening meets the whole one counts, whichever
// comes first. So it is when the index file is damaged, and the table of a shard is made from the
// records it covers.
func TestRecoveryPrefersTheWholeCopy(t *testing.T) {
	for _, which := range []int{0, 1} {
		for _, file := range []string{"missing", "damaged"} {
			fs := vfs.NewMem()
			o := small(fs)
			o.Appenders = 1
			s, h, first, second := twoCopies(t, fs, o)
			hurt := []*segment{first, second}[which]
			w := s.scan(hurt, segmentHeaderBytes, hurt.mem.Length())
			for off, r, ok := w.next(); ok; off, r, ok = w.next() {
				if r.Hash == h {
					hurtSegment(t, hurt, off+record.HeaderBytes+20)
				}
			}
			mustClose(t, s)
			name := filepath.Join("/s", indexFileName)
			if file == "missing" {
				if err := fs.Remove(name); err != nil {
					t.Fatal(err)
				}
			} else {
				b, err := vfs.ReadFile(fs, name)
				if err != nil {
					t.Fatal(err)
				}
				if n := binary.LittleEndian.Uint32(b[12:]); n != 2 {
					t.Fatalf("the index file has %d reaches, not one for each of two segments", n)
				}
				flip(t, fs, name, indexPartAt(b, index.ShardOf(h)), 1)
			}
			s = mustOpen(t, "/s", o)
			if got, _, err := s.Get(h, nil); err != nil || !bytes.Equal(got, payload(1, 300)) {
				t.Errorf("copy %d is damaged, the other is whole, the index file is %s: %v", which, file, err)
			}
			mustClose(t, s)
		}
	}
}
