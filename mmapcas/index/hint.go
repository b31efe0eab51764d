package index

import (
	"math/bits"

	"github.com/cytisus/cytisus/arena"
)

// A table that grows has to know where the probes for each of its entries begin in the new table:
// in one more bit of the name than tell where they begin in the old one. All of the name is in the
// record's header, which lies anywhere in the store: a line of memory that is in no cache, and in a
// store that is larger than memory a page. So a slot has a hint of bits of the name's start: the
// lowest, and those from its table's form on.
//
// A small table's form begins where the lowest bits end. So the hint is the start itself, in as
// many bits as any small table and the first large one need.
//
// A large table's form begins where the smallest large table needs bits. The others of the start
// come from the place of the entry: it lies in the bucket where its probe begins, or behind it if
// all from there on were full when it came in. Full buckets stay full (S0). So from where an entry
// lies and how many buckets before it are full, the lowest bits tell where its probe began, unless
// a whole turn of them fits between. Then, and when a small table becomes a large one or one has
// grown beyond its form, the header is read.
const (
	hintShift   = arena.AddrBits
	hintLowBits = 4 // of the start
	hintLow     = 1<<hintLowBits - 1

	hintFromBit  = 9                                  // of the start: where the form of large tables begins
	hintFormBits = tagShift - hintShift - hintLowBits // in each form
	hintFormMask = 1<<hintFormBits - 1
	hintEndBit   = hintFromBit + hintFormBits
	hintMask     = (1<<(hintLowBits+hintFormBits) - 1) << hintShift

	// Of any bits of a small table's start all are in its hint.
	_ = uint(hintLowBits + hintFormBits - hintFromBit)
)

// hintForm is from which bit of the start on a table has hints, where that has 1<<bucketBits
// buckets.
func hintForm(bucketBits int) int {
	if bucketBits < hintFromBit {
		return hintLowBits
	}
	return hintFromBit
}

// bits is the binary logarithm of how many buckets there are.
func (t *table) bits() int { return bits.Len64(t.mask) }

// withHint is the slot w of an entry whose probes begin at start, with the hint that t has for it.
func (t *table) withHint(w, start uint64) uint64 {
	hint := start&hintLow | start>>hintForm(t.bits())&hintFormMask<<hintLowBits
	return w&^hintMask | hint<<hintShift
}

// word is the slot of the entry of a name that leads to at.
func (t *table) word(k Key, at arena.Addr) uint64 {
	return t.withHint(k.tag()|uint64(at), k.start())
}

// hinted reports whether hints tell where the entries of a table with from buckets go in one with
// to buckets.
func hinted(from, to int) bool {
	f, t := bits.Len(uint(from))-1, bits.Len(uint(to))-1
	if f < hintFromBit {
		return t < hintFromBit
	}
	return t <= max(f, hintEndBit)
}

// hintedStart returns where probes for the entry w in a bucket begin, in as many bits as any table
// needs for which hinted is true. full is how many buckets directly before that are full, or any
// number beyond two turns. Not ok: the hint does not tell.
func (t *table) hintedStart(w, bucket uint64, full int) (start uint64, ok bool) {
	n := t.bits()
	if n < hintFromBit {
		return w & hintMask >> hintShift, true
	}
	behind := (bucket - w>>hintShift) & hintLow
	if full < int(behind) || full > int(behind)+hintLow {
		return 0, false
	}
	start = (bucket - behind) & t.mask
	if n < hintEndBit {
		high := w & hintMask >> (hintShift + hintLowBits)
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
