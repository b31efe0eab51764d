package db

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// A numberRange is the numbers after < n <= to.
type numberRange struct{ after, to uint64 }

// futures are the numbers of chunks in lost futures (C3): ascending, disjoint, not adjacent, none
// empty.
type futures []numberRange

// futuresMax bounds the ranges that are remembered. Beyond it the two oldest become one, and a root
// between them is not gone back to any more.
const futuresMax = 32

// has reports whether a chunk, or a root that ends with it, belongs to a lost future.
func (f futures) has(seq uint64) bool {
	return slices.ContainsFunc(f, func(r numberRange) bool { return r.after < seq && seq <= r.to })
}

// with returns the numbers of f and of more.
func (f futures) with(more ...numberRange) futures {
	all := slices.Concat(f, more)
	slices.SortFunc(all, func(a, b numberRange) int { return cmp.Compare(a.after, b.after) })
	var out futures
	for _, r := range all {
		switch last := len(out) - 1; {
		case r.after >= r.to:
		case last >= 0 && r.after <= out[last].to:
			out[last].to = max(out[last].to, r.to)
		default:
			out = append(out, r)
		}
	}
	for len(out) > futuresMax {
		out[1].after = out[0].after
		out = out[1:]
	}
	return out
}

// among returns how many of the numbers after < n <= to are those of lost futures.
func (f futures) among(after, to uint64) (n uint64) {
	for _, r := range f {
		if lo, hi := max(r.after, after), min(r.to, to); lo < hi {
			n += hi - lo
		}
	}
	return n
}

func (f futures) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(f)))
	for _, r := range f {
		b = binary.AppendUvarint(binary.AppendUvarint(b, r.after), r.to-r.after)
	}
	return b
}

// futures reads what append wrote, at least one range.
func (d *decoder) futures() (f futures) {
	for range d.count(2) {
		r := numberRange{after: d.uvarint()}
		r.to = r.after + d.uvarint()
		if n := len(f); r.to <= r.after || n > 0 && r.after <= f[n-1].to || n == futuresMax {
			d.fail("lost future after %d up to %d", r.after, r.to)
			return nil
		}
		f = append(f, r)
	}
	if len(f) == 0 {
		d.fail("no lost future")
	}
	return f
}
