package runtime

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	goruntime "runtime"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/gc"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A keeper does the chores that no caller asks for: writing traces, estimating garbage,
// starting collections and audits.
type keeper struct {
	quit chan struct{}
	done chan struct{}
}

// keepEvery is how often chores are looked at. A killed process loses at most the traces of this
// long: results that will be computed again.
const keepEvery = 100 * time.Millisecond

func (k *keeper) start(e *Engine) {
	k.quit, k.done = make(chan struct{}), make(chan struct{})
	go k.run(e)
}

func (k *keeper) stop() {
	close(k.quit)
	<-k.done
}

func (k *keeper) run(e *Engine) {
	defer close(k.done)
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	var (
		collecting *Handle
		chore      gcChore // what it does
		flushing   retry
		recent     recent
		auditing   = auditor{budget: budget{share: e.o.AuditCPU, asOf: time.Now()}}
	)
	defer auditing.stop()
	if err := e.keepUsed(context.Background()); err != nil {
		e.o.Logger.Warn("runtime: which queries are used could not be noted", "err", err)
	}
	for {
		select {
		case <-k.quit:
			return
		case <-tick.C:
		}
		if flushing.due() {
			err := e.memo.Flush(context.Background())
			if flushing.failed(err != nil) {
				e.o.Logger.Warn("runtime: traces could not be written; they stay in memory and are tried again", "err", err)
			}
		}
		e.epochs.Collect()
		e.gc.Reap()
		e.assist.reaped.Store(e.put())
		auditing.look(e)
		if collecting != nil {
			select {
			case <-collecting.Done():
				collecting = nil
				recent.ended(chore == collectNew, e.store.Stats().StoredBytes, e.gc.Stats().FreedBytes)
			default:
				continue
			}
		}
		switch chore = e.recentChore(&recent); chore {
		case collectAll:
			e.bringUpToDate(context.Background())
			e.disk.began(e.db.Generation())
			collecting = e.startCollection("collect", e.disk.lane(), e.collect(e.ask(true)))
		case collectNew:
			collecting = e.startCollection("collect new", recent.lane(), e.collectNew(e.ask(false)))
		}
		if collecting != nil {
			recent.begins(e.store.Stats().StoredBytes, e.gc.Stats().FreedBytes)
		}
	}
}

// recentChore says which collection is due, if any. Where short ones are possible and free what is
// put, one of everything is due for what they have left.
func (e *Engine) recentChore(r *recent) gcChore {
	st := e.gc.Stats()
	if e.o.CollectEvery < 0 || e.closing.Load() || st.Phase != gc.Idle {
		return noChore
	}
	store, elders, last := e.store.Stats(), e.store.HasElders(), e.lastCycle.Load()
	garbage := knownGarbage(int64(st.GarbageBytes), e.gc.Sampled(), store.StoredBytes, store.LiveBytes, last)
	chore := r.look(store.StoredBytes, garbage, store.LiveBytes-int64(st.GarbageBytes), elders)
	if e.disk.due(store.StoredBytes, int64(st.GarbageBytes), last, e.db.Generation()) ||
		(!elders || r.poor) && e.collectionDue(background) ||
		elders && last != nil && r.stored-last.live >= max(garbageFloor, last.live)/background.garbage {
		return collectAll
	}
	return chore
}

// knownGarbage is the garbage of a store that is quiet: what was counted, and what has no name any
// more since short cycles have freed it where it lies. What a cycle of everything has left lying is
// left out until as much is stored as is worth a short one: the next would leave it, too.
//
// If what was counted is a sample, that may lack all of a few large records. So what the store has
// grown by since the last cycle of everything stands for it; that cycle ends the sample.
func knownGarbage(counted int64, sampled bool, stored, named int64, last *cycleEnd) int64 {
	if last == nil {
		return counted
	}
	if more := stored - last.stored; 0 <= more && more < recentLeast {
		return counted
	}
	known := counted + stored - named
	if sampled {
		known = max(known, stored-last.live)
	}
	return known
}

// A retry has what fails tried again, at first at the next tick and less and less often then: a
// disk may be full for days.
type retry struct{ failures, wait int }

// retryEveryMost is how many ticks a retry waits at the most.
const retryEveryMost = 64

func (r *retry) due() bool {
	r.wait--
	return r.wait < 0
}

// failed takes down how an attempt ended and reports whether it is the first of its kind to fail.
func (r *retry) failed(bad bool) (first bool) {
	if !bad {
		*r = retry{}
		return false
	}
	r.wait = min(1<<r.failures, retryEveryMost) - 1
	r.failures = min(r.failures+1, 30)
	return r.failures == 1
}

// A dueShare says what the store may hold beside what is live before a collection is due.
type dueShare struct {
	garbage int64 // known to be that: this part of what is live
	every   int64 // in all: this part of Options.CollectEvery
	growth  int64 // in all: so many quarters of what is live, if that is more
}

// Shares for an engine at work, and for a program about to close it. The latter's collection is the
// better one, since no snapshot is held then: it comes first where both would do.
//
// A cycle costs what is live, so its share of the time falls with what may be put between two. At
// work three quarters in all keep the disk, on average, below 1.5 times what is live: after a cycle
// it has 1.1 times, before the next one 1.75.
var (
	background = dueShare{garbage: 2, every: 2, growth: 3}
	tidy       = dueShare{garbage: 4, every: 4, growth: 1}
)

// garbageFloor stands for Options.CollectEvery where what counts is known to be garbage. A store
// that grows is not collected for nothing; one of a few megabytes in which somebody types would
// else lie on the disk several times over. A collection costs what the live part costs, and a few
// syncs, so that less would not be worth it.
const garbageFloor = 4 << 20

// collectionDue says that enough of the store may be garbage to be worth a collection: it holds so
// much more than what was live after the last one, or the reaper has counted so much. What is left
// of each short run adds up across processes.
func (e *Engine) collectionDue(share dueShare) bool {
	every := e.o.CollectEvery
	if every < 0 || e.closing.Load() || e.gc.Stats().Phase != gc.Idle {
		return false // while a cycle runs, the store holds copies beside what they are copies of
	}
	stored, garbage := e.store.Stats().StoredBytes, int64(e.gc.Stats().GarbageBytes)
	last := e.lastCycle.Load()
	live := stored - garbage
	if last != nil {
		live = last.live
	}
	if e.disk.due(stored, garbage, last, e.db.Generation()) {
		return true
	}
	if garbage >= max(min(every, garbageFloor), live)/share.garbage {
		return true
	}
	if last == nil {
		return stored >= every
	}
	// A collection that could not free what it should have (the disk was full, a reader stayed) is
	// not tried again at once.
	worth := max(every/share.every, live/4*share.growth)
	return stored-live >= worth && stored-last.stored >= worth/4
}

// gcPartition keeps what the collector has to remember across restarts.
const (
	gcPartition = "$gc"
	gcCycleKey  = "cycle"
)

// A cycleEnd says how large the store was when a collection ended.
type cycleEnd struct {
	live   int64 // bytes of records that can be found by name
	stored int64 // bytes of all records
}

const cycleEndBytes = 16

func (c *cycleEnd) encode() []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(c.live))
	return binary.LittleEndian.AppendUint64(b, uint64(c.stored))
}

// decodeCycleEnd returns nil for what is none.
func decodeCycleEnd(b []byte) *cycleEnd {
	if len(b) != cycleEndBytes {
		return nil
	}
	c := &cycleEnd{live: int64(binary.LittleEndian.Uint64(b)), stored: int64(binary.LittleEndian.Uint64(b[8:]))}
	if c.live < 0 || c.stored < c.live {
		return nil
	}
	return c
}

// loadCycle brings back how large the store was after its last collection.
func (e *Engine) loadCycle() error {
	part, err := e.db.Partition(gcPartition, true)
	if err != nil {
		return fmt.Errorf("runtime: opening partition %s: %w", gcPartition, err)
	}
	e.gcPart = part
	h, ok, err := e.db.Latest(part, gcCycleKey)
	if errors.Is(err, db.ErrDamaged) {
		return nil // as below
	}
	if err != nil || !ok {
		return err
	}
	err = e.store.View(h, func(_ mmapcas.Kind, p []byte) error {
		e.lastCycle.Store(decodeCycleEnd(p))
		return nil
	})
	if errors.Is(err, mmapcas.ErrNotFound) || errors.Is(err, mmapcas.ErrCorrupt) {
		return nil // the next collection comes earlier than it need
	}
	return err
}

// noteCycle takes down how large the store is after a collection.
func (e *Engine) noteCycle() *cycleEnd {
	st := e.store.Stats()
	// What was put while the collection went on is all there, needed or not, and counts for the
	// next one.
	live := min(e.gc.Stats().LiveBytes, st.LiveBytes)
	last := &cycleEnd{live: live, stored: max(st.StoredBytes, live)}
	e.lastCycle.Store(last)
	return last
}

// saveCycle remembers across restarts how large the store is after a collection.
func (e *Engine) saveCycle(ctx context.Context) error {
	last := e.noteCycle()
	defer e.gc.Session()()
	h, _, err := e.store.Put(kindValue, last.encode())
	if err != nil {
		return err
	}
	e.gc.Shade(h)
	_, err = e.db.Commit(ctx, []db.Op{{Part: e.gcPart, Key: gcCycleKey, Verb: db.Put, Hash: h}})
	return err
}

// collectSlice is how long the collector holds a worker at a time. With the group of records that
// it has in hand when the time is over, it is below a millisecond. Whoever waits for a collection
// gains nothing from longer ones: giving way costs a microsecond.
const collectSlice = 750 * time.Microsecond

// startCollection runs one cycle on a lane; nil if it could not be queued.
func (e *Engine) startCollection(name string, l lane.Lane, collect func(*Task) error) *Handle {
	h, err := e.Go(context.Background(), l, func(t *Task) error {
		err := collect(t)
		if err != nil && t.Context().Err() == nil {
			e.o.Logger.Warn("runtime: collection given up", "err", err)
		}
		return err
	}, Named(name), freeing())
	if err != nil {
		return nil
	}
	return h
}

// ask returns the number of the next cycle, for a task to have it made, of everything if whole.
func (e *Engine) ask(whole bool) uint64 { return e.gc.Ask(gc.Pace{Wait: goruntime.Gosched}, whole) }

// collectNew frees what of the records put since the last collection is garbage, in the cycle of a
// number. It does without a checkpoint, and notes nothing: what is live in all of the store, it
// does not learn.
func (e *Engine) collectNew(cycle uint64) func(*Task) error {
	return func(t *Task) error {
		t.root.dropSnapshot()
		if err := e.gc.Until(t.Context(), t.pace(), cycle); err != nil {
			return err
		}
		return e.awaitReaders(t)
	}
}

// collect makes a cycle of everything, of a number. Others may have made it by the time that the
// task has a worker.
func (e *Engine) collect(cycle uint64) func(*Task) error {
	return func(t *Task) error {
		t.root.dropSnapshot() // a collection must not keep alive what it is to collect
		if err := e.gc.Until(t.Context(), t.pace(), cycle); err != nil {
			return err
		}
		return e.collected(t)
	}
}

// pace is how a collection by a task gives way to others.
func (t *Task) pace() gc.Pace {
	wait := func() {
		t.eng.governor.relieve(false)
		t.Yield()
	}
	return gc.Pace{Slice: collectSlice, Wait: wait, Block: t.Blocking}
}

// collected ends a collection: memory and files of what was freed go, unless a reader stays inside.
func (e *Engine) collected(t *Task) error {
	if err := e.awaitReaders(t); err != nil {
		return err
	}
	return e.saveCycle(t.Context())
}

// readersLeave is how long the end of a collection waits for readers of what was freed. A reader is
// inside for microseconds, or for as long as its thread is off the processor, or, where a task
// computes without a wait, for as long as that takes: then the keeper goes on.
const readersLeave = time.Second

// awaitReaders waits for the readers of what was freed. The worker's own pin is one that holds
// memory back, so the wait is one that the task leaves its worker for.
func (e *Engine) awaitReaders(t *Task) error {
	return t.Blocking(func() error {
		e.store.AwaitRetired(t.Context(), readersLeave)
		return nil
	})
}

// Collect frees all that nothing referred to when it was called: it runs a whole collection that
// begins after the call, and compacts segments that have become sparse. Readers and commits go on
// meanwhile. A disk that is full is no obstacle.
func (e *Engine) Collect(ctx context.Context) (gc.Stats, error) {
	if err := errors.Join(e.admitBy(ctx, "Collect"), e.notInCommit("Collect")); err != nil {
		return gc.Stats{}, err
	}
	e.bringUpToDate(ctx)
	err := e.Submit(ctx, lane.Default, e.collect(e.ask(true)), Named("collect"), freeing())
	return e.gc.Stats(), err
}

// bringUpToDate has less kept: answers of queries that are not used, and for recovery chunks before
// the root before. A collection does without, if there is no room for a checkpoint.
func (e *Engine) bringUpToDate(ctx context.Context) {
	if err := e.forgetUnused(ctx, time.Now()); err != nil && ctx.Err() == nil && !errors.Is(err, ErrClosed) {
		e.o.Logger.Warn("runtime: answers that are not used stay", "err", err)
	}
	if err := e.checkpoint(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, ErrClosed) {
		e.o.Logger.Warn("runtime: no checkpoint before a collection", "err", err)
	}
}

// Tidy collects if the store has grown enough since the last collection to make it worth the time.
// Programs that run for a moment call it before they close; an engine that stays open does it by
// itself.
func (e *Engine) Tidy(ctx context.Context) error {
	if err := errors.Join(e.admitBy(ctx, "Tidy"), e.notInCommit("Tidy")); err != nil {
		return err
	}
	if e.gc.Stats().Phase != gc.Idle || e.store.Stats().Retired > 0 {
		// Given up half-way, it would leave copies behind; just over, it may have left what it
		// freed.
		err := e.Submit(ctx, lane.Default, func(t *Task) error {
			t.root.dropSnapshot()
			finished, err := e.gc.Finish(t.Context(), t.pace())
			switch {
			case err != nil:
				return err
			case !finished:
				return e.awaitReaders(t)
			}
			return e.collected(t)
		}, Named("finish collection"), freeing())
		if err != nil {
			return err
		}
	}
	e.gc.Reap() // which the keeper may not have come to
	if !e.collectionDue(tidy) {
		return nil
	}
	_, err := e.Collect(ctx)
	return err
}
