package memo

import (
	"cmp"
	"math/rand/v2"
	"sync"
)

// A span is what a range node is about: the keys from lo up to hi, "" being no bound, that match
// glob.
type span struct {
	lo, hi, glob string
	keysOnly     bool // what the keys hold does not count
}

// A rangeTree finds the spans in which a key lies. It is a treap by span (Seidel, Aragon, 1989), in
// which each node knows the greatest upper bound below it.
type rangeTree struct {
	mu   sync.RWMutex
	root *spanNode // guarded by mu
}

type spanNode struct {
	span
	*node
	priority    uint64
	most        string // the greatest hi of the subtree
	left, right *spanNode
}

func (s *span) compare(o *span) int {
	if c := cmp.Or(cmp.Compare(s.lo, o.lo), compareEnds(s.hi, o.hi), cmp.Compare(s.glob, o.glob)); c != 0 || s.keysOnly == o.keysOnly {
		return c
	}
	if s.keysOnly {
		return 1
	}
	return -1
}

// compareEnds compares upper bounds.
func compareEnds(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == "":
		return 1
	case b == "":
		return -1
	}
	return cmp.Compare(a, b)
}

// before reports whether key lies below an upper bound.
func before(key, hi string) bool { return hi == "" || key < hi }

// get returns the node of a span, and makes it if there is none.
func (t *rangeTree) get(x *nodeIndex, s span) *node {
	t.mu.RLock()
	n := t.root
	for n != nil {
		switch c := s.compare(&n.span); {
		case c == 0:
			t.mu.RUnlock()
			return n.node
		case c < 0:
			n = n.left
		default:
			n = n.right
		}
	}
	t.mu.RUnlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.insert(x, &t.root, s)
}

// insert is get below a place in the tree. The caller holds mu.
func (t *rangeTree) insert(x *nodeIndex, at **spanNode, s span) (made *node) {
	n := *at
	if n == nil {
		*at = &spanNode{span: s, node: newNode(""), priority: rand.Uint64(), most: s.hi}
		x.made.Add(1)
		return (*at).node
	}
	switch c := s.compare(&n.span); {
	case c == 0:
		return n.node
	case c < 0:
		if made = t.insert(x, &n.left, s); n.left.priority > n.priority {
			l := n.left
			n.left, l.right, *at = l.right, n, l
		}
	default:
		if made = t.insert(x, &n.right, s); n.right.priority > n.priority {
			r := n.right
			n.right, r.left, *at = r.left, n, r
		}
	}
	n.sum()
	(*at).sum()
	return made
}

// sum brings most up to date.
func (n *spanNode) sum() {
	n.most = n.hi
	for _, c := range []*spanNode{n.left, n.right} {
		if c != nil && compareEnds(c.most, n.most) > 0 {
			n.most = c.most
		}
	}
}

// holding appends the nodes of the spans in which key lies.
func (t *rangeTree) holding(key string, to []*spanNode) []*spanNode {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.root.holding(key, to)
}

func (n *spanNode) holding(key string, to []*spanNode) []*spanNode {
	if n == nil || !before(key, n.most) {
		return to
	}
	to = n.left.holding(key, to)
	if n.lo > key {
		return to
	}
	if before(key, n.hi) {
		to = append(to, n)
	}
	return n.right.holding(key, to)
}

// remove takes out the spans for which which is true.
func (t *rangeTree) remove(which func(*node) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.root = t.root.without(which)
}

func (n *spanNode) without(which func(*node) bool) *spanNode {
	if n == nil {
		return nil
	}
	n.left, n.right = n.left.without(which), n.right.without(which)
	if which(n.node) {
		return join(n.left, n.right)
	}
	n.sum()
	return n
}

// join makes one tree of two, all spans of a being before those of b.
func join(a, b *spanNode) *spanNode {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.priority > b.priority:
		a.right = join(a.right, b)
		a.sum()
		return a
	default:
		b.left = join(a, b.left)
		b.sum()
		return b
	}
}
