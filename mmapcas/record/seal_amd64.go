//go:build !race

package record

import (
	"encoding/binary"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/arena"
)

// seals: the processor has the CRC-32C instruction, and no setting asks for portable code.
var seals = affinity.CPUFeatures().Level > affinity.Portable

// sealInPlace is seal of a record of whole units, unless this processor cannot.
func sealInPlace(b []byte, word uint64, h Hash) bool {
	if !seals || len(b) < HeaderBytes {
		return false
	}
	sealIn(&b[0], uint64(len(b)-HeaderBytes)/arena.Unit, word,
		binary.LittleEndian.Uint64(h[:8]), binary.LittleEndian.Uint64(h[8:]))
	return true
}

// sealIn writes the header of a record in front of so many units of payload. The processor shows
// its stores to others in their order, so the first word needs no instruction that locks.
//
//go:noescape
func sealIn(b *byte, units, word, lo, hi uint64)
