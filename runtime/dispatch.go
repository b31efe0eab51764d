package runtime

import (
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/runtime/db"
)

// watchers finds those whom a commit concerns: watchers, and tasks that wait for a key. Committers
// call dispatch concurrently. See "How watchers are told" in the package comment.
type watchers struct {
	loops   atomic.Uint64 // WatchLoopErrors
	log     *slog.Logger
	answers answerWatches

	orderMu    sync.Mutex
	order      []uint64            // guarded by orderMu: generations that were not delivered, ascending
	ready      map[uint64]delivery // guarded by orderMu
	delivering bool                // guarded by orderMu

	mu     sync.RWMutex
	byPart map[db.PartID][]*watcher            // guarded by mu; the slices are immutable
	waits  map[db.PartID]map[*keyWait]struct{} // guarded by mu
	begun  uint64                              // guarded by mu: how many waits there were
}

// A keyWait is told when a key that matches is put.
type keyWait struct {
	part db.PartID
	pat  Pattern
	fire func(from origin) // quick, waits for nothing, does nothing the second time
	nth  uint64            // in the order of await

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
		return // a partition was reset
	}
	ws.orderMu.Lock()
	ws.order = append(ws.order, res.Gen)
	ws.orderMu.Unlock()
}

// dispatch tells all whom a commit concerns, at once or as soon as the commits before it were told
// of. The caller has had a session of the collector since before it committed. A committer that
// delivers in its place holds one too, and the two overlap: old values can still be read.
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

// A batch is what one commit has for one watcher, whole.
type batch struct {
	w       *watcher
	changes []db.Change
	met     []bool // whether each meets the watcher's condition; nil: there is none
}

// deliver makes everything that a commit changed pending, watcher by watcher, and only then wakes
// anybody.
func (ws *watchers) deliver(res db.Result, from origin) {
	ws.mu.RLock()
	batches := ws.concerned(res.Changes)
	var met []*keyWait
	for _, c := range res.Changes {
		for kw := range ws.waits[c.Part] {
			if !c.New.IsZero() && kw.pat.Match(c.Key) {
				met = append(met, kw)
			}
		}
	}
	var waits []*keyWait // that may be concerned by what is not listed
	if g := res.Graft; g != nil {
		for _, w := range ws.byPart[g.Part] {
			batches = append(batches, batch{w: w})
		}
		waits = slices.Collect(maps.Keys(ws.waits[g.Part]))
	}
	ws.mu.RUnlock()

	for i := range batches {
		if b := &batches[i]; b.changes == nil {
			ws.each(res.Graft, b.w.pat, func(c db.Change) bool {
				if b.w.pat.Match(c.Key) {
					b.changes = append(b.changes, c)
				}
				return true
			})
		}
	}
	for _, kw := range waits {
		there := false
		whole := ws.each(res.Graft, kw.pat, func(c db.Change) bool {
			there = !c.New.IsZero() && kw.pat.Match(c.Key)
			return !there
		})
		if there || !whole {
			met = append(met, kw) // the task looks again
		}
	}
	panicked := judge(batches)
	batches = slices.DeleteFunc(batches, func(b batch) bool { return !b.w.tell(res.Gen, from.hops, b) })
	slices.SortFunc(met, func(a, b *keyWait) int { return cmp.Compare(a.nth, b.nth) }) // simulations repeat
	for _, kw := range met {
		kw.fire(from)
	}
	for _, b := range batches {
		b.w.wake(from)
	}
	ws.answers.committed(from)
	if panicked != nil {
		panic(panicked)
	}
}

// concerned returns the changes for each watcher of what they change. The caller holds mu.
func (ws *watchers) concerned(changes []db.Change) (batches []batch) {
	for len(changes) > 0 { // they are ordered by partition
		part, n := changes[0].Part, 1
		for n < len(changes) && changes[n].Part == part {
			n++
		}
		for _, w := range ws.byPart[part] {
			b := batch{w: w}
			for _, c := range changes[:n] {
				if w.pat.Match(c.Key) {
					b.changes = append(b.changes, c)
				}
			}
			if b.changes != nil {
				batches = append(batches, b)
			}
		}
		changes = changes[n:]
	}
	return batches
}

// judge asks the conditions of watchers. One that panics counts as met, and keeps no other watcher
// from being told; the first panic is returned.
func judge(batches []batch) (panicked any) {
	for i := range batches {
		b := &batches[i]
		if b.w.when == nil {
			continue
		}
		b.met = make([]bool, len(b.changes))
		for j, c := range b.changes {
			func() {
				defer func() {
					if r := recover(); r != nil {
						b.met[j] = true
						if panicked == nil {
							panicked = r
						}
					}
				}()
				b.met[j] = b.w.when(c)
			}()
		}
	}
	return panicked
}

// each calls fn for what a graft changed within the bounds of a pattern, and reports whether that
// could be read.
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
	ws.begun++
	kw.nth = ws.begun
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
