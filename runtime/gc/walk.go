package gc

import (
	"context"
	"errors"
	"fmt"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// A WalkReport says what a walk over everything reachable found.
type WalkReport struct {
	Records int64 // reachable and there
	Bytes   int64 // of their payloads
	Missing int64 // references to records that are not there or not intact
}

// Walk follows every reference from the roots with bookkeeping of its own, independent of mark
// bits: the check on the collector. No cycle moves on while it runs; commits and readers do. It
// keeps a set of all reachable hashes in memory.
func (c *Collector) Walk(ctx context.Context) (WalkReport, error) {
	c.lockBetween()
	defer c.stepMu.Unlock()
	var rep WalkReport
	roots := c.o.DB.Roots()
	w := walk{c: c, rep: &rep, seen: map[mmapcas.Hash]struct{}{}}
	if err := w.from(ctx, roots.Live, c.o.Refs); err != nil {
		return rep, err
	}
	return rep, w.from(ctx, roots.Bare, db.BareRefs)
}

type walk struct {
	c    *Collector
	rep  *WalkReport
	seen map[mmapcas.Hash]struct{}
}

// from visits what is reached from stack by way of refs, but for what was visited before.
func (w *walk) from(ctx context.Context, stack []mmapcas.Hash, refs func(mmapcas.Kind, []byte) []mmapcas.Hash) error {
	for n := 0; len(stack) > 0; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		h := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if _, ok := w.seen[h]; ok {
			continue
		}
		w.seen[h] = struct{}{}
		err := w.c.o.Store.View(h, func(kind mmapcas.Kind, payload []byte) error {
			w.rep.Records++
			w.rep.Bytes += int64(len(payload))
			stack = append(stack, refs(kind, payload)...)
			return nil
		})
		if errors.Is(err, mmapcas.ErrNotFound) || errors.Is(err, mmapcas.ErrCorrupt) {
			w.rep.Missing++
		} else if err != nil {
			return fmt.Errorf("gc: walk: %w", err)
		}
	}
	return nil
}
