package gc

import (
	"context"
	"errors"
	"fmt"

	"github.com/cytisus/cytisus/mmapcas"
)

// A WalkReport says what a walk over everything reachable found.
type WalkReport struct {
	Records int64 // reachable and there
	Bytes   int64 // of their payloads
	Missing int64 // references to records that are not there or not intact
}

// Walk follows every reference from the roots with bookkeeping of its own, independent of mark bits: the check on the collector. No
// cycle moves on while it runs; commits and readers do. It keeps a set of all reachable hashes in memory.
func (c *Collector) Walk(ctx context.Context) (WalkReport, error) {
	c.stepMu.Lock()
	defer c.stepMu.Unlock()
	var rep WalkReport
	stack, err := c.o.DB.Roots()
	if err != nil {
		return rep, fmt.Errorf("gc: walk: %w", err)
	}
	seen := map[mmapcas.Hash]struct{}{}
	for n := 0; len(stack) > 0; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return rep, context.Cause(ctx)
		}
		h := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if _, ok := seen[h]; ok {
			continue
		}
		seen[h] = struct{}{}
		err := c.o.Store.View(h, func(kind mmapcas.Kind, payload []byte) error {
			rep.Records++
			rep.Bytes += int64(len(payload))
			stack = append(stack, c.o.Refs(kind, payload)...)
			return nil
		})
		if errors.Is(err, mmapcas.ErrNotFound) || errors.Is(err, mmapcas.ErrCorrupt) {
			rep.Missing++
		} else if err != nil {
			return rep, fmt.Errorf("gc: walk: %w", err)
		}
	}
	return rep, nil
}
