//go:build check

package db

import "fmt"

// checkTree panics if a tree that a chunk led to breaks an invariant. It looks at what is in memory
// and dirty.
func checkTree(root *link) {
	if root == nil || !root.dirty.Load() {
		return
	}
	if err := verifyTree(root); err != nil {
		panic("db: broken invariant " + err.Error())
	}
}

// checkPoint panics if the point cache says something else than the tree. A tree that cannot be
// read says nothing.
func checkPoint(d *DB, t *tree, key string, h Hash) {
	if want, ok, err := get(d.st, t.root, key); err == nil && want != h && (ok || t.miss(key) == nil) {
		panic(fmt.Sprintf("db: broken invariant P2: the point cache has %v at %q, the tree %v", h, key, want))
	}
}
