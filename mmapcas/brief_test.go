package mmapcas

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/mmapcas/record"
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
// system, copies to where no page tables are set up, or takes a segment to copy to: what is in one
// may have to be walked first.
func sweepBriefly(t *testing.T, c *Cycle, fs *countingFS) (sum SweepStats, briefly, waits int64) {
	t.Helper()
	for done := false; !done; {
		before, ready, target := fs.calls.Load(), c.sweep.to.Ready(), c.sweep.to.Segment()
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
		if now := c.sweep.to.Segment(); now != target && now != nil {
			t.Fatal("SweepBriefly took a segment to copy to")
		}
		if st.MovedBytes > ready {
			t.Fatalf("SweepBriefly copied %d bytes where %d were ready", st.MovedBytes, ready)
		}
		briefly += st.Moved
		sum.Moved += st.Moved
		if st.Waits {
			waits++
			if done, st, err = c.Sweep(0); err != nil {
				t.Fatal(err)
			}
			sum.Moved += st.Moved
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
	o.SegmentBytes = 128 << 10
	s := mustOpen(t, "/s", o)
	defer mustClose(t, s)
	c, live, young := begin(t, s, 4000)
	var more []Hash
	for i := 1; i < 4000; i += 7 { // so that copies end in the midst of a segment
		h := record.NameOf(1, payload(i, 500))
		if _, err := c.Mark(h); err != nil {
			t.Fatal(err)
		}
		more = append(more, h)
	}
	for range 8 {
		spare, err := s.newSegment(0)
		if err != nil {
			t.Fatal(err)
		}
		s.giveOpen(spare.mem)
	}
	sum, briefly, waits := sweepBriefly(t, c, fs)
	if sum.Moved < int64(len(live)) || briefly == 0 || waits < 3 {
		t.Errorf("%d records were moved, %d of them briefly, %d waits; %d are live", sum.Moved, briefly, waits, len(live))
	}
	mustHave(t, s, live)
	mustHave(t, s, more)
	mustHave(t, s, young)
	mustVerify(t, s)
}
