package mmapcas

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"

	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// An ack is what a workload was told to be durable.
type ack struct {
	records map[Hash][]byte
	note    string   // of the last commit that returned nil
	later   []string // notes of commits that failed since
}

func (a *ack) commit(s *Store, live map[Hash][]byte, note string) error {
	if err := s.Commit([]byte(note)); err != nil {
		a.later = append(a.later, note)
		return err
	}
	a.note, a.later = note, nil
	a.records = map[Hash][]byte{}
	for h, p := range live {
		a.records[h] = p
	}
	return nil
}

// workload opens a store, fills several segments, commits, collects, in two rounds, and goes on
// after errors as a program would that logs them. It hands each error to onErr.
func workload(fs vfs.FS, sync SyncMode, onErr func(error)) (a ack) {
	try := func(err error) bool {
		if err != nil {
			onErr(err)
		}
		return err == nil
	}
	live := map[Hash][]byte{}
	o := small(fs)
	o.Sync = sync
	o.Appenders = 1
	for round := range 2 {
		s, err := Open("/s", o)
		if !try(err) {
			continue
		}
		put := func(i, n int, keep bool) {
			p := payload(round*1000+i, n)
			h, _, err := s.Put(1, p)
			if try(err) && keep {
				live[h] = p
			}
		}
		for i := range 60 {
			put(i, 3000, i%5 == 0)
		}
		put(100, 100_000, true) // a segment of its own
		try(a.commit(s, live, fmt.Sprint("first ", round)))
		collectAnd(s, live, try)
		for i := range 10 {
			put(200+i, 3000, true)
		}
		try(a.commit(s, live, fmt.Sprint("second ", round)))
		try(s.Close())
	}
	return a
}

func collectAnd(s *Store, live map[Hash][]byte, try func(error) bool) {
	c, err := s.BeginCycle()
	if !try(err) {
		return
	}
	for h := range live {
		if _, err := c.Mark(h); !try(err) {
			break
		}
	}
	for range 10_000 {
		done, _, err := c.Sweep(0)
		if done {
			return
		}
		if !try(err) {
			break
		}
	}
	c.Abort()
}

// checkRecovers opens a store as somebody left it, and finds in it all that was acknowledged.
func checkRecovers(t *testing.T, fs vfs.FS, a ack) {
	t.Helper()
	s, err := Open("/s", small(fs))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	for h, p := range a.records {
		got, _, err := s.Get(h, nil)
		if err != nil || string(got) != string(p) {
			t.Fatalf("acknowledged record %v: %v", h, err)
		}
	}
	if note := string(s.Note()); note != a.note && !slices.Contains(a.later, note) {
		t.Fatalf("note is %q, acknowledged was %q, tried later %q", note, a.note, a.later)
	}
	mustVerify(t, s)
	mustPut(t, s, 1, []byte("and it can be written"))
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
}

// stride thins out loops over all steps where each costs much: the random start decides which are
// taken.
func stride() int64 {
	if raceEnabled || testing.Short() {
		return 31
	}
	return 1
}

// TestFailEveryStep fails each step of the workload once and cuts the power at the end: what was
// acknowledged survives.
func TestFailEveryStep(t *testing.T) {
	rng := seeded(t)
	stride := stride()
	for n := 1 + rng.Int64N(stride); ; n += stride {
		mem := vfs.NewMem()
		fs := vfs.FailNth(mem, n, nil)
		var failed error
		a := workload(fs, SyncGroup, func(err error) { failed = errors.Join(failed, err) })
		checkRecovers(t, mem.CrashClone(rng.Uint64()), a)
		checkRecovers(t, mem.Clone(), a)
		if t.Failed() {
			t.Fatalf("step %d", n)
		}
		if !fs.Fired() {
			t.Logf("%d steps", n-1)
			if failed != nil {
				t.Fatalf("errors without a failure: %v", failed)
			}
			return
		}
	}
}

// TestPowerCut cuts the power after each step, by failing that step and all later ones.
func TestPowerCut(t *testing.T) {
	rng := seeded(t)
	stride := stride()
	for n := 1 + rng.Int64N(stride); ; n += stride {
		mem := vfs.NewMem()
		fs := vfs.FailFrom(mem, n, nil)
		a := workload(fs, SyncGroup, func(error) {})
		for range 2 {
			checkRecovers(t, mem.CrashClone(rng.Uint64()), a)
		}
		if !fs.Fired() {
			return
		}
	}
}

// TestPowerCutWithoutSync: nothing is certain, but nothing is wrong, and the store opens.
func TestPowerCutWithoutSync(t *testing.T) {
	rng := seeded(t)
	for range 150 / (4 + stride()) {
		mem := vfs.NewMem()
		n := 1 + rng.Int64N(300)
		a := workload(vfs.FailFrom(mem, n, nil), SyncNone, func(error) {})
		s, err := Open("/s", small(mem.CrashClone(rng.Uint64())))
		if err != nil {
			t.Fatal(err)
		}
		for h, p := range a.records {
			got, _, err := s.Get(h, nil)
			switch {
			case err == nil && string(got) == string(p), errors.Is(err, ErrNotFound):
			case errors.Is(err, ErrCorrupt):
				if _, fresh, err := s.Put(1, p); !fresh || err != nil {
					t.Fatalf("put after damage: %v %v", fresh, err)
				}
			default:
				t.Fatalf("wrong answer, or error %v", err)
			}
		}
		mustClose(t, s)
	}
}

// TestSyncCommitted: what a commit covers is durable once it was asked for, where no commit waits
// for the disk either.
func TestSyncCommitted(t *testing.T) {
	rng := seeded(t)
	mem := vfs.NewMem()
	o := small(mem)
	o.Sync = SyncNone
	s := mustOpen(t, "/s", o)
	var names []Hash
	for i := range 20 {
		names = append(names, mustPut(t, s, 1, payload(i, 2000)))
		if err := s.Commit([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
		if i%3 != 0 {
			continue
		}
		if err := s.SyncCommitted(); err != nil {
			t.Fatal(err)
		}
		c := mustOpen(t, "/s", small(mem.CrashClone(rng.Uint64())))
		if missing := c.HasAll(names); missing >= 0 || !slices.Equal(c.Note(), []byte{byte(i)}) {
			t.Errorf("after commit %d record %d is not there, or the note is not its: %v", i, missing, c.Note())
		}
		mustClose(t, c)
	}
	mustClose(t, s)
}

func TestSyncEvery(t *testing.T) {
	rng := seeded(t)
	mem := vfs.NewMem()
	o := small(mem)
	o.Sync = SyncEvery
	s := mustOpen(t, "/s", o)
	for i := range 100 {
		p := payload(i, 2000)
		h := mustPut(t, s, 1, p)
		if i%9 != 0 {
			continue
		}
		c := mustOpen(t, "/s", small(mem.CrashClone(rng.Uint64())))
		if got, _, err := c.Get(h, nil); err != nil || string(got) != string(p) {
			t.Fatalf("record %d was acknowledged, after a power cut: %v", i, err)
		}
		mustClose(t, c)
	}
	mustClose(t, s)
}

// TestFailedSync: a sync that failed is not tried again on its file. If it was a segment's, the
// next commit covers what was put all the same; if it was another, no later commit succeeds. Either
// way what a commit that returned nil covers survives a power cut.
func TestFailedSync(t *testing.T) {
	rescued, final := 0, 0
	for n := int64(1); ; n++ {
		mem := vfs.NewMem()
		o := small(mem)
		o.Sync = SyncGroup
		o.SaveIndexBytes = 1 << 40 // a save of the index runs beside, and takes steps of its own
		s := mustOpen(t, "/s", o)
		all := []Hash{mustPut(t, s, 1, payload(1, 5000)), mustPut(t, s, 1, payload(3, 20_000)), mustPut(t, s, 1, payload(4, 150_000))}
		fs := vfs.FailNth(mem, n, syscall.EIO)
		s.fs = fs
		for _, seg := range s.segs {
			seg.file, _ = fs.Open(seg.name, false)
		}
		if fs.Fired() {
			mustClose(t, s)
			continue
		}
		err := s.Commit([]byte("x"))
		if err == nil {
			if !fs.Fired() {
				mustClose(t, s)
				break
			}
			t.Fatalf("step %d failed, the commit did not", n)
		}
		all = append(all, mustPut(t, s, 1, payload(2, 5000)))
		again := s.Commit([]byte("y"))
		switch {
		case again == nil:
			if errors.Is(err, ErrSync) {
				rescued++
			}
			for seed := range uint64(8) {
				checkSurvives(t, mem.CrashClone(seed), all, "y")
			}
		case errors.Is(err, ErrSync) && errors.Is(again, ErrSync) && errors.Is(again, syscall.EIO):
			final++
			if err := s.Commit(nil); !errors.Is(err, ErrSync) {
				t.Errorf("a third commit: %v", err)
			}
		default:
			t.Fatalf("step %d: %v, then %v", n, err, again)
		}
		mustHave(t, s, all)
		mustPut(t, s, 1, payload(5, 5000))
		mustVerify(t, s)
		mustClose(t, s)
	}
	if rescued < 2 || final == 0 {
		t.Errorf("%d commits made up for a failed sync, %d could not", rescued, final)
	}
}

// checkSurvives opens what is left and finds these records and the note.
func checkSurvives(t *testing.T, fs vfs.FS, all []Hash, note string) {
	t.Helper()
	s := mustOpen(t, "/s", small(fs))
	mustHave(t, s, all)
	if string(s.Note()) != note {
		t.Errorf("note %q, want %q", s.Note(), note)
	}
	mustVerify(t, s)
	mustClose(t, s)
}

// failSyncOf makes the next sync of a segment fail.
func failSyncOf(t *testing.T, mem *vfs.Mem, seg *segment) (mend func()) {
	t.Helper()
	whole := seg.file
	var err error
	if seg.file, err = vfs.FailFrom(mem, 2, syscall.EIO).Open(seg.name, false); err != nil { // what is opened first works
		t.Fatal(err)
	}
	return func() { seg.file = whole }
}

// TestRescueOfWhatIsGone: if the system has dropped a page that it could not write, no commit says
// that the record in it is durable.
func TestRescueOfWhatIsGone(t *testing.T) {
	mem := vfs.NewMem()
	o := small(mem)
	o.Sync, o.Appenders = SyncGroup, 1
	s := mustOpen(t, "/s", o)
	first, second := mustPut(t, s, 1, payload(1, 500)), mustPut(t, s, 1, payload(2, 500))
	seg := s.segments()[0]
	mend := failSyncOf(t, mem, seg)
	if err := s.Commit(nil); !errors.Is(err, ErrSync) {
		t.Fatal(err)
	}
	mend()
	clear(seg.mem.Mem()[seg.mem.Offset(s.index.Find(second))+100:][:64])
	for range 2 {
		if err := s.Commit(nil); !errors.Is(err, ErrSync) || !errors.Is(err, syscall.EIO) {
			t.Fatalf("commit of what is gone: %v", err)
		}
	}
	mustHave(t, s, []Hash{first})
	if _, _, err := s.Get(second, nil); !errors.Is(err, ErrCorrupt) && err != ErrNotFound {
		t.Errorf("%v", err)
	}
	mustClose(t, s)
}

// TestRescueWaitsForTheCycle: while a collection is under way, which has its own view of the
// segments, commits fail; after it they go on.
func TestRescueWaitsForTheCycle(t *testing.T) {
	mem := vfs.NewMem()
	o := small(mem)
	o.Sync, o.Appenders = SyncGroup, 1
	s := mustOpen(t, "/s", o)
	var all []Hash
	for i := range 300 {
		all = append(all, mustPut(t, s, 1, payload(i, 500)))
	}
	c, err := s.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	for _, seg := range s.segments() {
		defer failSyncOf(t, mem, seg)()
	}
	there := s.segments()
	for range 2 {
		if err := s.Commit(nil); !errors.Is(err, ErrSync) {
			t.Fatalf("commit during a collection: %v", err)
		}
	}
	if !slices.Equal(s.segments(), there) {
		t.Fatal("a commit has taken segments away that a collection under way knows of")
	}
	for _, h := range all {
		if _, err := c.Mark(h); err != nil {
			t.Fatal(err)
		}
	}
	c.Abort()
	// One segment was tried and is lost; the others fail in their turn, and are rescued in theirs.
	for n := 0; ; n++ {
		err := s.Commit([]byte("z"))
		if err == nil {
			break
		}
		if !errors.Is(err, ErrSync) || n > 10 {
			t.Fatal(err)
		}
	}
	for seed := range uint64(8) {
		checkSurvives(t, mem.CrashClone(seed), all, "z")
	}
	collect(t, s, all)
	mustHave(t, s, all)
	mustClose(t, s)
}

// TestFullDisk: each step once finds the disk full. The error says so, and with space again
// everything works.
func TestFullDisk(t *testing.T) {
	stride := stride()
	for n := 1 + seeded(t).Int64N(stride); ; n += stride {
		mem := vfs.NewMem()
		fs := vfs.FailNth(mem, n, syscall.ENOSPC)
		workload(fs, SyncGroup, func(err error) {
			if !errors.Is(err, ErrNoSpace) {
				t.Errorf("step %d: %v is no ErrNoSpace", n, err)
			}
		})
		if t.Failed() || !fs.Fired() {
			return
		}
	}
}

// TestCompactOnFullDisk: a collection makes room on a disk that has room for one more segment, and
// harms nothing where there is none at all.
func TestCompactOnFullDisk(t *testing.T) {
	mem := vfs.NewMem()
	o := small(mem)
	o.Sync = SyncGroup
	s := mustOpen(t, "/s", o)
	mem.SetLimit(2 << 20)
	var live []Hash
	n := 0
	for ; ; n++ {
		h, _, err := s.Put(1, payload(n, 1000))
		if errors.Is(err, ErrNoSpace) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if n%4 == 0 || n < 200 {
			live = append(live, h)
		}
	}
	if n < 1000 {
		t.Fatalf("full after %d records", n)
	}
	if err := s.Commit([]byte("full")); err != nil {
		t.Fatal(err)
	}
	if st := collect(t, s, live); st.Moved != 0 || st.Dropped == 0 {
		t.Fatalf("%+v", st)
	}
	s.waitForSave() // or an index file may take what there is for copies
	mem.SetLimit(2<<20 + 64<<10)
	if st := collect(t, s, live); st.Moved == 0 || st.Freed < 1<<20 {
		t.Fatalf("%+v", st)
	}
	for i := range 500 {
		live = append(live, mustPut(t, s, 1, payload(n+i, 1000)))
	}
	for _, h := range live {
		if _, _, err := s.Get(h, nil); err != nil {
			t.Fatal(err)
		}
	}
	mustVerify(t, s)
	mustClose(t, s)
	s = mustOpen(t, "/s", o)
	mustVerify(t, s)
	mustClose(t, s)
}

func TestReadOnlyDisk(t *testing.T) {
	for _, errno := range []error{syscall.EROFS, syscall.EACCES} {
		_, err := Open("/s", small(vfs.FailFrom(vfs.NewMem(), 1, errno)))
		if !errors.Is(err, ErrReadOnly) || !errors.Is(err, errno) {
			t.Errorf("open on a disk that says %v: %v", errno, err)
		}
	}
}

// TestCopiesHaveTheirNamesBeforeOriginalsGo: what was durable is so after a collection of a later
// session that waits for nothing. Its copies lie in segments whose names have to be on disk before
// the manifest forgets where the originals are.
func TestCopiesHaveTheirNamesBeforeOriginalsGo(t *testing.T) {
	for seed := range uint64(40) {
		mem := vfs.NewMem()
		o := small(mem)
		o.Appenders, o.Sync = 1, SyncGroup
		s := mustOpen(t, "/s", o)
		var live []Hash
		for i := range 100 {
			h := mustPut(t, s, 1, payload(i, 400))
			if i%3 == 0 {
				live = append(live, h)
			}
		}
		if err := s.Commit([]byte("durable")); err != nil {
			t.Fatal(err)
		}
		mustClose(t, s)
		o.Sync = SyncNone
		s = mustOpen(t, "/s", o)
		if st := collect(t, s, live); st.Moved == 0 {
			t.Fatal("nothing was moved")
		}
		for _, left := range []*vfs.Mem{mem.CrashClone(seed), mem.CrashCloneUnordered(seed)} {
			o.FS = left
			after := mustOpen(t, "/s", o)
			for i, h := range live {
				if _, _, err := after.Get(h, nil); err != nil {
					t.Fatalf("seed %d: record %d of %d, durable since before the collection, is gone after a power cut: %v", seed, i, len(live), err)
				}
			}
			mustClose(t, after)
		}
		mustClose(t, s)
	}
}
