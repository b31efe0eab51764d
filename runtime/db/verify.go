package db

import "fmt"

// verifyTree checks T1 to T4 for the nodes of a tree that are in memory and dirty. The error begins with the invariant's name.
func verifyTree(root *node) error {
	if !root.leaf() && root.len() < 2 {
		return fmt.Errorf("T4: an inner root with %d children", root.len())
	}
	_, err := verifyNode(root)
	return err
}

// verifyNode returns the last key under n, or "" if that is not in memory.
func verifyNode(n *node) (last string, err error) {
	payload := n.raw
	if !n.leaf() {
		payload = append([]byte(nil), n.raw...)
		payload = append(payload, make([]byte, len(n.kids)*hashLen)...)
		for i := range n.kids {
			payload = append(payload, 1, 0, 0, 0, 0, 0, 0, 0)
			if n.kids[i].n == 0 {
				return "", fmt.Errorf("T4: child %d of a node of level %d is empty", i, n.level())
			}
		}
	}
	if _, err := checkNode(n.kind(), payload); err != nil {
		return "", fmt.Errorf("T1: %w", err)
	}
	if n.leaf() {
		return n.key(n.len() - 1), nil
	}
	for i := range n.kids {
		c := n.kids[i].p.Load()
		if last = ""; c == nil || c.clean.Load() {
			continue
		}
		switch {
		case c.level() != n.level()-1:
			return "", fmt.Errorf("T3: a child of level %d under level %d", c.level(), n.level())
		case c.key(0) != n.key(i) || c.count() != n.kids[i].n:
			return "", fmt.Errorf("T2: child %d holds %d entries from %q, its parent says %d from %q", i, c.count(), c.key(0), n.kids[i].n, n.key(i))
		}
		if last, err = verifyNode(c); err != nil {
			return "", err
		}
		if last != "" && i+1 < len(n.kids) && last >= n.key(i+1) {
			return "", fmt.Errorf("T1: key %q lies before %q", last, n.key(i+1))
		}
	}
	return last, nil
}
