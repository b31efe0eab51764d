package runtime

import (
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
}

// observed is called in the commit turn for each generation.
func (ws *watchers) observed(gen uint64, changes []db.Change) {
	if len(changes) == 0 {
		return // a partition was reset, on nobody's behalf
	}
	ws.orderMu.Lock()
	ws.order = append(ws.order, gen)
	ws.orderMu.Unlock()
}

// dispatch tells everyone concerned about a commit, at once or as soon as the commits before it were told about. The caller has had a session of the
// collector since before it committed. So has whoever delivers in its place, or there was another all the time: old values can still be read.
func (ws *watchers) dispatch(res db.Result, from origin) {
	ws.orderMu.Lock()
	defer ws.orderMu.Unlock()
	if ws.ready == nil {
		ws.ready = map[uint64]delivery{}
	}
	ws.ready[res.Gen] = delivery{res, from}
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
	ws.mu.RUnlock()

	from.depth++
	var told []*watcher
	for _, m := range matches {
		if !m.w.concerns(m.c) {
			continue
		}
		m.w.merge(pendingChange{
			Change: Change{Key: m.c.Key, Old: Blob{m.c.Old}, New: Blob{m.c.New}}, first: res.Gen, last: res.Gen,
		})
		if !slices.Contains(told, m.w) {
			told = append(told, m.w)
		}
	}
	for _, fire := range fires {
		fire(from)
	}
	for _, w := range told {
		w.wake(from)
	}
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
