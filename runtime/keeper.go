package runtime

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/gc"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A keeper does the chores that nobody asks for: writing traces, estimating garbage, starting collections.
type keeper struct {
	quit chan struct{}
	done chan struct{}
}

// keepEvery is how often chores are looked at. A killed process loses at most the traces of this long: results that will
// be computed again.
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
	var collecting *Handle
	for {
		select {
		case <-k.quit:
			return
		case <-tick.C:
		}
		if err := e.memo.Flush(context.Background()); err != nil {
			e.o.Logger.Warn("runtime: traces could not be written; they are tried again", "err", err)
		}
		e.epochs.Collect()
		e.gc.Reap()
		if collecting != nil {
			select {
			case <-collecting.Done():
				collecting = nil
			default:
				continue
			}
		}
		if e.collectionDue() {
			collecting = e.startCollection()
		}
	}
}

// collectionDue says that the store has grown enough since the last collection, or that enough of it is garbage, to be worth one. Growth
// counts across processes: what is left of each short run adds up.
func (e *Engine) collectionDue() bool {
	every := e.o.CollectEvery
	if every < 0 || e.closing.Load() {
		return false
	}
	stored, base := e.store.Stats().StoredBytes, e.storedAfterCycle.Load()
	worth := max(every/4, base/4)
	if base == 0 {
		worth = every
	}
	return stored-base >= worth || int64(e.gc.Stats().GarbageBytes) >= worth
}

// gcPartition keeps what the collector has to remember across restarts.
const (
	gcPartition  = "$gc"
	gcStoredKey  = "stored"
	gcStoredSize = 8
)

// loadCycle brings back how large the store was after its last collection.
func (e *Engine) loadCycle() error {
	part, err := e.db.Partition(gcPartition, true)
	if err != nil {
		return fmt.Errorf("runtime: opening partition %s: %w", gcPartition, err)
	}
	e.gcPart = part
	h, ok, err := e.db.Latest(part, gcStoredKey)
	if err != nil || !ok {
		return err
	}
	err = e.store.View(h, func(_ mmapcas.Kind, p []byte) error {
		if len(p) == gcStoredSize {
			e.storedAfterCycle.Store(int64(binary.LittleEndian.Uint64(p)))
		}
		return nil
	})
	if errors.Is(err, mmapcas.ErrNotFound) || errors.Is(err, mmapcas.ErrCorrupt) {
		return nil // the next collection comes earlier than it need
	}
	return err
}

// saveCycle remembers how large the store is after a collection.
func (e *Engine) saveCycle(ctx context.Context) error {
	stored := e.store.Stats().StoredBytes
	e.storedAfterCycle.Store(stored)
	defer e.gc.Session()()
	h, _, err := e.store.Put(kindValue, binary.LittleEndian.AppendUint64(nil, uint64(stored)))
	if err != nil {
		return err
	}
	e.gc.Shade(h)
	_, err = e.db.Commit(ctx, []db.Op{{Part: e.gcPart, Key: gcStoredKey, Verb: db.Put, Hash: h}})
	return err
}

// How long the collector holds a worker at a time: in the background, and when somebody waits for it.
const (
	backgroundSlice = 2 * time.Millisecond
	awaitedSlice    = 20 * time.Millisecond
)

// startCollection runs one cycle on the idle lane; nil if it could not be queued.
func (e *Engine) startCollection() *Handle {
	h, err := e.Go(context.Background(), lane.Idle, func(t *Task) error {
		err := e.collect(t, backgroundSlice)
		if err != nil && t.Context().Err() == nil {
			e.o.Logger.Warn("runtime: collection given up", "err", err)
		}
		return err
	}, Named("collect"))
	if err != nil {
		return nil
	}
	return h
}

func (e *Engine) collect(t *Task, slice time.Duration) error {
	t.root.dropSnapshot() // a collection must not keep alive what it is to collect
	if err := e.gc.Collect(t.Context(), slice, t.Yield); err != nil {
		return err
	}
	return e.saveCycle(t.Context())
}

// Collect frees what nothing refers to any more: it runs a whole collection that begins after the call, and compacts segments that have become
// sparse. Readers and commits go on meanwhile. It makes a checkpoint first, since what the last one refers to is kept.
func (e *Engine) Collect(ctx context.Context) (gc.Stats, error) {
	if err := e.Checkpoint(ctx); err != nil {
		return gc.Stats{}, err
	}
	err := e.Submit(ctx, lane.Default, func(t *Task) error { return e.collect(t, awaitedSlice) }, Named("collect"))
	return e.gc.Stats(), err
}

// Tidy collects if the store has grown enough since the last collection to make it worth the time. Programs that run for a moment call it
// before they close; an engine that stays open does it by itself.
func (e *Engine) Tidy(ctx context.Context) error {
	if !e.collectionDue() {
		return nil
	}
	_, err := e.Collect(ctx)
	return err
}
