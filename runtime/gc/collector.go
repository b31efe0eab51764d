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
	"github.com/cytisus/cytisus/runtime/latency"
)

// Options of a Collector; all fields but Logger, OldRefs, Over and Check are required.
type Options struct {
	Store *mmapcas.Store
	DB    *db.DB

	// Refs returns what a record refers to; payload is valid during the call only.
	Refs func(kind mmapcas.Kind, payload []byte) []mmapcas.Hash

	// OldRefs returns what a record refers to for those only who read older generations; nil:
	// nothing. A cycle follows these references if a snapshot is held when it has taken its roots.
	OldRefs func(kind mmapcas.Kind, payload []byte) []mmapcas.Hash

	// Plain reports whether records of a kind refer to nothing: such a record is marked by its
	// name, and its bytes are not read. Nil: no kind is known to be so.
	Plain func(kind mmapcas.Kind) bool

	// Flush makes everything that is held in memory only, but will be referred to, reachable from
	// the database. What it could not write it returns: the cycle takes these records for roots.
	Flush func(context.Context) (unwritten []mmapcas.Hash)

	// Check, if not nil, is told of what breaks an invariant. Nil: with the build tag check that is
	// a panic, else nothing is looked at.
	Check *Check

	// Over, if not nil, is called when a cycle has ended, or was given up for err, by whoever ended
	// it, who holds no lock.
	Over func(short bool, err error)

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

var phaseNames = [...]string{"idle", "draining", "marking", "sweeping"}

func (p Phase) String() string { return phaseNames[p] }

// MarshalText gives the phase's name.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (p *Phase) UnmarshalText(text []byte) error {
	i := slices.Index(phaseNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("gc: no phase is named %q", text)
	}
	*p = Phase(i)
	return nil
}

// A Collector runs at most one cycle at a time. All methods may be called from anywhere.
type Collector struct {
	o      Options
	gate   gate
	leave  [2]func()   // made once: leavers of gate
	active atomic.Bool // the barrier is on
	phase  atomic.Uint32

	greyMu sync.Mutex
	shaded []mmapcas.Hash // guarded by greyMu: from the barrier, not marked yet

	stepMu  sync.Mutex     // guards all below, from whoever does not have the errand
	errand  *errand        // nil: a step may be made
	closed  bool           // no step is made any more
	cycle   *mmapcas.Cycle // nil when idle
	short   bool           // the cycle is one of what is new
	wanted  uint64         // cycles up to this number are whole ones
	began   uint64         // cycles begun
	ended   uint64         // the number of the last cycle that was completed
	roots   db.Roots       // of the cycle; Live is gone once marked
	grey    []mmapcas.Hash // marked, references not followed yet
	found   []mmapcas.Hash // referred to by what was followed, or shaded; perhaps not marked yet
	bare    []mmapcas.Hash // to be kept without the values that they name; waits until nothing is left of the two above
	bones   []mmapcas.Hash // of these, marked, references to records of the database not followed yet
	freed   int64          // bytes, by the cycle
	missing int            // references to records that are not in the store
	marked  uint64         // records, by the step that is made
	old     bool           // OldRefs are followed

	clockBytes int   // see work; tests make it small
	check      check // guarded by stepMu; see checked

	reaper reaper
	stats  counters
}

type counters struct {
	cycles, short, marked, freedRecords, freedBytes, movedBytes, missing atomic.Uint64
	pauseMax, live, work                                                 atomic.Int64
	slices                                                               latency.Recorder
}

// New returns an idle collector.
func New(o Options) *Collector {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	c := &Collector{o: o, clockBytes: clockBytes}
	c.leave = c.gate.leavers()
	c.reaper.init(o)
	switch {
	case o.Check != nil:
		c.check.Check = *o.Check
	case checked:
		c.check.Fail = func(err error) { panic(err) }
	}
	if c.check.Fine {
		c.clockBytes = 1
	}
	return c
}

// Session opens a session; see the package comment. The function that it returns closes it and must
// be called exactly once.
func (c *Collector) Session() (end func()) {
	return c.leave[c.gate.enter()&1]
}

// Shade tells a running cycle that h is referred to from now on. It is cheap, and free when no
// cycle runs.
func (c *Collector) Shade(h mmapcas.Hash) {
	if !c.active.Load() {
		return
	}
	c.greyMu.Lock()
	c.shaded = append(c.shaded, h)
	c.greyMu.Unlock()
}

// A Pace is how a collection gives way to others.
type Pace struct {
	Slice time.Duration // how long it works at a time, about
	Wait  func()        // is called between slices

	// Block runs what waits for the disk or for a lock, and returns when it has ended. Nil: in
	// place.
	Block func(fn func() error) error
}

func (p Pace) block(fn func() error) error {
	if p.Block == nil {
		return fn()
	}
	return p.Block(fn)
}

// step does a slice of work, or begins a cycle when none runs. It may leave an errand, which is to
// be done before the next step. The caller holds stepMu, and no errand is out.
func (c *Collector) step(ctx context.Context, w *work) (e *errand, err error) {
	began := time.Now()
	defer func() {
		took := time.Since(began)
		c.stats.slices.Add(took)
		if int64(took) > c.stats.pauseMax.Load() {
			c.stats.pauseMax.Store(int64(took))
		}
		c.stats.work.Add(w.done)
		c.stats.marked.Add(c.marked)
		c.marked = 0
		if err != nil {
			e, err = nil, c.giveUp(err)
		}
		c.errand = e
	}()
	w.deadline, w.every = began.Add(w.slice), c.clockBytes
	switch phase := Phase(c.phase.Load()); phase {
	case Idle, Draining:
		switch {
		case !c.gate.drained():
			// Leaving a session is one atomic add, so it tells nobody.
			return newErrand(func() error { time.Sleep(drainLook); return nil }), nil
		case phase == Idle:
			return c.begin(), nil // with nobody left from before the last turn, if that cycle was given up
		}
		return c.takeRoots(ctx), nil
	case Marking:
		if more, err := c.mark(w); more || err != nil {
			return c.afterSlice(), err
		}
		return c.settle(), nil
	}
	return c.sweep(w)
}

// giveUp ends a cycle for an error, which it returns with what was done. The caller holds stepMu.
func (c *Collector) giveUp(err error) error {
	err = fmt.Errorf("gc: %s: %w", Phase(c.phase.Load()), err)
	c.abort()
	return err
}

// work is what a slice may do, and has done. The clock is looked at once for so many bytes or
// records.
type work struct {
	slice time.Duration // about
	most  int64         // bytes, about; 0: any number

	deadline time.Time
	bytes    int
	every    int
	done     int64 // bytes
}

const (
	clockBytes  = 64 << 10
	recordBytes = RecordWork
)

// spent reports whether the slice is over, after so many bytes more.
func (w *work) spent(bytes int) bool {
	w.done += int64(bytes)
	if w.most > 0 && w.done >= w.most {
		return true
	}
	if w.bytes += bytes; w.bytes < w.every {
		return false
	}
	w.bytes = 0
	return time.Now().After(w.deadline)
}

// drainLook is how often a collection looks whether older sessions have ended, and whether the
// store is free for its cycle.
const drainLook = time.Millisecond

// begin turns the barrier on. From then on no session is without it but those that are open then.
// While a repair of the store runs, which is a cycle as well, begin lets a moment pass and leaves
// the collector idle.
func (c *Collector) begin() *errand {
	var cycle *mmapcas.Cycle
	short := c.began+1 > c.wanted
	e := newErrand(func() (err error) {
		if short {
			cycle, err = c.o.Store.BeginShortCycle()
			short = !errors.Is(err, mmapcas.ErrNoElders)
		}
		if !short {
			cycle, err = c.o.Store.BeginCycle()
		}
		if errors.Is(err, mmapcas.ErrCycle) {
			time.Sleep(drainLook)
			return nil
		}
		return err
	})
	e.begins = true
	e.then = func() error {
		if cycle == nil {
			return nil
		}
		c.cycle, c.grey, c.bare, c.missing = cycle, nil, nil, 0
		c.short = short
		c.began++
		c.active.Store(true)
		c.gate.reached("the barrier is on")
		c.gate.turn() // last: a session that enters after it knows of the barrier
		c.phase.Store(uint32(Draining))
		return nil
	}
	return e
}

func (c *Collector) takeRoots(ctx context.Context) *errand {
	var unwritten []mmapcas.Hash
	e := newErrand(func() error {
		c.Reap() // so that what is counted later was replaced later, as nearly as snapshots allow
		c.reaper.rootsTaken()
		unwritten, c.roots = c.o.Flush(ctx), c.o.DB.Roots()
		return nil
	})
	e.then = func() error {
		c.phase.Store(uint32(Marking))
		// Looked at after the roots: a snapshot taken later reads what they reach, or something
		// newer.
		c.old = c.o.OldRefs != nil && c.o.DB.Snapshots() > 0
		c.bare = c.roots.Bare
		if c.short {
			c.grey = append(c.grey, c.cycle.Again()...)
		}
		c.queue(c.roots.Live)
		c.queue(unwritten)
		c.check.begin(unwritten)
		c.roots.Live, c.roots.Bare = nil, nil
		return nil
	}
	e.leaves = "the roots"
	return e
}

// settle ends marking: what is freed after it must not be what a recovery asks for. Others may
// shade something meanwhile.
func (c *Collector) settle() *errand {
	e := newErrand(func() error {
		c.checked("the end of marking", false)
		return c.o.DB.Settle(c.roots)
	})
	e.then = func() error {
		c.phase.Store(uint32(Sweeping))
		return nil
	}
	e.leaves = "settling"
	return e
}

// queue has mark take records for roots. It is Shade with the barrier known to be on.
func (c *Collector) queue(names []mmapcas.Hash) {
	c.greyMu.Lock()
	c.shaded = append(c.shaded, names...)
	c.greyMu.Unlock()
}

// shade marks h and, if it was white, queues it for what it refers to.
func (c *Collector) shade(h mmapcas.Hash, queue *[]mmapcas.Hash) error {
	kind, first, err := c.cycle.MarkKind(h)
	return c.shadedOne(h, mmapcas.MarkResult{Kind: kind, First: first, Err: err}, queue)
}

// shadedOne is what comes after the mark of a record.
func (c *Collector) shadedOne(h mmapcas.Hash, m mmapcas.MarkResult, queue *[]mmapcas.Hash) error {
	if err := m.Err; err != nil {
		if errors.Is(err, mmapcas.ErrNotFound) || errors.Is(err, mmapcas.ErrCorrupt) {
			c.missing++ // lost to damage: a query that reads it runs again
			return nil
		}
		return err
	}
	if m.First {
		c.marked++
		if c.o.Plain == nil || !c.o.Plain(m.Kind) {
			*queue = append(*queue, h)
		}
	}
	return nil
}

// shadeFound shades some of what was found: as many at a time as can be looked up side by side, for
// most of the cost is waiting for memory.
func (c *Collector) shadeFound(w *work) (cost int, err error) {
	n := min(len(c.found), mmapcas.MarkTogether, max(w.every/recordBytes, 1))
	var said [mmapcas.MarkTogether]mmapcas.MarkResult
	names := c.found[len(c.found)-n:]
	c.cycle.MarkGroup(names, &said)
	c.found = c.found[:len(c.found)-n]
	for i, h := range names {
		if err := c.shadedOne(h, said[i], &c.grey); err != nil {
			return cost, err
		}
		cost += recordBytes
	}
	return cost, nil
}

// mark follows grey records until none is left or the time is over; it reports whether there is
// more to do.
func (c *Collector) mark(w *work) (more bool, err error) {
	for {
		spent := 0
		switch {
		case len(c.grey) > 0:
			spent, err = c.follow(pop(&c.grey))
		case len(c.found) > 0:
			spent, err = c.shadeFound(w)
		case c.takeShaded():
		case len(c.bones) > 0:
			spent, err = c.followBare(pop(&c.bones))
		case len(c.bare) > 0:
			spent, err = recordBytes, c.shade(pop(&c.bare), &c.bones)
		default:
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if w.spent(spent) {
			return true, nil
		}
	}
}

func pop(stack *[]mmapcas.Hash) mmapcas.Hash {
	last := len(*stack) - 1
	h := (*stack)[last]
	*stack = (*stack)[:last]
	return h
}

// follow shades what a grey record refers to. It returns what that cost, in bytes.
func (c *Collector) follow(h mmapcas.Hash) (cost int, err error) {
	var refs, old []mmapcas.Hash
	err = c.o.Store.View(h, func(kind mmapcas.Kind, payload []byte) error {
		cost = len(payload)
		refs = c.o.Refs(kind, payload)
		if c.old {
			old = c.o.OldRefs(kind, payload)
		}
		return nil
	})
	if errors.Is(err, mmapcas.ErrNotFound) || errors.Is(err, mmapcas.ErrCorrupt) {
		c.missing++
		return recordBytes, nil
	}
	if err != nil {
		return 0, err
	}
	c.found = append(c.found, refs...) // one by one: a record may refer to any number of others
	for _, ref := range old {
		if c.whole(ref) { // else an earlier cycle took it
			c.found = append(c.found, ref)
		}
	}
	return cost + recordBytes*(1+len(old)), nil
}

// followBare marks the database's own records that h refers to.
func (c *Collector) followBare(h mmapcas.Hash) (cost int, err error) {
	var refs []mmapcas.Hash
	err = c.o.Store.View(h, func(kind mmapcas.Kind, payload []byte) error {
		cost = len(payload)
		refs = db.BareRefs(kind, payload)
		return nil
	})
	if errors.Is(err, mmapcas.ErrNotFound) || errors.Is(err, mmapcas.ErrCorrupt) {
		c.missing++
		return recordBytes, nil
	}
	c.bare = append(c.bare, refs...)
	return cost + recordBytes, err
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

// takeShaded takes over what the barriers have queued and reports whether there was something.
func (c *Collector) takeShaded() bool {
	c.greyMu.Lock()
	c.found, c.shaded = c.shaded, c.found[:0] // found is empty here: nothing is copied under the lock
	c.greyMu.Unlock()
	// Marked by the store when they were put again; their references are still to be followed.
	dup := c.cycle.Shaded()
	c.grey = append(c.grey, dup...)
	return len(c.found)+len(dup) > 0
}

// sweep does a slice of sweeping, and of what else has to be marked.
func (c *Collector) sweep(w *work) (*errand, error) {
	// What is shaded while sweeping must stay, with all it refers to.
	if more, err := c.mark(w); more || err != nil {
		return c.afterSlice(), err
	}
	c.cycle.Whole(c.missing == 0)
	budget := max(time.Until(w.deadline), 0)
	if w.most > 0 {
		budget = 0 // a few records at a time
	}
	var (
		st  mmapcas.SweepStats
		err error
	)
	for more := true; more; {
		_, st, err = c.cycle.SweepBriefly(budget)
		w.done += c.swept(st)
		more = err == nil && !st.Waits && st.Shaded == 0 && w.done < w.most && time.Now().Before(w.deadline)
	}
	if err != nil || !st.Waits {
		return c.afterSlice(), err
	}
	// Sweep takes its own lock, and others look at nothing of it meanwhile.
	var done bool
	e := newErrand(func() (err error) {
		done, st, err = c.cycle.Sweep(0)
		return err
	})
	e.then = func() error {
		c.stats.work.Add(c.swept(st))
		if done {
			e.leaves = "the end"
			e.ended = true
			c.complete()
		}
		return nil
	}
	return e, nil
}

// swept counts what a sweep has done, and returns how much work that was.
func (c *Collector) swept(st mmapcas.SweepStats) int64 {
	c.stats.freedRecords.Add(uint64(st.Dropped))
	c.stats.freedBytes.Add(uint64(st.DroppedBytes))
	c.freed += st.DroppedBytes
	c.stats.movedBytes.Add(uint64(st.MovedBytes))
	if st.Live > 0 && !c.short {
		c.stats.live.Store(st.Live)
	}
	return st.Looked*recordBytes + st.MovedBytes
}

// complete ends a cycle of which nothing is left to do. The caller holds stepMu.
func (c *Collector) complete() {
	c.ended = c.began
	if c.short {
		c.stats.short.Add(1)
	} else {
		c.stats.cycles.Add(1)
	}
	c.stats.missing.Add(uint64(c.missing))
	if c.missing > 0 {
		c.o.Logger.Warn("gc: live records refer to records that are not in the store", "missing", c.missing)
	}
	freed := c.freed
	short := c.short
	c.over()
	c.reaper.collected(short, freed)
}

// over turns the barrier off.
func (c *Collector) over() {
	c.cycle, c.grey, c.found, c.bare, c.bones, c.roots = nil, nil, nil, nil, nil, db.Roots{}
	c.freed = 0
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

// Collect runs cycles until one that began after the call is over, whoever else works on them.
func (c *Collector) Collect(ctx context.Context, p Pace) error {
	return c.Until(ctx, p, c.Ask(p, true))
}

// CollectNew is Collect for what was put since the last cycle ended, where that can be told from
// the rest: else the cycle is a whole one. What was there before stays, and costs nothing but where
// it is put again; it takes a whole cycle to free what of it has become garbage.
func (c *Collector) CollectNew(ctx context.Context, p Pace) error {
	return c.Until(ctx, p, c.Ask(p, false))
}

// Ask returns the number of the next cycle to begin, and has it be one of everything if whole.
func (c *Collector) Ask(p Pace, whole bool) (number uint64) {
	c.lock(p)
	defer c.stepMu.Unlock()
	number = c.began + 1
	if e := c.errand; e != nil && e.begins {
		number++ // that one may have begun before the call
	}
	if whole {
		c.wanted = max(c.wanted, number)
	}
	return number
}

// Until runs cycles until the one of a number, or a later one, is over, whoever else works on them.
func (c *Collector) Until(ctx context.Context, p Pace, number uint64) error {
	for {
		if done, err := c.stepTowards(ctx, number, p); done || err != nil {
			return err
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		p.Wait()
	}
}

// Finish completes the cycle that runs, if one does, and reports whether it did.
func (c *Collector) Finish(ctx context.Context, p Pace) (finished bool, err error) {
	number := uint64(0)
	for {
		c.lock(p)
		if number == 0 && c.cycle != nil {
			number = c.began
		}
		done := number > 0 && c.ended >= number
		goesOn := c.cycle != nil && c.began == number
		c.stepMu.Unlock()
		if done || !goesOn {
			return done, nil
		}
		if done, err := c.stepTowards(ctx, number, p); done || err != nil {
			return done, err
		}
		if err := context.Cause(ctx); err != nil {
			return false, err
		}
		p.Wait()
	}
}

// lock takes stepMu without holding a thread: a check may take long.
func (c *Collector) lock(p Pace) {
	for !c.stepMu.TryLock() {
		p.Wait()
	}
}

// stepTowards is a step, and the errand that it leaves, unless the cycle of that number, or a later
// one, was completed; it reports whether it was.
func (c *Collector) stepTowards(ctx context.Context, number uint64, p Pace) (done bool, err error) {
	c.lock(p)
	if c.ended >= number {
		c.stepMu.Unlock()
		return true, nil
	}
	if c.closed {
		c.stepMu.Unlock()
		return false, ErrClosed
	}
	e, mine := c.errand, c.errand == nil
	short := c.short
	if mine {
		e, err = c.step(ctx, &work{slice: p.Slice})
	}
	c.stepMu.Unlock()
	switch {
	case err != nil:
		c.tell(short, err)
		return false, err
	case e == nil:
		return false, nil
	case !mine:
		return false, p.block(func() error { e.await(drainLook); return nil })
	}
	if err := p.block(func() error { return c.run(e) }); err != nil {
		return false, c.dropped(e, err)
	}
	c.lock(p)
	defer c.stepMu.Unlock()
	return c.ended >= number, nil
}

// ErrClosed: the collector was closed.
var ErrClosed = errors.New("gc: closed")

// Close waits for an errand that is out, and gives up a running cycle. What comes later is
// ErrClosed.
func (c *Collector) Close() {
	for {
		c.stepMu.Lock()
		c.closed = true
		e := c.errand
		if e == nil {
			break
		}
		c.stepMu.Unlock()
		<-e.done
	}
	defer c.stepMu.Unlock()
	c.abort()
}

// Stats of a collector; all but Phase and GarbageBytes only grow.
type Stats struct {
	Phase        Phase             `json:"phase"`
	Cycles       uint64            `json:"cycles"` // completed, of everything
	Short        uint64            `json:"short"`  // completed, of what was new
	Marked       uint64            `json:"marked"` // records found live, over all cycles
	FreedRecords uint64            `json:"freedRecords"`
	FreedBytes   uint64            `json:"freedBytes"`
	MovedBytes   uint64            `json:"movedBytes"`   // copied out of sparse segments
	Missing      uint64            `json:"missing"`      // references to records that were not there
	SliceMax     time.Duration     `json:"sliceMax"`     // longest single slice
	Slices       latency.Histogram `json:"slices"`       // how long each took
	GarbageBytes uint64            `json:"garbageBytes"` // the reaper's estimate of what a cycle would free
	LiveBytes    int64             `json:"liveBytes"`    // what the last cycle kept of what was there when it began
	Work         int64             `json:"work"`         // done: a byte for each byte looked at, and RecordWork for each record
}

// Work returns Stats.Work.
func (c *Collector) Work() int64 { return c.stats.work.Load() }

// Stats returns the counters.
func (c *Collector) Stats() Stats {
	return Stats{
		Phase:        Phase(c.phase.Load()),
		Cycles:       c.stats.cycles.Load(),
		Short:        c.stats.short.Load(),
		Marked:       c.stats.marked.Load(),
		FreedRecords: c.stats.freedRecords.Load(),
		FreedBytes:   c.stats.freedBytes.Load(),
		MovedBytes:   c.stats.movedBytes.Load(),
		Missing:      c.stats.missing.Load(),
		SliceMax:     time.Duration(c.stats.pauseMax.Load()),
		Slices:       c.stats.slices.Histogram(),
		GarbageBytes: uint64(c.reaper.garbage.Load()),
		LiveBytes:    c.stats.live.Load(),
		Work:         c.stats.work.Load(),
	}
}
