package server

import (
	"context"
	"errors"
	"sync"

	"github.com/cytisus/cytisus/lsp"
)

// An indexer runs one index of a root at a time and tells whoever wants to know how far it
// is.
type indexer struct {
	root *root

	mu       sync.Mutex
	current  *indexRun           // guarded by mu: the one that is going on
	last     lsp.Summary         // guarded by mu: of the newest that succeeded
	runs     int                 // guarded by mu: that have succeeded
	watchers map[uint64]observer // guarded by mu
	nextID   uint64              // guarded by mu
}

// An indexRun is an index that several may wait for.
type indexRun struct {
	done    chan struct{} // closed at its end
	summary lsp.Summary   // written before done is closed
	err     error         // written before done is closed
	at      lsp.Progress  // guarded by indexer.mu
}

// An observer is told how an index goes on. It is called with the indexer locked, in
// order, and must not wait. end is nil until the run has ended.
type observer func(at lsp.Progress, end *indexRun)

func (x *indexer) init(r *root) {
	x.root = r
	x.watchers = make(map[uint64]observer)
}

// start begins an index unless one is going on, and returns it; nil if the root closes.
func (x *indexer) start() *indexRun {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.current != nil {
		return x.current
	}
	run := &indexRun{done: make(chan struct{})}
	if !x.root.begin(func() { x.serve(run) }) {
		return nil
	}
	x.current = run
	return run
}

// run begins or joins an index and waits for its end, or for that of ctx. The index goes on
// when ctx ends: others may want it, and what it has done is kept.
func (x *indexer) run(ctx context.Context) (lsp.Summary, error) {
	run := x.start()
	if run == nil {
		return lsp.Summary{}, ErrClosed
	}
	select {
	case <-run.done:
		return run.summary, run.err
	case <-ctx.Done():
		return lsp.Summary{}, context.Cause(ctx)
	}
}

// renew is run for an index that sees the disk as it is now: one that is going on already, and
// may have passed by what has changed since, is waited for first.
func (x *indexer) renew(ctx context.Context) (lsp.Summary, error) {
	x.mu.Lock()
	going := x.current
	x.mu.Unlock()
	if going != nil {
		select {
		case <-going.done:
		case <-ctx.Done():
			return lsp.Summary{}, context.Cause(ctx)
		}
	}
	return x.run(ctx)
}

func (x *indexer) serve(run *indexRun) {
	run.summary, run.err = x.root.ws.Index(x.root.end, func(p lsp.Progress) {
		x.mu.Lock()
		defer x.mu.Unlock()
		run.at = p
		for _, tell := range x.watchers {
			tell(p, nil)
		}
	})
	if x.root.host.storeFailed(run.err) {
		run.err = errors.Join(ErrClosed, run.err) // which no client is told
	}
	if run.err != nil && x.root.end.Err() == nil {
		x.root.host.o.Logger.Warn("server: index failed", "root", x.root.ws.Root(), "err", run.err)
	}
	x.finish(run)
	x.root.host.refreshDerived(x.root)
}

func (x *indexer) finish(run *indexRun) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.current = nil
	if run.err == nil {
		x.root.ready.Store(true)
		x.last = run.summary
		x.runs++
	}
	close(run.done)
	for _, tell := range x.watchers {
		tell(run.at, run)
	}
}

// going returns the index that is going on, nil if none is.
func (x *indexer) going() *indexRun {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.current
}

// observe has tell called from now on, and at once if an index is going on.
func (x *indexer) observe(tell observer) (stop func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.nextID++
	id := x.nextID
	x.watchers[id] = tell
	if x.current != nil {
		tell(x.current.at, nil)
	}
	return func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		delete(x.watchers, id)
	}
}

// state returns the newest summary, how many indexes have succeeded and whether one is
// going on.
func (x *indexer) state() (last lsp.Summary, runs int, going bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.last, x.runs, x.current != nil
}
