package mmapcas

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/index"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// sweepCheck is how many records are swept, and sweepBytes how many bytes of them copied, between
// two looks at the clock.
const (
	sweepCheck = 64
	sweepBytes = 256 << 10
)

// readersLeave is how long a sweep on a full disk waits for readers of segments that it has
// emptied.
const readersLeave = time.Second

// SweepStats tells what a call of Sweep did.
type SweepStats struct {
	Shaded       int   // records waiting in Shaded; if not 0, nothing was swept
	Waits        bool  // SweepBriefly has come to something that may take long: Sweep does it
	Live         int64 // bytes of what was there when the cycle began and stays
	Segments     int   // segments finished
	Looked       int64 // records that were looked at
	Dropped      int64 // records taken out of the index
	DroppedBytes int64
	Moved        int64 // records copied out of sparse segments
	MovedBytes   int64
	Freed        int64 // bytes of segments that go when their readers have left
}

// sweeper is the state of a sweep between slices.
type sweeper struct {
	segs    []*segment // all there were when the cycle began, until plan has been there
	planned bool
	wait    bool              // guarded by Cycle.sweepMu: the call that runs may wait for the disk
	live    int64             // see SweepStats
	only    map[*segment]bool // if not nil, the segments to be emptied, whatever is in them
	todo    []chore           // the first may be half done
	scan    scanner           // over todo[0], if open
	open    bool
	damaged bool // todo[0] has records that the scan could not read
	to      appender
	emptied []*segment // nothing needs them, once the copies are durable
	batch   int64      // bytes of emptied segments that are worth a sync
}

// Emptied segments wait for one sync to let them all go, but not more than emptiedMax of them, and,
// if that is more than one, no more than an eighth of what is live: they lie on the disk beside
// their copies.
const (
	emptiedMax   = 8
	emptiedShare = 8
)

// full reports whether the emptied segments are to go now.
func (w *sweeper) full() bool {
	bytes := int64(0)
	for _, seg := range w.emptied {
		bytes += seg.mem.Bytes()
	}
	return len(w.emptied) >= emptiedMax || len(w.emptied) > 0 && bytes >= w.batch
}

// Sweep drops every record that is not marked from the index, and empties sparse segments by
// copying what is left in them. It works for about the budget and returns done=true when it has
// finished and the cycle has ended; until then call it again. Finishing a segment syncs the copies,
// which takes as long as the disk likes.
//
// Sweep does nothing while records wait in Shaded: trace them first, then call again. Once Sweep
// has begun, Mark no longer saves what was swept, so everything reachable must have been marked
// before the first call.
//
// After an error the cycle goes on: Sweep may be called again. A disk too full for copies is no
// error: what cannot be copied stays where it is.
func (c *Cycle) Sweep(budget time.Duration) (done bool, st SweepStats, err error) {
	return c.sweepFor(budget, true)
}

// SweepBriefly is Sweep that keeps to its budget where Sweep waits for the disk (a sync, a file
// that is made or grows), or for a commit that does: it returns with SweepStats.Waits, and the next
// call of Sweep does that. For a caller who must not hold up the thread that it runs on.
func (c *Cycle) SweepBriefly(budget time.Duration) (done bool, st SweepStats, err error) {
	return c.sweepFor(budget, false)
}

func (c *Cycle) sweepFor(budget time.Duration, wait bool) (done bool, st SweepStats, err error) {
	c.sweepMu.Lock()
	defer c.sweepMu.Unlock()
	if err := c.running(); err != nil {
		return false, st, err
	}
	if st.Shaded = c.waiting(); st.Shaded > 0 {
		return false, st, nil
	}
	s, w := c.s, &c.sweep
	if !w.planned {
		if !wait {
			st.Waits = true
			return false, st, nil
		}
		c.plan()
	}
	w.wait, st.Live = wait, w.live
	for start := time.Now(); len(w.todo) > 0; {
		err := c.sweepOn(&st)
		if errors.Is(err, errWait) {
			st.Waits = true
			return false, st, nil
		}
		if err != nil {
			return false, st, err
		}
		if time.Since(start) >= budget && len(w.todo) > 0 {
			return false, st, nil
		}
	}
	if !wait {
		st.Waits = true
		return false, st, nil
	}
	if err := c.forgetEmptied(&st); err != nil {
		return false, st, err
	}
	w.close(s)
	c.end(true)
	s.counters.cycles.Add(1)
	s.index.Shrink()
	s.saveIndexAfterCycle()
	s.epochs.Collect()
	s.fillReserve(true)
	return true, st, nil
}

// errWait: what comes next may take long, and the caller does not want to wait.
var errWait = errors.New("mmapcas: to be done by Sweep")

// sweepOn does a little: some records of the first segment, or its end.
func (c *Cycle) sweepOn(st *SweepStats) error {
	w := &c.sweep
	if w.full() {
		if !w.wait {
			return errWait
		}
		if err := c.forgetEmptied(st); err != nil {
			return err
		}
	}
	finished, err := c.sweepSome(st)
	if errors.Is(err, errEmptiedFirst) {
		if !w.wait {
			return errWait
		}
		if err = c.forgetEmptied(st); err == nil {
			// Their space is for the next copies.
			c.s.AwaitRetired(context.Background(), readersLeave)
		}
	}
	if err != nil || !finished {
		return err
	}
	c.finishSegment()
	st.Segments++
	return nil
}

// sweepSome sweeps some records of the first segment and reports whether it came to its end.
func (c *Cycle) sweepSome(st *SweepStats) (finished bool, err error) {
	s, w := c.s, &c.sweep
	g := s.epochs.Pin()
	defer g.Unpin()
	if s.closed.Load() {
		return false, ErrClosed
	}
	job := &w.todo[0]
	seg := job.seg
	k := seg.marks.Load()
	if !w.open {
		if err := c.openChore(job); err != nil {
			return false, err
		}
	}
	moved := st.MovedBytes
	var group sweepGroup
	for n := 0; n < sweepCheck; n += len(group.found) {
		if !group.take(&w.scan) {
			return true, nil
		}
		c.approachGroup(&group, k, job.move)
		st.Looked += int64(len(group.found))
		for i := range group.found {
			r := &group.found[i]
			if st.MovedBytes-moved >= sweepBytes {
				w.scan.off = r.off // in the next slice
				return false, nil
			}
			if err := c.sweepRecord(seg, k, r.off, &r.Record, st); err != nil {
				w.scan.off = r.off // again in the next slice
				return false, err
			}
		}
	}
	return false, nil
}

// A sweepGroup is records that are swept together: what the index has of them is looked up side by
// side.
type sweepGroup struct {
	found []scanned
	room  [index.BatchNames]scanned
}

// take scans the next records. It reports false at the end.
func (g *sweepGroup) take(w *scanner) bool {
	g.found = w.some(g.room[:0])
	return len(g.found) > 0
}

// approachGroup brings into the cache what the index has of those records that it will be asked
// about.
func (c *Cycle) approachGroup(g *sweepGroup, k *marks, move bool) {
	var names [index.BatchNames]Hash
	n := 0
	for i := range g.found {
		if r := &g.found[i]; move || !k.stays(r.off) {
			names[n] = r.Hash
			n++
		}
	}
	if n > 1 {
		c.s.approach(names[:n])
	}
}

// openChore begins the work on a segment.
func (c *Cycle) openChore(job *chore) error {
	s, w := c.s, &c.sweep
	seg := job.seg
	if job.ours && job.move {
		// Once it is sealed there is no way back, so there should be somewhere to go.
		if err := c.nextTarget(record.Extent(0)); errors.Is(err, ErrNoSpace) {
			if len(w.emptied) > 0 {
				return errEmptiedFirst
			}
			c.keep(job, err)
		} else if err != nil {
			return err
		}
	}
	if job.ours {
		seg.mem.Seal()
		job.ours = false
	}
	w.open, w.damaged = true, false
	from := int64(segmentHeaderBytes)
	if !job.move { // elders stay as they are
		from = max(from, seg.marks.Load().elders)
	}
	w.scan = s.scan(seg, from, job.end)
	told := int64(0) // up to here: a slice may come back to a record before
	w.scan.damaged = func(off int64, reason string, err error) {
		if off < told {
			return
		}
		w.damaged, told = true, off+1
		_ = s.damage(seg, off, reason, err)
	}
	return nil
}

// keep leaves a segment where it is although it is sparse, since there is no room to make room.
// Sweeping goes on, and another one may go without being copied.
func (c *Cycle) keep(job *chore, err error) {
	c.s.log.Warn("mmapcas: segment not compacted", "segment", job.seg.name, "err", err)
	job.move = false
	if job.ours {
		job.ours = false
		c.s.giveOpen(job.seg.mem)
	}
}

func (c *Cycle) sweepRecord(seg *segment, k *marks, off int64, r *record.Record, st *SweepStats) error {
	s := c.s
	job := &c.sweep.todo[0]
	if k.stays(off) {
		// The index led here when it was marked. If it does no more, a copy is one too many.
		if !job.move {
			return nil
		}
		return c.moveOrKeep(job, off, r, st)
	}
	at := seg.mem.At(off)
	found := arena.Nil
	err := s.arena.Confine(func() error {
		found = s.index.Find(r.Hash)
		return nil
	})
	if err != nil {
		_ = s.readError(r.Hash, arena.Nil, err)
		return nil
	}
	other := found != at
	if other {
		// Dropped before, or another copy counts: unless that has been damaged since it was chosen,
		// and this one was not.
		if found == arena.Nil || !s.rather(at, found) || !s.index.Change(r.Hash, found, at) {
			return nil
		}
	}
	if off >= k.elders && off < k.bornBlack && !other {
		if bits, now := k.set(off, bitCondemned); bits == bitCondemned {
			s.drop(r.Hash, at, r.Extent())
			if now {
				st.Dropped++
				st.DroppedBytes += r.Extent()
				s.counters.swept.Add(1)
			}
			return nil
		}
	}
	if !job.move {
		return nil
	}
	return c.moveOrKeep(job, off, r, st)
}

// moveOrKeep moves a record, or gives up emptying its segment if there is no room.
func (c *Cycle) moveOrKeep(job *chore, off int64, r *record.Record, st *SweepStats) error {
	err := c.moveRecord(job.seg, off, r, st)
	if errors.Is(err, ErrNoSpace) {
		if len(c.sweep.emptied) > 0 {
			return errEmptiedFirst
		}
		c.keep(job, err)
		return nil
	}
	return err
}

// errEmptiedFirst: there is no room for a copy, but emptied segments wait to make some.
var errEmptiedFirst = errors.New("mmapcas: let emptied segments go first")

// moveRecord copies a marked record to the sweeper's own segment and leads its index entry there.
func (c *Cycle) moveRecord(seg *segment, off int64, r *record.Record, st *SweepStats) error {
	s, w := c.s, &c.sweep
	at := seg.mem.At(off)
	// A record with a segment of its own is never moved: it is all of it, or nothing.
	if err := c.nextTarget(r.Extent()); err != nil {
		return err
	}
	if !w.wait && w.to.Ready() < r.Extent() {
		return errWait // taking disk space waits for whatever else the file system does
	}
	err := s.arena.Confine(func() error {
		if !r.Intact() {
			s.drop(r.Hash, at, r.Extent())
			_ = s.damage(seg, off, "payload fails its checksum", nil)
			return nil
		}
		to, b, err := w.to.Reserve(r.Extent())
		if err != nil && errors.Is(classify(err), ErrNoSpace) && s.useReserve(true) {
			to, b, err = w.to.Reserve(r.Extent())
		}
		if err != nil {
			w.to.leave(err)
			return classify(err)
		}
		r.CopyTo(b, &w.to.scratch)
		w.to.Commit()
		// Dropped meanwhile means found damaged by a reader; then the copy is surplus, and
		// nobody's.
		if s.index.Change(r.Hash, at, to) {
			st.Moved++
			st.MovedBytes += r.Extent()
			s.counters.moved.Add(1)
		}
		return nil
	})
	if fault, ok := errors.AsType[*arena.FaultError](err); ok {
		target := w.to.Segment()
		w.to.Abandon() // wherever the fault was, the copy may be half written
		if fault.Segment == seg.mem {
			_ = s.unreadable(r.Hash, at, err)
			return nil
		}
		return s.faultError(target, fault)
	}
	return err
}

// nextTarget gives the sweeper a segment with room for n bytes, unless it has one.
func (c *Cycle) nextTarget(n int64) error {
	s, w := c.s, &c.sweep
	if w.to.Room() >= n {
		return nil
	}
	seg := s.takeSpare(n)
	if seg == nil {
		if !w.wait {
			return errWait // making a file may sync it
		}
		var err error
		seg, err = s.newSegment(0)
		if errors.Is(err, ErrNoSpace) && s.useReserve(true) {
			seg, err = s.newSegment(0)
		}
		if err != nil {
			return err
		}
	}
	if old := w.to.Detach(); old != nil {
		old.Seal()
	}
	seg.copies.Store(true)
	return w.to.Attach(seg.mem)
}

// finishSegment ends the work on the first segment.
func (c *Cycle) finishSegment() {
	s, w := c.s, &c.sweep
	job := w.todo[0]
	seg := job.seg
	if job.move {
		if w.damaged {
			// Records that the scan could not read may still have entries.
			s.index.DropRange(seg.mem.First(), seg.mem.At(seg.mem.Bytes()))
		}
		w.emptied = append(w.emptied, seg)
	}
	w.todo, w.open = w.todo[1:], false
}

// forgetEmptied lets emptied segments go (G4).
func (c *Cycle) forgetEmptied(st *SweepStats) error {
	s, w := c.s, &c.sweep
	if len(w.emptied) == 0 {
		return nil
	}
	if err := s.forget(w.emptied, w.to.Segment()); err != nil {
		return err
	}
	for _, seg := range w.emptied {
		st.Freed += seg.mem.Bytes()
	}
	w.emptied = nil
	s.epochs.Collect() // which removes the files now, if nobody reads in them
	return nil
}

// forget removes segments that nothing needs, once the copies made of their records are as durable
// as they were. That means all copies: of a collection that was given up, too. to is being copied
// to, nil if none is.
func (s *Store) forget(gone []*segment, to *arena.Segment) error {
	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	if s.closed.Load() {
		return ErrClosed
	}
	return s.forgetLocked(gone, to)
}

// forgetLocked is forget for whoever holds commitMu.
func (s *Store) forgetLocked(gone []*segment, to *arena.Segment) error {
	if s.dir != "" {
		if err := s.syncFailed(); err != nil {
			return err
		}
		for _, seg := range s.segments() {
			if slices.Contains(gone, seg) {
				continue
			}
			copies, n := seg.copies.Load(), seg.noted
			if copies {
				n = seg.mem.Length()
			}
			// What goes may be what an older note needs, so the newest has to be durable, with
			// SyncNone too.
			if err := s.syncSegment(seg, n); err != nil {
				return err
			}
			if copies && seg.mem != to {
				seg.copies.Store(false)
			}
		}
		if err := s.syncNames(); err != nil {
			return err
		}
		r := s.manifestOf(func(seg *segment) (int64, bool) { return seg.noted, !slices.Contains(gone, seg) })
		r.note = s.Note()
		if err := s.writeManifest(&r, true); err != nil {
			return err
		}
	}
	for _, seg := range gone {
		// The marks stay in place: a put that found a record here before it was dropped asks them
		// whether it was (G3).
		k := seg.marks.Load()
		s.retire(seg)
		if k != nil {
			s.epochs.Retire(k.block.Len(), func() { _ = k.block.Free() })
		}
	}
	return nil
}

// close leaves the open segments that the sweeper has for others to fill.
func (w *sweeper) close(s *Store) {
	if m := w.to.Detach(); m != nil {
		s.giveOpen(m)
	}
	for _, job := range w.todo {
		if job.ours {
			s.giveOpen(job.seg.mem)
		}
	}
	w.todo = nil
}
