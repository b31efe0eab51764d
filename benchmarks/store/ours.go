package store

import (
	"context"

	"github.com/cytisus/cytisus/mmapcas"
)

// ours is read in one of three ways.
type ours struct {
	s        *mmapcas.Store
	via      via
	commit   bool
	payloads [][]byte
	names    []mmapcas.Hash
}

type via uint8

const (
	viaVisit  via = iota // Reader.Visit, for whoever reads many in a row
	viaReader            // Reader.View
	viaStore             // Store.View, from just any goroutine
)

func openOurs(via via) func(context.Context, string, int, bool) (contender, error) {
	return func(_ context.Context, dir string, _ int, sync bool) (contender, error) {
		o := mmapcas.Options{Sync: mmapcas.SyncNone}
		if sync {
			o.Sync = mmapcas.SyncGroup
		}
		s, err := mmapcas.Open(dir, o)
		return &ours{s: s, via: via, commit: sync}, err
	}
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
	r := &oursReader{r: c.s.NewReader()}
	r.lookAll = func(i int, _ mmapcas.Kind, payload []byte, err error) error {
		if err == nil {
			r.sums[i] = ends(payload)
			r.found++
		}
		return nil
	}
	r.look = func(_ mmapcas.Kind, payload []byte) error {
		r.sum = ends(payload)
		return nil
	}
	switch c.via {
	case viaStore:
		r.view = c.s.View
	case viaReader:
		r.view = r.r.View
	case viaVisit:
		return oursVisitor{r}, nil
	}
	return r, nil
}

// An oursReader keeps its function, so that a get allocates nothing on our side.
type oursReader struct {
	r       *mmapcas.Reader
	view    func(mmapcas.Hash, func(mmapcas.Kind, []byte) error) error
	look    func(mmapcas.Kind, []byte) error
	lookAll func(int, mmapcas.Kind, []byte, error) error
	sum     int
	sums    []int
	found   int
}

func (r *oursReader) get(k *key) (int, bool) {
	if r.view(*k, r.look) != nil {
		return 0, false
	}
	return r.sum, true
}

func (r *oursReader) getBatch(keys []key, sums []int) (found int) {
	r.sums, r.found = sums, 0
	if r.r.ViewBatch(keys, r.lookAll) != nil {
		return 0
	}
	return r.found
}

func (r *oursReader) close() error {
	r.r.Close()
	return nil
}

// An oursVisitor reads in visits.
type oursVisitor struct{ *oursReader }

func (r oursVisitor) get(k *key) (sum int, ok bool) {
	_ = r.visit(func(get func(*key) (int, bool)) { sum, ok = get(k) })
	return sum, ok
}

func (r oursVisitor) visit(fn func(get func(k *key) (int, bool))) error {
	return r.r.Visit(func(v mmapcas.Visit) error {
		fn(func(k *key) (int, bool) {
			_, payload, err := v.Get(*k)
			if err != nil {
				return 0, false
			}
			return ends(payload), true
		})
		return nil
	})
}
