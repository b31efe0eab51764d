package mmapcas

import (
	"errors"
	"testing"

	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// What is put once a commit's lengths are settled is not covered by it: it is in the tail until the
// next commit. A caller that names its newest record in the note, and puts no other until covered
// is called, so finds all later ones.
func TestPutOfCoveredIsInTheTail(t *testing.T) {
	for _, sync := range []SyncMode{SyncNone, SyncGroup} {
		mem := vfs.NewMem()
		o := small(mem)
		o.Sync, o.Appenders = sync, 1
		s := mustOpen(t, "/s", o)
		mustPut(t, s, 4, []byte("before"))
		var late Hash
		if err := s.CommitCovered([]byte("note"), func() { late = mustPut(t, s, 4, []byte("late")) }); err != nil {
			t.Fatal(err)
		}
		mustClose(t, s)
		s = mustOpen(t, "/s", o)
		var tail []Hash
		if err := s.Tail(4, func(h Hash, _ []byte) error { tail = append(tail, h); return nil }); err != nil {
			t.Fatal(err)
		}
		if len(tail) != 1 || tail[0] != late {
			t.Errorf("sync %v: the tail has %v, want %v, which was put when covered was called", sync, tail, late)
		}
		mustClose(t, s)
	}
}

// Synced says of no record that it is on disk which a power cut can still take. That holds where
// part of its segment was synced before, and where the store was opened again in between.
func TestSyncedIsSaidOfWhatIsOnDisk(t *testing.T) {
	mem := vfs.NewMem()
	o := small(mem)
	o.Sync, o.Appenders = SyncNone, 1
	s := mustOpen(t, "/s", o)
	early := mustPut(t, s, 1, payload(1, 100))
	if err := errors.Join(s.Commit([]byte("early")), s.SyncCommitted()); err != nil {
		t.Fatal(err)
	}
	late := mustPut(t, s, 1, payload(2, 100))
	if err := s.Commit([]byte("late")); err != nil {
		t.Fatal(err)
	}
	check := func(s *Store, when string) {
		if s.Synced(late) {
			t.Errorf("%s: a record that no sync has covered is said to be on disk", when)
		}
	}
	if !s.Synced(early) {
		t.Error("a record that SyncCommitted covers is not said to be on disk")
	}
	check(s, "in the process that put it")
	mustClose(t, s)
	s = mustOpen(t, "/s", o)
	check(s, "in the next process")
	mustClose(t, s)
}

// SyncCommitted makes durable what is committed, also where it lies in files that were made after
// an earlier call.
func TestSyncCommittedReachesNewFiles(t *testing.T) {
	mem := vfs.NewMem()
	o := small(mem)
	o.Sync, o.Appenders = SyncNone, 1
	s := mustOpen(t, "/s", o)
	defer mustClose(t, s)
	var all []Hash
	for round := range 4 {
		for i := range 100 {
			all = append(all, mustPut(t, s, 1, payload(1000*round+i, 2000)))
		}
		if err := errors.Join(s.Commit([]byte{byte(round)}), s.SyncCommitted()); err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(4) {
			for order, left := range []*vfs.Mem{mem.CrashClone(seed), mem.CrashCloneUnordered(seed)} {
				o := o
				o.FS = left
				after := mustOpen(t, "/s", o)
				if missing := after.HasAll(all); missing >= 0 || string(after.Note()) != string([]byte{byte(round)}) {
					t.Fatalf("round %d, power cut %d.%d: SyncCommitted has returned, and record %d of %d is gone, the note is %q",
						round, seed, order, missing, len(all), after.Note())
				}
				mustClose(t, after)
			}
		}
	}
}

// The sync of a file that has failed is not tried again, even when the failure was made up for: it
// could report a success that never was.
func TestFailedSyncIsNeverTriedAgain(t *testing.T) {
	o := small(vfs.NewMem())
	o.Sync = SyncGroup
	s := mustOpen(t, "/s", o)
	defer s.Close()
	mustPut(t, s, 1, payload(1, 100))
	seg := s.segments()[0]
	seg.lost.Store(true)
	before := s.counters.syncs.Load()
	if err := s.syncSegment(seg, seg.mem.Length()); !errors.Is(err, ErrSync) {
		t.Errorf("sync of a file whose sync has failed before: %v, want ErrSync", err)
	}
	if n := s.counters.syncs.Load() - before; n != 0 || seg.synced.Load() >= seg.mem.Length() {
		t.Errorf("%d syncs were tried again, %d bytes count as synced", n, seg.synced.Load())
	}
}

// A slowFS calls a hook when a segment file is made, before it has its name.
type slowFS struct {
	vfs.FS
	making func(name string)
}

func (f *slowFS) Create(name string) (vfs.File, error) {
	if f.making != nil {
		f.making(name)
	}
	return f.FS.Create(name)
}

// A segment that is being made while a commit is written counts as newer than the commit: what is
// put there afterwards is found by the next Open, which removes older files that the manifest does
// not list.
func TestSegmentMadeDuringACommitStays(t *testing.T) {
	mem := vfs.NewMem()
	fs := &slowFS{FS: mem}
	o := small(fs)
	o.Sync, o.Appenders = SyncNone, 2
	s := mustOpen(t, "/s", o)
	mustPut(t, s, 1, payload(1, 100))
	committed := false
	fs.making = func(string) {
		if !committed {
			committed = true
			// Not by Commit, which would wait for the put that is under way: a collection writes
			// its manifest records beside puts.
			if err := s.forget(nil, nil); err != nil {
				t.Error(err)
			}
		}
	}
	var put []Hash
	for i := range 400 {
		put = append(put, mustPut(t, s, 1, payload(10+i, 1000)))
	}
	if !committed {
		t.Fatal("no segment was made")
	}
	left := mem.Clone() // a process that is killed
	mustClose(t, s)
	o.FS = left
	s = mustOpen(t, "/s", o)
	defer mustClose(t, s)
	if missing := s.HasAll(put); missing >= 0 {
		t.Errorf("record %d of %d, put into a segment that was being made while a manifest record was written, is gone after the process was killed",
			missing, len(put))
	}
}
