package gc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// Options of a Collector; all fields but Logger and OldRefs are required.
type Options struct {
	Store *mmapcas.Store
	DB    *db.DB

	// Refs returns what a record refers to; payload is valid during the call only.
	Refs func(kind mmapcas.Kind, payload []byte) []mmapcas.Hash

	// OldRefs returns what a record refers to for those only who read older generations; nil: nothing. A cycle follows these references if a
	// snapshot is held when it has taken its roots.
	OldRefs func(kind mmapcas.Kind, payload []byte) []mmapcas.Hash

	// Flush makes everything that is held in memory only, but will be referred to, reachable from the database.
	Flush func(context.Context) error

	Logger *slog.Logger
}

// A Phase of the collector.
type Phase uint32

const (
	Idle Phase = iota
	Draining
	Marking
	Sweeping
)

func (p Phase) String() string { return [...]string{"idle", "draining", "marking", "sweeping"}[p] }

// A Collector runs at most one cycle at a time. Session and Shade may be called from anywhere; Step by one goroutine at a time (it locks).
type Collector struct {
	o      Options
	gate   gate
	active atomic.Bool // the barrier is on
	phase  atomic.Uint32

	greyMu sync.Mutex
	shaded []mmapcas.Hash // guarded by greyMu: from the barrier, not marked yet

	stepMu  sync.Mutex     // guards all below
	cycle   *mmapcas.Cycle // nil when idle
	began   uint64         // cycles begun
	ended   uint64         // the number of the last cycle that was completed
	grey    []mmapcas.Hash // marked, references not followed yet
	missing int            // references to records that are not in the store
	old     bool           // OldRefs are followed

	reaper reaper
	stats  counters
}

type counters struct {
	cycles, marked, freedRecords, freedBytes, movedBytes, missing atomic.Uint64
	pauseMax                                                      atomic.Int64
}

// New returns an idle collector.
func New(o Options) *Collector {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	c := &Collector{o: o}
	c.reaper.init(o)
	return c
}

// Session opens a session; see the package comment. The function that it returns closes it and must be called exactly once.
func (c *Collector) Session() (end func()) {
	p := c.gate.enter()
	return func() { c.gate.leave(p) }
}

// Shade tells a running cycle that h is referred to from now on. It is cheap, and free when no cycle runs.
func (c *Collector) Shade(h mmapcas.Hash) {
	if !c.active.Load() {
		return
	}
	c.greyMu.Lock()
	c.shaded = append(c.shaded, h)
	c.greyMu.Unlock()
}

// Step does about budget's worth of work, beginning a cycle when none runs, and reports whether the cycle is over.
func (c *Collector) Step(ctx context.Context, budget time.Duration) (done bool, err error) {
	c.stepMu.Lock()
	defer c.stepMu.Unlock()
	return c.step(ctx, budget)
}

func (c *Collector) step(ctx context.Context, budget time.Duration) (done bool, err error) {
	began := time.Now()
	defer func() {
		if d := int64(time.Since(began)); d > c.stats.pauseMax.Load() {
			c.stats.pauseMax.Store(d)
		}
		if err != nil {
			err = fmt.Errorf("gc: %s: %w", Phase(c.phase.Load()), err)
			c.abort()
		}
	}()
	deadline := began.Add(budget)
	if c.cycle == nil {
		if err := c.begin(); err != nil {
			return false, err
		}
	}
	if Phase(c.phase.Load()) == Draining {
		if !c.gate.drained() {
			return false, nil
		}
		if err := c.takeRoots(ctx); err != nil {
			return false, err
		}
	}
	if Phase(c.phase.Load()) == Marking {
		if more, err := c.mark(deadline); more || err != nil {
			return false, err
		}
		c.phase.Store(uint32(Sweeping))
	}
	return c.sweep(deadline)
}

// begin turns the barrier on. From here on no session is without it but those that are open now.
func (c *Collector) begin() error {
	cycle, err := c.o.Store.BeginCycle()
	if err != nil {
		return err
	}
	c.cycle, c.grey, c.missing = cycle, nil, 0
	c.began++
	c.active.Store(true)
	c.gate.turn()
	c.phase.Store(uint32(Draining))
	return nil
}

func (c *Collector) takeRoots(ctx context.Context) error {
	if err := c.o.Flush(ctx); err != nil {
		return err
	}
	c.phase.Store(uint32(Marking))
	roots, err := c.o.DB.Roots()
	if err != nil {
		return err
	}
	// Looked at after the roots: a snapshot taken later reads what they reach, or something newer.
	c.old = c.o.OldRefs != nil && c.o.DB.Snapshots() > 0
	for _, h := range roots {
		if err := c.shade(h); err != nil {
			return err
		}
	}
	return nil
}

// shade marks h and queues it if it was white.
func (c *Collector) shade(h mmapcas.Hash) error {
	first, err := c.cycle.Mark(h)
	if errors.Is(err, mmapcas.ErrNotFound) || errors.Is(err, mmapcas.ErrCorrupt) {
		c.missing++ // lost to damage: whoever reads it computes it again
		return nil
	}
	if err != nil {
		return err
	}
	if first {
		c.stats.marked.Add(1)
		c.grey = append(c.grey, h)
	}
	return nil
}

// mark follows grey records until none is left or the deadline has passed; it reports whether there is more to do.
func (c *Collector) mark(deadline time.Time) (more bool, err error) {
	for n := 0; ; n++ {
		if n%64 == 63 && time.Now().After(deadline) {
			return true, nil
		}
		if len(c.grey) == 0 {
			if drained, err := c.takeShaded(); drained || err != nil {
				return false, err
			}
			continue
		}
		h := c.grey[len(c.grey)-1]
		c.grey = c.grey[:len(c.grey)-1]
		var refs, old []mmapcas.Hash
		err := c.o.Store.View(h, func(kind mmapcas.Kind, payload []byte) error {
			refs = c.o.Refs(kind, payload)
			if c.old {
				old = c.o.OldRefs(kind, payload)
			}
			return nil
		})
		if errors.Is(err, mmapcas.ErrNotFound) || errors.Is(err, mmapcas.ErrCorrupt) {
			c.missing++
			continue
		}
		if err != nil {
			return false, err
		}
		for _, ref := range refs {
			if err := c.shade(ref); err != nil {
				return false, err
			}
		}
		for _, ref := range old {
			if !c.whole(ref) {
				continue // an earlier cycle took it
			}
			if err := c.shade(ref); err != nil {
				return false, err
			}
		}
	}
}

// whole reports whether a record is there, and what it refers to.
func (c *Collector) whole(h mmapcas.Hash) bool {
	var refs []mmapcas.Hash
	err := c.o.Store.View(h, func(kind mmapcas.Kind, payload []byte) error {
		refs = c.o.Refs(kind, payload)
		return nil
	})
	return err == nil && !slices.ContainsFunc(refs, func(ref mmapcas.Hash) bool { return !c.o.Store.Has(ref) })
}

// takeShaded greys what the barriers have queued and reports whether there was nothing.
func (c *Collector) takeShaded() (none bool, err error) {
	c.greyMu.Lock()
	queued := c.shaded
	c.shaded = nil
	c.greyMu.Unlock()
	dup := c.cycle.Shaded()
	for _, h := range queued {
		if err := c.shade(h); err != nil {
			return false, err
		}
	}
	// Marked by the store when they were put again; their references are still to be followed.
	c.grey = append(c.grey, dup...)
	return len(c.grey) == 0, nil
}

func (c *Collector) sweep(deadline time.Time) (done bool, err error) {
	// What is shaded while sweeping must stay, with all it refers to.
	if more, err := c.mark(deadline); more || err != nil {
		return false, err
	}
	done, st, err := c.cycle.Sweep(time.Until(deadline))
	c.stats.freedRecords.Add(uint64(st.Dropped))
	c.stats.freedBytes.Add(uint64(st.DroppedBytes))
	c.stats.movedBytes.Add(uint64(st.MovedBytes))
	if err != nil || !done {
		return false, err
	}
	c.ended = c.began
	c.stats.cycles.Add(1)
	c.stats.missing.Add(uint64(c.missing))
	if c.missing > 0 {
		c.o.Logger.Warn("gc: live records refer to records that are not in the store", "missing", c.missing)
	}
	c.over()
	c.reaper.reset()
	return true, nil
}

// over turns the barrier off.
func (c *Collector) over() {
	c.cycle, c.grey = nil, nil
	c.active.Store(false)
	c.phase.Store(uint32(Idle))
	c.greyMu.Lock()
	c.shaded = nil
	c.greyMu.Unlock()
}

// abort gives a cycle up; nothing was freed that is live, and the next cycle starts afresh.
func (c *Collector) abort() {
	if c.cycle == nil {
		return
	}
	c.cycle.Abort()
	c.over()
}

// Collect runs cycles until one that began after the call is over, whoever else works on them. wait is called between slices, to let
// others go on.
func (c *Collector) Collect(ctx context.Context, slice time.Duration, wait func()) error {
	c.stepMu.Lock()
	number := c.began + 1
	c.stepMu.Unlock()
	for {
		if done, err := c.stepTowards(ctx, number, slice); done || err != nil {
			return err
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		wait()
	}
}

// Finish completes the cycle that runs, if one does, and reports whether it did.
func (c *Collector) Finish(ctx context.Context, slice time.Duration, wait func()) (finished bool, err error) {
	for {
		ran, done, err := c.stepRunning(ctx, slice)
		if !ran || done || err != nil {
			return done, err
		}
		if err := context.Cause(ctx); err != nil {
			return false, err
		}
		wait()
	}
}

// stepRunning is a Step unless no cycle runs.
func (c *Collector) stepRunning(ctx context.Context, slice time.Duration) (ran, done bool, err error) {
	c.stepMu.Lock()
	defer c.stepMu.Unlock()
	if c.cycle == nil {
		return false, false, nil
	}
	done, err = c.step(ctx, slice)
	return true, done, err
}

// stepTowards is a Step unless the cycle of that number, or a later one, was completed; it reports whether it was.
func (c *Collector) stepTowards(ctx context.Context, number uint64, slice time.Duration) (done bool, err error) {
	c.stepMu.Lock()
	defer c.stepMu.Unlock()
	if c.ended < number {
		_, err = c.step(ctx, slice)
	}
	return c.ended >= number, err
}

// Close gives up a running cycle.
func (c *Collector) Close() {
	c.stepMu.Lock()
	defer c.stepMu.Unlock()
	c.abort()
}

// Stats of a collector; all but Phase and GarbageBytes only grow.
type Stats struct {
	Phase        Phase
	Cycles       uint64 // completed
	Marked       uint64 // records found live, over all cycles
	FreedRecords uint64
	FreedBytes   uint64
	MovedBytes   uint64        // copied out of sparse segments
	Missing      uint64        // references to records that were not there
	SliceMax     time.Duration // longest single slice
	GarbageBytes uint64        // the reaper's estimate of what a cycle would free
}

// Stats returns the counters.
func (c *Collector) Stats() Stats {
	return Stats{
		Phase:        Phase(c.phase.Load()),
		Cycles:       c.stats.cycles.Load(),
		Marked:       c.stats.marked.Load(),
		FreedRecords: c.stats.freedRecords.Load(),
		FreedBytes:   c.stats.freedBytes.Load(),
		MovedBytes:   c.stats.movedBytes.Load(),
		Missing:      c.stats.missing.Load(),
		SliceMax:     time.Duration(c.stats.pauseMax.Load()),
		GarbageBytes: uint64(c.reaper.garbage.Load()),
	}
}
