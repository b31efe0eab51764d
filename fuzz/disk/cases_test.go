package disk

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// TestUnreadableSegmentIsKept: a segment that no manifest record lists yet and that cannot be read
// at one open is read at the next. A commit between must not make it look like one that a
// collection dropped, or the next open would remove it.
func TestUnreadableSegmentIsKept(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	l := newLedger()
	mem, _, err := run(l, vfs.NewMem(), plan{sync: mmapcas.SyncEvery, end: killed}, rng, func(s *session) { s.fill(3, 500) })
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	faulty := NewFaulty(mem, func(_ int64, call, name string) error {
		if call != "read" || !strings.HasSuffix(name, ".seg") {
			return nil
		}
		failed++
		return syscall.EIO
	})
	s, err := mmapcas.Open(dir, options(faulty, mmapcas.SyncGroup))
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
		l.tried("between", true)
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

// TestSegmentHeaderUnreadableOnce: the header of a segment that the manifest lists cannot be read
// at one open. Nothing that was promised is lost by it.
func TestSegmentHeaderUnreadableOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	l := newLedger()
	mem, _, err := run(l, vfs.NewMem(), plan{sync: mmapcas.SyncGroup, end: closed}, rng, (*session).script)
	if err != nil {
		t.Fatal(err)
	}
	for nth := 1; ; nth++ {
		reads := 0
		faulty := NewFaulty(mem.Clone(), func(_ int64, call, name string) error {
			if call != "read" || !strings.HasSuffix(name, ".seg") {
				return nil
			}
			if reads++; reads == nth {
				return syscall.EIO
			}
			return nil
		})
		s, err := mmapcas.Open(dir, options(faulty, mmapcas.SyncGroup))
		if err != nil {
			if !errors.Is(err, syscall.EIO) {
				t.Fatalf("read %d: %v", nth, err)
			}
			continue
		}
		if err := errors.Join(l.check(s), s.Close()); err != nil {
			t.Errorf("read %d of a segment fails: %v", nth, err)
		}
		if reads < nth {
			break
		}
	}
}

// TestLedgerNotices: the model must be able to say no. A record that was promised and is not there,
// another note, a record with a wrong promise after the power went.
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

// TestNothingIsAppendedBehindAFalseHeader: the power may bring back the header of a record of an
// earlier, lost future in the place of one that was committed without a sync. It passes its
// checksum and may reach beyond the segment's length; what is appended there would belong to it.
// The walk at open finds it. An index file, which spares Open the walk, must not hide it.
func TestNothingIsAppendedBehindAFalseHeader(t *testing.T) {
	const (
		segment = dir + "/00000001.seg"
		index   = dir + "/index"
	)
	long, short, after, filler := noise[1:4001], noise[2:302], noise[3:503], noise[4:9004]

	t.Run("when the index file was saved before", func(t *testing.T) {
		base := process(t, vfs.NewMem(), mmapcas.SyncNone, false, noise[5:150_005], noise[6:150_006])
		lost := process(t, base.Clone(), mmapcas.SyncNone, false, long)
		kept := process(t, base.Clone(), mmapcas.SyncNone, true, short)
		copyHeader(t, kept, lost, segment, 150_000)
		mustHave(t, kept, index)
		kept = process(t, kept, mmapcas.SyncNone, true, after, filler)
		mustAnswer(t, kept, index, after)
	})
	t.Run("when the index file was saved after", func(t *testing.T) {
		base := process(t, vfs.NewMem(), mmapcas.SyncNone, false, noise[5:60_005], noise[6:60_006])
		lost := process(t, base.Clone(), mmapcas.SyncNone, false, long)
		kept := process(t, base.Clone(), mmapcas.SyncNone, true, short)
		copyHeader(t, kept, lost, segment, 60_000)
		kept = process(t, kept, mmapcas.SyncGroup, true, noise[7:150_007], noise[8:150_008])
		mustHave(t, kept, index)
		kept = process(t, kept, mmapcas.SyncGroup, true, after, filler)
		mustAnswer(t, kept, index, after)
	})
}

// TestCopiesOfACollectionGivenUpAreSynced: a collection that is given up may have copied records.
// The next one finds nothing to copy in the segment that they came from, and lets it go; by then
// the copies must be durable, though it did not make them.
func TestCopiesOfACollectionGivenUpAreSynced(t *testing.T) {
	const n, size = 300, 400
	mem := vfs.NewMem()
	s, err := mmapcas.Open(dir, roomy(mem, mmapcas.SyncGroup))
	if err != nil {
		t.Fatal(err)
	}
	l := newLedger()
	rng := rand.New(rand.NewPCG(1, 1))
	var live []mmapcas.Hash
	for i := range n {
		p := l.payload(size, rng)
		h, _, err := s.Put(kind, p)
		if err != nil {
			t.Fatal(err)
		}
		if i < 40 && i%2 == 0 { // among those that the first slice sweeps
			l.put(p, stored)
			live = append(live, h)
		}
	}
	l.tried("", true)
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	l.committed(true)
	// collect sweeps until enough says so, or to the end.
	collect := func(enough func(mmapcas.SweepStats) bool) (freed int64) {
		t.Helper()
		c, err := s.BeginCycle()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Abort()
		for _, h := range live {
			if _, err := c.Mark(h); err != nil {
				t.Fatal(err)
			}
		}
		for done := false; !done; {
			var st mmapcas.SweepStats
			if done, st, err = c.Sweep(0); err != nil {
				t.Fatal(err)
			}
			freed += st.Freed
			done = done || enough(st)
		}
		return freed
	}
	if freed := collect(func(st mmapcas.SweepStats) bool { return st.Moved > 0 }); freed > 0 {
		t.Fatal("the first collection was to be given up in the midst of the segment")
	}
	if freed := collect(func(mmapcas.SweepStats) bool { return false }); freed == 0 {
		t.Fatal("the second collection let nothing go")
	}
	for seed := range uint64(20) {
		if err := healthy(l, mem.CrashClone(seed)); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// roomy is options with segments that hold everything here.
func roomy(fs vfs.FS, sync mmapcas.SyncMode) mmapcas.Options {
	o := options(fs, sync)
	o.SegmentBytes = 1 << 20
	return o
}

// process opens the store, puts payloads, commits, and closes the store or is killed. It returns
// what it left.
func process(t *testing.T, mem *vfs.Mem, sync mmapcas.SyncMode, inOrder bool, payloads ...[]byte) (left *vfs.Mem) {
	t.Helper()
	s, err := mmapcas.Open(dir, roomy(mem, sync))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range payloads {
		if _, _, err := s.Put(kind, p); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	left = mem.Clone()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if inOrder {
		return mem.Clone()
	}
	return left
}

// copyHeader copies the header of the third record of a segment, behind two of the given size.
func copyHeader(t *testing.T, to, from *vfs.Mem, name string, size int64) {
	t.Helper()
	const header = 32
	at := 64 + 2*((header+size+31)&^31)
	b, err := vfs.ReadFile(from, name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := to.Open(name, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(b[at:at+header], at); err != nil {
		t.Fatal(err)
	}
}

func mustHave(t *testing.T, mem *vfs.Mem, name string) {
	t.Helper()
	if _, err := vfs.ReadFile(mem, name); err != nil {
		t.Fatal(err)
	}
}

// mustAnswer opens what is left without its index file and asks for a payload.
func mustAnswer(t *testing.T, mem *vfs.Mem, index string, payload []byte) {
	t.Helper()
	if err := mem.Remove(index); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	s, err := mmapcas.Open(dir, roomy(mem, mmapcas.SyncGroup))
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := s.Get(mmapcas.HashOf(kind, payload), nil)
	if err != nil || !bytes.Equal(got, payload) {
		t.Errorf("a record that was appended is gone: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// What the scripts go through, with a call failing and the power going at each, includes records
// that are compressed and others that are not.
func TestScriptsCompress(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	l := newLedger()
	mem, _, err := run(l, vfs.NewMem(), plan{sync: mmapcas.SyncGroup, end: closed}, rng, (*session).script)
	if err != nil {
		t.Fatal(err)
	}
	s, err := mmapcas.Open(dir, options(mem, mmapcas.SyncGroup))
	if err != nil {
		t.Fatal(err)
	}
	compressed, plain := 0, 0
	for range 8 {
		before := s.Stats().LiveBytes
		if _, _, err := s.Put(kind, l.payload(3000, rng)); err != nil {
			t.Fatal(err)
		}
		if s.Stats().LiveBytes-before < 1000 {
			compressed++
		} else {
			plain++
		}
	}
	if compressed == 0 || plain == 0 {
		t.Errorf("of 8 records %d are compressed and %d are not", compressed, plain)
	}
	if err := errors.Join(l.check(s), s.Close()); err != nil {
		t.Error(err)
	}
}
