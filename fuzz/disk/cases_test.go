package disk

import (
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// TestUnreadableSegmentIsKept: a segment that no manifest record lists yet and that cannot be read at one open is read at the
// next. A commit between must not make it look like one that a collection dropped, or the next open would remove it.
func TestUnreadableSegmentIsKept(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	l := newLedger()
	mem, _, err := run(l, vfs.NewMem(), plan{sync: mmapcas.SyncEvery, end: killed}, rng, func(s *session) { s.fill(3, 500) })
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	fs := NewFaulty(mem, func(_ int64, call, name string) error {
		if call != "read" || !strings.HasSuffix(name, ".seg") {
			return nil
		}
		failed++
		return syscall.EIO
	})
	s, err := mmapcas.Open(dir, options(fs, mmapcas.SyncGroup))
	if err != nil || failed == 0 {
		t.Fatalf("%d reads failed, open says %v", failed, err)
	}
	if s.Stats().Damaged == 0 {
		t.Error("a segment that cannot be read is not said to be damaged")
	}
	if _, _, err := s.Put(kind, []byte("another")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		l.tried("between")
		if err := s.Commit([]byte("between")); err != nil {
			t.Fatal(err)
		}
		l.committed(true)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := healthy(l, mem); err != nil {
		t.Error(err)
	}
}

// TestLedgerNotices: the model must be able to say no. A record that was promised and is not there, another note, a record
// with a wrong promise after the power went.
func TestLedgerNotices(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	l := newLedger()
	work := func(s *session) { s.fill(3, 500); s.commit() }
	mem, _, err := run(l, vfs.NewMem(), plan{sync: mmapcas.SyncGroup}, rng, work)
	if err != nil {
		t.Fatal(err)
	}
	if err := healthy(l, mem); err != nil {
		t.Fatal(err)
	}
	missing := *l
	missing.records = map[mmapcas.Hash]*record{{1}: {payload: []byte("never put"), promise: durable}}
	missing.order = []mmapcas.Hash{{1}}
	if healthy(&missing, mem) == nil {
		t.Error("a missing record is not noticed")
	}
	note := *l
	note.notes = []string{"another"}
	if healthy(&note, mem) == nil {
		t.Error("a wrong note is not noticed")
	}
	// A disk that forgets what it has synced.
	lost, err := mem.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range lost {
		if strings.HasSuffix(name, ".seg") {
			if err := mem.Remove(dir + "/" + name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if healthy(l, mem) == nil {
		t.Error("a lost segment is not noticed")
	}
}
