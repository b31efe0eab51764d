package index

import (
	"context"

	"github.com/tidwall/btree"
)

// A pair is what trees in memory hold: keys and names in place, nothing to follow.
type pair struct {
	key  key
	name name
}

func pairLess(a, b pair) bool { return a.key.less(&b.key) }

// A tidwallTree is copied before each commit, so that snapshots keep what they saw. It takes no
// locks of its own.
type tidwallTree struct{ t *btree.BTreeG[pair] }

func openTidwall(context.Context, string, *data) (contender, error) {
	return &tidwallTree{btree.NewBTreeGOptions(pairLess, btree.Options{NoLocks: true})}, nil
}

func (c *tidwallTree) commit(edits []entry) error {
	t := c.t.Copy()
	for i := range edits {
		t.Set(pair{edits[i].key, edits[i].name})
	}
	c.t = t
	return nil
}

func (c *tidwallTree) snapshot() (snapshot, error) { return tidwallSnapshot{c.t.Copy()}, nil }
func (c *tidwallTree) close() error                { return nil }

type tidwallSnapshot struct{ t *btree.BTreeG[pair] }

func (s tidwallSnapshot) get(e *entry) (name, bool) {
	p, ok := s.t.Get(pair{key: e.key})
	return p.name, ok
}

func (s tidwallSnapshot) scan(lo, hi *entry) (count, sum int) {
	s.t.Ascend(pair{key: lo.key}, func(p pair) bool {
		if !p.key.less(&hi.key) {
			return false
		}
		count++
		sum += int(p.name[0]) + int(p.key[len(p.key)-1])
		return true
	})
	return count, sum
}

func (tidwallSnapshot) release() error { return nil }
