package mmapcas

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/cytisus/cytisus/mmapcas/vfs"
)

func reserveBytes(t *testing.T, mem *vfs.Mem) int64 {
	t.Helper()
	f, err := mem.Open("/s/"+reserveName, true)
	if errors.Is(err, fs.ErrNotExist) {
		return -1
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n, err := f.Size()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// On a disk that is full for large records there is room for many small ones and for commits; and a
// collection of segments in each of which something is live has room for its copies, after which
// large ones fit again.
func TestReserve(t *testing.T) {
	mem := vfs.NewMem()
	o := Options{SegmentBytes: 1 << 20, ReserveBytes: 64 << 20, FS: mem, Appenders: 1, Sync: SyncGroup}
	s := mustOpen(t, "/s", o)
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	mem.SetLimit(8 << 20)
	const large = 60_000
	var live []Hash
	n := 0
	for ; ; n++ {
		h, _, err := s.Put(1, payload(n, large))
		if errors.Is(err, ErrNoSpace) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if n%4 == 0 {
			live = append(live, h)
		}
	}
	mem.SetLimit(1) // not a byte more
	for range 20 {
		if err := s.Commit([]byte("full")); err != nil {
			t.Fatalf("a commit on a full disk: %v", err)
		}
	}
	mem.SetLimit(8 << 20)
	for i := range 60 {
		h, _, err := s.Put(1, payload(10_000+i, 1000))
		if err != nil {
			t.Fatalf("small record %d on a full disk: %v", i, err)
		}
		live = append(live, h)
	}
	if st := collect(t, s, live); st.Moved == 0 || st.Freed < 4<<20 {
		t.Fatalf("a collection on a full disk: %+v", st)
	}
	for i := range n / 2 {
		mustPut(t, s, 1, payload(20_000+i, large))
	}
	if got, want := reserveBytes(t, mem), s.reserve.whole; got != want || got < reserveStep {
		t.Errorf("after the collection %d bytes are in reserve, want %d", got, want)
	}
	killed := mem.Clone()
	mustHave(t, s, live)
	mustClose(t, s)
	if got := reserveBytes(t, mem); got != -1 {
		t.Errorf("a closed store has %d bytes in reserve", got)
	}
	o.FS = killed
	s = mustOpen(t, "/s", o)
	if got := reserveBytes(t, killed); got < reserveStep {
		t.Errorf("after a kill %d bytes are in reserve", got)
	}
	mustHave(t, s, live)
	mustVerify(t, s)
	mustClose(t, s)
}
