package mmapcas

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// begin puts n records of which one in four is live, begins a cycle, marks these, and puts some
// more.
func begin(t *testing.T, s *Store, n int) (c *Cycle, live, young []Hash) {
	t.Helper()
	for i := range n {
		if h := mustPut(t, s, 1, payload(i, 500)); i%4 == 0 {
			live = append(live, h)
		}
	}
	c, err := s.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range live {
		if _, err := c.Mark(h); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		young = append(young, mustPut(t, s, 1, payload(10_000+i, 500)))
	}
	return c, live, young
}

func mustHave(t *testing.T, s *Store, hs []Hash) {
	t.Helper()
	for _, h := range hs {
		if _, _, err := s.Get(h, nil); err != nil {
			t.Fatalf("%v: %v", h, err)
		}
	}
}

// A segment that is still being appended to is emptied like any other, with what was put there
// during the cycle.
func TestSweepEmptiesOpenSegments(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		o.Appenders = 1
		s := mustOpen(t, dir, o)
		c, live, young := begin(t, s, 80) // 40 KiB of the 64 that a segment has
		before := s.Stats()
		if before.Segments != 1 || s.segments()[0].mem.Sealed() {
			t.Fatalf("%d segments, want one that is open", before.Segments)
		}
		if st := sweepAll(t, c); st.Moved != int64(len(live)+len(young)) || st.Freed == 0 {
			t.Fatalf("%+v, want %d records moved", st, len(live)+len(young))
		}
		after := s.Stats()
		if after.StoredBytes != after.LiveBytes+segmentHeaderBytes || after.Records != int64(len(live)+len(young)) {
			t.Errorf("after the sweep: %+v", after)
		}
		// What it was copied to is appended to.
		young = append(young, mustPut(t, s, 1, payload(20_000, 500)))
		if n := s.Stats().Segments; n != 1 {
			t.Errorf("%d segments after a put, want 1", n)
		}
		mustHave(t, s, live)
		mustHave(t, s, young)
		mustVerify(t, s)
		mustClose(t, s)
		if dir == "" {
			return
		}
		s = mustOpen(t, dir, o)
		mustHave(t, s, live)
		mustHave(t, s, young)
		mustClose(t, s)
	})
}

// Little garbage is left where it is: a sweep copies no more than it must.
func TestSweepLeavesLittleGarbage(t *testing.T) {
	s := mustOpen(t, "", small(nil))
	defer mustClose(t, s)
	var live []Hash
	for i := range 1000 {
		if h := mustPut(t, s, 1, payload(i, 500)); i%20 != 0 {
			live = append(live, h)
		}
	}
	if st := collect(t, s, live); st.Dropped != 50 || st.Moved != 0 {
		t.Errorf("%+v, want 50 records dropped and none moved", st)
	}
	// The next 10 percent are in one segment. Emptying that is enough.
	st := collect(t, s, live[150:])
	if st.Dropped != 150 || st.Moved > 130 {
		t.Errorf("%+v, want 150 records dropped and no more moved than a segment holds", st)
	}
	// docs/DURABILITY.md promises 1.1 times what is live, also when garbage is spread evenly.
	bounded := func() {
		t.Helper()
		if st := s.Stats(); st.StoredBytes*100 > st.LiveBytes*110+100*segmentHeaderBytes*int64(st.Segments) {
			t.Errorf("%d bytes are stored, %d live", st.StoredBytes, st.LiveBytes)
		}
	}
	bounded()
	var fewer []Hash
	for i, h := range live[150:] {
		if i%3 != 0 {
			fewer = append(fewer, h)
		}
	}
	if st := collect(t, s, fewer); st.Moved == 0 {
		t.Errorf("%+v, want records moved", st)
	}
	bounded()
}

// The power goes, or the process is killed, after every slice of a sweep that empties open segments
// with records that no commit covers.
func TestSweepOfOpenSegmentsInterrupted(t *testing.T) {
	rng := seeded(t)
	fs := vfs.NewMem()
	o := small(fs)
	o.Sync = SyncGroup
	s := mustOpen(t, "/s", o)
	for i := range 100 {
		mustPut(t, s, 1, payload(5000+i, 500)) // garbage
	}
	var committed []Hash
	for i := range 20 {
		committed = append(committed, mustPut(t, s, 1, payload(6000+i, 500)))
	}
	if err := s.Commit([]byte("x")); err != nil {
		t.Fatal(err)
	}
	c, live, young := begin(t, s, 200)
	for _, h := range committed {
		if _, err := c.Mark(h); err != nil {
			t.Fatal(err)
		}
	}
	for step, done := rng.Int64N(stride()), false; !done; step++ {
		var err error
		if done, _, err = c.Sweep(0); err != nil {
			t.Fatal(err)
		}
		if step%(1+stride()/8) != 0 && !done {
			continue
		}
		killed := mustOpen(t, "/s", small(fs.Clone()))
		mustHave(t, killed, committed)
		mustHave(t, killed, live)
		mustHave(t, killed, young)
		mustVerify(t, killed)
		mustClose(t, killed)
		for range 3 {
			cut := mustOpen(t, "/s", small(fs.CrashClone(rng.Uint64())))
			mustHave(t, cut, committed)
			if string(cut.Note()) != "x" {
				t.Fatalf("note %q", cut.Note())
			}
			mustVerify(t, cut)
			mustClose(t, cut)
		}
	}
	mustClose(t, s)
}

// Where there is no room for copies, an open segment stays open.
func TestFullDiskLeavesOpenSegmentsOpen(t *testing.T) {
	mem := vfs.NewMem()
	o := small(mem)
	o.Appenders = 1
	s := mustOpen(t, "/s", o)
	defer mustClose(t, s)
	c, live, young := begin(t, s, 80)
	mem.SetLimit(1)
	if st := sweepAll(t, c); st.Moved != 0 || st.Dropped != 60 {
		t.Errorf("%+v", st)
	}
	mustPut(t, s, 1, payload(20_000, 500))
	if n := s.Stats().Segments; n != 1 {
		t.Errorf("%d segments, want 1", n)
	}
	mustHave(t, s, live)
	mustHave(t, s, young)
	mem.SetLimit(0)
	if st := collect(t, s, live); st.Moved != int64(len(live)) {
		t.Errorf("with room again: %+v", st)
	}
}

// A sweep that is given up gives back the open segments that it took.
func TestAbortGivesOpenSegmentsBack(t *testing.T) {
	o := small(nil)
	o.Appenders = 1
	s := mustOpen(t, "", o)
	defer mustClose(t, s)
	c, live, _ := begin(t, s, 80)
	c.plan()
	if len(c.sweep.todo) != 1 || !c.sweep.todo[0].ours {
		t.Fatalf("plan: %+v", c.sweep.todo)
	}
	c.Abort()
	mustPut(t, s, 1, payload(20_000, 500))
	if n := s.Stats().Segments; n != 1 {
		t.Errorf("%d segments after a put, want 1", n)
	}
	mustHave(t, s, live)
}

func fileSize(t *testing.T, fs vfs.FS, name string) int64 {
	t.Helper()
	f, err := fs.Open(name, true)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n, err := f.Size()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Close gives disk space back that was taken ahead, and what follows finds everything, as often as
// that happens.
func TestCloseTrims(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		if dir == "" {
			t.Skip("needs files")
		}
		var all []Hash
		for round := range 4 {
			s := mustOpen(t, dir, o)
			mustHave(t, s, all)
			for i := range 10 {
				all = append(all, mustPut(t, s, 1, payload(round*100+i, 500)))
			}
			if round%2 == 0 {
				if err := s.Commit(nil); err != nil {
					t.Fatal(err)
				}
			}
			segs := s.segments()
			mustClose(t, s)
			for _, seg := range segs {
				if size := fileSize(t, s.fs, seg.name); size < seg.mem.Length() || size >= seg.mem.Length()+allocateBytesMin {
					t.Errorf("round %d: %s has %d bytes for %d", round, seg.name, size, seg.mem.Length())
				}
			}
			if len(segs) != 1 {
				t.Errorf("round %d: %d segments, want 1", round, len(segs))
			}
		}
		r := mustOpen(t, dir, Options{FS: o.FS, Table: o.Table, ReadOnly: true})
		mustHave(t, r, all)
		mustVerify(t, r)
		mustClose(t, r)
	})
}

// A reader that stays keeps its memory longer than the store is open. By then the files may be
// another's: they are not cut.
func TestNoTrimAfterClose(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s")
	o := small(nil)
	s := mustOpen(t, dir, o)
	h := mustPut(t, s, 1, payload(1, 500))
	name := s.segments()[0].name
	g := s.epochs.Pin()
	mustClose(t, s)
	before := fileSize(t, s.fs, name)
	if before < allocateBytesMin {
		t.Fatalf("%s was cut to %d bytes below a reader", name, before)
	}
	next := mustOpen(t, dir, o)
	h2 := mustPut(t, next, 1, payload(2, 30_000))
	g.Unpin()
	for range 10 {
		s.epochs.Collect()
	}
	if after := fileSize(t, s.fs, name); after < before {
		t.Errorf("%s was cut from %d to %d bytes while another has it open", name, before, after)
	}
	mustHave(t, next, []Hash{h, h2})
	mustClose(t, next)
}

// A file with damage is left as it is: what lies behind the damage may be of use to somebody.
func TestNoTrimOfDamage(t *testing.T) {
	fs, _ := smallStore(t)
	s := mustOpen(t, "/s", small(fs))
	seg := s.segments()[0]
	mustClose(t, s)
	f, err := fs.Open(seg.name, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(allocateBytesMin); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte{0xff}, segmentHeaderBytes+record.HashAt); err != nil {
		t.Fatal(err)
	}
	if err := fs.Remove(s.indexFile()); err != nil { // which would spare Open the look at the records
		t.Fatal(err)
	}
	s = mustOpen(t, "/s", small(fs))
	if s.Stats().Damaged == 0 {
		t.Fatal("the damage was not found")
	}
	mustClose(t, s)
	if n := fileSize(t, fs, seg.name); n != allocateBytesMin {
		t.Errorf("the file has %d bytes, it had %d", n, int64(allocateBytesMin))
	}
}

// Sweep in one go does what it does in slices.
func TestSweepInOneGo(t *testing.T) {
	s := mustOpen(t, "", small(nil))
	defer mustClose(t, s)
	c, live, young := begin(t, s, 400)
	if done, st, err := c.Sweep(time.Hour); !done || err != nil || st.Moved == 0 {
		t.Fatalf("%v %+v %v", done, st, err)
	}
	mustHave(t, s, live)
	mustHave(t, s, young)
	mustVerify(t, s)
}

// A file is given an eighth of what it has ahead, so that a store is not much larger on the disk
// than what is in it.
func TestFilesHaveAnEighthAhead(t *testing.T) {
	fs := vfs.NewMem()
	o := small(fs)
	o.SegmentBytes, o.Appenders = 8<<20, 1
	s := mustOpen(t, "/s", o)
	defer mustClose(t, s)
	for i := range 400 {
		mustPut(t, s, 1, payload(i, 15_000))
		seg := s.segments()[0]
		n := seg.mem.Length()
		if size, most := fileSize(t, fs, seg.name), n+max(n/8, allocateBytesMin)+allocateBytesMin; size < n || size > most {
			t.Fatalf("the file has %d bytes for %d, want at most %d", size, n, most)
		}
	}
}
