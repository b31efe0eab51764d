//go:build unix && !race

package queue

import (
	"runtime/debug"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestPagesAreTouchedBeforeTheClaim: in a ring's first lap the kernel has yet to give the pages of
// its cells, which may take it long, and no push waits for that inside its claim window (R6). The
// ring's pages can only be read here, so the first write to one is a fault that can be caught; the
// ticket must not be taken then.
func TestPagesAreTouchedBeforeTheClaim(t *testing.T) {
	t.Run("cells of a power of two", func(t *testing.T) { touchedBeforeTheClaim[uint64](t) })
	t.Run("cells that lie on two pages", func(t *testing.T) { touchedBeforeTheClaim[[2]uint64](t) })
}

func touchedBeforeTheClaim[T any](t *testing.T) {
	const capacity = 4 * spacedMax
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	page := unix.Getpagesize()
	r := NewMPMC[T](capacity)
	size := int(unsafe.Sizeof(r.cells[0]))
	length := (len(r.cells)*size + page - 1) / page * page
	mem, err := unix.Mmap(-1, 0, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(mem) }()
	r.cells = unsafe.Slice((*cell[T])(unsafe.Pointer(&mem[0])), len(r.cells))

	faults := func(push func()) (did bool) {
		defer func() { did = recover() != nil }()
		push()
		return false
	}
	push := func() { r.TryPush(*new(T)) }
	batch := func() { r.PushN(make([]T, 64)) }
	caught := 0
	for from := 0; from < length; from += page {
		if err := unix.Mprotect(mem[from:], unix.PROT_READ); err != nil {
			t.Fatal(err)
		}
		for _, p := range []func(){batch, push} {
			for !faults(p) {
				if r.tail.Load() == capacity {
					break
				}
			}
			if at := r.tail.Load(); at < capacity {
				caught++
				if at > 0 && r.cells[at-1].turn.load() == 0 {
					t.Fatalf("ticket %d was taken and its page was not there", at-1)
				}
			}
		}
		if err := unix.Mprotect(mem[from:], unix.PROT_READ|unix.PROT_WRITE); err != nil {
			t.Fatal(err)
		}
		for r.tail.Load() < capacity && int(r.tail.Load())*size < from+page/2 {
			push()
		}
	}
	if caught < length/page {
		t.Errorf("%d faults on %d pages", caught, length/page)
	}
}
