package mmapcas

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// inMemory opens a store in memory with one appender.
func inMemory(t *testing.T) *Store {
	t.Helper()
	s := mustOpen(t, "", Options{SegmentBytes: 64 << 10, ReserveBytes: 16 << 20, Appenders: 1})
	t.Cleanup(func() { mustClose(t, s) })
	return s
}

// The first record that is put after a cycle began is young as all later ones are: kept without a
// mark, and not queued when it is put again, since its put had put what it refers to.
func TestFirstYoungRecordIsYoung(t *testing.T) {
	s := inMemory(t)
	mustPut(t, s, 1, payload(1, 100))
	c, err := s.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Abort()
	h := mustPut(t, s, 1, payload(2, 100))
	if again := mustPut(t, s, 1, payload(2, 100)); again != h {
		t.Fatal("another name")
	}
	if queued := c.Shaded(); len(queued) != 0 {
		t.Errorf("%v are queued for tracing, and were put for the first time in this cycle", queued)
	}
	if colour, err := c.Colour(h); err != nil || colour != Young {
		t.Errorf("the first record of the cycle is %v, %v, want young", colour, err)
	}
}

// A put that looked at a cycle which has ended since marks nothing in the cycle that runs now: it
// begins again, and is told what that one says.
func TestPutOfAnEndedCycleMarksNothingInTheNext(t *testing.T) {
	s := inMemory(t)
	h := mustPut(t, s, 1, payload(1, 100))
	before, err := s.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	before.Abort()
	now, err := s.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	defer now.Abort()
	g := s.epochs.Pin()
	defer g.Unpin()
	if _, again, err := s.existingIn(before, h); err != nil || !again {
		t.Errorf("a put that began in a cycle before takes the marks of this one for that one's: again %v, %v", again, err)
	}
	if colour, err := now.Colour(h); err != nil || colour != White {
		t.Errorf("the record is %v, %v, and nothing has asked this cycle to keep it", colour, err)
	}
}

// Elders that are put again are remembered up to a bound. Beyond it there are no elders any more,
// and a cycle of all comes next.
func TestElderPutAgainAreBounded(t *testing.T) {
	var e elders
	e.ok.Store(true)
	for i := range againMax + 1 {
		if !e.known(0) {
			t.Fatalf("there are no elders after %d of them were put again, the bound is %d", i, againMax)
		}
		var h Hash
		binary.LittleEndian.PutUint64(h[:], uint64(i)+1)
		e.again(h, arena.Addr(2+i))
	}
	if e.known(0) || len(e.putAgain) != 0 {
		t.Errorf("%d elders are remembered, the bound is %d", len(e.putAgain), againMax)
	}
}

// What a short cycle copies is in proportion to what it frees: a segment of which less than a
// quarter is garbage stays where it is.
func TestShortCycleCopiesInProportion(t *testing.T) {
	s := inMemory(t)
	var elders []Hash
	for i := range 36 {
		elders = append(elders, mustPut(t, s, 1, payload(i, 1000)))
	}
	c, err := s.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range elders {
		if _, err := c.Mark(h); err != nil {
			t.Fatal(err)
		}
	}
	c.Whole(true)
	sweepAll(t, c)
	for i := range 9 {
		mustPut(t, s, 1, payload(100+i, 1000)) // a fifth of all, and a quarter of what is live
	}
	if c, err = s.BeginShortCycle(); err != nil {
		t.Fatal(err)
	}
	if st := sweepAll(t, c); st.Moved != 0 || st.Dropped != 9 {
		t.Errorf("a short cycle copied %d records to free %d, want none where a fifth of a segment is garbage", st.Moved, st.Dropped)
	}
}

// A cycle during which damage was met leaves no elders, though its collector says that it followed
// everything: what is lost may have been needed.
func TestDamageDuringACycleLeavesNoElders(t *testing.T) {
	s := inMemory(t)
	h := mustPut(t, s, 1, payload(1, 100))
	for _, damaged := range []bool{false, true, false} {
		c, err := s.BeginCycle()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Mark(h); err != nil {
			t.Fatal(err)
		}
		if damaged {
			_ = s.damage(nil, 0, "met during the cycle", nil)
		}
		c.Whole(true)
		if sweepAll(t, c); s.HasElders() == damaged {
			t.Errorf("damage was met during a cycle: %t, and there are elders: %t", damaged, damaged)
		}
	}
}

// After a sync that was made up for there are no elders: what was copied has other places.
func TestRescueEndsTheEldersTime(t *testing.T) {
	mem := vfs.NewMem()
	o := small(mem)
	o.Sync, o.Appenders = SyncGroup, 1
	s := mustOpen(t, "/s", o)
	defer mustClose(t, s)
	h := mustPut(t, s, 1, payload(1, 500))
	c, err := s.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Mark(h); err != nil {
		t.Fatal(err)
	}
	c.Whole(true)
	if sweepAll(t, c); !s.HasElders() {
		t.Fatal("there are no elders")
	}
	mustPut(t, s, 1, payload(2, 500))
	mend := failSyncOf(t, mem, s.segments()[len(s.segments())-1])
	if err := s.Commit(nil); !errors.Is(err, ErrSync) {
		t.Fatal(err)
	}
	mend()
	if err := s.Commit([]byte("a")); err != nil {
		t.Fatal(err)
	}
	if s.HasElders() {
		t.Error("elders were copied to make up for a sync that failed, and are still known by their places")
	}
}

// When a lost segment's file goes, the copies of its records are on the disk.
func TestRescuedCopiesAreDurableFirst(t *testing.T) {
	mem := vfs.NewMem()
	o := small(mem)
	o.Sync, o.Appenders = SyncGroup, 1
	s := mustOpen(t, "/s", o)
	defer mustClose(t, s)
	var all []Hash
	for i := range 20 {
		all = append(all, mustPut(t, s, 1, payload(i, 500)))
	}
	mustCommit(t, s, "durable")
	mustPut(t, s, 1, payload(100, 500))
	mend := failSyncOf(t, mem, s.segments()[0])
	if err := s.Commit(nil); !errors.Is(err, ErrSync) {
		t.Fatal(err)
	}
	mend()
	s.commitMu.Lock()
	err := s.rescue() // the first half of the next commit
	s.commitMu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(8) {
		checkSurvives(t, mem.CrashClone(seed), all, "durable")
	}
}

// A put that finds its record in a store that syncs every put makes it durable, though another put
// that has not returned yet stored it.
func TestSyncEveryOfARecordThatIsThere(t *testing.T) {
	mem := vfs.NewMem()
	o := small(mem)
	o.Sync = SyncEvery
	s := mustOpen(t, "/s", o)
	defer mustClose(t, s)
	p := payload(1, 3000)
	h := HashOf(1, p)
	g := s.epochs.Pin()
	_, _, err := s.appendSomewhere(1, h, record.Plain(p)) // another put, up to its sync
	g.Unpin()
	if err != nil {
		t.Fatal(err)
	}
	if again := mustPut(t, s, 1, p); again != h {
		t.Fatal("another name")
	}
	for seed := range uint64(8) {
		after := mustOpen(t, "/s", small(mem.CrashClone(seed)))
		if !after.Has(h) {
			t.Errorf("power cut %d: a put of a record that was there has returned, and the record is gone", seed)
		}
		mustClose(t, after)
	}
}

// A record that gets a segment of its own, and of which another put was quicker, leaves no segment
// behind.
func TestSegmentOfTheSlowerPutGoes(t *testing.T) {
	s := inMemory(t)
	p := payload(1, 40<<10)
	h := HashOf(1, p)
	a := s.pool.lease()
	g := s.epochs.Pin()
	for i, want := range []bool{true, false} {
		if _, fresh, err := s.appendAlone(a, 1, h, record.Plain(p)); err != nil || fresh != want {
			t.Fatalf("put %d: fresh %v, %v", i, fresh, err)
		}
	}
	g.Unpin()
	s.pool.giveBack(a)
	if n := len(s.segments()); n != 1 {
		t.Errorf("%d segments hold one record that was put twice at once", n)
	}
}

// A segment whose sync has failed takes nothing more, though it is open and has room.
func TestLostSegmentIsNoSpare(t *testing.T) {
	s := inMemory(t)
	seg, err := s.newSegment(0)
	if err != nil {
		t.Fatal(err)
	}
	s.giveOpen(seg.mem)
	seg.lost.Store(true)
	if got := s.takeSpare(100); got != nil {
		t.Errorf("segment %d is appended to, whose sync has failed", got.number)
	}
	seg.lost.Store(false)
	if got := s.takeSpare(100); got != seg {
		t.Error("an open segment with room is not used")
	}
}

// A compressed record whose bytes change between its check and the use is damage: the decoder gets
// none of them.
func TestBytesThatChangeAreNotUnpacked(t *testing.T) {
	s := mustOpen(t, "", Options{SegmentBytes: 64 << 10, ReserveBytes: 16 << 20, Compress: []Kind{1}})
	defer mustClose(t, s)
	h := mustPut(t, s, 1, prose(1, 4000))
	g := s.epochs.Pin()
	defer g.Unpin()
	seg, off, r, reason := s.load(s.index.Find(h))
	if reason != "" || !r.Stored.Compressed {
		t.Fatal(reason, r.Stored.Compressed)
	}
	r.Sum++ // as if the bytes were others by now
	var room []byte
	if _, err := s.payload(seg, off, &r, &room); !errors.Is(err, ErrCorrupt) {
		t.Errorf("bytes that do not fit their checksum any more are unpacked: %v", err)
	}
}

// A reader keeps memory to unpack the next payload into, and not more of it than a bound.
func TestReaderKeepsLittleMemory(t *testing.T) {
	var r spareRoom
	for _, c := range []struct{ bytes, kept int }{{roomKeptBytes, roomKeptBytes}, {roomKeptBytes + 1, 0}} {
		r = nil
		if r.giveBack(make([]byte, c.bytes)); cap(r.lend()) != c.kept {
			t.Errorf("of %d bytes another number is kept than %d", c.bytes, c.kept)
		}
	}
}

// What takes from the reserve leaves less of it until a sweep has ended: a store that makes new
// segments on a full disk does not take back at once what it gave. Small records leave half of it
// to the sweep.
func TestReserveStaysTakenUntilASweep(t *testing.T) {
	mem := vfs.NewMem()
	s := mustOpen(t, "/s", small(mem))
	defer mustClose(t, s)
	r := &s.reserve
	whole := r.bytes
	for s.useReserve(false) {
	}
	if r.bytes < whole/2 || r.bytes == whole {
		t.Errorf("small records left %d bytes of a reserve of %d, want half", r.bytes, whole)
	}
	left := r.bytes
	if s.fillReserve(false); r.bytes != left {
		t.Errorf("the reserve has %d bytes again, %d were left, and no sweep has ended", r.bytes, left)
	}
	if s.fillReserve(true); r.bytes != whole {
		t.Errorf("after a sweep the reserve has %d bytes, want %d", r.bytes, whole)
	}
}
