package mmapcas

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/index"
)

// A Cycle is one run of a collector: mark, then sweep. All methods may be called from any
// goroutine.
type Cycle struct {
	s       *Store
	short   bool  // see BeginShortCycle
	damaged int64 // places, when it began

	ended  atomic.Bool
	whole  atomic.Bool // see Whole
	mu     sync.Mutex  // held from where shade marks to where it queues (G6)
	shaded []Hash      // guarded by mu

	marked func(h Hash) // tests interleave here; nil in the product

	sweepMu sync.Mutex // held over each slice of the sweep
	sweep   sweeper    // guarded by sweepMu
}

// BeginCycle starts a collection. From now on whatever is put survives it (G1); what G2 asks for is
// the caller's part. There is one cycle at a time: ErrCycle if another is under way.
func (s *Store) BeginCycle() (*Cycle, error) { return s.beginCycle(false) }

func (s *Store) beginCycle(short bool) (*Cycle, error) {
	if s.opts.ReadOnly {
		return nil, fmt.Errorf("%w: %s was opened so", ErrReadOnly, s.dir)
	}
	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	if s.closed.Load() {
		return nil, ErrClosed
	}
	if s.cycle.Load() != nil {
		return nil, fmt.Errorf("%w: another is under way", ErrCycle)
	}
	damaged := s.counters.damaged.Load()
	if short && !s.elders.known(damaged) {
		return nil, ErrNoElders
	}
	c := &Cycle{s: s, short: short, damaged: damaged}
	var err error
	// No put is between reserving and committing now, so a segment's length divides old records
	// from young ones.
	s.pool.exclusive(func([]*appender) {
		segs := s.segments()
		for _, seg := range segs {
			elders := int64(0)
			if short {
				elders = seg.elders.Load()
			}
			if err = c.admit(seg, elders, seg.mem.Length()); err != nil {
				break
			}
		}
		if err != nil {
			c.dropMarks()
			return
		}
		c.sweep.segs = segs
		s.cycle.Store(c)
		if !short {
			s.elders.forget()
		}
	})
	if err != nil {
		return nil, fmt.Errorf("mmapcas: begin collection: %w", err)
	}
	c.prepareMarks()
	if err := s.shadePinned(); err != nil {
		c.end(false) // no caller has it yet
		return nil, fmt.Errorf("mmapcas: begin collection: %w", err)
	}
	return c, nil
}

// prepareMarks has the marks of all segments prepared, without holding up those who put.
func (c *Cycle) prepareMarks() {
	g := c.s.epochs.Pin()
	defer g.Unpin()
	for _, seg := range c.s.segments() {
		if k := seg.marks.Load(); k != nil {
			k.prepare()
		}
	}
}

// admit gives a segment its marks. Records before elders, and from bornBlack on, are kept.
func (c *Cycle) admit(seg *segment, elders, bornBlack int64) error {
	m, err := newMarks(c, seg.mem.Bytes(), elders, bornBlack)
	if err != nil {
		return err
	}
	seg.marks.Store(m)
	return nil
}

// dropMarks takes all marks away. They may still be in somebody's hand, so the epochs decide when
// their memory goes.
func (c *Cycle) dropMarks() {
	for _, seg := range c.s.segments() {
		retireMarks(c.s, seg)
	}
}

func retireMarks(s *Store, seg *segment) {
	if m := seg.marks.Swap(nil); m != nil {
		s.epochs.Retire(m.block.Len(), func() { _ = m.block.Free() })
	}
}

// Mark notes that the record named h is reachable. first reports whether this is news: then what
// the record refers to has to be marked too. ErrNotFound says that there is no such record, a
// *CorruptError that it is damaged.
func (c *Cycle) Mark(h Hash) (first bool, err error) {
	_, first, err = c.MarkKind(h)
	return first, err
}

// MarkKind is Mark, and says what kind of record it is: for callers to whom some kinds refer to
// nothing.
func (c *Cycle) MarkKind(h Hash) (kind Kind, first bool, err error) {
	s := c.s
	g := s.epochs.Pin()
	defer g.Unpin()
	if err := c.running(); err != nil {
		return 0, false, err
	}
	var at arena.Addr
	err = s.arena.Confine(func() error {
		at = s.index.Find(h)
		kind, first, err = c.markAt(h, at)
		return err
	})
	return kind, first, s.readError(h, at, err)
}

// markAt marks the record named h, which was found at an address, or was not. The caller is inside
// a pin and confined.
func (c *Cycle) markAt(h Hash, at arena.Addr) (kind Kind, first bool, err error) {
	s := c.s
	if at == arena.Nil {
		return 0, false, ErrNotFound
	}
	m := s.arena.Segment(at)
	seg, off := m.Owner().(*segment), m.Offset(at)
	k := seg.marks.Load()
	if k == nil || k.cycle != c {
		return 0, false, fmt.Errorf("%w: it has ended", ErrCycle)
	}
	header, ok := s.headerIn(m, at, off)
	if !ok {
		if !s.drop(h, at, 0) {
			// Another call, or this one for the same name, may have met the damage since h was
			// found.
			if now := s.index.Find(h); now != at {
				return c.markAt(h, now)
			}
		}
		return 0, false, s.damage(seg, off, "header fails its checksum", nil)
	}
	kind = header.Kind
	if off < k.elders {
		return kind, false, nil
	}
	bits, first := k.set(off, bitMarked)
	if bits == bitCondemned {
		// Unreachable when the sweep began, so whoever refers to it now has broken G0.
		return kind, false, fmt.Errorf("%w: %v was swept in this cycle", ErrNotFound, h)
	}
	if first && off < k.bornBlack {
		k.live.Add(header.Extent())
	}
	return kind, first, nil
}

// MarkTogether is how many names MarkGroup takes at a time.
const MarkTogether = index.BatchNames

// A MarkResult is what MarkKind says of a name.
type MarkResult struct {
	Kind  Kind
	First bool
	Err   error
}

// MarkGroup is MarkKind for up to MarkTogether names: said[i] is of names[i]. What it looks at is
// brought into the cache side by side, for most of the cost of marking is to wait for memory.
func (c *Cycle) MarkGroup(names []Hash, said *[MarkTogether]MarkResult) {
	names = names[:min(len(names), MarkTogether)]
	for i := c.markSome(names, said); i < len(names); i++ {
		// Some page cannot be read. One at a time, the record that it belongs to finds out.
		m := &said[i]
		m.Kind, m.First, m.Err = c.MarkKind(names[i])
	}
}

// markSome is MarkGroup until a page cannot be read. It returns how many names it has done.
func (c *Cycle) markSome(names []Hash, said *[MarkTogether]MarkResult) (done int) {
	s := c.s
	g := s.epochs.Pin()
	defer g.Unpin()
	if c.running() != nil {
		return 0
	}
	_ = s.arena.Confine(func() error { // a fault leaves done at the name that met it
		var at [index.BatchNames]arena.Addr
		s.index.Approach(names, &at)
		c.approachMarks(at[:len(names)])
		for i := range names {
			m := &said[i]
			m.Kind, m.First, m.Err = c.markAt(names[i], s.index.FindNear(index.KeyOf(&names[i]), at[i]))
			done = i + 1
		}
		return nil
	})
	return done
}

// approachMarks brings the marks of what lies at these addresses into the cache. The caller holds a
// pin, and has found them under it.
func (c *Cycle) approachMarks(at []arena.Addr) {
	for _, a := range at {
		if a == arena.Nil {
			continue
		}
		m := c.s.arena.Segment(a)
		if k := m.Owner().(*segment).marks.Load(); k != nil {
			k.fetch(m.Offset(a))
		}
	}
}

// A shading is the outcome of shade.
type shading uint8

const (
	kept      shading = iota // the record survives the cycle
	condemned                // the record is swept
	stale                    // the cycle has ended, and may have swept the record before
)

// shade keeps a record that was put again, and queues it for tracing if that is news. The caller
// holds a pin, and loaded the cycle before it looked the record up.
//
// Ordering. A put loads the cycle (P1), finds the entry (P2), asks the marks (P3). If P1 sees no
// cycle, one that begins later waits for this writer before it sweeps (G2). If P1 sees c, and c
// condemned the record before P3, then P3 sees that: marks of c that are still in place say so, and
// marks that are gone or another cycle's say stale, and the put starts again.
//
// Marking and queueing are one step to the collector that empties the queue (G6): mu is held during
// both.
func (c *Cycle) shade(seg *segment, off int64, h Hash, bytes int64) shading {
	k := seg.marks.Load()
	if k == nil || k.cycle != c {
		return stale
	}
	if off >= k.bornBlack {
		return kept
	}
	bits := k.get(off)
	if bits == 0 {
		c.mu.Lock()
		var first bool
		if bits, first = k.set(off, bitMarked); first {
			if off >= k.elders {
				k.live.Add(bytes)
			}
			if c.marked != nil {
				c.marked(h)
			}
			c.shaded = append(c.shaded, h)
		}
		c.mu.Unlock()
	}
	if bits == bitCondemned {
		return condemned
	}
	return kept
}

// Shaded returns and forgets the records that were put again since the last call and were not
// marked before. They are marked now: the caller traces what they refer to, without asking Mark
// about the records themselves. Sweep waits for this queue to be empty.
func (c *Cycle) Shaded() []Hash {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.shaded
	c.shaded = nil
	return q
}

func (c *Cycle) running() error {
	if c.ended.Load() {
		return fmt.Errorf("%w: it has ended", ErrCycle)
	}
	return nil
}

// end takes the cycle off the store. It reports false if that has happened before. swept says that
// nothing is left to be done.
func (c *Cycle) end(swept bool) bool {
	if c.ended.Swap(true) {
		return false
	}
	// Segments made while appenders are held elsewhere would get marks after these were dropped.
	c.s.pool.exclusive(func([]*appender) {
		c.s.cycle.Store(nil)
		c.dropMarks()
		if swept {
			c.age()
		}
	})
	return true
}

// age makes elders of all that is there. If damage was met since the cycle began they are not known
// from the start. The caller holds all appenders.
func (c *Cycle) age() {
	s := c.s
	s.elders.forget()
	if !c.whole.Load() {
		return
	}
	for _, seg := range s.segments() {
		seg.elders.Store(seg.mem.Length())
	}
	s.elders.damaged.Store(c.damaged)
	s.elders.ok.Store(true)
}

// waiting returns how many records wait in Shaded.
func (c *Cycle) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.shaded)
}

// Abort ends the cycle without dropping anything more. What was swept stays swept. Abort of an
// ended cycle does nothing.
func (c *Cycle) Abort() {
	c.sweepMu.Lock()
	defer c.sweepMu.Unlock()
	if c.end(false) {
		c.sweep.close(c.s)
	}
}
