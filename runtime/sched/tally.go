package sched

import (
	"sync/atomic"
	"unsafe"
)

// A tally is a count that one thread writes and any may read. Unlike an atomic addition, adding to
// it takes no locked instruction where the processor does not need one; see tally_tso.go.
type tally struct{ n atomic.Uint64 }

// load may be called by any goroutine.
func (c *tally) load() uint64 { return c.n.Load() }

// A published pointer is written by one thread and read by any.
type published[T any] struct{ p atomic.Pointer[T] }

// load may be called by any goroutine.
func (c *published[T]) load() *T { return c.p.Load() }

// initPointer sets an atomic that nobody else can reach yet, without the fence that an atomic store
// would cost.
//
// Safe: an atomic.Pointer is one pointer, which the line below makes sure of; the write is an
// ordinary typed pointer write, so the collector knows of it; and as the object is handed on
// through atomics or a lock only afterwards, the write happens before every other access to it.
func initPointer[T any](a *atomic.Pointer[T], p *T) { *(**T)(unsafe.Pointer(a)) = p }

var _ [unsafe.Sizeof(uintptr(0))]byte = [unsafe.Sizeof(atomic.Pointer[Task]{})]byte{}
