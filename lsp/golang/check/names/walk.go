package names

import (
	"cmp"
	"crypto/sha256"
	"go/types"
	"slices"
)

// A walk makes digests of declarations and of all that can be reached from them.
type walk struct {
	path  func(types.Object) string
	nodes map[types.Object]*node // of package-level declarations, of whichever package
	stack []*node                // whose component is not complete yet
	count int
}

// A node is a declaration in the graph of what mentions what.
type node struct {
	label  string
	text   Digest  // of the declaration alone
	leads  []*node // mentioned, each once
	number int     // in the order of visits, from 1
	low    int     // the lowest number on the stack that is known to be reached
	done   bool
	all    Digest // of the component, and of those that it leads to
}

// of is the digest of a declaration.
func (w *walk) of(obj types.Object) Digest {
	n := w.visit(obj)
	return digest("name", n.label, string(n.all[:]))
}

// visit returns the node of a declaration. Unless that is on the stack it is done.
func (w *walk) visit(obj types.Object) *node {
	if n := w.nodes[obj]; n != nil {
		return n
	}
	w.count++
	n := &node{label: label(obj), number: w.count, low: w.count}
	w.nodes[obj] = n
	w.stack = append(w.stack, n)
	t := text{path: w.path}
	t.declaration(obj)
	n.text = sum(t.out)
	seen := map[*node]bool{}
	for _, other := range t.mentions {
		m := w.visit(other)
		if !m.done {
			n.low = min(n.low, m.low)
		}
		if !seen[m] {
			seen[m] = true
			n.leads = append(n.leads, m)
		}
	}
	if n.low == n.number {
		at := slices.Index(w.stack, n)
		w.complete(slices.Clone(w.stack[at:]))
		w.stack = w.stack[:at]
	}
	return n
}

// complete gives the nodes of a component their digest.
func (w *walk) complete(members []*node) {
	for _, n := range members {
		n.done = true
	}
	slices.SortFunc(members, func(a, b *node) int {
		return cmp.Or(cmp.Compare(a.label, b.label), slices.Compare(a.text[:], b.text[:]))
	})
	inside := map[*node]bool{}
	for _, n := range members {
		inside[n] = true
	}
	var out []byte
	below := map[Digest]bool{}
	for _, n := range members {
		out = append(appendString(out, n.label), n.text[:]...)
		for _, m := range n.leads {
			if !inside[m] {
				below[digest(m.label, string(m.all[:]))] = true
			}
		}
	}
	list := make([]Digest, 0, len(below))
	for d := range below {
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b Digest) int { return slices.Compare(a[:], b[:]) })
	for _, d := range list {
		out = append(out, d[:]...)
	}
	all := sum(out)
	for _, n := range members {
		n.all = all
	}
}

// label names a declaration in all packages.
func label(obj types.Object) string {
	if obj.Pkg() == nil {
		return obj.Name()
	}
	return obj.Pkg().Path() + "." + obj.Name()
}

func sum(out []byte) Digest {
	h := sha256.Sum256(out)
	return Digest(h[:len(Digest{})])
}
