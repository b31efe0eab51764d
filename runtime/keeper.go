package runtime

import (
	"context"
	"time"

	"github.com/cytisus/cytisus/runtime/gc"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A keeper does the chores that nobody asks for: writing traces, estimating garbage, starting collections.
type keeper struct {
	quit chan struct{}
	done chan struct{}

	storedAtCycle int64 // Stats.Store.StoredBytes when the last cycle ended; used by run only
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
				k.storedAtCycle = e.store.Stats().StoredBytes
			default:
				continue
			}
		}
		if k.collectionDue(e) {
			collecting = e.startCollection()
		}
	}
}

// collectionDue says that enough was stored since the last cycle, or that enough of what is there is garbage, to be worth one.
func (k *keeper) collectionDue(e *Engine) bool {
	every := e.o.CollectEvery
	if every < 0 || e.closing.Load() {
		return false
	}
	st := e.store.Stats()
	garbage := int64(e.gc.Stats().GarbageBytes)
	grown := st.StoredBytes - k.storedAtCycle
	return garbage >= every || garbage > 0 && grown >= every && grown*4 >= st.LiveBytes
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
	return e.gc.Collect(t.Context(), slice, t.Yield)
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
