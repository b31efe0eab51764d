package mmapcas

import (
	"testing"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// A pin is noted (P1) before its record is looked for (P2): a cycle that begins in between finds
// one of the two.
func TestPinIsNotedBeforeItsRecordIsLookedFor(t *testing.T) {
	s := inMemory(t)
	h := mustPut(t, s, 1, payload(1, 100))
	c, err := s.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Abort()
	looked := false
	c.marked = func(Hash) {
		if looked = true; s.pins.len() != 1 {
			t.Error("P1: a record is looked for to be pinned, and a cycle that begins now would not know of the pin")
		}
	}
	release, err := s.Pin(h)
	if err != nil {
		t.Fatal(err)
	}
	release()
	if !looked {
		t.Error("the pinned record was not shaded")
	}
}

// Of two copies of a record, both whole, the one that the manifest covers counts: it may be
// durable, and the one in the tail may not.
func TestCopyThatTheManifestCoversCounts(t *testing.T) {
	mem := vfs.NewMem()
	o := small(mem)
	o.Sync, o.Appenders, o.SaveIndexBytes = SyncNone, 1, 1<<40
	s := mustOpen(t, "/s", o)
	h := mustPut(t, s, 1, payload(1, 300))
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	seg := s.segments()[0]
	covered := seg.mem.Length()
	s.index.Change(h, s.index.Find(h), arena.Nil) // as if it had been damaged
	mustPut(t, s, 1, payload(1, 300))
	if seg.mem.Length() == covered {
		t.Fatal("there is no other copy")
	}
	left := mem.Clone() // of a process that is killed
	mustClose(t, s)
	o.FS = left
	s = mustOpen(t, "/s", o)
	defer mustClose(t, s)
	if off := s.segments()[0].mem.Offset(s.index.Find(h)); off >= covered {
		t.Errorf("the copy at %d counts, and the manifest covers %d bytes, where another one is", off, covered)
	}
}

// No index is saved while records lie where they were moved to, and no commit has covered them
// since.
func TestNoIndexIsSavedBeforeMovedRecordsAreCovered(t *testing.T) {
	mem := vfs.NewMem()
	o := small(mem)
	o.SaveIndexBytes = 1 << 40
	s := mustOpen(t, "/s", o)
	defer mustClose(t, s)
	mustPut(t, s, 1, payload(1, 1000))
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	s.opts.SaveIndexBytes = 1
	s.counters.moved.Add(1) // as a collection does that has ended
	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	if v := s.beginSave(1, 1); v != nil {
		t.Error("an index is to be saved that leads to copies which no manifest record covers")
		close(s.saving.busy)
		s.saving.busy = nil
	}
}
