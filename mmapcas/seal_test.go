package mmapcas

import (
	"errors"
	"syscall"
	"testing"

	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// A segment whose sync failed is sealed: what is put later goes to another, and what is in it with
// the next commit; everything can be read, now and after reopening.
func TestFailedSyncSealsItsSegment(t *testing.T) {
	mem := vfs.NewMem()
	o := small(mem)
	o.Sync = SyncGroup
	o.Appenders = 1
	s := mustOpen(t, "/s", o)
	all := []Hash{mustPut(t, s, 1, payload(1, 5000))}
	seg := s.segments()[0]
	whole := seg.file
	failing := vfs.FailFrom(mem, 2, syscall.EIO) // what is opened first works, what is done with it does not
	var err error
	if seg.file, err = failing.Open(seg.name, false); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(nil); !errors.Is(err, ErrSync) || !errors.Is(err, syscall.EIO) {
		t.Fatalf("commit: %v", err)
	}
	seg.file = whole
	length := seg.mem.Length()
	for i := range 5 {
		all = append(all, mustPut(t, s, 1, payload(10+i, 5000)))
	}
	if !seg.mem.Sealed() || seg.mem.Length() != length {
		t.Errorf("sealed=%v, %d bytes were added", seg.mem.Sealed(), seg.mem.Length()-length)
	}
	if n := s.Stats().Segments; n != 2 {
		t.Errorf("%d segments, want 2", n)
	}
	mustHave(t, s, all)
	if seg.synced.Load() >= length {
		t.Error("the segment counts as synced")
	}
	if err := s.Commit(nil); err != nil {
		t.Errorf("commit in another segment: %v", err)
	}
	for _, other := range s.segments() {
		if other == seg {
			t.Error("the segment is still there")
		}
	}
	mustHave(t, s, all)
	mustClose(t, s)
	s = mustOpen(t, "/s", o)
	mustHave(t, s, all)
	if err := s.Commit(nil); err != nil {
		t.Errorf("commit after reopening: %v", err)
	}
	mustClose(t, s)
}
