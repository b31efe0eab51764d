package db

import "cmp"

// Diff calls fn for each key of a span whose record in one snapshot is not that in another, in
// ascending order, until fn returns false. What the two trees share is not looked at: the cost goes
// with the number of leaves that differ, whatever the size of the partition, and nothing is held in
// memory but a path of each tree. Span.Reverse and Span.Limit play no part. Both snapshots must be
// of d and must not be released meanwhile. On an error what fn was given is right, but not all
// there is. This is how Merkle trees are compared (Merkle, 1979), on trees whose nodes need not
// begin at the same keys.
func (d *DB) Diff(from, to *Snapshot, part PartID, sp Span, fn func(Change) bool) error {
	a, err := from.tree(part)
	if err != nil {
		return err
	}
	b, err := to.tree(part)
	if err != nil {
		return err
	}
	// Where one of the two is not known, nobody knows whether they differ, unless they are the
	// same.
	if a != b {
		if err := cmp.Or(a.missAny(sp), b.missAny(sp)); err != nil {
			return d.explain(part, err)
		}
	}
	return d.explain(part, diff(d.st, a.top(), b.top(), sp, func(key string, before, after Hash) bool { return fn(Change{part, key, before, after}) }))
}

// A half is one of two trees on the way through both: what is to come of it, first subtrees or
// entries on top.
type half struct {
	src    loader
	lo, hi string
	path   []step
}

// A step is the children or entries of a node that are still to come.
type step struct {
	n       *node
	at, end int
}

func newHalf(src loader, root *link, sp Span) *half {
	s := &half{src: src, lo: sp.Lo, hi: sp.Hi}
	if root != nil && !sp.empty() {
		s.enter(root.node.Load())
	}
	return s
}

// enter goes on with what n holds of the span.
func (s *half) enter(n *node) {
	st := step{n: n, end: n.len()}
	if s.lo != "" {
		if n.leaf() {
			st.at, _ = n.search(s.lo)
		} else {
			st.at = n.route(s.lo)
		}
	}
	if s.hi != "" {
		st.end, _ = n.search(s.hi)
	}
	s.path = append(s.path, st)
}

// top returns the node and position of what comes next; nil at the end.
func (s *half) top() *step {
	for len(s.path) > 0 {
		st := &s.path[len(s.path)-1]
		if st.at < st.end {
			return st
		}
		st.n = nil
		s.path = s.path[:len(s.path)-1]
	}
	return nil
}

// expand replaces the child that comes next by what is in it.
func (s *half) expand(st *step) error {
	n, err := child(s.src, st.n, st.at)
	if err != nil {
		return err
	}
	st.at++
	s.enter(n)
	return nil
}

// compareKeys compares key i of n with key j of m.
func compareKeys(n *node, i int, m *node, j int) int {
	var room [128]byte
	key := m.appendKey(room[:0], j)
	p := n.prefix()
	if k := commonPrefix(p, key); k < len(p) {
		if k == len(key) || p[k] > key[k] {
			return 1
		}
		return -1
	}
	a, b := n.suffix(i), key[len(p):]
	switch {
	case string(a) < string(b):
		return -1
	case string(a) == string(b):
		return 0
	default:
		return 1
	}
}

// sameTree reports whether two links are known to lead to equal nodes.
func sameTree(a, b *link) bool {
	return a == b || a.size == b.size && !a.dirty.Load() && !b.dirty.Load() && a.hash == b.hash
}

// diff calls fn for the keys at which two trees differ.
//
// What comes next in the two is compared: two subtrees that are known to be equal are passed over,
// other subtrees are opened, the higher one or, of two on one level, the one that begins first;
// entries are merged. An entry lies before all that a subtree holds if it lies before the first key
// there (T1, T2).
func diff(src loader, from, to *link, sp Span, fn func(key string, before, after Hash) bool) error {
	if from == to || from != nil && to != nil && sameTree(from, to) {
		return nil
	}
	a, b := newHalf(src, from, sp), newHalf(src, to, sp)
	for {
		x, y := a.top(), b.top()
		if x == nil && y == nil {
			return nil
		}
		order := 0 // below zero: what is next in a comes first
		switch {
		case x == nil:
			order = 1
		case y == nil:
			order = -1
		default:
			order = compareKeys(x.n, x.at, y.n, y.at)
		}
		var err error
		switch {
		case order < 0 && x.n.leaf():
			if !fn(x.n.key(x.at), x.n.value(x.at), Hash{}) {
				return nil
			}
			x.at++
		case order > 0 && y.n.leaf():
			if !fn(y.n.key(y.at), Hash{}, y.n.value(y.at)) {
				return nil
			}
			y.at++
		case order == 0 && x.n.leaf() && y.n.leaf():
			if before, after := x.n.value(x.at), y.n.value(y.at); before != after && !fn(x.n.key(x.at), before, after) {
				return nil
			}
			x.at++
			y.at++
		case y == nil:
			err = a.expand(x)
		case x == nil:
			err = b.expand(y)
		case order == 0 && x.n.level() == y.n.level() && sameTree(x.n.kids[x.at], y.n.kids[y.at]):
			x.at++
			y.at++
		case x.n.level() > y.n.level() || x.n.level() == y.n.level() && order < 0:
			err = a.expand(x)
		default:
			err = b.expand(y)
		}
		if err != nil {
			return err
		}
	}
}
