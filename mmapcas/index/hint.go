package index

import (
	"math/bits"

	"github.com/cytisus/cytisus/arena"
)

// A table that grows has to know where the probes for each of its entries begin in the new table:
// in one more bit of the name than tell where they begin in the old one. All of the name is in the
// record's header, which lies anywhere in the store. Of a store that is larger than memory each
// growth would read one page for each record. So a slot has a hint: the lowest bits of the name's
// start, and those that grown tables come to need.
//
// An entry lies in the bucket where its probe begins, or behind it if all from there on were full
// when it came in. Full buckets stay full (S0). So from where an entry lies and how many buckets
// before it are full, the lowest bits tell where its probe began, unless a whole turn of them fits
// between. Then, and for tables that the other bits are not for, the header is read.
const (
	hintShift   = arena.AddrBits
	hintLowBits = 4 // of the start
	hintLow     = 1<<hintLowBits - 1

	// Tables with fewer buckets have little to read.
	hintFromBit = 9
	hintBits    = tagShift - hintShift - hintLowBits // of the start, from hintFromBit on
	hintEndBit  = hintFromBit + hintBits
)

// hint is the hint of a name, in place.
func (k Key) hint() uint64 {
	return (k.start()&hintLow | k.start()>>hintFromBit&(1<<hintBits-1)<<hintLowBits) << hintShift
}

// word is the slot of an entry that leads to at.
func (k Key) word(at arena.Addr) uint64 { return k.tag() | k.hint() | uint64(at) }

// hinted reports whether hints tell where the entries of a table with from buckets go in one with
// to buckets.
func hinted(from, to int) bool {
	f, t := bits.Len(uint(from))-1, bits.Len(uint(to))-1
	return f >= hintFromBit && t <= max(f, hintEndBit)
}

// hintedStart returns where probes for the entry w in a bucket begin, in as many bits as the hint
// has, of a table that has them (hinted). full is how many buckets directly before that are full,
// or any number beyond two turns. Not ok: the hint does not tell.
func (t *table) hintedStart(w, bucket uint64, full int) (start uint64, ok bool) {
	behind := (bucket - w>>hintShift) & hintLow
	if full < int(behind) || full > int(behind)+hintLow {
		return 0, false
	}
	start = (bucket - behind) & t.mask
	if n := bits.Len64(t.mask); n < hintEndBit {
		high := w >> (hintShift + hintLowBits) & (1<<hintBits - 1)
		start |= high >> (n - hintFromBit) << n
	}
	return start, true
}

// fullBefore returns how many buckets directly before one are full, as far as hintedStart asks.
func (t *table) fullBefore(bucket uint64) (n int) {
	for n <= 2*hintLow && uint64(n) < t.mask && !ends(t.bucket(bucket-uint64(n)-1)) {
		n++
	}
	return n
}
