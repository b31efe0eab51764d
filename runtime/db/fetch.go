package db

import (
	"unsafe"

	"github.com/cytisus/cytisus/affinity"
)

// fetchBytes is how much of a leaf is asked for before anything of it is known. It covers nearly
// all of most leaves.
const fetchBytes = 1152

// fetch asks the processor for the lines of the leaf that l leads to, all at once, and does not
// wait for them. A search then meets one cache miss instead of one for each step. It is a hint: if
// there is no leaf behind l, or it lies elsewhere, the lines come for nothing. Reaching
// beyond the leaf is harmless.
func (l *link) fetch() { affinity.Prefetch(unsafe.Pointer(l), fetchBytes) }

// fetch asks for all that find looks at.
func (p *points) fetch(k pointPrint) {
	affinity.Prefetch(unsafe.Pointer(p.bucket(k.hi, p.mask.Load())), pointBucketBytes)
	affinity.Prefetch(unsafe.Pointer(p.stamp(k.lo)), 1)
}
