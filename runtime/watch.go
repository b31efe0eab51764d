package runtime

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/sched"
)

// A Change is what became of one key between two generations.
type Change struct {
	Key     string
	Old     Blob // zero: the key was not there
	New     Blob // zero: the key was deleted
	Deleted bool
}

// Changes is what a watcher is told: the keys that differ since it was last told, in order, each once.
type Changes struct {
	Generation uint64 // the newest generation that is included; the task reads this one or a later one
	List       []Change
}

// watchDepthMax bounds how often watchers may set each other off before one of them is dropped with ErrWatchLoop.
const watchDepthMax = 64

// Watch runs fn as a task after every commit that changes keys of p that match pat. Changes that come while the task is still queued are added to
// it; it never runs twice at the same time, and it sees changes in the order of generations. It runs on the lane and for the client of the
// commit, or on those that opts say. A watcher that changes what it watches is set off again until nothing differs; after 64
// rounds it is dropped with an error in the log (ErrWatchLoop).
//
// stop ends the watch and waits for a run that has begun; it must not be called from within fn.
func (e *Engine) Watch(p Watched, pat Pattern, fn func(*Task, Changes) error, opts ...TaskOption) (stop func(), err error) {
	if e.closing.Load() {
		return nil, ErrClosed
	}
	part, err := p.id(e)
	if err != nil {
		return nil, err
	}
	w := &watcher{eng: e, part: part, name: p.Name(), pat: pat, fn: fn, opts: opts}
	e.watchers.add(w)
	return w.stop, nil
}

// A watcher's state says what its task is doing: idle (none), queued (a task that has not taken pending yet), running, and
// running with more to do.
type watcher struct {
	eng  *Engine
	part db.PartID
	name string
	pat  Pattern
	fn   func(*Task, Changes) error
	opts []TaskOption

	mu      sync.Mutex
	pending map[string]pendingChange // guarded by mu: since the last run
	gen     uint64                   // guarded by mu: newest generation in pending
	from    origin                   // guarded by mu: of the newest change in pending
	queued  bool                     // guarded by mu
	running *sched.Handle            // guarded by mu
	stopped bool                     // guarded by mu
}

// watchers finds the watchers that a commit concerns.
type watchers struct {
	mu     sync.RWMutex
	byPart map[db.PartID][]*watcher // guarded by mu
	waits  map[*keyWait]struct{}    // guarded by mu
}

func (ws *watchers) add(w *watcher) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.byPart == nil {
		ws.byPart = map[db.PartID][]*watcher{}
	}
	ws.byPart[w.part] = append(slices.Clip(ws.byPart[w.part]), w)
}

func (ws *watchers) remove(w *watcher) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.byPart[w.part] = slices.DeleteFunc(slices.Clone(ws.byPart[w.part]), func(o *watcher) bool { return o == w })
}

// dispatch tells everyone concerned about a commit. Commits may arrive here out of order; merge puts them right.
func (ws *watchers) dispatch(res db.Result, from origin) {
	ws.mu.RLock()
	var told []*watcher
	for _, c := range res.Changes {
		for _, w := range ws.byPart[c.Part] {
			if w.pat.Match(c.Key) {
				w.merge(c, res.Gen)
				if !slices.Contains(told, w) {
					told = append(told, w)
				}
			}
		}
		for kw := range ws.waits {
			if kw.part == c.Part && !c.New.IsZero() && kw.pat.Match(c.Key) {
				kw.ready.Fire()
			}
		}
	}
	ws.mu.RUnlock()
	from.depth++
	for _, w := range told {
		w.wake(from)
	}
}

// A pendingChange spans the commits with generations first to last.
type pendingChange struct {
	Change
	first, last uint64
}

// merge adds one change. Changes of one key chain: what one made New is the Old of the next, so the span keeps its two ends.
func (w *watcher) merge(c db.Change, gen uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pending == nil {
		w.pending = map[string]pendingChange{}
	}
	w.gen = max(w.gen, gen)
	p, ok := w.pending[c.Key]
	if !ok {
		p = pendingChange{Change: Change{Key: c.Key, Old: Blob{c.Old}, New: Blob{c.New}}, first: gen, last: gen}
	}
	if gen < p.first {
		p.first, p.Old = gen, Blob{c.Old}
	}
	if gen > p.last {
		p.last, p.New = gen, Blob{c.New}
	}
	p.Deleted = p.New.IsZero()
	w.pending[c.Key] = p
}

// wake queues the watcher's task unless it is queued or running; a running one looks again before it ends.
func (w *watcher) wake(from origin) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.from = from
	if w.stopped || w.queued {
		return
	}
	if from.depth > watchDepthMax {
		w.eng.o.Logger.Error("runtime: watcher dropped", "partition", w.name, "keys", len(w.pending), "err", ErrWatchLoop)
		w.pending = nil
		return
	}
	o := taskOptions{spec: sched.Spec{Name: "watch " + w.name, Lane: from.lane, Client: from.client}, depth: from.depth}
	for _, opt := range w.opts {
		opt(&o)
	}
	if o.spec.Lane == 0 {
		o.spec.Lane = lane.Default
	}
	h, err := w.eng.sched.SubmitNow(o.spec, w.eng.body(&o, w.run))
	if err != nil {
		if !errors.Is(err, sched.ErrClosed) {
			w.eng.o.Logger.Error("runtime: watcher could not be queued", "partition", w.name, "err", err)
		}
		return
	}
	w.queued, w.running = true, h
}

func (w *watcher) run(t *Task) error {
	w.mu.Lock()
	changes := Changes{Generation: w.gen}
	for _, c := range w.pending {
		if c.Old != c.New {
			changes.List = append(changes.List, c.Change) // equal: it changed and changed back
		}
	}
	w.pending = nil
	stopped := w.stopped
	w.mu.Unlock()
	slices.SortFunc(changes.List, func(a, b Change) int {
		if a.Key < b.Key {
			return -1
		}
		return 1
	})
	defer w.ended()
	if stopped || len(changes.List) == 0 {
		return nil
	}
	if t.Generation() < changes.Generation {
		t.root.advance(t.eng.Snapshot()) // the commit was applied after the task took its snapshot
	}
	err := w.fn(t, changes)
	if err != nil && t.Context().Err() == nil {
		t.eng.o.Logger.Warn("runtime: watcher failed", "partition", w.name, "err", err)
	}
	return err
}

// ended lets the next task be queued, and queues it if changes came meanwhile. It runs also when fn panicked.
func (w *watcher) ended() {
	w.mu.Lock()
	w.queued = false
	from, again := w.from, len(w.pending) > 0
	w.mu.Unlock()
	if again {
		w.wake(from)
	}
}

func (w *watcher) stop() {
	w.eng.watchers.remove(w)
	w.mu.Lock()
	w.stopped = true
	h := w.running
	w.mu.Unlock()
	if h != nil {
		<-h.Done()
	}
}

// A keyWait is a task that waits for a key to appear.
type keyWait struct {
	part  db.PartID
	pat   Pattern
	ready sched.Event
}

// Wait returns the first value whose key matches pat, waiting until there is one; when it had to wait, the task reads the newest generation from
// then on. It ends with the cause of the task's context when that ends first. It is not allowed inside a query.
func (p *Partition[V]) Wait(t *Task, pat Pattern) (key string, v V, err error) {
	if t.frame.InQuery() {
		return "", v, fmt.Errorf("%w: Wait", ErrInQuery)
	}
	part, err := p.id(t.eng)
	if err != nil {
		return "", v, err
	}
	for {
		kw := &keyWait{part: part, pat: pat}
		t.eng.watchers.await(kw)
		// Registered first, looked second: a commit in between fires the event.
		key, found, err := p.first(t, pat)
		if err != nil || found {
			t.eng.watchers.forget(kw)
			if err == nil {
				v, err = p.Get(t, key)
			}
			return key, v, err
		}
		if newest := t.eng.Snapshot(); newest.Generation() > t.Generation() {
			t.root.advance(newest)
			t.eng.watchers.forget(kw)
			continue
		} else {
			newest.Release()
		}
		err = t.task().Await(&kw.ready)
		t.eng.watchers.forget(kw)
		if err != nil {
			return "", v, fmt.Errorf("runtime: waiting for a key of %s: %w", p.name, err)
		}
		t.root.advance(t.eng.Snapshot())
	}
}

func (p *Partition[V]) first(t *Task, pat Pattern) (key string, found bool, err error) {
	err = p.each(t, pat, false, func(k string, _ mmapcas.Hash) error {
		key, found = k, true
		return errStop
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	return key, found, err
}

var errStop = errors.New("runtime: seen enough")

func (ws *watchers) await(kw *keyWait) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.waits == nil {
		ws.waits = map[*keyWait]struct{}{}
	}
	ws.waits[kw] = struct{}{}
}

func (ws *watchers) forget(kw *keyWait) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.waits, kw)
}
