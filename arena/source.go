package arena

import (
	"fmt"
	"os"
	"unsafe"
)

// A Source supplies the memory of segments. Anonymous, File, Heap and Memory make one.
type Source interface {
	// place maps n bytes: at exactly at in the reserved form, anywhere when at is nil.
	place(at unsafe.Pointer, n int64, readOnly bool) (mem []byte, release func() error, err error)
	// writeAhead gives the file pages for its bytes from one place to another, which are zero, have
	// disk space, and were never stored into. Unless piece is 0 a store makes no more than piece
	// bytes dirty there. Best effort.
	writeAhead(from, to, piece int64)
	// populate makes the first touch of mem cheap. Best effort.
	populate(mem []byte)
	// protect makes stores into mem fault. Best effort.
	protect(mem []byte) error
	// flush hands what was stored into mem from a place on to the file, so that a sync of the file
	// covers it.
	flush(mem []byte, from int64) error
	// drop gives pages of mem back that can be had again from the file. It reports false if there
	// is none, or the system cannot.
	drop(mem []byte) bool
}

// Anonymous returns a source of zeroed memory that nothing outlives, on huge pages where there are
// some. In the table form it is heap memory.
func Anonymous() Source { return anonymous{} }

// Heap returns a source on Go's heap, which the race detector watches. It needs the table form.
func Heap() Source { return heap{} }

// File returns a source that maps f from its start, shared: stores reach the file. The file must be
// open for writing unless the segment is mapped read-only, and stays open until the segment is
// unmapped if it is to be synced. Outside the reserved form the file must have the segment's full
// size.
func File(f *os.File) Source { return file{f} }

// Memory returns a source whose bytes f supplies, zeroed or as they were left. It needs the table
// form.
func Memory(f func(n int64) ([]byte, error)) Source { return memory{f} }

type heap struct{}

func (heap) place(at unsafe.Pointer, n int64, _ bool) ([]byte, func() error, error) {
	if at != nil {
		return nil, nil, fmt.Errorf("%w: heap memory at a chosen place", ErrUnsupported)
	}
	return heapBytes(int(n)), releaseNothing, nil
}

func (heap) writeAhead(_, _, _ int64)  {}
func (heap) populate([]byte)           {}
func (heap) protect([]byte) error      { return nil }
func (heap) flush([]byte, int64) error { return nil }
func (heap) drop([]byte) bool          { return false }

type memory struct {
	supply func(n int64) ([]byte, error)
}

func (m memory) place(at unsafe.Pointer, n int64, _ bool) ([]byte, func() error, error) {
	if at != nil {
		return nil, nil, fmt.Errorf("%w: supplied memory at a chosen place", ErrUnsupported)
	}
	mem, err := m.supply(n)
	if err != nil {
		return nil, nil, err
	}
	if int64(len(mem)) != n {
		return nil, nil, fmt.Errorf("arena: source supplied %d bytes, want %d", len(mem), n)
	}
	return mem, releaseNothing, nil
}

func (memory) writeAhead(_, _, _ int64)  {}
func (memory) populate([]byte)           {}
func (memory) protect([]byte) error      { return nil }
func (memory) flush([]byte, int64) error { return nil }
func (memory) drop([]byte) bool          { return false }

func releaseNothing() error { return nil }

type anonymous struct{}

func (anonymous) drop([]byte) bool { return false }

type file struct{ f *os.File }
