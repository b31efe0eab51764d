package db

import "fmt"

// A nodeError says that the record that should hold a node does not.
type nodeError struct {
	hash   Hash
	reason string
}

func (e *nodeError) Error() string { return fmt.Sprintf("record %v: %s", e.hash, e.reason) }

// child returns child i of an inner node and loads it if need be.
func child(src loader, n *node, i int) (*node, error) {
	k := &n.kids[i]
	if c := k.p.Load(); c != nil {
		return c, nil
	}
	c, err := loadChild(src, &item{key: n.key(i), hash: k.hash, n: k.n}, n.level()-1)
	if err != nil {
		return nil, err
	}
	if !k.p.CompareAndSwap(nil, c) {
		if won := k.p.Load(); won != nil {
			return won, nil // two readers loaded it; keep one
		}
	}
	return c, nil
}

// loadChild reads the node that it names and checks that it is what its parent says (T2, T3).
func loadChild(src loader, it *item, level int) (*node, error) {
	c, err := src.load(it.hash)
	if err != nil {
		return nil, err
	}
	if c.level() != level || c.count() != it.n || c.key(0) != it.key {
		return nil, &nodeError{it.hash, fmt.Sprintf("a node of level %d with %d entries from %q where level %d, %d entries from %q belong",
			c.level(), c.count(), c.key(0), level, it.n, it.key)}
	}
	return c, nil
}
