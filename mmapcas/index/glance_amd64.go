//go:build !race

package index

import (
	"unsafe"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/arena"
)

// glanceAssembly: the processor has the CRC-32C instruction, and no setting asks for portable code.
var glanceAssembly = affinity.CPUFeatures().Level > affinity.Portable

// glanceFolds: it has the instructions, too, by which a checksum is folded.
var glanceFolds = affinity.CPUFeatures().Folds

// near is an arena as glanceIn sees it.
type near struct {
	base     unsafe.Pointer // where the arena starts, nil if it is not for glanceIn
	unitMask uint64         // how many units a slot of the arena has, less one
}

func nearOf(a *arena.Arena) near {
	n := near{unitMask: uint64(a.SegmentBytes()/arena.Unit - 1)}
	if glanceAssembly {
		n.base = a.Base()
	}
	return n
}

// fast reports whether records can be checked in place by glanceIn.
func (n *near) fast() bool { return n.base != nil }

// Glance returns the first word of the record named k, and its address, if it is an easy one.
// Without a word the record, which nothing has checked, may be at the address, unless that is
// Absent or Nil: Nil means to look for it. The caller is inside a pin and confined.
//
// In an arena that is frugal or of the table form, and on a processor without the instruction, it
// never knows.
func (x *Index) Glance(k Key) (at arena.Addr, word uint64) {
	if x.arena.Frugal() {
		return arena.Nil, 0
	}
	return glanceIn(x, k.lo, k.hi)
}

// Glanced returns the payload of the record that Glance found.
func (x *Index) Glanced(at arena.Addr, word uint64) []byte {
	// Safe: Glance has seen that the record lies in the reservation, whole.
	return unsafe.Slice((*byte)(unsafe.Add(x.near.base, at*arena.Unit+headerBytes)), uint32(word))
}

// glanceIn is Glance. Safe: it only reads; x and the table that it finds there are on Go's heap and
// live, for nothing stops it on its way; slots are as many as the mask says; and the record is
// mapped, since the caller holds a pin.
//
//go:noescape
func glanceIn(x *Index, lo, hi uint64) (at arena.Addr, word uint64)
