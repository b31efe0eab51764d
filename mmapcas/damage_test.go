package mmapcas

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// smallStore is a closed store of a few records, in two commits.
func smallStore(t *testing.T) (*vfs.Mem, map[Hash][]byte) {
	t.Helper()
	fs := vfs.NewMem()
	o := small(fs)
	o.Appenders = 1
	s := mustOpen(t, "/s", o)
	records := map[Hash][]byte{}
	for i, n := range []int{0, 5, 32, 100, 300, 64, 1000, 33} {
		p := payload(i, n)
		records[mustPut(t, s, 9, p)] = p
		if i == 4 {
			if err := s.Commit([]byte("one")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Commit([]byte("two")); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	return fs, records
}

func flip(t *testing.T, fs vfs.FS, name string, off int64, mask byte) {
	t.Helper()
	f, err := fs.Open(name, false)
	if err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	if _, err := f.ReadAt(b[:], off); err != nil {
		t.Fatal(err)
	}
	b[0] ^= mask
	if _, err := f.WriteAt(b[:], off); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// hurtSegment damages a byte under the map: through the file if there is one, since the map may be
// protected.
func hurtSegment(t *testing.T, seg *segment, off int64) {
	t.Helper()
	if seg.file == nil {
		seg.mem.Mem()[off] ^= 1
		return
	}
	var b [1]byte
	if _, err := seg.file.ReadAt(b[:], off); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := seg.file.WriteAt(b[:], off); err != nil {
		t.Fatal(err)
	}
}

// checkNoWrongAnswer reads every record: right, absent, or said to be damaged; then puts it again
// and reads it right. It returns how many were not right at first.
func checkNoWrongAnswer(t *testing.T, s *Store, records map[Hash][]byte) (lost int) {
	t.Helper()
	for h, p := range records {
		got, kind, err := s.Get(h, nil)
		switch {
		case err == nil && bytes.Equal(got, p) && kind == 9:
			continue
		case errors.Is(err, ErrNotFound), errors.Is(err, ErrCorrupt):
			lost++
		default:
			t.Fatalf("record %v: wrong answer, or error %v", h, err)
		}
		if s.opts.ReadOnly {
			continue
		}
		if again, _, err := s.Put(9, p); err != nil || again != h {
			t.Fatalf("put again: %v", err)
		}
		if got, _, err := s.Get(h, nil); err != nil || !bytes.Equal(got, p) {
			t.Fatalf("get after putting again: %v", err)
		}
	}
	return lost
}

// everySort is a closed store that has a file of every sort, and two segments, of three commits,
// with records that are compressed and others that are not. used says which bytes of a segment file
// records depend on.
func everySort(t *testing.T, o Options) (records map[Hash][]byte, used map[string]func(off int64) bool) {
	t.Helper()
	o.Compress, o.Appenders = []Kind{9}, 1
	s := mustOpen(t, "/s", o)
	records, used = map[Hash][]byte{}, map[string]func(int64) bool{}
	put := func(p []byte) { records[mustPut(t, s, 9, p)] = p }
	commit := func(note string) {
		if err := s.Commit([]byte(note)); err != nil {
			t.Fatal(err)
		}
	}
	for i, n := range []int{0, 5, 100, 600, 900, 33, 2000, 1000} {
		put(prose(i, n))
	}
	put(payload(1, 600))
	commit("zero")
	s.pool.exclusive(func(all []*appender) {
		for _, a := range all {
			a.Detach().Seal() // so that the next record comes to another segment
		}
	})
	put(payload(2, 40))
	collect(t, s, keysOf(records))
	commit("one")
	for i, n := range []int{32, 64, 300} {
		put(payload(3+i, n))
	}
	commit("two")
	for _, seg := range s.segments() {
		length := seg.mem.Length()
		used[seg.name] = func(off int64) bool { return off < length }
	}
	if st := s.Stats(); st.Segments != 2 {
		t.Fatalf("%+v", st)
	}
	mustClose(t, s)
	return records, used
}

// TestEveryByte damages each byte of each file of a small store, in two ways. Nothing wrong is
// answered; damage where records are is noticed; it costs one record at most. Readers look at all
// of them; a writer, who puts again what was lost, at some.
func TestEveryByte(t *testing.T) {
	rng := seeded(t)
	base := vfs.NewMem()
	records, used := everySort(t, small(base))
	names, err := base.List("/s")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{superblockName, manifestName, indexFileName} {
		if !slices.Contains(names, want) {
			t.Fatalf("there is no %s: %v", want, names)
		}
	}
	stride := stride() // the start is random, so all have their turn
	for _, name := range names {
		start, seed := rng.Int64N(stride), rng.Uint64()
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 2))
			path := filepath.Join("/s", name)
			b, err := vfs.ReadFile(base, path)
			if err != nil {
				t.Fatal(err)
			}
			read := base.Clone()
			for off := start; off < int64(len(b)); off += stride {
				for _, mask := range []byte{0xff, 1 << rng.IntN(8)} {
					where := fmt.Sprintf("%s at %d, %#x", name, off, mask)
					isRecord := used[path] != nil && used[path](off)
					flip(t, read, path, off, mask)
					everyByte(t, read, true, where, records, isRecord, name)
					flip(t, read, path, off, mask)
					if rng.IntN(12) == 0 {
						write := base.Clone()
						flip(t, write, path, off, mask)
						everyByte(t, write, false, where, records, isRecord, name)
					}
				}
			}
		})
	}
}

// everyByte looks at a store with one damaged byte.
func everyByte(t *testing.T, fs *vfs.Mem, readOnly bool, where string, records map[Hash][]byte, isRecord bool, name string) {
	t.Helper()
	o := small(fs)
	o.Compress, o.Appenders = []Kind{9}, 1
	o.SaveIndexBytes = 1 << 40 // not at the end of each
	o.ReadOnly = readOnly
	s, err := Open("/s", o)
	if err != nil {
		t.Fatalf("%s: open: %v", where, err)
	}
	if note := string(s.Note()); note != "two" && (name != manifestName || note != "one") {
		t.Fatalf("%s: note %q", where, note)
	}
	noticed := s.Stats().Damaged > 0
	lost := checkNoWrongAnswer(t, s, records)
	if isRecord {
		if noticed = noticed || s.Stats().Damaged > 0; !noticed {
			report, err := s.Verify(t.Context(), nil)
			if err != nil {
				t.Fatalf("%s: %v", where, err)
			}
			noticed = !report.OK()
		}
		if !noticed {
			t.Fatalf("%s: damage not noticed", where)
		}
	}
	_, isSegment := parseSegmentName(name)
	if lost > 1 || lost > 0 && !isSegment {
		t.Fatalf("%s: one damaged byte cost %d records", where, lost)
	}
	mustClose(t, s)
}

// TestTruncatedFiles shortens each file to each length: the store opens or says what is wrong, and
// answers nothing wrong.
func TestTruncatedFiles(t *testing.T) {
	fs, records := smallStore(t)
	names, err := fs.List("/s")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		path := filepath.Join("/s", name)
		for n := int64(0); n < 2600; n += 37 {
			c := fs.Clone()
			f, err := c.Open(path, false)
			if err != nil {
				t.Fatal(err)
			}
			if size, _ := f.Size(); n >= size {
				break
			}
			if err := f.Truncate(n); err != nil {
				t.Fatal(err)
			}
			s, err := Open("/s", small(c))
			if err != nil {
				t.Fatalf("%s cut to %d bytes: %v", name, n, err)
			}
			checkNoWrongAnswer(t, s, records)
			if err := s.Commit([]byte("three")); err != nil {
				t.Fatal(err)
			}
			mustClose(t, s)
			s = mustOpen(t, "/s", small(c))
			if lost := checkNoWrongAnswer(t, s, records); lost > 0 {
				t.Fatalf("%s cut to %d bytes: %d records put again and lost", name, n, lost)
			}
			mustClose(t, s)
		}
	}
}

// TestGapInTheTail: a record of the tail that is not whole costs itself. What was put behind it is
// there, what is put next comes behind that, and the segment is as good as any.
func TestGapInTheTail(t *testing.T) {
	for _, at := range []struct {
		name string
		off  int64 // from the start of the record
	}{{"header", 3}, {"name", record.HashAt + 2}, {"payload", 50}} {
		t.Run(at.name, func(t *testing.T) {
			fs := vfs.NewMem()
			o := small(fs)
			o.Appenders = 1
			s := mustOpen(t, "/s", o)
			var names []Hash
			for i := range 4 {
				names = append(names, mustPut(t, s, 1, payload(i, 100)))
			}
			place := s.index.Find(names[1])
			seg := s.segmentOf(place)
			off := seg.mem.Offset(place)
			mustClose(t, s)
			flip(t, fs, seg.name, off+at.off, 1)
			for range 2 {
				s = mustOpen(t, "/s", o)
				for i, h := range names {
					if s.Has(h) != (i != 1) {
						t.Fatalf("record %d of 4 is there: %v, and the second was damaged", i+1, s.Has(h))
					}
				}
				mustVerify(t, s)
				mustClose(t, s)
			}
			s = mustOpen(t, "/s", o)
			mustPut(t, s, 1, payload(1, 100))
			mustPut(t, s, 1, payload(9, 100))
			if n := len(s.segments()); n != 1 {
				t.Fatalf("%d segments, although there was room in the first", n)
			}
			mustClose(t, s)
			s = mustOpen(t, "/s", o)
			for _, h := range append(names, HashOf(1, payload(9, 100))) {
				if !s.Has(h) {
					t.Fatal("a record put behind the gap is gone")
				}
			}
			mustVerify(t, s)
			mustClose(t, s)
		})
	}
}

// TestTornEnd: a last record that is not whole ends the tail, and nothing of it comes back.
func TestTornEnd(t *testing.T) {
	fs := vfs.NewMem()
	o := small(fs)
	o.Appenders = 1
	s := mustOpen(t, "/s", o)
	first, last := mustPut(t, s, 1, payload(1, 100)), mustPut(t, s, 1, payload(2, 100))
	place := s.index.Find(last)
	seg := s.segmentOf(place)
	off := seg.mem.Offset(place)
	mustClose(t, s)
	flip(t, fs, seg.name, off+40, 1)
	s = mustOpen(t, "/s", o)
	if !s.Has(first) || s.Has(last) || s.Stats().Damaged != 0 {
		t.Fatalf("first %v, last %v, %+v", s.Has(first), s.Has(last), s.Stats())
	}
	mustClose(t, s)
	flip(t, fs, seg.name, off+40, 1)
	s = mustOpen(t, "/s", o)
	if s.Has(last) {
		t.Fatal("a record from before the crash came back")
	}
	mustClose(t, s)
}

// TestFalseRecordInAPayload: when the header around it is damaged, bytes in a payload that look
// like a record are not taken for one, since their name is not that of their content.
func TestFalseRecordInAPayload(t *testing.T) {
	for _, commit := range []bool{true, false} {
		fs := vfs.NewMem()
		o := small(fs)
		o.Appenders = 1
		s := mustOpen(t, "/s", o)
		victim := HashOf(1, []byte("what is right"))
		forged := make([]byte, 2*record.Extent(13))
		var scratch [record.HeaderBytes]byte
		record.Write(forged, 1, victim, record.Plain([]byte("what is wrong")), &scratch)
		record.Write(forged[record.Extent(13):], 1, victim, record.Plain([]byte("what is wrong")), &scratch)
		around := mustPut(t, s, 1, forged)
		behind := mustPut(t, s, 1, payload(1, 100))
		place := s.index.Find(around)
		seg := s.segmentOf(place)
		off := seg.mem.Offset(place)
		if commit {
			if err := s.Commit(nil); err != nil {
				t.Fatal(err)
			}
		}
		mustClose(t, s)
		flip(t, fs, seg.name, off, 1)
		s = mustOpen(t, "/s", o)
		if p, _, err := s.Get(victim, nil); !errors.Is(err, ErrNotFound) {
			t.Fatalf("committed %v: a false record is answered: %q, %v", commit, p, err)
		}
		if !s.Has(behind) {
			t.Fatalf("committed %v: the record behind is gone", commit)
		}
		mustClose(t, s)
	}
}

func TestCorruptErrorNamesFileAndOffset(t *testing.T) {
	fs, records := smallStore(t)
	s := mustOpen(t, "/s", small(fs))
	defer mustClose(t, s)
	for h, p := range records {
		if len(p) != 1000 {
			continue
		}
		at := s.index.Find(h)
		seg := s.segmentOf(at)
		off := seg.mem.Offset(at)
		hurtSegment(t, seg, off+500)
		_, _, err := s.Get(h, nil)
		ce, ok := errors.AsType[*CorruptError](err)
		if !ok || ce.File != seg.name || ce.Segment != seg.number || ce.Offset != off || !strings.Contains(err.Error(), seg.name) {
			t.Fatalf("%v", err)
		}
		if _, _, err := s.Get(h, nil); err != ErrNotFound {
			t.Fatalf("second get: %v, want the record dropped", err)
		}
		// A put that finds a damaged record writes it again, without a get before.
		if _, fresh, err := s.Put(9, p); !fresh || err != nil {
			t.Fatal(fresh, err)
		}
		at = s.index.Find(h)
		seg = s.segmentOf(at)
		hurtSegment(t, seg, seg.mem.Offset(at)+40)
		if _, fresh, err := s.Put(9, p); !fresh || err != nil {
			t.Fatal(fresh, err)
		}
		if got, _, err := s.Get(h, nil); err != nil || !bytes.Equal(got, p) {
			t.Fatal(err)
		}
	}
}

// TestCollectDamaged: segments with damaged records are emptied like others, and no entry leads
// into them afterwards.
func TestCollectDamaged(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		s := mustOpen(t, dir, o)
		var all []Hash
		for i := range 1000 {
			all = append(all, mustPut(t, s, 1, payload(i, 400)))
		}
		var live []Hash
		for i, h := range all {
			if i%10 == 0 {
				live = append(live, h)
			}
		}
		// Of every 50 records one header and one payload are damaged; some of these are live.
		hurt := map[Hash]bool{}
		for i := 0; i < len(all); i += 25 {
			at := s.index.Find(all[i])
			seg := s.segmentOf(at)
			hurtSegment(t, seg, seg.mem.Offset(at)+int64(i%2)*200+10)
			hurt[all[i]] = true
		}
		c, err := s.BeginCycle()
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range live {
			if _, err := c.Mark(h); err != nil && !hurt[h] {
				t.Fatal(err)
			}
		}
		sweepAll(t, c)
		for _, h := range live {
			if _, _, err := s.Get(h, nil); err != nil && !hurt[h] {
				t.Fatal(err)
			}
		}
		for _, h := range all {
			_ = s.Has(h) // must not meet unmapped memory
		}
		for i := range all {
			mustPut(t, s, 1, payload(i, 400))
		}
		for i, h := range all {
			if got, _, err := s.Get(h, nil); err != nil || !bytes.Equal(got, payload(i, 400)) {
				t.Fatalf("record %d, put again: %v", i, err)
			}
		}
		mustClose(t, s)
	})
}

func TestSuperblock(t *testing.T) {
	write := func(fs *vfs.Mem, b []byte) {
		f, err := fs.Open("/s/"+superblockName, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt(b, 0); err != nil {
			t.Fatal(err)
		}
	}
	fs, records := smallStore(t)
	newer := superblock{version: FormatVersion + 4, segmentBytes: 1}
	write(fs, newer.encode())
	_, err := Open("/s", small(fs))
	fe, ok := errors.AsType[*FormatError](err)
	if !ok || !errors.Is(err, ErrNewerFormat) || fe.Found != FormatVersion+4 || fe.Supported != FormatVersion ||
		!strings.Contains(err.Error(), fmt.Sprint(FormatVersion+4)) || !strings.Contains(err.Error(), fmt.Sprint(FormatVersion)) {
		t.Fatalf("newer store: %v", err)
	}
	// The segments know whose they are, and how large the store's segments are.
	for _, lose := range []func(fs *vfs.Mem) error{
		func(fs *vfs.Mem) error { write(fs, make([]byte, superblockBytes)); return nil },
		func(fs *vfs.Mem) error { return fs.Remove("/s/" + superblockName) },
	} {
		if err := lose(fs); err != nil {
			t.Fatal(err)
		}
		for _, readOnly := range []bool{true, false, true} {
			o := small(fs)
			o.SegmentBytes, o.ReadOnly = 128<<10, readOnly
			s := mustOpen(t, "/s", o)
			if lost := checkNoWrongAnswer(t, s, records); lost > 0 || s.arena.SegmentBytes() != 64<<10 || string(s.Note()) != "two" {
				t.Fatalf("%d records lost with the superblock, segments of %d bytes, note %q", lost, s.arena.SegmentBytes(), s.Note())
			}
			mustClose(t, s)
		}
	}
	// Without both nothing says that what is there is of one store.
	write(fs, make([]byte, superblockBytes))
	f, err := fs.Open("/s/"+segmentName(1), false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, segmentHeaderBytes), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := Open("/s", small(fs)); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), superblockName) {
		t.Fatalf("neither superblock nor a segment's header is left: %v", err)
	}
}

// TestOnlyAManifest: where all files of a store have been removed while it was open, its close
// leaves a manifest without anything that it is about. The next open makes a new store.
func TestOnlyAManifest(t *testing.T) {
	for _, lose := range []string{"removed", "damaged"} {
		fs, records := smallStore(t)
		names, err := fs.List("/s")
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			if n == manifestName || n == superblockName && lose == "damaged" {
				continue
			}
			if err := fs.Remove("/s/" + n); err != nil {
				t.Fatal(err)
			}
		}
		if lose == "damaged" {
			f, err := fs.Open("/s/"+superblockName, false)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteAt(make([]byte, superblockBytes), 0); err != nil {
				t.Fatal(err)
			}
		}
		o := small(fs)
		o.ReadOnly = true
		if _, err := Open("/s", o); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("%s: who only reads is told %v", lose, err)
		}
		s := mustOpen(t, "/s", small(fs))
		if lost := checkNoWrongAnswer(t, s, records); lost != len(records) || len(s.Note()) > 0 || s.Stats().Damaged == 0 {
			t.Fatalf("%s: %d of %d records are gone, note %q, %+v", lose, lost, len(records), s.Note(), s.Stats())
		}
		mustClose(t, s)
		s = mustOpen(t, "/s", small(fs))
		if s.Stats().Damaged != 0 {
			t.Fatalf("%s: %+v", lose, s.Stats())
		}
		mustClose(t, s)
	}
}

// TestForeignSegment: a segment of another store is not read, and not removed either.
func TestForeignSegment(t *testing.T) {
	a, records := smallStore(t)
	b, _ := smallStore(t)
	data, err := vfs.ReadFile(b, "/s/00000001.seg")
	if err != nil {
		t.Fatal(err)
	}
	f, err := a.Create("/s/00000007.seg")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(data, 0); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s := mustOpen(t, "/s", small(a))
		if s.Stats().Segments != 1 {
			t.Fatalf("%+v", s.Stats())
		}
		if checkNoWrongAnswer(t, s, records) != 0 {
			t.Fatal("records lost")
		}
		if err := s.Commit(nil); err != nil {
			t.Fatal(err)
		}
		mustClose(t, s)
	}
	if _, err := vfs.ReadFile(a, "/s/00000007.seg"); err != nil {
		t.Fatalf("foreign file: %v", err)
	}
}
