package memo

import (
	"context"
	"fmt"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// Dirty returns how many keys have traces that were not flushed.
func (t *Table) Dirty() int {
	t.dirtyMu.Lock()
	defer t.dirtyMu.Unlock()
	return len(t.dirty)
}

// Flush writes all traces that are not in the store yet, and then makes room if there are too many in memory. On an error they stay dirty and
// the next Flush tries again.
func (t *Table) Flush(ctx context.Context) error {
	t.flushMu.Lock()
	defer t.flushMu.Unlock()
	defer t.trim()
	t.dirtyMu.Lock()
	batch := t.dirty
	t.dirty = nil
	t.dirtyMu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	if err := t.write(ctx, batch); err != nil {
		t.dirtyMu.Lock()
		t.dirty = append(batch, t.dirty...)
		t.dirtyMu.Unlock()
		return fmt.Errorf("memo: writing the traces of %d keys: %w", len(batch), err)
	}
	return nil
}

func (t *Table) write(ctx context.Context, batch []*entry) (err error) {
	defer t.o.Session()()
	payloads := make([][]byte, len(batch))
	for i, e := range batch {
		e.mu.Lock()
		e.dirty = false
		stored := e.traces[:min(len(e.traces), tracesStored)]
		payloads[i] = encodeTraces(nil, e.query.Version, stored)
		for _, tr := range stored[:min(len(stored), 1)] {
			t.o.Shade(tr.result)
		}
		e.mu.Unlock()
	}
	defer func() {
		if err == nil {
			return
		}
		for _, e := range batch {
			e.mu.Lock()
			e.dirty = true // it goes back on the list; use must not add it twice
			e.mu.Unlock()
		}
	}()
	hashes, err := t.o.Store.PutBatch(KindTrace, payloads, make([]mmapcas.Hash, 0, len(batch)))
	if err != nil {
		return err
	}
	ops := make([]db.Op, len(batch))
	for i, e := range batch {
		t.o.Shade(hashes[i])
		ops[i] = db.Op{Part: t.part, Key: storeKey(e.query, e.key), Verb: db.Put, Hash: hashes[i]}
	}
	_, err = t.o.DB.Commit(ctx, ops)
	return err
}
