package mmapcas

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/index"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// A RepairReport says what Repair found and did.
type RepairReport struct {
	Found VerifyReport // what was wrong
	// Lost names records that were found by their names before and are not any more, up to 100 of
	// them: those whose headers are whole.
	Lost      []LostRecord
	LostAll   int64
	Rewritten int   // segments that had damage in them, and are gone
	Kept      int64 // records that were copied out of them
}

// A LostRecord is one that Repair dropped.
type LostRecord struct {
	Hash Hash
	Kind Kind
}

// repairSlice is how long Repair works between two looks at the context.
const repairSlice = 20 * time.Millisecond

// Repair takes out of the store what is damaged: it reads everything as Verify does, drops the
// records and index entries that are damaged, copies what is whole out of the segments with damage,
// and removes these as a collection does (G4). After it Verify finds nothing, and what was lost is
// absent, so that the next to need it puts it again. Nothing that is whole is dropped.
//
// Everything else may go on meanwhile but a collection: ErrCycle if one is under way. With
// ErrNoSpace some damage remains, since there was no room for copies. progress hears about the
// reading, as in Verify.
func (s *Store) Repair(ctx context.Context, progress func(done, total int64)) (rep RepairReport, err error) {
	c, err := s.BeginCycle()
	if err != nil {
		return rep, err
	}
	defer c.Abort() // which does nothing after the end
	damaged, lost := map[*segment]bool{}, map[Hash]Kind{}
	v := verifier{s: s, ctx: ctx, progress: progress}
	v.bad = func(seg *segment, off int64, r *record.Record) {
		damaged[seg] = true
		if r != nil && s.index.Change(r.Hash, seg.mem.At(off), arena.Nil) {
			s.counters.live.Add(-r.Extent())
			lost[r.Hash] = r.Kind
		}
	}
	var dangling []arena.Addr
	v.dangling = func(e index.Entry) { dangling = append(dangling, e.Addr) }
	if rep.Found, err = v.run(); err != nil {
		return rep, err
	}
	for _, at := range dangling {
		s.index.DropRange(at, at+1)
	}
	if !rep.Found.OK() {
		if err := s.enterOthers(ctx); err != nil {
			return rep, err
		}
	}
	for h, kind := range lost {
		if s.Has(h) {
			continue
		}
		if rep.LostAll++; len(rep.Lost) < damagedMax {
			rep.Lost = append(rep.Lost, LostRecord{h, kind})
		}
	}
	if err := c.emptyOnly(ctx, damaged, &rep); err != nil {
		return rep, err
	}
	// A manifest that lists what is there. What was behind its lengths stays so: if the manifest
	// itself was damaged, nothing but the tail leads to what was there.
	return rep, s.forget(nil, nil)
}

// enterOthers puts every whole record into the index that is not there, as opening the store
// without an index file does: among them are other copies of what was dropped because it is
// damaged. What a collection has dropped is there again as well, until the next.
func (s *Store) enterOthers(ctx context.Context) error {
	for _, seg := range s.segments() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.enterOthersOf(seg); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) enterOthersOf(seg *segment) error {
	g := s.epochs.Pin()
	defer g.Unpin()
	if s.closed.Load() {
		return ErrClosed
	}
	if !s.mapped(seg) {
		return nil
	}
	w := s.scan(seg, segmentHeaderBytes, seg.mem.Length())
	for {
		off, r, ok := w.next()
		if !ok {
			return nil
		}
		at := seg.mem.At(off)
		whole := false
		_ = s.arena.Confine(func() error { // what cannot be read is not whole
			whole = !r.Own && s.index.Find(r.Hash) == arena.Nil && r.Intact() && r.Named()
			return nil
		})
		if !whole {
			continue
		}
		if err := s.enterRecord(at, &r); err != nil {
			return err
		}
	}
}

// emptyOnly marks all that can be found by its name, so that nothing of it is dropped, and sweeps
// the store such that these segments are emptied.
func (c *Cycle) emptyOnly(ctx context.Context, segs map[*segment]bool, rep *RepairReport) error {
	s := c.s
	err := s.Iterate(func(_ Kind, h Hash, _ []byte) error {
		_, err := c.Mark(h)
		if errors.Is(err, ErrNotFound) || errors.Is(err, ErrCorrupt) {
			return nil // another reader met damage in it meanwhile
		}
		return err
	})
	if err != nil {
		return err
	}
	c.sweepMu.Lock()
	c.sweep.only = segs
	c.sweepMu.Unlock()
	for done := false; !done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var st SweepStats
		if done, st, err = c.Sweep(repairSlice); err != nil {
			return err
		}
		rep.Kept += st.Moved
		c.Shaded() // all that was there before is marked
	}
	left := 0
	for _, seg := range s.segments() {
		if segs[seg] {
			left++
		}
	}
	rep.Rewritten = len(segs) - left
	if left > 0 {
		return fmt.Errorf("%w: damage remains in %d segments, there is no room to copy what is whole in them", ErrNoSpace, left)
	}
	return nil
}
