package index

import (
	"context"
	"errors"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

type ours struct {
	store *mmapcas.Store
	db    *db.DB
	ops   []db.Op
}

// part is the only partition.
const part db.PartID = 1

func openOurs(_ context.Context, dir string, d *data) (contender, error) {
	return openDB(dir, d, db.Options{})
}

func openVolatile(_ context.Context, dir string, d *data) (contender, error) {
	return openDB(dir, d, db.Options{Volatile: true})
}

func openDB(dir string, d *data, o db.Options) (_ contender, err error) {
	c := &ours{}
	if c.store, err = mmapcas.Open(dir, mmapcas.Options{}); err != nil {
		return nil, err
	}
	// Every name must name a record.
	if _, err = c.store.PutBatch(kind, d.payloads, nil); err == nil {
		c.db, err = db.Open(c.store, o)
	}
	if err == nil {
		var id db.PartID
		if id, err = c.db.Partition("entries", false); err == nil {
			err = compare.Same("partition", id, part)
		}
	}
	if err != nil {
		return nil, errors.Join(err, c.store.Close())
	}
	return c, nil
}

func (c *ours) commit(edits []entry) error {
	c.ops = c.ops[:0]
	for i := range edits {
		c.ops = append(c.ops, db.Op{Part: part, Key: edits[i].text, Verb: db.Put, Hash: edits[i].name})
	}
	_, err := c.db.Commit(context.Background(), c.ops)
	return err
}

func (c *ours) snapshot() (snapshot, error) { return (*oursSnapshot)(c.db.Snapshot()), nil }

func (c *ours) close() error { return errors.Join(c.db.Close(context.Background()), c.store.Close()) }

// An oursSnapshot is the snapshot itself: as an interface it takes no allocation that its users do
// not have.
type oursSnapshot db.Snapshot

func (s *oursSnapshot) get(e *entry) (name, bool) {
	h, ok, err := (*db.Snapshot)(s).Get(part, e.text)
	return h, ok && err == nil
}

func (s *oursSnapshot) scan(lo, hi *entry) (count, sum int) {
	c := (*db.Snapshot)(s).Cursor(part, db.Span{Lo: lo.text, Hi: hi.text})
	for c.Next() {
		k, h := c.Bytes(), c.Hash()
		count++
		sum += int(h[0]) + int(k[len(k)-1])
	}
	if c.Err() != nil {
		return -1, 0 // no right answer has this count
	}
	return count, sum
}

func (s *oursSnapshot) release() error {
	(*db.Snapshot)(s).Release()
	return nil
}
