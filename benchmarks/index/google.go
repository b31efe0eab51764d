package index

import (
	"context"

	"github.com/google/btree"
)

// A googleTree is cloned before each commit, so that snapshots keep what they saw.
type googleTree struct{ t *btree.BTreeG[pair] }

func openGoogle(context.Context, string, *data) (contender, error) {
	return &googleTree{btree.NewG(32, pairLess)}, nil
}

func (c *googleTree) commit(edits []entry) error {
	t := c.t.Clone()
	for i := range edits {
		t.ReplaceOrInsert(pair{edits[i].key, edits[i].name})
	}
	c.t = t
	return nil
}

func (c *googleTree) snapshot() (snapshot, error) { return googleSnapshot{c.t.Clone()}, nil }
func (c *googleTree) close() error                { return nil }

type googleSnapshot struct{ t *btree.BTreeG[pair] }

func (s googleSnapshot) get(e *entry) (name, bool) {
	p, ok := s.t.Get(pair{key: e.key})
	return p.name, ok
}

func (s googleSnapshot) scan(lo, hi *entry) (count, sum int) {
	s.t.AscendRange(pair{key: lo.key}, pair{key: hi.key}, func(p pair) bool {
		count++
		sum += int(p.name[0]) + int(p.key[len(p.key)-1])
		return true
	})
	return count, sum
}

func (googleSnapshot) release() error { return nil }
