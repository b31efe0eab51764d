package mmapcas

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A closed store gives no pages back: other memory of the process may lie where its segments were,
// and would be lost.
func TestClosedStoreDropsNothing(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{SegmentBytes: 1 << 20})
	for i := range 300 { // more than the least that is given back
		mustPut(t, s, 1, payload(i, 1000))
	}
	was := s.segments()[0].mem.Mem()
	at, n := unsafe.Pointer(unsafe.SliceData(was)), uintptr(len(was))
	if s.DropPages() == 0 {
		t.Fatal("an open store gives no pages back")
	}
	mustClose(t, s)
	const flags = unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_FIXED_NOREPLACE
	other, err := unix.MmapPtr(-1, 0, at, n, unix.PROT_READ|unix.PROT_WRITE, flags)
	if err != nil {
		t.Skip("something lies there already: ", err)
	}
	defer func() {
		if err := unix.MunmapPtr(other, n); err != nil {
			t.Error(err)
		}
	}()
	mem := unsafe.Slice((*byte)(other), n)
	mem[0] = 7
	if dropped := s.DropPages(); dropped > 0 || mem[0] != 7 {
		t.Errorf("pages of %d segments were given back after Close, and other memory is %d, was 7", dropped, mem[0])
	}
}
