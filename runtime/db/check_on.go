//go:build check

package db

// checkTree panics if a tree that a chunk led to breaks an invariant. It looks at what is in memory and dirty.
func checkTree(root *link) {
	if root == nil || !root.dirty.Load() {
		return
	}
	if err := verifyTree(root); err != nil {
		panic("db: broken invariant " + err.Error())
	}
}
