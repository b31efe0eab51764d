package vfs

import "unsafe"

// heapWords returns n zero bytes aligned to 8, for segments that hold atomic words. The slice keeps
// the words alive.
func heapWords(n int) []byte {
	w := make([]uint64, (n+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(w))), len(w)*8)[:n]
}
