package runtime

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/internal/caller"
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

// Changes is what a watcher is told: the keys that differ since it was last told, in order, each
// once.
type Changes struct {
	// Generation is the newest that the watcher has been told of with this run: all that the commit
	// changed of what it watches is in List, or was in that of a run before. The task reads this
	// generation or a later one.
	Generation uint64
	List       []Change
}

// watchDepthMax bounds how often watchers may set each other off before what they changed is
// dropped with a WatchLoopError.
const watchDepthMax = 64

// Watch runs fn as a task after every commit that changes keys of p that match pat. Changes that
// come while the task is still queued are added to it; it never runs twice at the same time, and it
// sees changes in the order of generations.
//
// The task runs on the lane and for the client of the commit, or On a lane and for a Client that
// opts say; of several commits the newest counts. A Deadline among opts has no effect; At and
// HydrateFirst are refused (ErrOption). Task.Parent is the task that committed. A run that ends
// with an error because it was cancelled, or that was cancelled before it began, is made up for on
// behalf of the engine: what changed concerns others than the client that went away. Any other
// error is logged.
//
// A watcher that changes what it watches is set off again until nothing differs. After 64 rounds
// without a commit from elsewhere the changes are dropped and a WatchLoopError is logged; the next
// commit from elsewhere sets it off again. What is committed from elsewhere meanwhile, in whichever
// round, is told.
//
// stop ends the watch and waits for a run that has begun, but not where that would wait for itself:
// in fn and in a query.
func (e *Engine) Watch(p AnyPartition, pat Pattern, fn func(*Task, Changes) error, opts ...TaskOption) (stop func(), err error) {
	return e.watch(p, pat, nil, fn, opts)
}

// Watch is Engine.Watch for changes that meet a condition. when is given the values before and
// after one commit, nil for absent; it is called by a committer, after the commit, so it should be
// quick. It must not commit or collect; a panic in it reaches the committer. A key is told once a
// commit met the condition, with all that became of it until the run. A value that cannot be read,
// and a condition that panics, count as met: it is better to be told once too often.
func (p *Partition[V]) Watch(e *Engine, pat Pattern, when func(key string, old, new *V) bool, fn func(*Task, Changes) error, opts ...TaskOption) (stop func(), err error) {
	return e.watch(p, pat, func(c db.Change) bool {
		var before, after *V
		if !c.Old.IsZero() {
			v, err := p.load(e, c.Key, c.Old)
			if err != nil {
				return true
			}
			before = &v
		}
		if !c.New.IsZero() {
			v, err := p.load(e, c.Key, c.New)
			if err != nil {
				return true
			}
			after = &v
		}
		return when(c.Key, before, after)
	}, fn, opts)
}

func (e *Engine) watch(p AnyPartition, pat Pattern, when func(db.Change) bool, fn func(*Task, Changes) error, opts []TaskOption) (stop func(), err error) {
	if err := e.admit("Watch"); err != nil {
		return nil, err
	}
	part, err := p.id(e)
	if err != nil {
		return nil, err
	}
	if err := optionsOf(0, opts).refused("Watch", optAt, optHydrateFirst); err != nil {
		return nil, err
	}
	w := &watcher{eng: e, part: part, name: p.Name(), where: caller.Outside(), pat: pat, when: when, fn: fn, opts: opts}
	e.watchers.add(w)
	return w.stop, nil
}

// A watcher has at most one task that has not ended. What it has not been told yet is pending.
type watcher struct {
	eng   *Engine
	part  db.PartID
	name  string // of the partition
	where string // in the program
	pat   Pattern
	when  func(db.Change) bool // nil: always
	fn    func(*Task, Changes) error
	opts  []TaskOption

	mu      sync.Mutex
	pending map[string]pendingChange // guarded by mu: since the last run
	gen     uint64                   // guarded by mu: newest generation in pending
	from    origin                   // guarded by mu: of the newest change in pending
	tasked  bool                     // guarded by mu: a task is queued or running
	running *sched.Handle            // guarded by mu: the task that called fn last
	missed  bool                     // guarded by mu: the last task was cancelled before it had told what it was to tell
	stopped bool                     // guarded by mu

	absent map[condition]*keyWait // guarded by mu: see Task.Again
}

// A pendingChange spans the commits with generations first to last.
type pendingChange struct {
	Change
	first, last uint64
	again       bool // to be told although it may be the same as before: see Task.Again
	hops        *hop // the shortest way on which one of the commits came
}

// tell makes pending what a commit has for the watcher, and reports whether there was anything. A
// key that is pending goes on being told, whether or not the change meets the condition.
func (w *watcher) tell(gen uint64, hops *hop, b batch) (told bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, c := range b.changes {
		if b.met != nil && !b.met[i] {
			if _, pending := w.pending[c.Key]; !pending {
				continue
			}
		}
		w.mergeLocked(pendingChange{
			Change: Change{Key: c.Key, Old: Blob{c.Old}, New: Blob{c.New}}, first: gen, last: gen, hops: hops,
		})
		told = true
	}
	return told
}

// mergeLocked adds one change. Changes of one key chain: what one made New is the Old of the next,
// so the span keeps its two ends. The caller holds mu.
func (w *watcher) mergeLocked(c pendingChange) {
	if w.pending == nil {
		w.pending = map[string]pendingChange{}
	}
	w.gen = max(w.gen, c.last)
	p, ok := w.pending[c.Key]
	if !ok {
		p = c
	}
	if c.first < p.first {
		p.first, p.Old = c.first, c.Old
	}
	if c.last > p.last {
		p.last, p.New = c.last, c.New
	}
	p.again = p.again || c.again
	p.hops = shorter(p.hops, c.hops)
	p.Deleted = p.New.IsZero()
	w.pending[c.Key] = p
}

// wake is called when something was made pending by a commit on behalf of from.
func (w *watcher) wake(from origin) {
	w.mu.Lock()
	w.from = from
	w.mu.Unlock()
	w.start()
}

// start submits the watcher's task if something is pending, unless there is one; a running one
// looks again when it ends.
func (w *watcher) start() {
	w.mu.Lock()
	from := w.from
	if w.stopped || w.tasked || len(w.pending) == 0 {
		w.mu.Unlock()
		return
	}
	if way := shortest(w.pending); way.rounds() >= watchDepthMax {
		w.eng.o.Logger.Error("runtime: watcher dropped", "err", w.loopLocked(way))
		w.eng.watchers.loops.Add(1)
		w.pending = nil
		w.mu.Unlock()
		return
	}
	w.tasked = true
	w.mu.Unlock()

	o := taskOptions{spec: sched.Spec{Name: "watch " + w.name, Lane: from.lane, Client: from.client}}
	for _, opt := range w.opts {
		opt(&o)
	}
	o.spec.Deadline = time.Time{} // beyond which no run would be whole, and each would be made up for
	if o.spec.Lane == 0 {
		o.spec.Lane = lane.Default
	}
	h, err := w.eng.sched.SubmitNow(o.spec, w.eng.body(&o, w.run))
	if err != nil {
		if !errors.Is(err, sched.ErrClosed) {
			w.eng.o.Logger.Error("runtime: watcher could not be queued", "partition", w.name, "err", err)
		}
		w.mu.Lock()
		w.tasked = false // what is pending is told with the next change
		w.mu.Unlock()
		return
	}
	h.Ended().OnFire(func() { w.ended(h) })
}

// run is the body of the watcher's task.
func (w *watcher) run(t *Task) error {
	w.mu.Lock()
	changes, taken := Changes{Generation: w.gen}, w.pending
	w.pending = nil
	from, stopped := w.from, w.stopped
	from.hops = shortest(taken)
	w.running, w.missed = t.task().Handle(), false
	w.mu.Unlock()
	for _, c := range taken {
		if c.Old != c.New || c.again { // equal: it changed and changed back
			changes.List = append(changes.List, c.Change)
		}
	}
	slices.SortFunc(changes.List, func(a, b Change) int { return strings.Compare(a.Key, b.Key) })
	if stopped || len(changes.List) == 0 {
		return nil
	}
	if t.Generation() < changes.Generation {
		t.root.advance(t.eng.snapshot()) // the commit was applied after the task took its snapshot
	}
	t.root.from = from
	t.root.from.hops = &hop{w, from.hops, from.hops.rounds() + 1}
	t.root.told = &told{w, taken}
	err := w.fn(t, changes)
	switch {
	case err == nil:
	case t.task().Err() != nil:
		w.mu.Lock()
		w.missed = true
		for _, c := range taken {
			w.mergeLocked(c)
		}
		w.mu.Unlock()
	default:
		t.eng.o.Logger.Warn("runtime: watcher failed", "partition", w.name, "watcher", w.where, "err", err)
	}
	return err
}

// ended is called when a task of the watcher has ended, whether or not it ever ran.
func (w *watcher) ended(h *sched.Handle) {
	w.mu.Lock()
	w.tasked = false
	if w.running == h && (errors.Is(h.Err(), sched.ErrGoexit) || errors.As(h.Err(), new(*PanicError))) {
		w.eng.o.Logger.Error("runtime: watcher failed", "partition", w.name, "watcher", w.where, "err", h.Err())
	}
	if w.missed || w.running != h {
		w.from.client = 0 // with which it may have been cancelled
	}
	w.mu.Unlock()
	w.start()
}

func (w *watcher) stop() {
	w.eng.watchers.remove(w)
	w.mu.Lock()
	w.stopped = true
	h := w.running
	w.mu.Unlock()
	if h == nil {
		return
	}
	awaitRun(h)
	w.eng.watchers.remove(w) // what the last run waits for
}

// awaitRun waits for the end of a watcher's run, nil being none, unless that would wait for itself.
func awaitRun(h *sched.Handle) {
	if h == nil {
		return
	}
	if t := sched.Caller(); t == nil {
		<-h.Done()
	} else if root := callingTask(t); (root == nil || !root.strand.InQuery()) && t.Handle() != h {
		awaitEnd(h)
	}
}

// awaitEnd waits for the end of a task, whatever happens, and holds no worker meanwhile.
func awaitEnd(h *sched.Handle) {
	wait := func() error { <-h.Done(); return nil }
	if t := sched.Current(); t != nil {
		_ = t.Blocking(wait) // which returns nil
		return
	}
	_ = wait()
}

// told is what a run of a watcher was told.
type told struct {
	w     *watcher
	taken map[string]pendingChange
}

// A condition is something that was looked for.
type condition struct {
	part db.PartID
	pat  Pattern
}

// Again is for a watcher that looked for a key and did not find it: the watcher is called once
// more, with the changes that it was given now and what came since, when a key of p that matches
// pat is put, or at once if one was put after t's snapshot. So what a run could not do for want of
// something is done when that is there, without waiting for it. The condition holds until it was
// met once, or the watch is stopped; several runs may ask for the same. Outside of a watcher it is
// ErrNoWatcher.
func (t *Task) Again(p AnyPartition, pat Pattern) error {
	if err := t.notInQuery("Again"); err != nil {
		return err
	}
	told := t.root.told
	if told == nil {
		return ErrNoWatcher
	}
	part, err := p.id(t.eng)
	if err != nil {
		return err
	}
	w, cond := told.w, condition{part, pat}
	w.mu.Lock()
	if w.stopped {
		w.mu.Unlock()
		return nil
	}
	kw, known := w.absent[cond]
	if !known {
		kw = &keyWait{part: part, pat: pat, of: w, taken: map[string]pendingChange{}}
		kw.fire = func(from origin) { w.again(cond, kw, from) }
		if w.absent == nil {
			w.absent = map[condition]*keyWait{}
		}
		w.absent[cond] = kw
	}
	for key, c := range told.taken {
		if old, ok := kw.taken[key]; ok {
			c.first, c.Old = old.first, old.Old // older: it was told before
		}
		c.again, c.hops = true, nil
		kw.taken[key] = c
	}
	w.mu.Unlock()
	if !known {
		t.eng.watchers.await(kw)
	}
	// Registered first, looked second: a commit in between finds it.
	newest := t.eng.snapshot()
	defer newest.Release()
	if newest.Generation() == t.Generation() {
		return nil
	}
	_, there, err := firstMatch(newest.snap, part, pat)
	if there {
		kw.fire(t.root.from)
	}
	return err
}

// again is called when a key was put that kw has been waiting for.
func (w *watcher) again(cond condition, kw *keyWait, from origin) {
	w.eng.watchers.forget(kw)
	w.mu.Lock()
	if w.absent[cond] != kw {
		w.mu.Unlock()
		return // it was met before
	}
	delete(w.absent, cond)
	for _, c := range kw.taken {
		c.hops = from.hops
		w.mergeLocked(c)
	}
	w.mu.Unlock()
	w.wake(from)
}

// A hop is one watcher on the way from a commit from elsewhere to a commit by a watcher. No hop is
// the way of a commit from elsewhere.
type hop struct {
	w    *watcher
	prev *hop
	n    int // hops up to this one
}

// rounds returns how many watchers are on the way.
func (h *hop) rounds() int {
	if h == nil {
		return 0
	}
	return h.n
}

func shorter(a, b *hop) *hop {
	if a.rounds() <= b.rounds() {
		return a
	}
	return b
}

// shortest returns the shortest way of changes, of which there is one at least.
func shortest(changes map[string]pendingChange) (way *hop) {
	first := true
	for _, c := range changes {
		if first || c.hops.rounds() < way.rounds() {
			way, first = c.hops, false
		}
		if way == nil {
			break
		}
	}
	return way
}

// A WatchLoopError says that watchers set each other off without end, and which. It
// is logged.
type WatchLoopError struct {
	Partition string   // of the watcher whose changes were dropped
	Keys      []string // that were dropped, 8 at most
	Watchers  []string // the last round: where in the program each was registered, and what it watches
}

func (e *WatchLoopError) Error() string {
	return fmt.Sprintf("runtime: watchers trigger each other without end: %s, keys %q, after %d rounds of %s", e.Partition, e.Keys, watchDepthMax, strings.Join(e.Watchers, " -> "))
}

// loopLocked describes the loop at the end of a way. The caller holds mu.
func (w *watcher) loopLocked(way *hop) *WatchLoopError {
	err := w.loop(way)
	for key := range w.pending {
		err.Keys = append(err.Keys, key)
	}
	slices.Sort(err.Keys)
	err.Keys = err.Keys[:min(len(err.Keys), 8)]
	return err
}

// loop describes the loop at the end of a way, but for the keys.
func (w *watcher) loop(way *hop) *WatchLoopError {
	err := &WatchLoopError{Partition: w.name}
	for h := way; h != nil; h = h.prev {
		err.Watchers = append(err.Watchers, fmt.Sprintf("%s (watches %s%v)", h.w.where, h.w.name, h.w.pat))
		if h.w == w {
			break
		}
	}
	slices.Reverse(err.Watchers)
	return err
}
