package arena

// The only conversions between numbers and memory, beside the two mmap files.
//
// Safety: base comes from the kernel as a pointer and stays one; unsafe.Add moves it inside the
// reservation, which stays reserved until the arena is closed. Memory outside the Go heap is no
// concern of the collector, and it holds no Go pointers (A5).

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"
)

func bytesAt(base unsafe.Pointer, off int64, n int) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(base, off)), n)
}

// pairAt returns the two little-endian words at off, of memory that does not change any more.
func pairAt(base unsafe.Pointer, off int64) (lo, hi uint64) {
	b := (*[16]byte)(unsafe.Add(base, off))
	return binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])
}

func words(mem []byte) []atomic.Uint64 {
	return unsafe.Slice((*atomic.Uint64)(unsafe.Pointer(unsafe.SliceData(mem))), len(mem)/8)
}

func plainWords(mem []byte) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(mem))), len(mem)/8)
}

// offsetIn returns how far p lies behind the start of mem, and whether it lies inside.
func offsetIn(mem []byte, p uintptr) (int64, bool) {
	start := uintptr(unsafe.Pointer(unsafe.SliceData(mem)))
	return int64(p - start), p >= start && p-start < uintptr(len(mem))
}

// heapBytes returns n zero bytes of pointer-free Go heap that start on a cache line.
func heapBytes(n int) []byte {
	const line = 64
	raw := make([]byte, n+line)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(raw))) & (line - 1))
	return raw[skip : skip+n : skip+n]
}

// StoreWord stores v, in little-endian byte order, into the first 8 bytes of b, which must be
// aligned to 8 bytes. Everything the caller stored before is visible to whoever loads v with
// LoadWord.
func StoreWord(b []byte, v uint64) {
	_ = b[7]
	(*atomic.Uint64)(unsafe.Pointer(unsafe.SliceData(b))).Store(little(v))
}

// LoadWord loads what StoreWord stored.
func LoadWord(b []byte) uint64 {
	_ = b[7]
	return little((*atomic.Uint64)(unsafe.Pointer(unsafe.SliceData(b))).Load())
}

// little converts between the machine's byte order and little-endian; on most machines it is
// nothing.
func little(v uint64) uint64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	return binary.NativeEndian.Uint64(b[:])
}
