package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/puzpuzpuz/xsync/v3"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/gc"
	"github.com/cytisus/cytisus/runtime/memo"
	"github.com/cytisus/cytisus/runtime/sched"
)

// An Engine is a store with the workers that compute on it. Open one per directory.
type Engine struct {
	o      Options
	epochs *epoch.Domain
	store  *mmapcas.Store
	db     *db.DB
	sched  *sched.Pool
	memo   *memo.Table
	gc     *gc.Collector

	parts    *xsync.MapOf[string, defined]    // partitions met, by name
	queries  *xsync.MapOf[string, boundQuery] // queries met, by name
	watchers watchers

	committing *xsync.MapOf[uintptr, int] // goroutines outside of tasks that commit, and how often within each other

	updates      updates
	program      atomic.Pointer[program]
	fanoutWake   atomic.Int64 // nanoseconds that a helper of a scan takes to come, a running mean
	durabilities durabilities
	commitTimes  commitTimes

	gcPart    db.PartID
	lastCycle atomic.Pointer[cycleEnd] // nil: none, here or in an earlier process
	keeper    keeper
	assist    assist
	governor  governor
	disk      diskLimit
	closing   atomic.Bool // Close was called: nothing new from outside
	closed    atomic.Bool // the tasks have ended: nothing is read any more
	layers    layers
}

// layers are what Close takes down, in the opposite order of opening.
type layers struct {
	once  sync.Once
	close []func(context.Context) error
	err   error
}

func (l *layers) opened(close func(context.Context) error) { l.close = append(l.close, close) }

func (l *layers) closeAll(ctx context.Context) error {
	l.once.Do(func() {
		for i := len(l.close) - 1; i >= 0; i-- {
			l.err = errors.Join(l.err, l.close[i](ctx))
		}
	})
	return l.err
}

// Open opens the store in dir, making it if there is none, and starts the workers. An empty dir
// keeps everything in memory.
//
// Errors: ErrNoStore (with Options.MustExist), ErrLocked (a *LockedError
// names the holder), ErrNewerFormat, ErrReadOnly, ErrUnsafe,
// ErrNoSpace, ErrCorrupt. A store that was damaged or cut off opens with what is
// intact.
func Open(dir string, o Options) (_ *Engine, err error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	e := &Engine{o: o, updates: newUpdates(), parts: xsync.NewMapOf[string, defined](), queries: xsync.NewMapOf[string, boundQuery](), committing: xsync.NewMapOf[uintptr, int]()}

	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("runtime: opening %s: %w", place(dir), err), e.layers.closeAll(context.Background()))
		}
	}()

	if err := e.limitDisk(dir); err != nil {
		return nil, err
	}
	arena.UseHugePages(o.MemoryLimit == 0 || o.MemoryLimit >= hugePagesFrom)
	e.epochs = epoch.NewDomain()
	var compress []mmapcas.Kind
	if dir != "" { // memory would gain less than compressing costs
		compress = []mmapcas.Kind{kindValue, kindRefValue, kindBlob}
	}
	_, known := arena.ReadResidence()
	e.store, err = mmapcas.Open(dir, mmapcas.Options{
		Epochs: e.epochs, SegmentBytes: o.SegmentBytes, Sync: o.Sync, Name: o.Holder, Logger: o.Logger, Compress: compress,
		MustExist: o.MustExist, FS: e.o.fs, Frugal: o.MemoryLimit > 0 && known && dir != "",
	})
	if err != nil {
		return nil, err
	}
	e.layers.opened(func(context.Context) error { return e.store.Close() })
	e.governor.of(e)
	e.layers.opened(func(context.Context) error { e.governor.stop(); return nil })

	e.db, err = db.Open(e.store, db.Options{
		Durable: o.Sync != mmapcas.SyncNone, Refs: refs, Volatile: dir == "", CacheBytes: o.treeBytes(), PointCacheBytes: o.pointBytes(), History: o.History, Logger: o.Logger,
	})
	if err != nil {
		return nil, err
	}
	e.watchers.log = o.Logger
	e.db.OnCommit(e.watchers.observed)
	e.layers.opened(e.db.Close)
	if err := e.loadCycle(); err != nil {
		return nil, err
	}

	e.gc = gc.New(gc.Options{Store: e.store, DB: e.db, Refs: refs, OldRefs: memo.OldRefs, Plain: plain, Flush: e.flushTraces, Over: e.cycleOver, Check: o.checkGC, Logger: o.Logger})
	e.memo, err = memo.New(memo.Options{
		Store: e.store, DB: e.db, Lookup: e.lookup, Program: e.programName, Session: e.gc.Session, Refs: refs, Shade: e.gc.Shade,
		CacheBytes: o.CacheBytes, TraceBytes: o.TraceBytes, AuditShare: o.AuditShare, AuditSeed: o.AuditSeed, WallFrom: o.wallFrom, LevelsMax: o.levelsMax, Trace: o.Trace, Logger: o.Logger,
		Now: o.clock(e), MeasuredFrom: o.measured,
	})
	if err != nil {
		return nil, err
	}
	if err := e.loadDurabilities(); err != nil {
		return nil, err
	}
	e.memo.Resume()
	e.layers.opened(func(ctx context.Context) error {
		e.gc.Close()
		return e.memo.Close(context.WithoutCancel(ctx))
	})

	e.sched, err = sched.New(sched.Options{Workers: o.Workers, Affinity: o.Affinity, StallAfter: o.StallAfter, QueueLimit: o.queueLimit(), Epochs: e.epochs, Logger: o.Logger, Deterministic: o.simulated})
	if err != nil {
		return nil, err
	}
	e.layers.opened(func(ctx context.Context) error {
		defer e.closed.Store(true)
		return e.sched.Close(ctx)
	})

	e.keeper.start(e)
	e.layers.opened(func(context.Context) error { e.keeper.stop(); return nil })
	e.governor.start()
	return e, nil
}

func place(dir string) string {
	if dir == "" {
		return "a store in memory"
	}
	return dir
}

// refs is the collector's view of every kind of record that the engine writes.
func refs(kind mmapcas.Kind, payload []byte) []mmapcas.Hash {
	switch {
	case kind == kindRefValue:
		refs, _, err := splitRefs(payload)
		if err != nil {
			return nil
		}
		return refs
	case kind == memo.KindTrace || kind == memo.KindParts:
		return memo.Refs(kind, payload)
	default:
		return db.Refs(kind, payload)
	}
}

// plain are the kinds of records that refer to nothing.
func plain(kind mmapcas.Kind) bool { return kind == kindValue || kind == kindBlob }

// flushTraces writes the traces, so that their results are reachable, and returns the results of
// those that could not be written: the disk may be full, which a collection is to change.
func (e *Engine) flushTraces(ctx context.Context) (unwritten []mmapcas.Hash) {
	if err := e.memo.Flush(ctx); err != nil {
		e.o.Logger.Warn("runtime: traces could not be written; they are tried again", "err", err)
		return e.memo.Unwritten()
	}
	return nil
}

func (e *Engine) lookup(name string) *memo.Query {
	if b, ok := e.queries.Load(name); ok {
		return b.memo
	}
	if q := allQueries.find(name); q != nil {
		if m, err := q.memo(e); err == nil {
			return m
		}
	}
	return nil
}

// Close stops taking work, waits for tasks that run or are queued until ctx ends, cancels those
// that are left, writes what is not written yet and closes the store. It may be called more than
// once; calls after the first return the same error. A task that calls it, or anybody with its
// context, gets ErrInTask, a query ErrInQuery, and the engine stays open.
func (e *Engine) Close(ctx context.Context) error {
	if err := notInQueryBy(ctx, "Close"); err != nil {
		return err
	}
	if err := e.sched.NotInTask(ctx); err != nil {
		return fmt.Errorf("runtime: Close: %w", err)
	}
	e.closing.Store(true)
	return e.layers.closeAll(ctx)
}

// Checkpoint writes everything to the store and makes it durable now, whatever Options.Sync says.
func (e *Engine) Checkpoint(ctx context.Context) error {
	if err := e.admitBy(ctx, "Checkpoint"); err != nil {
		return err
	}
	err := e.checkpoint(ctx)
	if err == nil {
		err = e.store.SyncCommitted()
	}
	return e.limited(public(err))
}

// checkpoint is Checkpoint, as durable as Options.Sync says.
func (e *Engine) checkpoint(ctx context.Context) error {
	return errors.Join(e.memo.Flush(ctx), e.db.Checkpoint(ctx))
}
