//go:build !amd64 || race

package mmapcas

import (
	"unsafe"

	"github.com/cytisus/cytisus/arena"
)

// glance returns the first word of the record named k, and its address, if it is an easy one. Without a word the record,
// which nobody has checked, may be at the address, unless that is absent or Nil: Nil means to look for it. The caller is inside a
// pin and confined.
func (x *index) glance(k key) (at arena.Addr, word uint64) {
	t := x.shardFor(k).table.Load()
	if t == nil {
		return arena.Nil, 0
	}
	b := t.bucket(k.start())
	same := match(b, k.tag())
	if same == 0 {
		if ends(b) {
			return absent, 0
		}
		return arena.Nil, 0
	}
	w := b[slotOf(same)].Load()
	at = arena.Addr(w & addrMask)
	if !isEntry(w) || x.keyAt(at) != k {
		return arena.Nil, 0
	}
	return at, 0
}

func (x *index) glanced(at arena.Addr, word uint64) []byte {
	return x.arena.Bytes(at+headerBytes/arena.Unit, int(uint32(word)))
}

func origin(*arena.Arena) unsafe.Pointer { return nil }
