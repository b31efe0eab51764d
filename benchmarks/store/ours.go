package store

import (
	"context"

	"github.com/cytisus/cytisus/mmapcas"
)

type ours struct {
	s        *mmapcas.Store
	commit   bool
	payloads [][]byte
	names    []mmapcas.Hash
}

func openOurs(_ context.Context, dir string, _ int, sync bool) (contender, error) {
	o := mmapcas.Options{Sync: mmapcas.SyncNone}
	if sync {
		o.Sync = mmapcas.SyncGroup
	}
	s, err := mmapcas.Open(dir, o)
	return &ours{s: s, commit: sync}, err
}

func (c *ours) put(batch []record) (err error) {
	c.payloads, c.names = c.payloads[:0], c.names[:0]
	for i := range batch {
		c.payloads = append(c.payloads, batch[i].value)
	}
	if c.names, err = c.s.PutBatch(kind, c.payloads, c.names); err != nil || !c.commit {
		return err
	}
	return c.s.Commit(nil)
}

func (c *ours) settle() error { return c.s.Commit(nil) }

func (c *ours) close() error { return c.s.Close() }

func (c *ours) reader() (reader, error) {
	r := &oursReader{s: c.s}
	r.look = func(_ mmapcas.Kind, payload []byte) error {
		r.sum = ends(payload)
		return nil
	}
	return r, nil
}

// An oursReader keeps its function, so that a get allocates nothing on our side.
type oursReader struct {
	s    *mmapcas.Store
	look func(mmapcas.Kind, []byte) error
	sum  int
}

func (r *oursReader) get(k *key) (int, bool) {
	if r.s.View(*k, r.look) != nil {
		return 0, false
	}
	return r.sum, true
}

func (r *oursReader) close() error { return nil }
