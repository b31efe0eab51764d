package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/internal/caller"
	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/memo"
	"github.com/cytisus/cytisus/runtime/sched"
)

// An Answer is what a query gives in one generation.
type Answer[V any] struct {
	Generation uint64
	Value      V     // shared: it must not be changed
	Err        error // of the query; there is no value then
}

// Watch runs fn as a task with the answer for k, at first with the one of now, where old is nil,
// and then whenever the answer differs from the one that fn was told last. An answer that is
// computed again and is equal is not told, nor one that has changed and changed back meanwhile. The
// last one is: fn is told of the answer in the newest generation, or in one that has an equal
// answer. Errors of the query are answers, and equal if their texts are.
//
// fn never runs twice at the same time, and is told of ascending generations; t reads that of new.
// Its task runs on the lane of the newest commit, or On a lane and for a Client that opts say. What
// becomes of errors, panics, cancelled runs and watches that set each other off is said of
// Engine.Watch; an answer that fn has failed on counts as told.
//
// The watch ends with ctx, with stop, or with the engine. stop waits for a run that has begun, but
// not where that would wait for itself: in fn and in a query.
func (q *Query[K, V]) Watch(ctx context.Context, e *Engine, k K, fn func(t *Task, old, new *Answer[V]) error, opts ...TaskOption) (stop func(), err error) {
	if err := e.admitBy(ctx, "Watch"); err != nil {
		return nil, err
	}
	m, key, err := q.resolve(e, k)
	if err != nil {
		return nil, err
	}
	if err := optionsOf(0, opts).refused("Watch", optAt, optHydrateFirst); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("runtime: watching %s: %w", q.name, context.Cause(ctx))
	}
	w := &answerWatch{
		eng: e, query: m, key: key, opts: opts,
		self: &watcher{eng: e, name: "query " + q.name, where: caller.Outside(), pat: Exact(m.ShowKey(key))},
		fn: func(t *Task, old, now *answer) error {
			var v V
			if now.err == nil {
				v = q.value(now.value)
			}
			told := &Answer[V]{now.gen, v, now.err}
			now.told = told
			if old == nil {
				return fn(t, nil, told)
			}
			return fn(t, old.told.(*Answer[V]), told)
		},
	}
	e.watchers.answers.add(w)
	unbind := context.AfterFunc(ctx, func() { w.end(context.Cause(ctx)) })
	w.look(origin{lane: lane.Default})
	return func() {
		unbind()
		awaitRun(w.end(errWatchStopped))
	}, nil
}

// errWatchStopped is the cause of cancellation of what computes for a watch that is stopped.
var errWatchStopped = errors.New("runtime: the watch was stopped")

// An answer is an Answer of any type, with what it is compared by.
type answer struct {
	gen    uint64
	value  any
	err    error
	hash   mmapcas.Hash // of the value
	failed string       // the text of err
	told   any          // the *Answer that fn was given
}

func (a *answer) equal(b *answer) bool { return a.hash == b.hash && a.failed == b.failed }

// An answerWatch has at most one task that has not ended. See A1 to A4 in the package comment.
type answerWatch struct {
	eng   *Engine
	query *memo.Query
	key   string
	opts  []TaskOption
	fn    func(t *Task, old, now *answer) error
	self  *watcher // as a hop

	mu      sync.Mutex
	last    *answer       // guarded by mu: what fn was told last
	from    origin        // guarded by mu: of the newest commit, by the shortest way, that is not looked at
	due     bool          // guarded by mu: from means something
	tasked  bool          // guarded by mu: a task is queued or running
	running *sched.Handle // guarded by mu: the task that began last
	telling bool          // guarded by mu: it calls fn
	missed  bool          // guarded by mu: it was cancelled before it had told what it was to tell
	stopped bool          // guarded by mu
}

// look is called after a commit on behalf of from.
func (w *answerWatch) look(from origin) {
	w.mu.Lock()
	last, busy := w.last, w.tasked
	if busy {
		w.makeDueLocked(from)
	}
	w.mu.Unlock()
	if busy {
		return
	}
	if last != nil && !last.hash.IsZero() {
		var newest db.Snapshot
		w.eng.db.Glance(&newest)
		if a, known := w.eng.memo.Known(w.query, w.key, &newest); known && a.Hash == last.hash {
			return
		}
	}
	w.mu.Lock()
	w.makeDueLocked(from)
	w.mu.Unlock()
	w.start()
}

func (w *answerWatch) makeDueLocked(from origin) {
	if w.due {
		from.hops = shorter(w.from.hops, from.hops)
	}
	w.due, w.from = true, from
}

// start submits the task if something is due, unless there is one; a running one looks again when
// it ends.
func (w *answerWatch) start() {
	w.mu.Lock()
	from := w.from
	if w.stopped || w.tasked || !w.due {
		w.mu.Unlock()
		return
	}
	if from.hops.rounds() >= watchDepthMax {
		w.due = false
		w.mu.Unlock()
		w.eng.o.Logger.Error("runtime: watcher dropped", "err", w.self.loop(from.hops))
		w.eng.watchers.loops.Add(1)
		return
	}
	w.tasked = true
	w.mu.Unlock()

	o := taskOptions{spec: sched.Spec{Name: "watch " + w.query.Name, Lane: from.lane}}
	for _, opt := range w.opts {
		opt(&o)
	}
	if w.made() {
		o.spec.Client = 0 // with which it may have been cancelled
	}
	o.spec.Deadline = time.Time{} // beyond which no run would be whole
	h, err := w.eng.sched.SubmitNow(o.spec, w.eng.body(&o, w.run))
	if err != nil {
		if !errors.Is(err, sched.ErrClosed) {
			w.eng.o.Logger.Error("runtime: watcher could not be queued", "watcher", w.self.where, "query", w.query.Name, "err", err)
		}
		w.mu.Lock()
		w.tasked = false // it is looked at again after the next commit
		w.mu.Unlock()
		return
	}
	h.Ended().OnFire(func() { w.ended(h) })
}

// made reports whether the next run is to make up for one that was cancelled.
func (w *answerWatch) made() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.missed
}

// run is the body of the task.
func (w *answerWatch) run(t *Task) error {
	w.mu.Lock()
	from := w.from
	w.due, w.running, w.missed = false, t.task().Handle(), true
	last, stopped := w.last, w.stopped
	w.mu.Unlock()
	if stopped {
		return nil
	}
	t.root.advance(t.eng.snapshot()) // A2: after due was taken back
	t.root.from = from
	t.root.from.hops = &hop{w.self, from.hops, from.hops.rounds() + 1}
	now := &answer{gen: t.root.snap.snap.Gen()}
	a, err := t.eng.memo.Get(t.frame, w.query, w.key)
	switch {
	case err == nil:
		now.hash = a.Hash
		if f, failed := a.Value.(failure); failed {
			now.err, now.failed = f.err, f.err.Error()
		} else {
			now.value = a.Value
		}
	case t.task().Err() != nil:
		return err
	default:
		now.err, now.failed = public(err), err.Error()
	}
	w.mu.Lock()
	w.missed = false
	if w.stopped || last != nil && last.equal(now) {
		w.mu.Unlock()
		return nil
	}
	w.last, w.telling = now, true
	w.mu.Unlock()
	err = w.fn(t, last, now)
	if err == nil {
		return nil
	}
	if t.task().Err() != nil {
		w.mu.Lock()
		w.last, w.missed = last, true
		w.mu.Unlock()
	} else {
		t.eng.o.Logger.Warn("runtime: watcher failed", "query", w.query.Name, "watcher", w.self.where, "err", err)
	}
	return err
}

// ended is called when a task of the watch has ended, whether or not it ever ran.
func (w *answerWatch) ended(h *sched.Handle) {
	w.mu.Lock()
	w.tasked, w.telling = false, false
	if w.running == h && (errors.Is(h.Err(), sched.ErrGoexit) || errors.As(h.Err(), new(*PanicError))) {
		w.eng.o.Logger.Error("runtime: watcher failed", "query", w.query.Name, "watcher", w.self.where, "err", h.Err())
	}
	if w.running != h {
		w.missed = true // it was cancelled before it began
	}
	w.due = w.due || w.missed
	w.mu.Unlock()
	w.start()
}

// end ends the watch and returns the run that goes on, if any. One that has not called fn yet need
// not go on.
func (w *answerWatch) end(cause error) (running *sched.Handle) {
	w.eng.watchers.answers.remove(w)
	w.mu.Lock()
	w.stopped = true
	h, tasked, telling := w.running, w.tasked, w.telling
	w.mu.Unlock()
	if h == nil || !tasked {
		return nil
	}
	if !telling {
		h.Cancel(cause)
	}
	return h
}

// answerWatches finds out which answers a commit may have changed. See A1 to A4.
type answerWatches struct {
	mu     sync.Mutex
	all    []*answerWatch // guarded by mu: in the order in which they began, for simulations
	due    bool           // guarded by mu: a commit is not looked at
	from   origin         // guarded by mu: of the newest such commit, by the shortest way
	tasked bool           // guarded by mu: a task is queued or running that looks
}

func (a *answerWatches) add(w *answerWatch) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, w)
}

func (a *answerWatches) remove(w *answerWatch) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.Index(a.all, w); i >= 0 {
		a.all = slices.Delete(a.all, i, i+1)
	}
}

// committed is called after a commit on behalf of from.
func (a *answerWatches) committed(from origin) {
	a.mu.Lock()
	if len(a.all) == 0 {
		a.mu.Unlock()
		return
	}
	eng := a.all[0].eng
	if a.due {
		from.hops = shorter(a.from.hops, from.hops)
	}
	a.due, a.from = true, from
	a.mu.Unlock()
	a.start(eng)
}

// start submits a task that looks if a commit is due, unless there is one.
func (a *answerWatches) start(e *Engine) {
	a.mu.Lock()
	from := a.from
	if a.tasked || !a.due {
		a.mu.Unlock()
		return
	}
	a.tasked = true
	a.mu.Unlock()
	l := from.lane
	if l == 0 {
		l = lane.Default
	}
	h, err := e.sched.SubmitNow(sched.Spec{Name: "watch queries", Lane: l}, func(*sched.Task) error {
		a.mu.Lock()
		a.due = false // A1: before any answer is looked at
		from := a.from
		all := slices.Clone(a.all)
		a.mu.Unlock()
		for _, w := range all {
			w.look(from)
		}
		return nil
	})
	if err != nil {
		if !errors.Is(err, sched.ErrClosed) {
			e.o.Logger.Error("runtime: watched queries could not be looked at", "err", err)
		}
		a.mu.Lock()
		a.tasked = false // the next commit has them looked at
		a.mu.Unlock()
		return
	}
	h.Ended().OnFire(func() {
		a.mu.Lock()
		a.tasked = false
		a.mu.Unlock()
		a.start(e)
	})
}
