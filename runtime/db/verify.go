package db

import "fmt"

// verifyTree checks T1 to T4 for the nodes of a tree that are in memory and dirty. The error begins
// with the invariant's name.
func verifyTree(root *link) error {
	if n := root.node.Load(); !n.leaf() && n.len() < 2 {
		return fmt.Errorf("T4: an inner root with %d children", n.len())
	}
	_, err := verifyNode(root)
	return err
}

// verifyNode returns the last key under l, or "" if that is not in memory.
func verifyNode(l *link) (last string, err error) {
	n := l.node.Load()
	payload, kind := n.raw, KindLeaf
	if !n.leaf() {
		kind = KindInner
		payload = append([]byte(nil), n.raw...)
		payload = append(payload, make([]byte, len(n.kids)*hashLen)...)
		for i, k := range n.kids {
			payload = append(payload, 1, 0, 0, 0, 0, 0, 0, 0)
			if k.size == 0 {
				return "", fmt.Errorf("T4: child %d of a node of level %d is empty", i, n.level())
			}
		}
	}
	if _, err := checkNode(kind, payload); err != nil {
		return "", fmt.Errorf("T1: %w", err)
	}
	if l.size != n.count() {
		return "", fmt.Errorf("T2: a node of level %d holds %d entries, its parent says %d", n.level(), n.count(), l.size)
	}
	if n.leaf() {
		return n.key(n.len() - 1), nil
	}
	for i, k := range n.kids {
		c := k.node.Load()
		if last = ""; c == nil || !k.dirty.Load() {
			continue
		}
		switch {
		case c.level() != n.level()-1:
			return "", fmt.Errorf("T3: a child of level %d under level %d", c.level(), n.level())
		case c.key(0) != n.key(i):
			return "", fmt.Errorf("T2: child %d begins at %q, its parent says %q", i, c.key(0), n.key(i))
		}
		if last, err = verifyNode(k); err != nil {
			return "", err
		}
		if last != "" && i+1 < len(n.kids) && last >= n.key(i+1) {
			return "", fmt.Errorf("T1: key %q lies before %q", last, n.key(i+1))
		}
	}
	return last, nil
}
