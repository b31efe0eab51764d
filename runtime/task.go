package runtime

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/memo"
	"github.com/cytisus/cytisus/runtime/sched"
)

// A Task is a unit of work on a lane: it reads one snapshot. It belongs to the function that it was
// given to, on the goroutine that the function was called on.
type Task struct {
	eng   *Engine
	root  *rootTask
	frame *memo.Frame
	turn  uint32 // of frame
}

// A rootTask is what all frames of a task share.
type rootTask struct {
	strand memo.Strand
	snap   *Snapshot
	own    bool   // the task releases snap itself
	from   origin // hops: of the watcher that the task, or an ancestor, runs for
	told   *told  // what the watcher was told; nil: the task is not a watcher's

	again *again // nil: the task is not restartable

	commits int // commit functions that run on the task's goroutine

	// Memory that is used again: the encoded keys of the calls of Query.Get that are under way, the
	// result of the latest run, and tasks to give to query functions.
	keys    []byte
	payload []byte
	tasks   []Task

	tasksMade int
}

// scratchMax bounds what a task keeps of such memory.
const scratchMax = 64 << 10

// A TaskOption adjusts how a task is submitted.
type TaskOption func(*taskOptions)

type taskOptions struct {
	spec     sched.Spec
	snap     *Snapshot
	from     origin // see rootTask
	hydrates bool   // see HydrateFirst
	noRuns   bool   // see memo.Strand.Hydrates
	frees    bool   // it frees memory or disk: it is never refused, and does not wait at the gate
	gated    bool   // it begins at the gate if its lane does: see "Limits"
}

// At makes the task read s, which must not be released before the call returns.
func At(s *Snapshot) TaskOption { return func(o *taskOptions) { o.snap = s } }

// Named gives the task a name for profiles, statistics and the watchdog.
func Named(name string) TaskOption { return func(o *taskOptions) { o.spec.Name = name } }

// On puts the task on a lane: for watchers, which else inherit the lane of whoever commits.
func On(l lane.Lane) TaskOption { return func(o *taskOptions) { o.spec.Lane = l } }

// freeing says that the task is not for the limits to hold back.
func freeing() TaskOption { return func(o *taskOptions) { o.frees = true } }

// Client says for whom the task works.
func Client(id uint64) TaskOption { return func(o *taskOptions) { o.spec.Client = id } }

// Supersede makes the task cancel the one that was submitted before with the same key, if it is
// still going, with ErrSuperseded.
func Supersede(key string) TaskOption { return func(o *taskOptions) { o.spec.Key = key } }

// Deadline cancels the task with context.DeadlineExceeded if it has not ended by then, also while
// it is queued. A context with a deadline does the same; with this option the task alone has it,
// and a context of many tasks need not be wrapped for each.
func Deadline(at time.Time) TaskOption { return func(o *taskOptions) { o.spec.Deadline = at } }

// Names of the options that some calls cannot follow.
const (
	optAt           = "At"
	optDeadline     = "Deadline"
	optHydrateFirst = "HydrateFirst"
	optSupersede    = "Supersede"
)

// refused is an ErrOption if one of some options was given to a call.
func (o taskOptions) refused(call string, options ...string) error {
	given := map[string]bool{
		optAt: o.snap != nil, optDeadline: !o.spec.Deadline.IsZero(), optHydrateFirst: o.hydrates, optSupersede: o.spec.Key != "",
	}
	for _, name := range options {
		if given[name] {
			return fmt.Errorf("%w: %s of %s", ErrOption, name, call)
		}
	}
	return nil
}

// optionsOf are the options of a task that is submitted on l, or on the default lane.
func optionsOf(l lane.Lane, opts []TaskOption) taskOptions {
	o := taskOptions{spec: sched.Spec{Lane: l}}
	for _, opt := range opts {
		opt(&o)
	}
	if o.spec.Lane == 0 {
		o.spec.Lane = lane.Default
	}
	return o
}

// A Handle is a task as seen from outside.
type Handle = sched.Handle

// Go submits fn as a task on a lane (zero: lane.Default) and returns at once, unless the lane is
// full, in which case it waits for room or for ctx. Cancelling ctx cancels the task.
func (e *Engine) Go(ctx context.Context, l lane.Lane, fn func(*Task) error, opts ...TaskOption) (*Handle, error) {
	if err := e.admitBy(ctx, "submitting a task"); err != nil {
		return nil, err
	}
	o := optionsOf(l, opts)
	if err := o.unreadable(); err != nil {
		return nil, err
	}
	if err := e.governor.admits("submitting a task"); err != nil && !o.frees {
		return nil, err
	}
	o.gated = e.governor.limit > 0 && !o.frees && sched.Caller() == nil
	if o.hydrates {
		fn = o.hydrateFirst(fn)
	}
	h, err := e.sched.Submit(ctx, o.spec, e.body(&o, fn))
	return o.submitted(h, err)
}

// Submit is Go followed by waiting for the task's end; it returns the task's error. When ctx ends
// first, the task is cancelled and Submit returns without waiting for it: what fn writes belongs to
// the task then. Evaluate returns a value. A task that calls it does not hold a worker meanwhile.
func (e *Engine) Submit(ctx context.Context, l lane.Lane, fn func(*Task) error, opts ...TaskOption) error {
	h, err := e.Go(ctx, l, fn, opts...)
	if err != nil {
		return err
	}
	return h.Wait(ctx)
}

// Evaluate is Engine.Submit for a function that has something to say. With an error, what it said
// is not returned: when ctx ends first, the task may still be writing it.
func Evaluate[T any](ctx context.Context, e *Engine, l lane.Lane, fn func(*Task) (T, error), opts ...TaskOption) (T, error) {
	var value, none T
	err := e.Submit(ctx, l, func(t *Task) (err error) {
		value, err = fn(t)
		return err
	}, opts...)
	if err != nil {
		return none, err
	}
	return value, nil
}

// CancelClient cancels all tasks that work for a client now, for the given cause (nil:
// context.Canceled). What others wait for as well goes on; what watchers were to be told on behalf
// of the client they are told all the same.
func (e *Engine) CancelClient(client uint64, cause error) { e.sched.CancelClient(client, cause) }

// submitted ends a submission. The snapshot that the task was given, which body retained, is
// released when the task has ended, whether or not it ever ran.
func (o *taskOptions) submitted(h *Handle, err error) (*Handle, error) {
	if err != nil {
		if o.snap != nil {
			o.snap.Release()
		}
		return nil, fmt.Errorf("runtime: submitting task %q: %w", o.spec.Name, err)
	}
	if o.snap != nil {
		h.Ended().OnFire(o.snap.Release)
	}
	return h, nil
}

// unreadable reports why the snapshot that the task is given is none.
func (o *taskOptions) unreadable() error {
	if o.snap != nil {
		return o.snap.err
	}
	return nil
}

// body wraps fn for the scheduler, and retains the snapshot that the task is given.
func (e *Engine) body(o *taskOptions, fn func(*Task) error) func(*sched.Task) error {
	given, from, noRuns := o.snap, o.from, o.noRuns
	if given != nil {
		given.retain()
	}
	outside := o.gated
	gated := outside && waitsAtGate(o.spec.Lane)
	return func(s *sched.Task) error {
		if gated {
			if err := e.governor.gate.enter(s); err != nil {
				return err
			}
			defer e.governor.gate.leave()
		} else if outside {
			e.governor.urgent.Add(1)
			e.governor.urgentBegun.Add(1)
			defer e.governor.urgent.Add(-1)
		}
		root := &rootTask{snap: given, from: from}
		if given == nil {
			root.snap = e.snapshot()
			root.own = true
		}
		defer root.release()
		root.strand = memo.Strand{Task: s, Snap: root.snap.snap, Host: root, Hydrates: noRuns}
		s.SetLocal(root)
		err := fn(&Task{eng: e, root: root, frame: e.memo.Root(&root.strand)})
		if err == nil {
			return nil
		}
		if err = public(err); !errors.Is(err, ErrClosed) && errors.Is(s.Err(), ErrClosed) {
			err = fmt.Errorf("%w: %w", ErrClosed, err) // whatever the function made of it
		}
		return err
	}
}

func (r *rootTask) release() {
	if r.own {
		r.snap.Release()
	}
}

// dropSnapshot gives up the task's snapshot early; the task must not read afterwards.
func (r *rootTask) dropSnapshot() {
	r.release()
	r.own = false
}

// advance makes the task read s, which it owns from now on.
func (r *rootTask) advance(s *Snapshot) {
	r.release()
	r.snap, r.own = s, true
	r.strand.Snap = s.snap
}

// taskIn returns the task of a query's frame. Each is given out once, as functions may have left it
// with others (memo.Frame.Turn); they are made several at a time, the more the longer it goes on.
func (e *Engine) taskIn(f *memo.Frame) *Task {
	root := f.Strand().Host.(*rootTask)
	if len(root.tasks) == 0 {
		root.tasks = make([]Task, min(2*root.tasksMade+1, tasksTogether))
		root.tasksMade += len(root.tasks)
	}
	t := &root.tasks[0]
	root.tasks = root.tasks[1:]
	*t = Task{eng: e, root: root, frame: f, turn: f.Turn()}
	return t
}

// tasksTogether is how many are made at a time.
const tasksTogether = 32

func (t *Task) reads() (*Engine, readView, error) {
	err := t.records()
	if err == nil && t.eng.closed.Load() {
		t.frame.Taint() // a query that goes on in spite of it answers for nobody
		err = fmt.Errorf("runtime: reading in a task: %w", ErrClosed)
	}
	return t.eng, readView{snap: t.root.strand.Snap, frame: t.frame}, err
}

func (t *Task) task() *sched.Task { return t.root.strand.Task }

// Unrecorded calls fn and returns what it returns. What fn reads through t is answered as ever, but
// the query that t runs does not depend on it. So a query can work on whole answers, and read those
// parts that its result follows from when it knows them, as by the names of a Table. It promises
// that its result is the same wherever these are, whatever else it was given in fn; audits look
// whether it is ("Trust"). Outside of queries there is nothing to record.
func (t *Task) Unrecorded(fn func() error) (err error) {
	if _, _, err := t.reads(); err != nil {
		return err
	}
	t.frame.Unrecorded(func() { err = fn() })
	return err
}

// Engine returns the engine that runs the task.
func (t *Task) Engine() *Engine { return t.eng }

// Context ends when the task is cancelled. Long computations should look at it. The result of a
// query whose function asked for the context is not kept if the context has ended by then.
func (t *Task) Context() context.Context { return t.frame.Context() }

// Lane returns the task's priority. The result of a query that asks is not kept, since another task
// may ask the query next; so it is with Client, Parent and Generation.
func (t *Task) Lane() lane.Lane {
	t.root.strand.Taint()
	return t.task().Lane()
}

// Client says for whom the task works.
func (t *Task) Client() uint64 {
	t.root.strand.Taint()
	return t.task().Client()
}

// Parent is the number (Handle.ID) of the task that spawned this one or, for a watcher, that made
// the newest commit it is told of; 0 is none. A watcher does not end with its parent.
func (t *Task) Parent() uint64 {
	t.root.strand.Taint()
	if t.root.told != nil {
		return t.root.from.parent
	}
	return t.task().Parent()
}

// Generation is the generation that the task reads.
func (t *Task) Generation() uint64 {
	t.root.strand.Taint()
	return t.root.snap.Generation()
}

// State names what the task reads, for a cache that a program keeps beside the engine: where it is
// equal, and not nil, every question has the same answer. It is comparable. It is not recorded, so
// nothing of it may show in what a query gives. Nil: what the task reads is no one state.
func (t *Task) State() any {
	if t.frame.Replayed() {
		return nil
	}
	return state{t.eng, t.root.snap.Generation()}
}

type state struct {
	eng        *Engine
	generation uint64
}

// Spawn starts a child task, on the same lane when l is zero, in the newest generation; cancelling
// the parent cancels it. It never waits.
func (t *Task) Spawn(l lane.Lane, fn func(*Task) error, opts ...TaskOption) (*Handle, error) {
	if err := t.notInQuery("Spawn (use Query.All)"); err != nil {
		return nil, err
	}
	o := taskOptions{spec: sched.Spec{Lane: l}, from: t.root.from}
	for _, opt := range opts {
		opt(&o)
	}
	if err := o.refused("Spawn", optHydrateFirst); err != nil {
		return nil, err
	}
	if err := o.unreadable(); err != nil {
		return nil, err
	}
	h, err := t.task().Spawn(o.spec, t.eng.body(&o, fn))
	return o.submitted(h, err)
}

// Join waits for a child without holding a worker, and returns its error. It is not allowed inside
// a query.
func (t *Task) Join(h *Handle) error { return t.task().Join(h) }

// Blocking runs fn, which may block on I/O or lock itself to a thread, on a goroutine of its own,
// and suspends the task meanwhile.
func (t *Task) Blocking(fn func() error) error { return t.task().Blocking(fn) }

// Unstable says, inside a query, that the result must not be kept: what it was computed from was
// not what had been read. Whoever asks now gets it, and nothing that rests on it is kept either.
func (t *Task) Unstable() { t.frame.Taint() }

// Yield lets more urgent work run, if there is any.
func (t *Task) Yield() { t.task().Yield() }

// spawnHelpers starts tasks that evaluate queries on t's behalf in t's snapshot.
func (t *Task) spawnHelpers(name string) memo.Spawner {
	return func(helpers int, fn func(*memo.Frame)) error {
		for range helpers {
			o := taskOptions{spec: sched.Spec{Name: name}, snap: t.root.snap, from: t.root.from}
			o.noRuns = t.root.strand.Hydrates
			h, err := t.task().Spawn(o.spec, t.eng.body(&o, func(t *Task) error {
				fn(t.frame)
				return nil
			}))
			if _, err := o.submitted(h, err); err != nil {
				return err
			}
		}
		return nil
	}
}
