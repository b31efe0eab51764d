package db

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sort"
)

// A keyRange is the keys with lo <= key < hi; an empty hi is no bound.
type keyRange struct{ lo, hi string }

// allKeys is every key there can be.
var allKeys = keyRange{}

// endsBefore reports whether the upper bound hi lies at or below key.
func endsBefore(hi, key string) bool { return hi != "" && hi <= key }

// lost are the ranges of a partition in which keys may be missing from its tree: ascending,
// disjoint, not adjacent, none empty. A key that is not in the tree is absent if it lies outside,
// and unknown if it lies inside. The zero lost is none.
type lost []keyRange

// lostMax bounds the ranges of one partition. Beyond it ranges are not taken apart any more: what
// is known to be absent then counts as unknown.
const lostMax = 1024

// at returns the index of the first range that does not end before key.
func (l lost) at(key string) int {
	return sort.Search(len(l), func(i int) bool { return !endsBefore(l[i].hi, key) })
}

// has reports whether nobody knows about a key that is not in the tree.
func (l lost) has(key string) bool {
	i := l.at(key)
	return i < len(l) && l[i].lo <= key
}

// in returns the range that a reader of a span meets first, in the span's direction.
func (l lost) in(sp Span) (r keyRange, ok bool) {
	if len(l) == 0 || sp.empty() {
		return keyRange{}, false
	}
	i := l.at(sp.Lo)
	if i == len(l) || endsBefore(sp.Hi, l[i].lo) {
		return keyRange{}, false
	}
	for sp.Reverse && i+1 < len(l) && !endsBefore(sp.Hi, l[i+1].lo) {
		i++
	}
	return l[i], true
}

// with returns l and one more range.
func (l lost) with(r keyRange) lost {
	out := make(lost, 0, len(l)+1)
	for _, o := range l {
		switch {
		case o.hi != "" && o.hi < r.lo || r.hi != "" && r.hi < o.lo:
			out = append(out, o)
		default:
			r.lo = min(r.lo, o.lo)
			if r.hi == "" || o.hi == "" {
				r.hi = ""
			} else {
				r.hi = max(r.hi, o.hi)
			}
		}
	}
	i := sort.Search(len(out), func(i int) bool { return out[i].lo > r.lo })
	return slices.Insert(out, i, r)
}

// without returns what is left of l when all keys of r are known.
func (l lost) without(r keyRange) lost {
	var out lost
	for _, o := range l {
		if endsBefore(o.hi, r.lo) || endsBefore(r.hi, o.lo) {
			out = append(out, o)
			continue
		}
		if o.lo < r.lo {
			out = append(out, keyRange{o.lo, r.lo})
		}
		if r.hi != "" && (o.hi == "" || r.hi < o.hi) {
			out = append(out, keyRange{r.hi, o.hi})
		}
	}
	return out
}

// after returns what is lost once a chunk was applied to a tree of which l was: it met holes,
// emptied the prefixes clears, and made the edits. What it deletes is known to be absent.
func (l lost) after(holes []keyRange, clears []string, edits []edit) lost {
	for _, r := range holes {
		l = l.with(r)
	}
	for _, p := range clears {
		l = l.without(keyRange{p, prefixEnd(p)})
	}
	if len(l) == 0 {
		return nil
	}
	for i := range edits {
		if e := &edits[i]; e.hash.IsZero() && l.has(e.key) && len(l) < lostMax {
			l = l.without(keyRange{e.key, e.key + "\x00"})
		}
	}
	if len(l) == 0 {
		return nil
	}
	return l
}

// unknown is the error for a read that would have to know what was in a range.
func (r keyRange) unknown() error {
	if r == allKeys {
		return &nodeError{reason: "what was in the partition is lost"}
	}
	return &nodeError{reason: fmt.Sprintf("what was there from key %.40q up to %.40q is lost", r.lo, r.hi)}
}

// miss is the error for a key that is not in t, nil if it is known to be absent.
func (t *tree) miss(key string) error {
	if t == nil || len(t.lost) == 0 || !t.lost.has(key) {
		return nil
	}
	return t.lost[t.lost.at(key)].unknown()
}

// missAny is the error for a read of all keys of a span, nil if they are known.
func (t *tree) missAny(sp Span) error {
	if t == nil {
		return nil
	}
	r, ok := t.lost.in(sp)
	if !ok {
		return nil
	}
	return r.unknown()
}

// known returns what of a span can be read before something is met that nobody knows, and the error
// for that.
func (t *tree) known(sp Span) (Span, error) {
	if t == nil || len(t.lost) == 0 {
		return sp, nil
	}
	r, ok := t.lost.in(sp)
	if !ok {
		return sp, nil
	}
	part := sp
	switch {
	case !sp.Reverse && r.lo <= sp.Lo, sp.Reverse && (r.hi == "" || !endsBefore(r.hi, sp.Hi) && sp.Hi != ""):
		part = nothing
		part.Reverse, part.Limit = sp.Reverse, sp.Limit
	case sp.Reverse:
		part.Lo = r.hi
	default:
		part.Hi = r.lo
	}
	return part, r.unknown()
}

// scanTree is scan in a tree of which something may be lost: what fn is given before it comes to
// that is right.
func scanTree(src loader, t *tree, sp Span, fn func(string, Hash) bool) error {
	part, unknown := t.known(sp)
	if unknown == nil {
		return scan(src, t.top(), sp, fn)
	}
	given, stopped := 0, false
	err := scan(src, t.top(), part, func(key string, h Hash) bool {
		given++
		stopped = !fn(key, h)
		return !stopped
	})
	if err != nil || stopped || sp.Limit > 0 && given >= sp.Limit {
		return err
	}
	return unknown
}

// countTree is count in a tree of which something may be lost.
func countTree(src loader, t *tree, sp Span) (uint64, error) {
	if err := t.missAny(sp); err != nil {
		return 0, err
	}
	return count(src, t.top(), sp)
}

// scanAround calls fn for the entries of a span that can be read, and hole for each range that
// cannot, in ascending order.
func scanAround(src loader, n *node, hi string, sp Span, fn func(key string), hole func(keyRange)) error {
	for i := range n.len() {
		key, end := n.key(i), hi
		if i+1 < n.len() {
			end = n.key(i + 1)
		}
		if n.leaf() {
			if sp.Contains(key) {
				fn(key)
			}
			continue
		}
		if endsBefore(end, sp.Lo) || endsBefore(sp.Hi, key) {
			continue
		}
		c, err := child(src, n, i)
		if isHole(err) {
			hole(keyRange{key, end})
		} else if err != nil {
			return err
		} else if err := scanAround(src, c, end, sp, fn, hole); err != nil {
			return err
		}
	}
	return nil
}

// isHole reports whether err says that the record of a node is missing or damaged.
func isHole(err error) bool {
	_, ok := errors.AsType[*nodeError](err)
	return ok
}

// resolveAround is resolve where nodes cannot be read. An edit removes a key of each, so that the
// chunk comes there.
func (p *plan) resolveAround(src loader, root *link) ([]edit, error) {
	if len(p.clears) == 0 || root == nil {
		return p.edits, nil
	}
	gone := map[string]bool{}
	for _, prefix := range p.clears {
		err := scanAround(src, root.node.Load(), "", Prefix(prefix), func(key string) { gone[key] = true },
			func(r keyRange) { gone[max(r.lo, prefix)] = true })
		if err != nil {
			return nil, err
		}
	}
	edits := slices.Clone(p.edits)
	for _, e := range p.edits {
		delete(gone, e.key)
	}
	for key := range gone {
		edits = append(edits, edit{key: key})
	}
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.key, b.key) })
	return edits, nil
}
