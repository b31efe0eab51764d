package index

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// memFile is a saved index in memory.
type memFile struct {
	b      []byte
	closed bool
}

func (f *memFile) ReadAt(b []byte, off int64) (int, error) {
	return bytes.NewReader(f.b).ReadAt(b, off)
}
func (f *memFile) Size() (int64, error) { return int64(len(f.b)), nil }
func (f *memFile) Close() error         { f.closed = true; return nil }

func (f *memFile) WriteAt(b []byte, off int64) (int, error) {
	if grow := int(off) + len(b) - len(f.b); grow > 0 {
		f.b = append(f.b, make([]byte, grow)...)
	}
	return copy(f.b[off:], b), nil
}

var _ io.WriterAt = (*memFile)(nil)

// savedRig returns an index with n entries, their names, and the index as it is saved.
func savedRig(t *testing.T, n int) (x *indexRig, names []record.Hash, f *memFile) {
	t.Helper()
	x = newIndexRig(t)
	g := x.d.Pin()
	defer g.Unpin()
	for i := range n {
		h := namers["spread"](i)
		if other, err := x.Insert(h, x.record(h)); err != nil || other != arena.Nil {
			t.Fatal(other, err)
		}
		names = append(names, h)
	}
	f = &memFile{}
	head := Head{Live: 10, Reaches: []Reach{{Number: 1, First: x.seg.First(), Length: x.seg.Length()}}}
	if err := x.Save(f, &head, func(arena.Addr) {}); err != nil {
		t.Fatal(err)
	}
	return x, names, f
}

// told is the records of a saved index for tests: nothing can be walked.
type told struct {
	damaged     []int
	superfluous int64
}

func (r *told) Rather(_, _ arena.Addr) bool                 { return false }
func (r *told) Walk(func(h record.Hash, at arena.Addr))     {}
func (r *told) Damaged(shard int, _ int64, _ error)         { r.damaged = append(r.damaged, shard) }
func (r *told) Superfluous(bytes int64)                     { r.superfluous += bytes }
func (x *indexRig) reopen(v *Saved, records Records) *Index { return Open(x.a, x.d, v, records) }

// A saved index that was cut anywhere is not used, or the parts that are cut are damage: no byte is
// taken for zero.
func TestCutSavedIndexIsNotUsed(t *testing.T) {
	x, _, f := savedRig(t, 1000)
	for _, n := range []int{0, savedHeadBytes, len(f.b) / 2, len(f.b) - 1} {
		if _, reason := ReadSaved(&memFile{b: f.b[:n]}, x.a); reason == "" {
			t.Errorf("an index file of which %d of %d bytes are left is used", n, len(f.b))
		}
	}
	if _, reason := ReadSaved(f, x.a); reason != "" {
		t.Errorf("a whole index file is not used: %s", reason)
	}
}

// A part with a byte changed is damage, wherever in it that byte is: none of its entries counts.
func TestChangedPartIsDamage(t *testing.T) {
	x, names, f := savedRig(t, 1000)
	shard := ShardOf(names[0])
	v, reason := ReadSaved(f, x.a)
	if reason != "" {
		t.Fatal(reason)
	}
	for off := v.at[shard]; off < v.at[shard+1]; off++ {
		b := slices.Clone(f.b)
		b[off] ^= 0x10
		v, reason := ReadSaved(&memFile{b: b}, x.a)
		if reason != "" {
			t.Fatal(reason)
		}
		v.Cover(x.seg.First(), x.seg.Length())
		records := &told{}
		y := x.reopen(v, records)
		if err := y.Load(shard); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(records.damaged, []int{shard}) {
			t.Fatalf("byte %d of a part was changed; damaged are %v, want part %d", off-v.at[shard], records.damaged, shard)
		}
	}
}

// What an Open finds behind the reach of a saved index counts at once, also while it waits for its
// shard.
func TestWhatWaitsIsCounted(t *testing.T) {
	x, names, f := savedRig(t, 100)
	v, reason := ReadSaved(f, x.a)
	if reason != "" {
		t.Fatal(reason)
	}
	v.Cover(x.seg.First(), x.seg.Length())
	records := &told{}
	y := x.reopen(v, records)
	late := namers["spread"](5000)
	if !y.EnterLater(Located{late, x.record(late), 32}) || !y.EnterLater(Located{names[0], x.record(names[0]), 32}) {
		t.Fatal("a shard that was not asked for is in memory")
	}
	if n := y.Count(); n != 102 {
		t.Errorf("%d entries are counted, want 100 and the two that wait", n)
	}
	for shard := range Shards {
		if err := y.Load(shard); err != nil {
			t.Fatal(err)
		}
	}
	if n := y.Count(); n != 101 || records.superfluous != 32 {
		t.Errorf("%d entries are counted, want 100 and the one that was new; %d bytes were one copy too many, want 32", n, records.superfluous)
	}
	if !f.closed {
		t.Error("all parts are read, and the file is open")
	}
}

// A saved index says of no number of live bytes that it is negative: none would be read.
func TestSavedLiveBytesAreNotNegative(t *testing.T) {
	x := newIndexRig(t)
	f := &memFile{}
	if err := x.Save(f, &Head{Live: -5}, func(arena.Addr) {}); err != nil {
		t.Fatal(err)
	}
	if v, reason := ReadSaved(f, x.a); reason != "" || v.Live != 0 {
		t.Errorf("an index that was saved with a wrong count is not used: %s", reason)
	}
}

// DropRange drops what leads into the range, its first address among it and its end not.
func TestDropRangeEndsBeforeItsEnd(t *testing.T) {
	x, names, _ := savedRig(t, 4)
	g := x.d.Pin()
	defer g.Unpin()
	x.DropRange(x.Find(names[1]), x.Find(names[3]))
	for i, want := range []bool{true, false, false, true} {
		if there := x.Find(names[i]) != arena.Nil; there != want {
			t.Errorf("records 1 and 2 of 4 were dropped; record %d is there: %v", i, there)
		}
	}
}

// An entry that was met in a table which has been replaced since is not current: what it says may
// have changed.
func TestEntryOfAReplacedTableIsNotCurrent(t *testing.T) {
	x, names, _ := savedRig(t, 1)
	g := x.d.Pin()
	defer g.Unpin()
	var met []Entry
	x.Each(ShardOf(names[0]), func(e Entry) { met = append(met, e) })
	if len(met) != 1 || !met[0].Current() {
		t.Fatalf("%d entries of one were met, or it is not current", len(met))
	}
	s := &x.shards[ShardOf(names[0])]
	if err := x.grow(s, s.table.Load()); err != nil {
		t.Fatal(err)
	}
	if met[0].Current() {
		t.Error("an entry of a table that has been replaced counts as current")
	}
}
