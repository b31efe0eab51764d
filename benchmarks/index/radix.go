package index

import (
	"bytes"
	"context"

	iradix "github.com/hashicorp/go-immutable-radix/v2"
)

// A radix tree is immutable: a snapshot is the tree.
type radix struct{ t *iradix.Tree[name] }

func openRadix(context.Context, string, *data) (contender, error) {
	return &radix{iradix.New[name]()}, nil
}

func (c *radix) commit(edits []entry) error {
	txn := c.t.Txn()
	for i := range edits {
		// The tree keeps the key it is given.
		txn.Insert(bytes.Clone(edits[i].key[:]), edits[i].name)
	}
	c.t = txn.CommitOnly()
	return nil
}

func (c *radix) snapshot() (snapshot, error) { return radixSnapshot{c.t}, nil }
func (c *radix) close() error                { return nil }

type radixSnapshot struct{ t *iradix.Tree[name] }

func (s radixSnapshot) get(e *entry) (name, bool) { return s.t.Get(e.key[:]) }

func (s radixSnapshot) scan(lo, hi *entry) (count, sum int) {
	it := s.t.Root().Iterator()
	it.SeekLowerBound(lo.key[:])
	for {
		k, n, ok := it.Next()
		if !ok || bytes.Compare(k, hi.key[:]) >= 0 {
			return count, sum
		}
		count++
		sum += int(n[0]) + int(k[len(k)-1])
	}
}

func (radixSnapshot) release() error { return nil }
