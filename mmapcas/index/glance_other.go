//go:build !amd64 || race

package index

import "github.com/cytisus/cytisus/arena"

// near is what glance_amd64.go knows of an arena.
type near struct{}

func nearOf(*arena.Arena) near { return near{} }

func (*near) fast() bool { return false }

// Glance returns the first word of the record named k, and its address, if it is an easy one.
// Without a word the record, which nothing has checked, may be at the address, unless that is
// Absent or Nil: Nil means to look for it. The caller is inside a pin and confined.
func (x *Index) Glance(k Key) (at arena.Addr, word uint64) {
	t := x.shardFor(k).table.Load()
	if t == nil || x.arena.Frugal() {
		return arena.Nil, 0
	}
	b := t.bucket(k.start())
	same := match(b, k.tag())
	if same == 0 {
		if ends(b) {
			return Absent, 0
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

// Glanced returns the payload of the record that Glance found.
func (x *Index) Glanced(at arena.Addr, word uint64) []byte {
	return x.arena.Bytes(at+headerBytes/arena.Unit, int(uint32(word)))
}
