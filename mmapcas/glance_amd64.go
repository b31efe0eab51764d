//go:build !race

package mmapcas

import (
	"unsafe"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/arena"
)

// glanceAssembly: the processor has the CRC-32C instruction, and nobody wants portable code.
var glanceAssembly = affinity.CPUFeatures().Level > affinity.Portable

// glance returns the first word of the record named k, and its address, if it is an easy one. Without a word the record,
// which nobody has checked, may be at the address, unless that is absent or Nil: Nil means to look for it. The caller is inside a
// pin and confined.
//
// In an arena of the table form, and on a processor without the instruction, it never knows.
func (x *index) glance(k key) (at arena.Addr, word uint64) { return glanceIn(x, k.lo, k.hi) }

// glanced returns the payload of the record that glance found.
func (x *index) glanced(at arena.Addr, word uint64) []byte {
	// Safe: glance has seen that the record lies in the reservation, whole.
	return unsafe.Slice((*byte)(unsafe.Add(x.base, at*arena.Unit+headerBytes)), uint32(word))
}

// origin is where an arena starts for glanceIn, nil if it cannot be used.
func origin(a *arena.Arena) unsafe.Pointer {
	if !glanceAssembly {
		return nil
	}
	return a.Base()
}

// glanceIn is glance. Safe: it only reads; x and the table that it finds there are on Go's heap
// and live, for nothing stops it on its way; slots are as many as the mask says; and the record is mapped, since the caller holds a pin.
//
//go:noescape
func glanceIn(x *index, lo, hi uint64) (at arena.Addr, word uint64)
