package server

import (
	"context"
	"sync"
)

// publishingMax is how many documents' diagnostics a session has computed at once. Each computation
// reads the state of the moment it began; so many at once as a client can open documents would
// compute for as many states.
const publishingMax = 4

// A publishing computes and publishes documents' diagnostics, a few at a time and others in the
// order in which they came. A document that is being published is published anew at once: that
// supersedes what is under way.
type publishing struct {
	p *publisher

	mu      sync.Mutex
	running int             // guarded by mu
	of      map[string]int  // guarded by mu: how many of running are of a document
	queue   []string        // guarded by mu
	queued  map[string]bool // guarded by mu: what is in queue, and whether it is to be followed up
}

func (w *publishing) init(p *publisher) {
	w.p, w.of, w.queued = p, make(map[string]int), make(map[string]bool)
}

// add has a document published; with follow, once more when the workspace has settled.
func (w *publishing) add(name string, follow bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch was, waits := w.queued[name]; {
	case waits:
		w.queued[name] = was || follow
	case w.running >= publishingMax && w.of[name] == 0:
		w.queued[name] = follow
		w.queue = append(w.queue, name)
	default:
		w.start(name, follow)
	}
}

// start publishes a document on a goroutine of its own. w.mu must be held.
func (w *publishing) start(name string, follow bool) {
	w.running++
	w.of[name]++
	w.p.s.begin(func(ctx context.Context) {
		w.p.publishDocument(ctx, name)
		w.ended(ctx, name)
		if follow {
			w.p.followUp(ctx, name)
		}
	})
}

// ended gives a place to the next document.
func (w *publishing) ended(ctx context.Context, name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running--
	if w.of[name]--; w.of[name] == 0 {
		delete(w.of, name)
	}
	if len(w.queue) == 0 || w.running >= publishingMax || ctx.Err() != nil {
		return
	}
	next := w.queue[0]
	w.queue = w.queue[1:]
	follow := w.queued[next]
	delete(w.queued, next)
	w.start(next, follow)
}
