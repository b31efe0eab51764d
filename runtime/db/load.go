package db

import (
	"fmt"

	"github.com/cytisus/cytisus/mmapcas"
)

// A nodeError says that the record that should hold a node does not.
type nodeError struct {
	hash   Hash
	reason string
}

func (e *nodeError) Error() string { return fmt.Sprintf("record %v: %s", e.hash, e.reason) }

// rootLink returns a clean link to a root node.
func rootLink(h Hash, n *node) *link {
	l := &link{size: n.count(), hash: h}
	l.node.Store(n)
	return l
}

// A loader reads the node that a hash names.
type loader interface {
	load(h Hash) (*node, error)
	// look calls fn with the record that holds a node. The payload is only there during the call.
	look(h Hash, fn func(kind mmapcas.Kind, payload []byte) error) error
}

// child returns child i of an inner node and loads it if need be.
func child(src loader, n *node, i int) (*node, error) {
	l := n.kids[i]
	if c := l.node.Load(); c != nil {
		return c, nil
	}
	return loadChild(src, n, i, l)
}

// loadChild reads the node that a link of n leads to and checks that it is what n says of child i
// (T2, T3).
func loadChild(src loader, n *node, i int, l *link) (*node, error) {
	c, err := src.load(l.hash)
	if err != nil {
		return nil, err
	}
	level, first := n.level()-1, n.key(i)
	if c.level() != level || c.count() != l.size || c.key(0) != first {
		return nil, &nodeError{l.hash, fmt.Sprintf("a node of level %d with %d entries from %q where level %d, %d entries from %q belong",
			c.level(), c.count(), c.key(0), level, l.size, first)}
	}
	if !l.node.CompareAndSwap(nil, c) {
		return l.node.Load(), nil // two readers loaded it; keep one
	}
	return c, nil
}
