//go:build linux || darwin

package arena

import (
	"math"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// canPlace: this system maps at a chosen place.
const canPlace = true

// addressSpaceLimit returns how many bytes of address space the process may use.
func addressSpaceLimit() int64 {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_AS, &r); err != nil || r.Cur > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(r.Cur)
}

func reserve(n int64) (unsafe.Pointer, error) {
	return unix.MmapPtr(-1, 0, nil, uintptr(n), unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_NORESERVE)
}

func unreserve(base unsafe.Pointer, n int64) error {
	return unix.MunmapPtr(base, uintptr(n))
}

// clearPlace turns a range of the reservation back into reserved, inaccessible space. It replaces
// whatever is mapped there, so a stale reader faults instead of reading other bytes.
func clearPlace(at unsafe.Pointer, n int64) error {
	_, err := unix.MmapPtr(-1, 0, at, uintptr(n), unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_NORESERVE|unix.MAP_FIXED)
	return err
}

func (anonymous) place(at unsafe.Pointer, n int64, readOnly bool) ([]byte, func() error, error) {
	if at == nil {
		return heap{}.place(nil, n, readOnly)
	}
	p, err := unix.MmapPtr(-1, 0, at, uintptr(n), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_NORESERVE|unix.MAP_FIXED)
	if err != nil {
		return nil, nil, os.NewSyscallError("mmap", err)
	}
	mem := bytesAt(p, 0, int(n))
	adviseHuge(mem)
	return mem, releaseNothing, nil
}

func (anonymous) writeAhead(_, _, _ int64)  {}
func (anonymous) populate([]byte)           {}
func (anonymous) protect([]byte) error      { return nil }
func (anonymous) flush([]byte, int64) error { return nil }

func (s file) place(at unsafe.Pointer, n int64, readOnly bool) ([]byte, func() error, error) {
	if at == nil {
		return placeAnywhere(s.f, n, readOnly)
	}
	prot := unix.PROT_READ | unix.PROT_WRITE
	if readOnly {
		prot = unix.PROT_READ
	}
	p, err := unix.MmapPtr(int(s.f.Fd()), 0, at, uintptr(n), prot, unix.MAP_SHARED|unix.MAP_FIXED)
	if err != nil {
		return nil, nil, os.NewSyscallError("mmap", err)
	}
	return bytesAt(p, 0, int(n)), releaseNothing, nil
}

func (s file) writeAhead(from, to, piece int64) { writeZeros(s.f, from, to, piece) }
func (file) populate(mem []byte)                { populateWrite(mem) }
func (file) protect(mem []byte) error           { return unix.Mprotect(mem, unix.PROT_READ) }
func (file) flush(mem []byte, from int64) error {
	return flushPages(mem[from&^(pageBytes-1):])
}

// mapBlock returns n bytes of zeroed memory off the Go heap. From slabPageBytes on they start on a
// multiple of that, so that huge pages fit.
func mapBlock(n int) ([]byte, error) {
	slop := 0
	if n >= slabPageBytes {
		slop = slabPageBytes
	}
	p, err := unix.MmapPtr(-1, 0, nil, uintptr(n+slop), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	if slop > 0 {
		before := int(-uintptr(p) & (slabPageBytes - 1))
		after := slop - before
		// What is left over: whole pages of it. They were never touched, so keeping them after a
		// failure costs nothing.
		if before > 0 {
			_ = unix.MunmapPtr(p, uintptr(before))
		}
		p = unsafe.Add(p, before)
		page := os.Getpagesize()
		if from := (n + page - 1) &^ (page - 1); n+after > from {
			_ = unix.MunmapPtr(unsafe.Add(p, from), uintptr(n+after-from))
		}
	}
	mem := bytesAt(p, 0, n)
	if !smallPages.Load() {
		adviseHuge(mem)
	}
	return mem, nil
}

func unmapBlock(mem []byte) error {
	return unix.MunmapPtr(unsafe.Pointer(unsafe.SliceData(mem)), uintptr(len(mem)))
}
