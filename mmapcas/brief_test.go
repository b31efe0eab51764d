package mmapcas

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// A countingFS counts the calls that may wait for the disk.
type countingFS struct {
	vfs.FS
	calls atomic.Int64
}

type countingFile struct {
	vfs.File
	calls *atomic.Int64
}

func (f *countingFS) Create(name string) (vfs.File, error) {
	f.calls.Add(1)
	file, err := f.FS.Create(name)
	return &countingFile{file, &f.calls}, err
}

func (f *countingFS) Remove(name string) error  { f.calls.Add(1); return f.FS.Remove(name) }
func (f *countingFS) SyncDir(name string) error { f.calls.Add(1); return f.FS.SyncDir(name) }

func (f *countingFile) Allocate(from, to int64) error {
	f.calls.Add(1)
	return f.File.Allocate(from, to)
}

func (f *countingFile) WriteAt(b []byte, off int64) (int, error) {
	f.calls.Add(1)
	return f.File.WriteAt(b, off)
}

func (f *countingFile) Sync() error            { f.calls.Add(1); return f.File.Sync() }
func (f *countingFile) Truncate(n int64) error { f.calls.Add(1); return f.File.Truncate(n) }

// sweepBriefly sweeps to the end as the collector does, and fails if SweepBriefly calls the file
// system, or copies to where no page tables are set up.
func sweepBriefly(t *testing.T, c *Cycle, fs *countingFS) (sum SweepStats, briefly, waits int64) {
	t.Helper()
	for done := false; !done; {
		before, ready := fs.calls.Load(), c.sweep.to.Ready()
		var (
			st  SweepStats
			err error
		)
		done, st, err = c.SweepBriefly(time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if n := fs.calls.Load() - before; n != 0 {
			t.Fatalf("SweepBriefly made %d calls of the file system", n)
		}
		if st.MovedBytes > ready {
			t.Fatalf("SweepBriefly copied %d bytes where %d were ready", st.MovedBytes, ready)
		}
		briefly += st.Moved + st.Packed
		sum.Moved, sum.Packed = sum.Moved+st.Moved, sum.Packed+st.Packed
		if st.Waits {
			waits++
			if done, st, err = c.Sweep(0); err != nil {
				t.Fatal(err)
			}
			sum.Moved, sum.Packed = sum.Moved+st.Moved, sum.Packed+st.Packed
		}
		if st.Shaded > 0 {
			c.Shaded()
		}
	}
	return sum, briefly, waits
}

// SweepBriefly calls the file system for nothing: no file is made, synced, removed, or given disk
// space, and no page tables are set up; that is left to Sweep, which it asks for.
func TestBriefSweepLeavesTheDiskAlone(t *testing.T) {
	fs := &countingFS{FS: vfs.NewMem()}
	o := small(fs)
	o.SegmentBytes = 1 << 20
	s := mustOpen(t, "/s", o)
	defer mustClose(t, s)
	c, live, young := begin(t, s, 4000)
	sum, briefly, waits := sweepBriefly(t, c, fs)
	if sum.Moved < int64(len(live)) || briefly == 0 || waits < 3 {
		t.Errorf("%d records were moved, %d of them briefly, %d waits; %d are live", sum.Moved, briefly, waits, len(live))
	}
	mustHave(t, s, live)
	mustHave(t, s, young)
	mustVerify(t, s)
}

// The same of segments that are packed, with more than is written at once.
func TestBriefPackingLeavesTheDiskAlone(t *testing.T) {
	fs := &countingFS{FS: vfs.NewMem()}
	o := small(fs)
	o.SegmentBytes, o.Appenders, o.PackAfter = 4<<20, 1, 1
	s := mustOpen(t, "/s", o)
	defer mustClose(t, s)
	var live []Hash
	for i := range 5000 {
		text := make([]byte, 2000) // does not compress
		rand.NewChaCha8([32]byte{byte(i), byte(i >> 8)}).Read(text)
		live = append(live, mustPut(t, s, 1, text))
	}
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	s.waitForSave() // which calls the file system as well
	// The newest segment, which has some garbage, is swept first, and comes to its end briefly.
	live = live[:len(live)-20]
	c, err := s.BeginCycle()
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range live {
		if _, err := c.Mark(h); err != nil {
			t.Fatal(err)
		}
	}
	sweepBriefly(t, c, fs)
	if st := s.Stats(); st.PackedSegments == 0 || st.PackedBytes < 2*packWriteBytes {
		t.Errorf("%d segments were packed, to %d bytes", st.PackedSegments, st.PackedBytes)
	}
	mustHave(t, s, live)
	mustVerify(t, s)
}
