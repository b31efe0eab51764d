package index

import (
	"errors"
	"os"
	"path/filepath"
	goruntime "runtime"
	"testing"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// A small table that becomes a large one loses the entries whose headers cannot be read, and none
// that it looks at beside them.
func TestGrowthKeepsNeighboursOfUnreadable(t *testing.T) {
	if goruntime.GOOS == "windows" {
		t.Skip("nobody cuts a file that is mapped")
	}
	const size, kept = 64 << 10, 24 << 10
	f, err := os.Create(filepath.Join(t.TempDir(), "segment"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	a, err := arena.New(arena.Options{SegmentBytes: size, ReserveBytes: 8 * size})
	if err != nil {
		t.Fatal(err)
	}
	seg, err := a.Map(arena.Spec{Source: arena.File(f), Bytes: size, Length: headRoom})
	if err != nil {
		t.Fatal(err)
	}
	x, err := New(a, epoch.NewDomain(), 0)
	if err != nil {
		t.Fatal(err)
	}
	r := &indexRig{Index: x, a: a, seg: seg}
	if err := r.app.Attach(seg); err != nil {
		t.Fatal(err)
	}
	at := map[record.Hash]arena.Addr{}
	name := namers["one shard"]
	for i := range 1<<(hintFromBit-1)*bucketSlots*loadNum/loadDe - 1 {
		h := name(i)
		at[h] = r.record(h)
		if other, err := x.Insert(h, at[h]); err != nil || other != arena.Nil {
			t.Fatal(other, err)
		}
	}
	if err := f.Truncate(kept); err != nil {
		t.Fatal(err)
	}
	h0 := name(0)
	s := x.shardFor(KeyOf(&h0))
	from := s.table.Load().bits()
	if err := x.grow(s, s.table.Load()); err != nil {
		t.Fatal(err)
	}
	if to := s.table.Load().bits(); from >= hintFromBit || to < hintFromBit {
		t.Fatalf("from 2^%d buckets to 2^%d no header is read", from, to)
	}
	want := int64(0)
	for h, addr := range at {
		found := arena.Nil
		if err := a.Confine(func() error { found = x.Find(h); return nil }); err != nil {
			t.Fatal(err)
		}
		readable := seg.Offset(addr) < kept
		if readable {
			want++
		}
		if readable != (found == addr) || !readable && found != arena.Nil {
			t.Fatalf("a record at %d of %d bytes that can be read is found at %d", seg.Offset(addr), kept, found)
		}
	}
	if x.Count() != want {
		t.Errorf("%d entries are counted, and there are %d", x.Count(), want)
	}
	x.Free()
	if err := errors.Join(seg.Unmap(), a.Close()); err != nil {
		t.Fatal(err)
	}
}
