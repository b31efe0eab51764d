package mmapcas

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// onDisk is what an Open would find in the manifest.
func onDisk(t *testing.T, mem *vfs.Mem) *manifestRecord {
	t.Helper()
	b, err := vfs.ReadFile(mem, filepath.Join("/s", manifestName))
	if err != nil {
		t.Fatal(err)
	}
	newest, _, _ := parseManifest(b)
	if newest == nil {
		t.Fatal("the manifest has no record")
	}
	return newest
}

// Of the statements in the tails the newest counts if it is proven. If it is not, the one counts
// that it names as durable, without a proof. One in doubt has to be proven, and tells nothing of
// others. Numbers that were given to any of them are not given out again.
func TestWhichStatementCounts(t *testing.T) {
	mem := vfs.NewMem()
	s := mustOpen(t, "/s", small(mem))
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	o := small(mem)
	o.ReadOnly = true // nothing is given up on the disk
	s = mustOpen(t, "/s", o)
	defer mustClose(t, s)
	statements := func(given ...statement) *found {
		for i := range given {
			given[i].seg = &segment{}
		}
		return &found{statements: given}
	}
	proven := func(seq, before uint64) statement {
		return statement{manifestRecord: manifestRecord{seq: seq}, before: before}
	}
	unproven := func(seq, before uint64) statement {
		st := proven(seq, before)
		st.parts = []part{{number: 99}} // there is no such segment
		return st
	}
	doubtful := func(st statement) statement {
		st.doubt = true
		return st
	}
	for _, c := range []struct {
		what string
		tail *found
		want uint64
	}{
		{"the newest is proven", statements(proven(9, 5), unproven(5, 3)), 9},
		{"the newest is not proven", statements(unproven(9, 5), unproven(7, 5), unproven(5, 3)), 5},
		{"none of them was durable", statements(unproven(9, 1), unproven(7, 1)), 1},
		{"the newest is in doubt, and proven", statements(doubtful(proven(9, 5))), 9},
		{"the newest is in doubt, and what it tells of is not proven", statements(doubtful(unproven(9, 5)), unproven(5, 3)), 1},
		{"what was durable by its number is in doubt", statements(unproven(9, 5), doubtful(unproven(5, 3))), 1},
		{"the newest has a number far ahead", statements(unproven(10*unseenStatements, 1)), 1},
	} {
		s.manifest.seq = 1
		highest := c.tail.statements[0].seq
		newest, stated := s.newestStatement([]*found{c.tail}, &manifestRecord{seq: 1})
		if newest.seq != c.want || stated != (c.want > 1) {
			t.Errorf("%s: statement %d counts, want %d", c.what, newest.seq, c.want)
		}
		if s.manifest.seq < highest {
			t.Errorf("%s: the next statement is to be number %d, and %d was given out", c.what, s.manifest.seq+1, highest)
		}
	}
}

// What is stated after an Open is newer than all that an earlier process may have stated, also
// where nothing of it is seen.
func TestNumbersPassOverUnseenStatements(t *testing.T) {
	mem := vfs.NewMem()
	s := mustOpen(t, "/s", durably(mem))
	mustCommit(t, s, "before")
	mustClose(t, s)
	before := onDisk(t, mem).seq
	s = mustOpen(t, "/s", durably(mem))
	mustCommit(t, s, "after")
	mustClose(t, s)
	if after := onDisk(t, mem).seq; after <= before+unseenStatements {
		t.Errorf("statement %d comes after %d and an Open: one that the Open did not see may have that number", after, before)
	}
}

// What a commit has acknowledged lies in segments that a durable manifest record lists: of others
// an Open may find nothing, and says so to no caller.
func TestAcknowledgedSegmentsAreListed(t *testing.T) {
	mem := vfs.NewMem()
	o := durably(mem)
	o.Appenders = 1
	s := mustOpen(t, "/s", o)
	defer mustClose(t, s)
	for round := range 4 {
		for i := range 60 {
			mustPut(t, s, 1, payload(100*round+i, 1000))
		}
		mustCommit(t, s, "acknowledged")
		for seed := range uint64(8) {
			listed := onDisk(t, mem.CrashClone(seed)).segments
			for _, seg := range s.segments() {
				if !slices.ContainsFunc(listed, func(l manifestSegment) bool { return l.number == seg.number }) {
					t.Fatalf("round %d, power cut %d: a commit was acknowledged, and no manifest record lists segment %d", round, seed, seg.number)
				}
			}
		}
	}
}

// A saved index names a statement that a power cut does not take: else it would be one of another
// history, and what it saves would be walked over.
func TestSavedIndexOutlivesAPowerCut(t *testing.T) {
	mem := vfs.NewMem()
	o := durably(mem)
	o.Appenders, o.SaveIndexBytes = 1, 1
	s := mustOpen(t, "/s", o)
	defer mustClose(t, s)
	for round := range 3 {
		for i := range 20 << round {
			mustPut(t, s, 1, payload(1000*round+i, 100))
		}
		mustCommit(t, s, "saved")
		s.waitForSave()
	}
	for seed := range uint64(8) {
		o.FS = mem.CrashClone(seed)
		after := mustOpen(t, "/s", o)
		if _, used := after.index.Unread(); !used {
			t.Errorf("power cut %d: the saved index is not used", seed)
		}
		mustClose(t, after)
	}
}

// A save during which records are moved is given up: an entry that moved while it was copied may be
// missing at the old place, and the new one is not durable yet.
func TestSaveGivenUpForMovedRecords(t *testing.T) {
	mem := vfs.NewMem()
	var s *Store
	began := false
	fsys := &creating{mem, func(name string) {
		if filepath.Base(name) == indexFileName+vfs.TempSuffix {
			began = true
			s.counters.moved.Add(1) // as a rescue does, or a collection that has ended by now
		}
	}}
	o := small(fsys)
	o.SaveIndexBytes = 1
	s = mustOpen(t, "/s", o)
	defer mustClose(t, s)
	mustPut(t, s, 1, payload(1, 1000))
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	s.waitForSave()
	if !began {
		t.Fatal("no save has begun")
	}
	if _, err := vfs.ReadFile(mem, filepath.Join("/s", indexFileName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an index was saved although records moved meanwhile: %v", err)
	}
}

// What a saved index vouches for may have changed in a power cut. It is walked before anything is
// appended behind it, and until then, or if it has damage, no other saved index vouches for it.
func TestSavedSegmentIsWalkedBeforeItIsAppendedTo(t *testing.T) {
	mem := vfs.NewMem()
	o := small(mem)
	o.Sync, o.Appenders, o.SaveIndexBytes = SyncNone, 1, 1
	s := mustOpen(t, "/s", o)
	var last Hash
	for i := range 20 {
		last = mustPut(t, s, 1, payload(i, 300))
	}
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	s.waitForSave()
	seg := s.segments()[0]
	off := seg.mem.Offset(s.index.Find(last))
	mustClose(t, s)
	flip(t, mem, seg.name, off+record.HashAt, 1)
	s = mustOpen(t, "/s", o)
	defer mustClose(t, s)
	seg = s.segments()[0]
	if s.vouchFor(seg) {
		t.Error("a saved index would vouch for a segment that was not walked since the power may have gone")
	}
	h := mustPut(t, s, 1, payload(100, 300))
	if s.segmentOf(s.index.Find(h)) == seg {
		t.Error("a record was appended behind damage that nothing has looked for")
	}
	if s.vouchFor(seg) {
		t.Error("a saved index would vouch for a segment with damage")
	}
}

// A saved index of which a part is damaged is removed when that part is asked for: were it readable
// another time, it could name copies that are gone by then.
func TestDamagedIndexFileIsRemoved(t *testing.T) {
	mem := vfs.NewMem()
	o := small(mem)
	o.SaveIndexBytes = 1
	s := mustOpen(t, "/s", o)
	var all []Hash
	for i := range 200 {
		all = append(all, mustPut(t, s, 1, payload(i, 100)))
	}
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	name := filepath.Join("/s", indexFileName)
	b, err := vfs.ReadFile(mem, name)
	if err != nil {
		t.Fatal(err)
	}
	flip(t, mem, name, indexPartAt(b, int(all[0][0])), 1)
	s = mustOpen(t, "/s", o)
	defer mustClose(t, s)
	if err := s.loadIndex(); err != nil {
		t.Fatal(err)
	}
	if s.counters.damaged.Load() == 0 {
		t.Fatal("no damage was met")
	}
	if _, err := vfs.ReadFile(mem, name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an index file with a damaged part is left for the next Open: %v", err)
	}
	mustHave(t, s, all)
}

// unreadable is a file system with a file that can be opened, and not read.
type unreadable struct {
	vfs.FS
	base string
}

type unreadableFile struct{ vfs.File }

func (unreadableFile) ReadAt([]byte, int64) (int, error) { return 0, syscall.EIO }

func (u *unreadable) Open(name string, readOnly bool) (vfs.File, error) {
	f, err := u.FS.Open(name, readOnly)
	if err == nil && filepath.Base(name) == u.base {
		f = unreadableFile{f}
	}
	return f, err
}

// A segment that the manifest does not list, and that cannot be read at an Open, is there for a
// later one that can: no commit in between counts it among those that were dropped.
func TestUnreadableTailIsKept(t *testing.T) {
	mem := vfs.NewMem()
	o := small(mem)
	o.Sync, o.Appenders = SyncNone, 1
	s := mustOpen(t, "/s", o)
	mustPut(t, s, 1, payload(1, 1000))
	if err := s.Commit([]byte("a")); err != nil {
		t.Fatal(err)
	}
	var tail []Hash
	for i := 0; len(s.segments()) < 3; i++ {
		if h := mustPut(t, s, 1, payload(10+i, 1000)); s.segmentOf(s.index.Find(h)).number == 2 {
			tail = append(tail, h)
		}
	}
	left := mem.Clone() // of a process that is killed
	mustClose(t, s)
	o.FS = &unreadable{left, segmentName(2)}
	s = mustOpen(t, "/s", o)
	mustPut(t, s, 1, payload(5000, 1000))
	if err := s.Commit([]byte("b")); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	o.FS = left
	s = mustOpen(t, "/s", o)
	defer mustClose(t, s)
	if missing := s.HasAll(tail); missing >= 0 {
		t.Errorf("record %d of %d is gone: its segment could not be read at one Open, and was taken for one that was dropped", missing, len(tail))
	}
}

// What an earlier process left beyond what is known to be on the disk may be copies that a
// collection made: no segment goes before they are synced (G4).
func TestUnsyncedSegmentsMayHoldCopies(t *testing.T) {
	mem := vfs.NewMem()
	o := small(mem)
	o.Sync = SyncNone
	s := mustOpen(t, "/s", o)
	for i := range 100 {
		mustPut(t, s, 1, payload(i, 1000))
	}
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	s = mustOpen(t, "/s", o)
	defer mustClose(t, s)
	for _, seg := range s.segments() {
		if seg.synced.Load() < seg.mem.Length() && !seg.copies.Load() {
			t.Errorf("segment %d has %d bytes, %d are on the disk, and a collection would not sync the rest before others go",
				seg.number, seg.mem.Length(), seg.synced.Load())
		}
	}
}

// A repair counts what it drops out of what is live.
func TestRepairCountsWhatIsLive(t *testing.T) {
	s := inMemory(t)
	var want int64
	for i := range 10 {
		h := mustPut(t, s, 1, payload(i, 500))
		if i == 3 {
			seg, off, _, _ := s.load(s.index.Find(h))
			seg.mem.Mem()[off+record.HeaderBytes+5] ^= 1
			continue
		}
		want += record.Extent(500)
	}
	if rep, err := s.Repair(t.Context(), nil); err != nil || rep.LostAll != 1 {
		t.Fatalf("%+v, %v", rep, err)
	}
	if live := s.counters.live.Load(); live != want {
		t.Errorf("%d bytes are live after a repair that dropped a record, want %d", live, want)
	}
}
