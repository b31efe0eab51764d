package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/mmapcas"
)

// A DB is a set of partitions over a store. All methods may be called concurrently. Close it before
// the store.
type DB struct {
	st     *nodeStore
	o      Options // immutable
	counts counters

	catalog atomic.Pointer[catalog] // written with the turn held
	current atomic.Pointer[state]   // versioned partitions; written with the turn held
	side    atomic.Pointer[state]   // side partitions; written with the turn held
	live    registry
	old     replaced
	points  *points // immutable; nil: none

	cacheMax atomic.Int64 // bytes of clean nodes in memory; see Bound

	checkpointing sync.Mutex // one checkpoint, or one taking of roots, at a time

	turn      sync.Mutex // the commit turn; guards all below
	closed    bool
	torn      bool   // a panic has left a turn (C7)
	seq       uint64 // of the newest chunk
	last      Hash   // that chunk; zero if there never was one
	log       []logged
	logWhole  bool // log goes back to the root before the newest
	due       due
	observers []*observer
	journals  []*Journal
	apply     applier
	draft     draft
	spare     []*pending // room for the next queue
	room      []byte     // for records of the log

	queueMu sync.Mutex
	queue   []*pending // guarded by queueMu

	lostChunks uint64  // that Open knew of and could not replay; immutable once it has returned
	gone       futures // immutable once Open has returned

	damageSeen atomic.Int64 // what the store had met of damage when a checkpoint began that wrote all nodes in memory

	noteMu sync.Mutex
	note   note // guarded by noteMu: what the store's newest note says

	brokenMu sync.Mutex
	broken   []PartID // guarded by brokenMu: side partitions to be reset

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wake   chan struct{} // one token: there is something to tend
	tended chan struct{} // closed when tend has returned
}

// A logged is a chunk record in the store.
type logged struct {
	seq  uint64
	hash Hash
}

// due counts what was logged since the newest checkpoint.
type due struct {
	chunks  int
	bytes   int64
	made    int64 // bytes of leaves
	holdOff int   // chunks before the next attempt; set by a failed one
}

// Open reads the database that st holds, or begins an empty one. It reads the newest root, the tops
// of its trees and the log behind it, and repairs what a crash or damage has left; the package
// comment says how. The database must be closed before the store.
//
// Errors: mmapcas.ErrNewerFormat, and those of a store that cannot be read or, if there is
// something to repair, written.
func Open(st *mmapcas.Store, o Options) (*DB, error) { return open(st, o) }

func open(st store, o Options) (*DB, error) {
	o.fill()
	d := &DB{o: o, wake: make(chan struct{}, 1), tended: make(chan struct{})}
	d.st = &nodeStore{store: st, counts: &d.counts, full: d.tell}
	d.Bound(o.CacheBytes)
	d.apply = applier{src: d.st, fan: o.fan}
	d.old.max = o.ReplacedMax
	var err error
	if d.points, err = newPoints(o.PointCacheBytes, o.pointTreeMin); err != nil {
		return nil, fmt.Errorf("db: open: point cache: %w", err)
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	if err := d.recover(); err != nil {
		d.cancel()
		return nil, fmt.Errorf("db: open: %w", err)
	}
	go d.tend()
	return d, nil
}

// Partition returns the partition called name and makes it if there is none. side says whether it
// is a side partition; asking for an existing one with the other kind is ErrPartitionKind.
func (d *DB) Partition(name string, side bool) (PartID, error) {
	if len(name) > MaxKeyBytes {
		return 0, fmt.Errorf("%w: partition name of %d bytes", ErrKeyTooLong, len(name))
	}
	id, ok := d.catalog.Load().byName[name]
	if !ok {
		p := &pending{ctx: context.Background(), def: &definition{name: name, side: side}}
		if d.submit(p); p.err != nil && !errors.Is(p.err, ErrNotDurable) {
			return 0, fmt.Errorf("db: making partition %q: %w", name, p.err)
		}
		id = p.def.id
	}
	if def := d.catalog.Load().defs[id]; def.side != side {
		return 0, fmt.Errorf("%w: %q, side: %t", ErrPartitionKind, name, def.side)
	}
	return id, nil
}

// PartitionName returns the name of a partition, or "" if there is none of this ID.
func (d *DB) PartitionName(id PartID) string {
	def, _ := d.catalog.Load().find(id)
	return def.name
}

// Generation returns the newest generation.
func (d *DB) Generation() uint64 { return d.current.Load().gen }

// Latest returns the record at key as it is now, in a side or a versioned partition.
func (d *DB) Latest(part PartID, key string) (Hash, bool, error) {
	def, err := d.catalog.Load().find(part)
	if err != nil {
		return Hash{}, false, err
	}
	var h Hash
	var ok bool
	if st := d.newest(def.side); def.side {
		h, ok, err = get(d.st, st.root(part), key)
	} else if t := st.tree(part); t != nil {
		h, ok, err = d.get(t, st.gen, part, key)
	}
	return h, ok, d.explain(part, err)
}

// LatestRange is Snapshot.Range over what a partition holds now; it does not see commits that come
// while it runs.
func (d *DB) LatestRange(part PartID, lo, hi string, reverse bool, fn func(key string, h Hash) bool) error {
	t, err := d.latest(part)
	if err != nil {
		return err
	}
	return d.explain(part, scanTree(d.st, t, Span{Lo: lo, Hi: hi, Reverse: reverse}, fn))
}

// LatestCount is Snapshot.Count over what a partition holds now.
func (d *DB) LatestCount(part PartID, lo, hi string) (uint64, error) {
	t, err := d.latest(part)
	if err != nil {
		return 0, err
	}
	n, err := countTree(d.st, t, Span{Lo: lo, Hi: hi})
	return n, d.explain(part, err)
}

func (d *DB) latest(part PartID) (*tree, error) {
	def, err := d.catalog.Load().find(part)
	if err != nil {
		return nil, err
	}
	return d.newest(def.side).tree(part), nil
}

func (d *DB) newest(side bool) *state {
	if side {
		return d.side.Load()
	}
	return d.current.Load()
}

// explain names the partition in an error, and has damaged side partitions reset.
func (d *DB) explain(part PartID, err error) error {
	if err == nil {
		return nil
	}
	def, _ := d.catalog.Load().find(part)
	var bad *nodeError
	if !errors.As(err, &bad) {
		return fmt.Errorf("db: partition %q: %w", def.name, err)
	}
	d.counts.damaged.Add(1)
	if def.side && !d.o.ReadOnly {
		d.brokenMu.Lock()
		if !slices.Contains(d.broken, part) {
			d.broken = append(d.broken, part)
		}
		d.brokenMu.Unlock()
		d.tell()
	}
	return &DamagedError{Partition: def.name, Hash: bad.hash, Reason: bad.reason}
}

// Close waits for the turn, refuses further commits, stops the background work and makes a last
// checkpoint, which ctx bounds. Without it nothing is lost that a crash would not lose. Reads go on
// as long as the store is open. Calls after the first return nil.
func (d *DB) Close(ctx context.Context) error {
	d.turn.Lock()
	was := d.closed
	d.closed = true
	d.turn.Unlock()
	if was {
		return nil
	}
	d.cancel()
	<-d.tended
	if n := d.Snapshots(); n > 0 {
		d.o.Logger.Warn("db: closed while snapshots are held", "snapshots", n, "oldest", d.OldestSnapshot(), "generation", d.Generation())
	}
	if d.o.ReadOnly || d.o.Volatile {
		return nil
	}
	d.noteMu.Lock()
	done := d.note.seq == d.seq // closed: seq stands still
	d.noteMu.Unlock()
	if done && d.damageSeen.Load() == d.st.Damaged() {
		return nil
	}
	return d.checkpoint(ctx)
}

// tell gives tend a token.
func (d *DB) tell() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// tend makes checkpoints, resets side partitions and forgets what was loaded, when told to, until
// Close.
func (d *DB) tend() {
	defer close(d.tended)
	for {
		select {
		case <-d.ctx.Done():
			return
		case <-d.wake:
		}
		d.brokenMu.Lock()
		broken := d.broken
		d.broken = nil
		d.brokenMu.Unlock()
		for _, id := range broken {
			if err := d.Reset(d.ctx, id); err != nil && !errors.Is(err, ErrClosed) && d.ctx.Err() == nil {
				d.o.Logger.Error("db: side partition could not be reset", "partition", d.PartitionName(id), "err", err)
			}
		}
		if d.st.loaded.Load() > d.st.loadedMax.Load() {
			d.Trim()
		}
		d.turn.Lock()
		due := d.isDue()
		d.turn.Unlock()
		if !due {
			continue
		}
		if err := d.checkpoint(d.ctx); err != nil && d.ctx.Err() == nil {
			d.o.Logger.Error("db: checkpoint failed; commits go on, the log grows", "chunks", d.holdOff(), "err", err)
		}
	}
}

// madeMin is the least number of bytes of leaves made that is a reason for a checkpoint.
const madeMin = 16 << 20

// isDue is called with the turn held.
func (d *DB) isDue() bool {
	if d.o.Volatile || d.o.ReadOnly || d.due.chunks < d.due.holdOff {
		return false
	}
	if d.damageSeen.Load() != d.st.Damaged() {
		return true // the log may be damaged, and nodes that are in memory
	}
	return (d.o.CheckpointCommits > 0 && d.due.chunks >= d.o.CheckpointCommits ||
		d.o.CheckpointBytes > 0 && d.o.CacheBytes > 0 && d.due.made >= max(d.cacheMax.Load(), madeMin) || d.o.CheckpointBytes > 0 && d.due.bytes >= d.o.CheckpointBytes)
}

// holdOff puts the next attempt off until the log is twice as long, and returns its length.
func (d *DB) holdOff() int {
	d.turn.Lock()
	defer d.turn.Unlock()
	d.due.holdOff = 2 * d.due.chunks
	return d.due.chunks
}
