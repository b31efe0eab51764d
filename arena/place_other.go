//go:build !linux && !darwin

package arena

import (
	"math"
	"unsafe"

	"github.com/edsrzf/mmap-go"
)

// canPlace: this system cannot map at a chosen place; every arena is of the table form.
const canPlace = false

// addressSpaceLimit returns how many bytes of address space the process may use.
func addressSpaceLimit() int64 { return math.MaxInt64 }

func reserve(int64) (unsafe.Pointer, error)  { return nil, ErrUnsupported }
func unreserve(unsafe.Pointer, int64) error  { return ErrUnsupported }
func clearPlace(unsafe.Pointer, int64) error { return ErrUnsupported }
func mapBlock(n int) ([]byte, error)         { return heapBytes(n), nil }
func unmapBlock([]byte) error                { return nil }
func (anonymous) writeAhead(_, _, _ int64)   {}
func (anonymous) populate([]byte)            {}
func (anonymous) protect([]byte) error       { return nil }
func (anonymous) flush([]byte, int64) error  { return nil }
func (file) writeAhead(_, _, _ int64)        {}
func (file) populate([]byte)                 {}
func (file) protect([]byte) error            { return nil }
func (file) flush(mem []byte, _ int64) error { return mmap.MMap(mem).Flush() }

func (anonymous) place(_ unsafe.Pointer, n int64, readOnly bool) ([]byte, func() error, error) {
	return heap{}.place(nil, n, readOnly)
}

func (s file) place(_ unsafe.Pointer, n int64, readOnly bool) ([]byte, func() error, error) {
	return placeAnywhere(s.f, n, readOnly)
}
