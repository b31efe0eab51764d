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
	group   sweepGroup        // of todo[0], what is in hand during a call
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
	if w.damaged && w.todo[0].move && !w.wait {
		return errWait // all of the index is looked through
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
	k := job.seg.marks.Load()
	if !w.open {
		if err := c.openChore(job); err != nil {
			return false, err
		}
	}
	before := *st
	defer c.counted(&before, st)
	group := &w.group
	for n := 0; n < sweepCheck; n += len(group.found) {
		if !group.take(&w.scan) {
			return true, nil
		}
		c.approachGroup(group, k, job.move)
		for group.next < len(group.found) {
			if st.MovedBytes-before.MovedBytes >= sweepBytes {
				err = errEnough
			} else {
				err = c.sweepGroup(group, k, st)
			}
			if err != nil {
				w.scan.off = group.found[group.next].off // again, in the next slice
				if err == errEnough {
					err = nil
				}
				return false, err
			}
		}
	}
	return false, nil
}

// errEnough: as much was copied as is to be between two looks at the clock.
var errEnough = errors.New("mmapcas: enough for this slice")

// counted adds to the store's counters what came to be in st since before.
func (c *Cycle) counted(before, st *SweepStats) {
	s := c.s
	s.counters.moved.Add(st.Moved - before.Moved)
	s.counters.swept.Add(st.Dropped - before.Dropped)
	if bytes := st.DroppedBytes - before.DroppedBytes; bytes != 0 {
		s.counters.live.Add(-bytes)
		s.counters.dropped.Add(bytes)
	}
}

// sweepGroup sweeps the rest of a group, or some of it. A fault costs the record that met it.
func (c *Cycle) sweepGroup(g *sweepGroup, k *marks, st *SweepStats) error {
	s, w := c.s, &c.sweep
	job := &w.todo[0]
	from, moved := g.next, st.MovedBytes
	defer func() { st.Looked += int64(g.next - from) }()
	err := s.arena.Confine(func() error {
		for ; g.next < len(g.found) && st.MovedBytes-moved < sweepBytes; g.next++ {
			if err := c.sweepRecord(job, k, &g.found[g.next], st); err != nil {
				return err
			}
		}
		return nil
	})
	fault, ok := errors.AsType[*arena.FaultError](err)
	if !ok {
		return err
	}
	target := w.to.Segment()
	w.to.Abandon() // wherever the fault was, the copy may be half written
	if fault.Segment != job.seg.mem {
		return s.faultError(target, fault)
	}
	r := &g.found[g.next]
	_ = s.unreadable(r.hash, job.seg.mem.At(r.off), err)
	g.next++
	return nil
}

// A sweepGroup is records that are swept together: what the index has of them is looked up side by
// side.
type sweepGroup struct {
	found []spot
	next  int // of found: those before were swept
	room  [index.BatchNames]spot
}

// take scans the next records. It reports false at the end.
func (g *sweepGroup) take(w *scanner) bool {
	g.found, g.next = w.spots(g.room[:0]), 0
	return len(g.found) > 0
}

// approachGroup brings into the cache the slots of the index that are to change.
func (c *Cycle) approachGroup(g *sweepGroup, k *marks, move bool) {
	var names [index.BatchNames]Hash
	n := 0
	for i := range g.found {
		if r := &g.found[i]; move || !k.stays(r.off) {
			names[n] = r.hash
			n++
		}
	}
	if n > 1 {
		c.s.index.ApproachSlots(names[:n])
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

// sweepRecord sweeps one record. The caller is inside a pin and confined.
func (c *Cycle) sweepRecord(job *chore, k *marks, r *spot, st *SweepStats) error {
	s, seg := c.s, job.seg
	if k.stays(r.off) {
		// The index led here when it was marked. If it does no more, a copy is one too many.
		if !job.move {
			return nil
		}
		return c.moveOrKeep(job, r, st)
	}
	at := seg.mem.At(r.off)
	there := false
	if r.off >= k.elders && r.off < k.bornBlack {
		// In one step with the drop: a put that finds the record condemned finds no entry soon.
		var dropped bool
		there, dropped = s.index.DropIf(r.hash, at, func() bool {
			bits, _ := k.set(r.off, bitCondemned)
			return bits == bitCondemned
		})
		if dropped {
			st.Dropped++
			st.DroppedBytes += r.extent
			return nil
		}
	}
	if !there {
		if mine, err := c.takesOver(r, at); err != nil || !mine {
			return err
		}
	}
	if !job.move {
		return nil
	}
	return c.moveOrKeep(job, r, st)
}

// takesOver reports whether the index leads to a record that it did not, or need not, lead to.
// Otherwise the record was dropped before, or another copy counts: unless that has been damaged
// since it was chosen, and this one was not.
func (c *Cycle) takesOver(r *spot, at arena.Addr) (mine bool, err error) {
	s := c.s
	if s.index.Leads(r.hash, at) {
		return true, nil
	}
	found := arena.Nil
	err = s.arena.Confine(func() error { // the fault may be another record's
		found = s.index.Find(r.hash)
		return nil
	})
	if err != nil {
		_ = s.readError(r.hash, arena.Nil, err)
		return false, nil
	}
	if found == at {
		return true, nil
	}
	return found != arena.Nil && s.rather(at, found) && s.index.Change(r.hash, found, at), nil
}

// moveOrKeep moves a record, or gives up emptying its segment if there is no room.
func (c *Cycle) moveOrKeep(job *chore, r *spot, st *SweepStats) error {
	err := c.moveRecord(job.seg, r, st)
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
// The caller is inside a pin and confined, and takes care of faults.
func (c *Cycle) moveRecord(seg *segment, spot *spot, st *SweepStats) error {
	s, w := c.s, &c.sweep
	at := seg.mem.At(spot.off)
	// A record with a segment of its own is never moved: it is all of it, or nothing.
	if err := c.nextTarget(spot.extent); err != nil {
		return err
	}
	if !w.wait && w.to.Ready() < spot.extent {
		return errWait // taking disk space waits for whatever else the file system does
	}
	var r record.Record
	if !r.Read(seg.mem.Mem()[spot.off:spot.off+spot.extent]) || !r.Intact() {
		s.drop(spot.hash, at, spot.extent)
		_ = s.damage(seg, spot.off, "payload fails its checksum", nil)
		return nil
	}
	to, b, err := w.to.Reserve(spot.extent)
	if err != nil && errors.Is(classify(err), ErrNoSpace) && s.useReserve(true) {
		to, b, err = w.to.Reserve(spot.extent)
	}
	if err != nil {
		w.to.leave(err)
		return classify(err)
	}
	r.CopyTo(b, &w.to.scratch)
	w.to.Commit()
	// Dropped meanwhile means found damaged by a reader; then the copy is surplus.
	if s.index.Change(spot.hash, at, to) {
		st.Moved++
		st.MovedBytes += spot.extent
	}
	return nil
}

// nextTarget gives the sweeper a segment with room for n bytes, unless it has one.
func (c *Cycle) nextTarget(n int64) error {
	s, w := c.s, &c.sweep
	if w.to.Room() >= n {
		return nil
	}
	if !w.wait {
		return errWait // making a file may sync it, and what is in a spare one may have to be walked
	}
	seg := s.takeSpare(n)
	if seg == nil {
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
