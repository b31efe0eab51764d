package mmapcas

import (
	"bytes"
	"errors"
	"testing"
)

// While memory is short, tables that grow bring no pages in that have the headers of their records.
func TestFrugalGrowth(t *testing.T) {
	resident := func(frugal bool) int64 {
		s := mustOpen(t, t.TempDir(), Options{SegmentBytes: 1 << 20})
		defer mustClose(t, s)
		const n = 10_000
		for i := range n {
			mustPut(t, s, 1, payload(i, 1000))
		}
		s.SetFrugal(frugal, 0)
		s.DropPages()
		if !s.MemoryUse().Known {
			t.Skip("this system does not say what is in memory")
		}
		for i := range 3 * n { // each table grows more than once
			mustPut(t, s, 1, payload(n+i, 8))
		}
		return s.MemoryUse().Segments.Resident
	}
	if usual, frugal := resident(false), resident(true); frugal > usual/2 {
		t.Errorf("%d bytes are in memory after tables have grown while memory was short, %d else", frugal, usual)
	}
}

// frugalSizes are payloads that are read whole at once, in two pieces, and in two of which the
// first ends at the header.
var frugalSizes = []int{0, 1, 32, 95, 500, readAtOnce - 32, readAtOnce - 31, readAtOnce, 20_000, 300_000}

const frugalCompressed = 7 // a kind

// frugalStore has payloads of all sizes, some of them compressed, and says which.
func frugalStore(t *testing.T, dir string, o Options) (s *Store, names []Hash, payloads [][]byte) {
	t.Helper()
	o.SegmentBytes = 1 << 20
	o.Compress = []Kind{frugalCompressed}
	s = mustOpen(t, dir, o)
	for i, n := range frugalSizes {
		text := bytes.Repeat([]byte{byte(i), 1, 2, 3}, n/4)
		for kind, p := range map[Kind][]byte{1: payload(i, n), frugalCompressed: text} {
			names, payloads = append(names, mustPut(t, s, kind, p)), append(payloads, p)
		}
	}
	return s, names, payloads
}

// What is read while memory is short is what it is at other times, by all ways of reading, and
// brings in no pages.
func TestFrugalReads(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		s, names, payloads := frugalStore(t, dir, o)
		defer mustClose(t, s)
		s.SetFrugal(true, 0)
		s.DropPages()
		before := s.MemoryUse().Segments.Resident
		r := s.NewReader()
		defer r.Close()
		for round := range 3 {
			same := func(i int, p []byte, err error) {
				t.Helper()
				if err != nil || !bytes.Equal(p, payloads[i]) {
					t.Fatalf("round %d: record %d, of %d bytes, is read as %d bytes, %v", round, i, len(payloads[i]), len(p), err)
				}
			}
			for i, h := range names {
				p, _, err := s.Get(h, []byte{7})
				same(i, p[1:], err)
				if err := r.View(h, func(_ Kind, p []byte) error { same(i, p, nil); return nil }); err != nil {
					t.Fatal(err)
				}
				if !s.Has(h) {
					t.Fatalf("record %d is not there", i)
				}
				if _, fresh, err := s.Put(map[bool]Kind{true: 1, false: frugalCompressed}[HashOf(1, payloads[i]) == h], payloads[i]); fresh || err != nil {
					t.Fatalf("record %d is put again: fresh %t, %v", i, fresh, err)
				}
			}
			if err := r.ViewBatch(names, func(i int, _ Kind, p []byte, err error) error { same(i, p, err); return nil }); err != nil {
				t.Fatal(err)
			}
			if err := r.Visit(func(v Visit) error {
				for i, h := range names {
					_, p, err := v.Get(h)
					same(i, p, err)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if i := s.HasAll(names); i >= 0 {
				t.Fatalf("record %d is not there", i)
			}
			absent := HashOf(1, []byte("absent"))
			if _, _, err := s.Get(absent, nil); err != ErrNotFound || s.Has(absent) {
				t.Fatalf("what is not there is read: %v", err)
			}
		}
		if now := s.MemoryUse().Segments.Resident; now > before {
			t.Errorf("reading has brought in %d bytes of pages", now-before)
		}
	})
}

// A record that is damaged is found out about while memory is short as at other times, and may be
// put again.
func TestFrugalDamage(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		s, names, payloads := frugalStore(t, dir, o)
		defer mustClose(t, s)
		s.SetFrugal(true, 0)
		for i, h := range names {
			if len(payloads[i]) < 500 {
				continue
			}
			at := s.index.Find(h)
			seg := s.segmentOf(at)
			hurtSegment(t, seg, seg.mem.Offset(at)+40)
			if _, _, err := s.Get(h, nil); !errors.As(err, new(*CorruptError)) {
				t.Errorf("record %d, damaged: %v", i, err)
			}
			if _, _, err := s.Get(h, nil); err != ErrNotFound {
				t.Errorf("record %d, found to be damaged before: %v", i, err)
			}
			kind := Kind(1)
			if HashOf(1, payloads[i]) != h {
				kind = frugalCompressed
			}
			if _, fresh, err := s.Put(kind, payloads[i]); !fresh || err != nil {
				t.Errorf("record %d, put again: fresh %t, %v", i, fresh, err)
			}
			if p, _, err := s.Get(h, nil); err != nil || !bytes.Equal(p, payloads[i]) {
				t.Errorf("record %d, put again: %d bytes, %v", i, len(p), err)
			}
		}
	})
}

// Who walks over segments while memory is short leaves none of their pages in memory.
func TestFrugalWalk(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{SegmentBytes: 16 << 20})
	for i := range 12_000 {
		mustPut(t, s, 1, payload(i, 1000))
	}
	if !s.MemoryUse().Known {
		t.Skip("this system does not say what is in memory")
	}
	s.SetFrugal(true, 0)
	s.DropPages()
	mustVerify(t, s)
	if n := s.MemoryUse().Segments.Resident; n > 2*coolEvery {
		t.Errorf("%d bytes are in memory after all records were verified", n)
	}
	mustClose(t, s)
	s = mustOpen(t, dir, Options{Frugal: true})
	defer mustClose(t, s)
	for i := range s.segments() {
		if err := s.loadIndex(); err != nil {
			t.Fatal(i, err)
		}
	}
	if n := s.MemoryUse().Segments.Resident; n > 2*coolEvery {
		t.Errorf("%d bytes are in memory after the store was opened", n)
	}
}
