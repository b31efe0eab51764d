package sched

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/runtime/lane"
)

// A Task is a unit of work while it runs: what its function sees. Its methods may be called only by that function, on
// its goroutine, unless they say otherwise; and not after it has returned.
//
// A task must not change the lock count of its thread (LockOSThread, UnlockOSThread) across a wait or its end, and
// should not block its thread: [Task.Blocking] does both elsewhere.
type Task struct {
	// Immutable once submitted.
	pool     *Pool
	id       uint64
	parentID uint64
	name     string
	fn       func(*Task) error // nil once the task has ended
	base     context.Context   // as submitted, or the parent's
	scope    *clientScope      // the client's tasks; nil for client 0
	root     *Task             // the outermost ancestor, itself if it was submitted from outside
	extra    *extra            // nil for most

	state  atomic.Uint32         // see doc.go
	lane   uint8                 // index; immutable
	kids   atomic.Bool           // has spawned: cancelling it concerns others
	upset  atomic.Bool           // of a root: some task under it needs to ask its ancestors whether it is cancelled
	parent atomic.Pointer[Task]  // nearest ancestor that may still be cancelled; moves up past ended ones
	cause  atomic.Pointer[cause] // why this very task is cancelled, or ended (see cancel.go); set once
	err    error                 // written before done fires
	done   Event                 // fires last of all

	loop   *loop                       // set by the worker that starts the task, before it can wait; then immutable
	next   *Task                       // link of the one list the task is in (S4)
	view   atomic.Pointer[contextView] // made when somebody asks for the context
	locals any                         // plain, the task's: see SetLocal
}

// An extra holds what only some tasks have.
type extra struct {
	key      string
	deadline time.Time
	timer    *time.Timer // enforces deadline; nil without
}

// ID returns the task's number, unique in its pool and never 0.
func (t *Task) ID() uint64 { return t.id }

// Name returns the name it was submitted with.
func (t *Task) Name() string { return t.name }

// Lane returns the task's lane.
func (t *Task) Lane() lane.Lane { return lane.FromIndex(int(t.lane)) }

// Client returns on whose behalf the task runs; 0 is the engine itself.
func (t *Task) Client() uint64 { return t.scope.id() }

// Parent returns the number of the task that spawned this one, 0 if none did.
func (t *Task) Parent() uint64 { return t.parentID }

// Worker returns the number of the worker that runs the task, in [0, Workers). It stays the same for the task's life.
func (t *Task) Worker() int { return t.loop.w.id }

// Pool returns the pool that runs the task.
func (t *Task) Pool() *Pool { return t.pool }

// Handle returns the task's own handle.
func (t *Task) Handle() *Handle { return (*Handle)(t) }

// SetLocal attaches a value to the task, for the layer above: one slot, not inherited.
func (t *Task) SetLocal(v any) { t.locals = v }

// Local returns the value of the last SetLocal, nil if there was none.
func (t *Task) Local() any { return t.locals }

// Refresh moves the worker's epoch pin to the present, for long loops without a wait. Views of memory that the epochs
// protect become invalid, as across a wait.
func (t *Task) Refresh() { t.loop.w.refresh() }

// Spawn submits a child and does not wait, not even for room. Lane and client are inherited where s leaves them zero,
// the context always. Cancelling the task cancels the child. Spawn fails with [ErrLane] or [ErrNilFunc] on bad
// arguments, and with the cause if the task is cancelled already.
func (t *Task) Spawn(s Spec, fn func(*Task) error) (*Handle, error) {
	if s.Lane == 0 {
		s.Lane = t.Lane()
	}
	if s.Client == 0 {
		s.Client = t.Client()
	}
	if err := s.validate(fn); err != nil {
		return nil, err
	}
	if err := t.Err(); err != nil {
		return nil, err
	}
	p := t.pool
	w := t.loop.w
	child := p.newTask(w.newID(), &s, t.base, fn)
	child.parentID, child.root = t.id, t.root
	if s.Client == t.Client() {
		child.scope = t.scope
	} else {
		child.scope = p.scope(s.Client)
		t.root.upset.Store(true)
	}
	child.parent.Store(t)
	if !t.kids.Load() {
		t.kids.Store(true)
	}
	w.counts.lanes[child.lane].submitted.Add(1)
	p.prepare(child)
	p.push(child)
	return child.Handle(), nil
}
