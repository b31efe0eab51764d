package mmapcas

import (
	"errors"
	iofs "io/fs"
	"testing"

	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// stuck is a file system on which one name cannot be removed, as on Windows when another process,
// a virus scanner say, has the file open.
type stuck struct {
	vfs.FS
	name string
}

func (s *stuck) Remove(name string) error {
	if name == s.name {
		return &iofs.PathError{Op: "remove", Path: name, Err: errors.New("sharing violation")}
	}
	return s.FS.Remove(name)
}

// TestLeftoverThatStays: a segment that a collection dropped and that cannot be removed costs its
// disk space, and neither the store nor a right answer.
func TestLeftoverThatStays(t *testing.T) {
	mem := vfs.NewMem()
	fs := &stuck{FS: mem}
	o := small(fs)
	o.Appenders = 1
	s := mustOpen(t, "/s", o)
	kept := mustPut(t, s, 9, payload(0, 500))
	for i := range 400 {
		mustPut(t, s, 9, payload(i+1, 500))
	}
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	fs.name = s.segments()[0].name
	c, err := s.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Mark(kept); err != nil {
		t.Fatal(err)
	}
	sweepAll(t, c)
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	leftover := fs.name
	if _, err := mem.Open(leftover, true); err != nil {
		t.Fatalf("nothing of the collection was left over: %v", err)
	}

	for range 2 {
		s = mustOpen(t, "/s", o)
		if got, _, err := s.Get(kept, nil); err != nil || string(got) != string(payload(0, 500)) {
			t.Fatalf("the record that is kept: %v", err)
		}
		if s.Has(HashOf(9, payload(1, 500))) {
			t.Error("a record of the dropped segment is back")
		}
		mustVerify(t, s)
		mustClose(t, s)
	}
	fs.name = ""
	mustClose(t, mustOpen(t, "/s", o))
	if _, err := mem.Open(leftover, true); !errors.Is(err, iofs.ErrNotExist) {
		t.Errorf("the leftover can be removed, and is there: %v", err)
	}
}
