package runtime

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/runtime/db"
)

// watchers finds those whom a commit concerns: watchers, and those who wait for a key.
//
// Whoever commits tells them, after the database has answered. Several who commit at the same time may come here in any order, but the
// database has told the order of their generations before it answered any of them (observed). What comes too early waits in ready for those before
// it; one at a time delivers what is next in order, also for others.
type watchers struct {
	loops atomic.Uint64 // WatchLoopErrors
	log   *slog.Logger

	orderMu    sync.Mutex
	order      []uint64            // guarded by orderMu: generations that were not delivered, ascending
	ready      map[uint64]delivery // guarded by orderMu
	delivering bool                // guarded by orderMu

	mu     sync.RWMutex
	byPart map[db.PartID][]*watcher            // guarded by mu; the slices are immutable
	waits  map[db.PartID]map[*keyWait]struct{} // guarded by mu
}

// A keyWait is told when a key that matches is put.
type keyWait struct {
	part db.PartID
	pat  Pattern
	fire func(from origin) // quick, waits for nothing, does nothing the second time

	of    *watcher                 // nil, or for whom it waits: see Task.Again
	taken map[string]pendingChange // guarded by of.mu: what to tell again
}

func (ws *watchers) add(w *watcher) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.byPart == nil {
		ws.byPart = map[db.PartID][]*watcher{}
	}
	ws.byPart[w.part] = append(slices.Clip(ws.byPart[w.part]), w)
}

// remove forgets w and what waits on its behalf.
func (ws *watchers) remove(w *watcher) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.byPart[w.part] = slices.DeleteFunc(slices.Clone(ws.byPart[w.part]), func(o *watcher) bool { return o == w })
	for _, waits := range ws.waits {
		for kw := range waits {
			if kw.of == w {
				delete(waits, kw)
			}
		}
	}
}

// A delivery is one commit to tell about.
type delivery struct {
	res  db.Result
	from origin
	done func() // called when it was told; nil: nothing to do
}

// observed is called in the commit turn for each generation.
func (ws *watchers) observed(res db.Result) {
	if len(res.Changes) == 0 && res.Graft == nil {
		return // a partition was reset, on nobody's behalf
	}
	ws.orderMu.Lock()
	ws.order = append(ws.order, res.Gen)
	ws.orderMu.Unlock()
}

// dispatch tells everyone concerned about a commit, at once or as soon as the commits before it were told about. The caller has had a session of the
// collector since before it committed. So has whoever delivers in its place, or there was another all the time: old values can still be read.
func (ws *watchers) dispatch(res db.Result, from origin, done func()) {
	ws.orderMu.Lock()
	defer ws.orderMu.Unlock()
	if ws.ready == nil {
		ws.ready = map[uint64]delivery{}
	}
	ws.ready[res.Gen] = delivery{res, from, done}
	if ws.delivering {
		return
	}
	ws.delivering = true
	defer func() { ws.delivering = false }()
	for len(ws.order) > 0 {
		d, ok := ws.ready[ws.order[0]]
		if !ok {
			return
		}
		delete(ws.ready, ws.order[0])
		ws.order = ws.order[1:]
		func() { // a condition that panics must not stop what comes after it
			ws.orderMu.Unlock()
			defer ws.orderMu.Lock()
			if d.done != nil {
				defer d.done()
			}
			ws.deliver(d.res, d.from)
		}()
	}
}

func (ws *watchers) deliver(res db.Result, from origin) {
	type match struct {
		w *watcher
		c db.Change
	}
	var (
		matches []match
		fires   []func(origin)
	)
	ws.mu.RLock()
	for _, c := range res.Changes {
		for _, w := range ws.byPart[c.Part] {
			matches = append(matches, match{w, c})
		}
		for kw := range ws.waits[c.Part] {
			if !c.New.IsZero() && kw.pat.Match(c.Key) {
				fires = append(fires, kw.fire)
			}
		}
	}
	var (
		bulk  []*watcher // that may be concerned by what is not listed
		waits []*keyWait
	)
	if g := res.Graft; g != nil {
		bulk = ws.byPart[g.Part]
		waits = slices.Collect(maps.Keys(ws.waits[g.Part]))
	}
	ws.mu.RUnlock()

	from.depth++
	var told []*watcher
	tell := func(w *watcher, c db.Change) {
		if !w.concerns(c) {
			return
		}
		w.merge(pendingChange{
			Change: Change{Key: c.Key, Old: Blob{c.Old}, New: Blob{c.New}}, first: res.Gen, last: res.Gen,
		})
		if !slices.Contains(told, w) {
			told = append(told, w)
		}
	}
	for _, m := range matches {
		tell(m.w, m.c)
	}
	for _, w := range bulk {
		ws.each(res.Graft, w.pat, func(c db.Change) bool {
			tell(w, c)
			return true
		})
	}
	for _, kw := range waits {
		met := false
		whole := ws.each(res.Graft, kw.pat, func(c db.Change) bool {
			met = !c.New.IsZero() && kw.pat.Match(c.Key)
			return !met
		})
		if met || !whole {
			fires = append(fires, kw.fire) // whoever waits looks again
		}
	}
	for _, fire := range fires {
		fire(from)
	}
	for _, w := range told {
		w.wake(from)
	}
}

// each calls fn for what a graft changed within the bounds of a pattern, and reports whether that could be read.
func (ws *watchers) each(g *db.Graft, pat Pattern, fn func(db.Change) bool) bool {
	err := g.Each(db.Span{Lo: pat.lo, Hi: pat.hi}, fn)
	if err != nil {
		ws.log.Error("runtime: what a bulk commit changed could not be read; watchers may have missed some of it", "err", err)
	}
	return err == nil
}

func (ws *watchers) await(kw *keyWait) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.waits == nil {
		ws.waits = map[db.PartID]map[*keyWait]struct{}{}
	}
	if ws.waits[kw.part] == nil {
		ws.waits[kw.part] = map[*keyWait]struct{}{}
	}
	ws.waits[kw.part][kw] = struct{}{}
}

func (ws *watchers) forget(kw *keyWait) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.waits[kw.part], kw)
	if len(ws.waits[kw.part]) == 0 {
		delete(ws.waits, kw.part)
	}
}
