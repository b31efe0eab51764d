package mmapcas

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// durably is a store whose commits are durable and which saves no index beside them.
func durably(fs vfs.FS) Options {
	o := small(fs)
	o.Appenders, o.Sync, o.SaveIndexBytes = 1, SyncGroup, 1<<40
	return o
}

func mustCommit(t testing.TB, s *Store, note string) {
	t.Helper()
	if err := s.Commit([]byte(note)); err != nil {
		t.Fatal(err)
	}
}

// syncs counts the syncs of a commit.
func syncs(t testing.TB, s *Store, note string) int64 {
	t.Helper()
	before := s.Stats().Syncs
	mustCommit(t, s, note)
	return s.Stats().Syncs - before
}

// TestOneFlush: a commit syncs one file, but for the first of a process, the first in a new
// segment, and one that covers much.
func TestOneFlush(t *testing.T) {
	o := durably(vfs.NewMem())
	o.SegmentBytes = 4 << 20
	s := mustOpen(t, "/s", o)
	for i := range 20 {
		mustPut(t, s, 1, payload(i, 300))
		want := int64(1)
		if i == 0 {
			want = 2
		}
		if n := syncs(t, s, fmt.Sprint(i)); n != want {
			t.Fatalf("commit %d: %d syncs, want %d", i, n, want)
		}
	}
	for i := range 20 {
		mustPut(t, s, 1, payload(100+i, 80_000))
	}
	if n := syncs(t, s, "much"); n != 2 {
		t.Errorf("a commit of 1.6 MB: %d syncs", n)
	}
	if n := syncs(t, s, "nothing new"); n != 1 {
		t.Errorf("a commit of a note alone: %d syncs", n)
	}
	mustClose(t, s)
	s = mustOpen(t, "/s", o)
	for i, want := range []int64{2, 1, 1} {
		mustPut(t, s, 1, payload(200+i, 300))
		if n := syncs(t, s, "again"); n != want {
			t.Errorf("commit %d of the next process: %d syncs, want %d", i, n, want)
		}
	}
	mustVerify(t, s)
	mustClose(t, s)
}

// A group is what one commit covers.
type group struct {
	note string
	put  [][]byte
}

// groups makes a store of so many commits, of which the last one's statement is in a segment, and
// what the manifest was before the last three.
func groups(t testing.TB, n int) (mem *vfs.Mem, all []group, manifest []byte) {
	t.Helper()
	mem = vfs.NewMem()
	s := mustOpen(t, "/s", durably(mem))
	for i := range n {
		if i == n-3 {
			var err error
			if manifest, err = vfs.ReadFile(mem, "/s/"+manifestName); err != nil {
				t.Fatal(err)
			}
		}
		g := group{note: fmt.Sprint("note ", i)}
		for k := range 4 {
			p := payload(100*i+k, 200)
			g.put = append(g.put, p)
			mustPut(t, s, 1, p)
		}
		mustCommit(t, s, g.note)
		all = append(all, g)
	}
	c := mem.Clone() // the process is killed
	mustClose(t, s)
	return c, all, manifest
}

// losesManifest takes the newest records of the manifest away, as a power cut may.
func losesManifest(t testing.TB, mem *vfs.Mem, manifest []byte) *vfs.Mem {
	t.Helper()
	c := mem.Clone()
	if _, err := vfs.WriteFile(c, "/s", "/s/"+manifestName, manifest, true); err != nil {
		t.Fatal(err)
	}
	return c
}

// placeOf is where a record lies in its file.
func placeOf(t testing.TB, mem *vfs.Mem, p []byte) (file string, off int64) {
	t.Helper()
	s := mustOpen(t, "/s", durably(mem.Clone()))
	defer mustClose(t, s)
	at := s.index.Find(HashOf(1, p))
	seg := s.segmentOf(at)
	return seg.name, seg.mem.Offset(at)
}

// TestProofDecides: without the manifest's newest records the newest statement counts if all that
// it covers is whole, and else the one before, which needs no proof.
func TestProofDecides(t *testing.T) {
	mem, all, manifest := groups(t, 6)
	last, before := all[5], all[4]
	mem = losesManifest(t, mem, manifest)
	for _, readOnly := range []bool{true, false} {
		for _, at := range []int64{-1, 0, 3, record.HashAt, record.HeaderBytes + 100} {
			for which := range last.put {
				c := mem.Clone()
				want := last.note
				if at >= 0 {
					file, off := placeOf(t, mem, last.put[which])
					flip(t, c, file, off+at, 0x40)
					want = before.note
				}
				o := durably(c)
				o.ReadOnly = readOnly
				s := mustOpen(t, "/s", o)
				if got := string(s.Note()); got != want {
					t.Fatalf("byte %d of record %d is wrong, read-only %v: note is %q, want %q", at, which, readOnly, got, want)
				}
				for _, g := range all[:5] {
					for _, p := range g.put {
						if !s.Has(HashOf(1, p)) {
							t.Fatalf("byte %d of record %d is wrong: a record of %q is gone", at, which, g.note)
						}
					}
				}
				mustClose(t, s)
			}
		}
	}
}

// TestDamageBelowTheNewestStatement: damage in a group costs its record, and no group, once another
// statement has come after.
func TestDamageBelowTheNewestStatement(t *testing.T) {
	mem, all, manifest := groups(t, 6)
	mem = losesManifest(t, mem, manifest)
	file, off := placeOf(t, mem, all[4].put[1])
	flip(t, mem, file, off+record.HeaderBytes+5, 1)
	s := mustOpen(t, "/s", durably(mem))
	if got := string(s.Note()); got != all[5].note {
		t.Errorf("note is %q", got)
	}
	if s.Has(HashOf(1, all[4].put[1])) || s.Damaged() == 0 {
		t.Error("the damage is not noticed")
	}
	mustClose(t, s)
}

// TestGivenUpStaysGivenUp: what was given up does not come back when all that it lacked is put
// again where it was.
func TestGivenUpStaysGivenUp(t *testing.T) {
	mem, all, manifest := groups(t, 6)
	mem = losesManifest(t, mem, manifest)
	file, off := placeOf(t, mem, all[5].put[1])
	f, err := mem.Open(file, false)
	if err != nil {
		t.Fatal(err)
	}
	whole := make([]byte, record.Extent(200))
	if _, err := f.ReadAt(whole, off); err != nil {
		t.Fatal(err)
	}
	flip(t, mem, file, off+record.HeaderBytes+5, 1)
	s := mustOpen(t, "/s", durably(mem))
	if got := string(s.Note()); got != all[4].note {
		t.Fatalf("note is %q", got)
	}
	killed := mem.Clone()
	mustClose(t, s)
	if f, err = killed.Open(file, false); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(whole, off); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, "/s", durably(killed))
	if got := string(s.Note()); got != all[4].note {
		t.Errorf("note is %q: what was given up is back", got)
	}
	mustClose(t, s)
}

// TestStatementsInPayloads: a payload that has a segment of this store in it, statements and all,
// states nothing.
func TestStatementsInPayloads(t *testing.T) {
	mem, all, _ := groups(t, 6)
	future := mem.Clone()
	s := mustOpen(t, "/s", durably(future))
	for i := range 3 {
		mustPut(t, s, 1, payload(9000+i, 100))
		mustCommit(t, s, fmt.Sprint("another future ", i))
	}
	name := s.segments()[0].name
	mustClose(t, s)
	b, err := vfs.ReadFile(future, name)
	if err != nil {
		t.Fatal(err)
	}
	// With its header damaged, a walk comes by what is in the payload.
	for _, damaged := range []bool{false, true} {
		c := mem.Clone()
		s = mustOpen(t, "/s", durably(c))
		h := mustPut(t, s, 1, b)
		mustPut(t, s, 1, payload(8000, 100))
		at := s.index.Find(h)
		seg := s.segmentOf(at)
		killed := c.Clone()
		if damaged {
			flip(t, killed, seg.name, seg.mem.Offset(at)+record.HashAt, 1)
		}
		mustClose(t, s)
		s = mustOpen(t, "/s", durably(killed))
		if got := string(s.Note()); got != all[5].note {
			t.Errorf("damaged %v: note is %q", damaged, got)
		}
		mustClose(t, s)
	}
}

// A syncing file system calls a function before a file is synced.
type syncing struct {
	vfs.FS
	before func()
}

type syncingFile struct {
	vfs.File
	fs *syncing
}

func (f *syncingFile) Sync() error {
	if f.fs.before != nil {
		f.fs.before()
	}
	return f.File.Sync()
}

func (s *syncing) Create(name string) (vfs.File, error) {
	f, err := s.FS.Create(name)
	return &syncingFile{f, s}, err
}

func (s *syncing) Open(name string, readOnly bool) (vfs.File, error) {
	f, err := s.FS.Open(name, readOnly)
	if err != nil {
		return nil, err
	}
	return &syncingFile{f, s}, nil
}

// cutsTheProof runs a store of small commits, cuts the power at random, and says which promise is
// broken, "" if none is: a note is answered whose group is not there, or is older than one that was
// acknowledged.
func cutsTheProof(t *testing.T, rng *rand.Rand, unproven bool) string {
	mem := vfs.NewMem()
	covers := map[string][]Hash{"": nil}
	acked, n := "", 0
	order := map[string]int{"": 0}
	for range 4 {
		fs := &syncing{FS: mem}
		o := durably(fs)
		o.unproven = unproven
		s := mustOpen(t, "/s", o)
		note := string(s.Note())
		if order[note] < order[acked] {
			return fmt.Sprintf("%q is answered after %q was acknowledged", note, acked)
		}
		for _, h := range covers[note] {
			if _, _, err := s.Get(h, nil); err != nil {
				return fmt.Sprintf("%q is answered, and of its group %v", note, err)
			}
		}
		have := covers[note]
		var cut *vfs.Mem
		for range 1 + rng.IntN(6) {
			for range 1 + rng.IntN(4) {
				n++
				have = append(have[:len(have):len(have)], mustPut(t, s, 1, payload(n, 50+rng.IntN(900))))
			}
			note := fmt.Sprint("note ", n)
			covers[note], order[note] = have, n
			// The power goes during the commit, or after it.
			fs.before = func() {
				if cut == nil && rng.IntN(5) == 0 {
					cut = mem.CrashClone(rng.Uint64())
				}
			}
			mustCommit(t, s, note)
			fs.before = nil
			if cut != nil {
				break
			}
			acked = note
		}
		if cut == nil {
			cut = mem.CrashClone(rng.Uint64())
		}
		mustClose(t, s)
		mem = cut
	}
	return ""
}

// TestProofIsNeeded: the power goes during commits and after them. With the proof no promise is
// broken; without it one is, soon.
func TestProofIsNeeded(t *testing.T) {
	rng := seeded(t)
	rounds := 400
	if raceEnabled {
		rounds = 40
	}
	for range rounds {
		if broken := cutsTheProof(t, rng, false); broken != "" {
			t.Fatal(broken)
		}
	}
	for i := range 4000 {
		if broken := cutsTheProof(t, rng, true); broken != "" {
			t.Logf("without the proof, in round %d: %s", i, broken)
			return
		}
	}
	t.Error("nothing breaks without the proof")
}

func statementSample() (identity [identityBytes]byte, m manifestRecord, parts []part) {
	copy(identity[:], "identity of many")
	m = manifestRecord{seq: 9, next: 4, records: 12, synced: true, segments: []manifestSegment{{1, 64}, {3, 960}}, note: []byte("a note")}
	parts = []part{{1, 64, 128, HashOf(0, []byte("one"))}, {3, 640, 960, HashOf(0, []byte("two"))}}
	return identity, m, parts
}

func TestStatement(t *testing.T) {
	identity, m, parts := statementSample()
	b := encodeStatement(identity, 7, parts, m.encode())
	st, ok := parseStatement(b, identity)
	if !ok || !reflect.DeepEqual(st.manifestRecord, m) || !reflect.DeepEqual(st.parts, parts) || st.before != 7 {
		t.Fatalf("%+v, %v", st, ok)
	}
	for n := range b {
		if _, ok := parseStatement(b[:n], identity); ok {
			t.Errorf("the first %d bytes of %d are taken for a statement", n, len(b))
		}
	}
	identity[3]++
	if _, ok := parseStatement(b, identity); ok {
		t.Error("a statement of another store is taken")
	}
}

func FuzzStatement(f *testing.F) {
	identity, m, parts := statementSample()
	f.Add(encodeStatement(identity, 7, parts, m.encode()))
	f.Add(encodeStatement(identity, 0, nil, m.encode()))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= identityBytes {
			b = bytes.Clone(b)
			copy(b, identity[:])
		}
		st, ok := parseStatement(b, identity)
		if !ok {
			return
		}
		again, ok := parseStatement(encodeStatement(identity, st.before, st.parts, st.manifestRecord.encode()), identity)
		if !ok || !reflect.DeepEqual(again, st) {
			t.Fatalf("%+v became %+v", st, again)
		}
	})
}

// TestStatementsAreNoRecords: the store's own records are found by no name, not in a tail, and not
// after a repair or a walk over all records.
func TestStatementsAreNoRecords(t *testing.T) {
	mem, all, _ := groups(t, 6)
	for _, file := range []string{"", indexFileName, manifestName} {
		c := mem.Clone()
		if file != "" {
			_ = c.Remove(filepath.Join("/s", file))
		}
		s := mustOpen(t, "/s", durably(c))
		if _, err := s.Repair(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if n := s.Stats().Records; n != int64(4*len(all)) {
			t.Errorf("%q is gone: %d records, want %d", file, n, 4*len(all))
		}
		seen := 0
		if err := s.Iterate(func(Kind, Hash, []byte) error { seen++; return nil }); err != nil || seen != 4*len(all) {
			t.Errorf("%d records in all, %v", seen, err)
		}
		if err := s.Tail(0, func(h Hash, _ []byte) error { return fmt.Errorf("%v is in the tail", h) }); err != nil {
			t.Error(err)
		}
		mustClose(t, s)
	}
}
