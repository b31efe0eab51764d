package sched

import (
	"context"
	"fmt"
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/runtime/lane"
)

// A Task is a unit of work while it runs: what its function sees. Its methods may be called only by
// that function, on its goroutine, unless they say otherwise; and not after it has returned.
//
// A task must not change the lock count of its thread (LockOSThread, UnlockOSThread) across a wait
// or its end ([ErrThreadLocked]), and should not block its thread: [Task.Blocking] does both
// elsewhere.
type Task struct {
	// The first cache line is all that a submitter from outside writes, and so all that travels
	// from its processor to the worker's. Immutable once submitted where nothing else is said.
	next     *Task             // link of the one list the task is in (S4)
	fn       func(*Task) error // nil once the task has ended
	name     string
	base     context.Context // as submitted, or the parent's
	scope    *clientScope    // the client's tasks; nil for client 0
	state    atomic.Uint32   // see doc.go
	lane     uint8           // index
	detached bool            // nobody has a handle, unless kept says so
	kept     bool            // plain, the task's: a child, or whoever asked for a handle, may still look at it after its end
	traits   traits

	// The second is what a worker needs besides.
	id       uint64 // 0 until it starts for a detached task from outside
	parentID uint64
	pool     *Pool
	root     *Task                       // the outermost ancestor, nil if it is this task
	parent   atomic.Pointer[Task]        // nearest ancestor that may still be cancelled; moves up past ended ones
	cause    atomic.Pointer[cause]       // why this very task is cancelled, or ended (see cancel.go); set once
	loop     *loop                       // set by the worker that starts the task, before it can wait
	view     atomic.Pointer[contextView] // made when somebody asks for the context

	// The third is for tasks that have somebody or something to care about.
	extra *extra // immutable; nil for most
	kin   kin
	stamp uint32 // of a timed task: see Pool.stamp
	err   error  // written before done fires; until then where it exits, see ExitsFrom
	done  Event  // fires last of all
}

// Traits are what is known of a task when it is submitted.
type traits uint8

const (
	mortal traits = 1 << iota // base may end
	timed                     // it is timed; see timing.go
)

func (t traits) has(one traits) bool { return t&one != 0 }

// A kin is what cancelling needs to know of a task and its family. Any goroutine may set and ask;
// what is set stays.
type kin struct{ is atomic.Uint32 }

const (
	spawned uint32 = 1 << iota // it has children: cancelling it concerns others
	upset                      // of a root: some task under it needs to ask its ancestors whether it is cancelled
)

func (k *kin) has(one uint32) bool { return k.is.Load()&one != 0 }

func (k *kin) set(one uint32) { k.is.Or(one) }

// top returns the task's outermost ancestor.
func (t *Task) top() *Task {
	if t.root != nil {
		return t.root
	}
	return t
}

// An extra holds what only some tasks have.
type extra struct {
	key      string
	deadline time.Time
	timer    timer // enforces deadline; nil without
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

// Worker returns the number of the worker that runs the task, in [0, Workers). While another thread
// stands in for the one that the task holds, it is a number from Workers on.
func (t *Task) Worker() int { return t.loop.worker().id }

// Pool returns the pool that runs the task.
func (t *Task) Pool() *Pool { return t.pool }

// Handle returns the task's own handle.
func (t *Task) Handle() *Handle {
	if t.detached {
		t.kept = true
	}
	return (*Handle)(t)
}

// SetLocal attaches a value to the task, for the layer above: one slot, not inherited. A [Guard] is
// asked before the task joins another.
func (t *Task) SetLocal(v any) { t.loop.local = v }

// Local returns the value of the last SetLocal, nil if there was none.
func (t *Task) Local() any { return t.loop.local }

// A Guard decides whether the task that it was attached to may wait for the end of another one.
type Guard interface {
	// MayJoin returns nil, or what Join and Handle.Wait are to return at once.
	MayJoin() error
}

// Refresh moves the worker's epoch pin to the present, for long loops without a wait. Views of
// memory that the epochs protect become invalid, as across a wait.
func (t *Task) Refresh() {
	t.loop.enter().refresh()
	t.loop.exit()
}

// Spawn submits a child and does not wait, not even for room. Lane and client are inherited where s
// leaves them zero, the context always. Cancelling the task cancels the child. Spawn fails with
// [ErrLane] or [ErrNilFunc] on bad arguments, and with the cause if the task is cancelled already.
func (t *Task) Spawn(s Spec, fn func(*Task) error) (*Handle, error) {
	if err := t.admit(&s, fn); err != nil {
		return nil, err
	}
	w := t.loop.enter()
	child := &Task{pool: t.pool, id: w.ids.next(t.pool)}
	w.adopt(t, child, &s, fn)
	t.loop.exit()
	t.point()
	return child.Handle(), nil
}

// Go is Spawn of a child that nobody will ask about: there is no handle, so the task itself is used
// again for others, and in the long run nothing is allocated. Its error is only counted; its panic
// is counted and logged.
func (t *Task) Go(s Spec, fn func(*Task) error) error {
	i := t.lane
	if s.Lane != 0 {
		i = uint8(bits.TrailingZeros32(uint32(s.Lane)))
	}
	if fn == nil || s.Lane&(s.Lane-1) != 0 || i >= lane.Count || !s.plain() || s.Client != 0 || t.pool.hooks.OnSubmit != nil ||
		t.view.Load() != nil || t.cause.Load() != nil || t.kin.has(upset) || t.doubtful() {
		return t.goSlow(s, fn)
	}
	// As adopt does, less what the line above has excluded.
	l := t.loop
	if !l.undisturbed() {
		l.disturbed()
	}
	w := l.worker()
	child := w.fresh()
	child.fn, child.name, child.lane = fn, s.Name, i
	child.base, child.scope, child.traits = t.base, t.scope, t.traits&mortal
	child.root, child.parentID = t.top(), t.id
	initPointer(&child.parent, t)
	if !t.kin.has(spawned) {
		t.hasKids()
	}
	if sampled(w.counts.lanes[i].submitted.next()) {
		child.endow(child.traits | timed)
	}
	w.push(child)
	l.exit()
	t.point()
	return nil
}

// goSlow is Go where something is out of the ordinary.
func (t *Task) goSlow(s Spec, fn func(*Task) error) error {
	if err := t.admit(&s, fn); err != nil {
		return err
	}
	w := t.loop.enter()
	if s.plain() {
		child := w.fresh()
		if t.pool.hooks.OnSubmit != nil {
			child.id = w.ids.next(t.pool)
		}
		w.adopt(t, child, &s, fn)
	} else {
		w.adopt(t, &Task{pool: t.pool, id: w.ids.next(t.pool)}, &s, fn)
	}
	t.loop.exit()
	t.point()
	return nil
}

// admit fills in what a child inherits, and looks whether there may be one.
func (t *Task) admit(s *Spec, fn func(*Task) error) error {
	if s.Lane == 0 {
		s.Lane = t.Lane()
	}
	if s.Client == 0 {
		s.Client = t.Client()
	}
	if err := s.validate(fn); err != nil {
		return err
	}
	return t.Err()
}

// adopt makes child a child of t, which runs on w, and queues it.
func (w *worker) adopt(t, child *Task, s *Spec, fn func(*Task) error) {
	p := w.pool
	child.describe(s, fn)
	child.parentID = t.id
	if v := t.view.Load(); v != nil && v.shield != nil {
		t.adoptShielded(child, s, v.shield.contexts().base)
	} else {
		child.base, child.traits, child.root = t.base, t.traits&mortal, t.top()
		if s.Client == t.Client() {
			child.scope = t.scope
		} else {
			child.scope = p.scope(s.Client)
			t.top().kin.set(upset)
		}
		initPointer(&child.parent, t)
		if !t.kin.has(spawned) {
			t.hasKids()
		}
	}
	if sampled(w.counts.lanes[child.lane].submitted.next()) {
		child.endow(child.traits | timed)
	}
	p.prepare(child, s)
	w.push(child)
}

// hasKids notes that cancelling the task concerns others, and that they look at it when it has
// ended.
func (t *Task) hasKids() {
	t.kin.set(spawned)
	t.kept = true
}

// adoptShielded makes child a task that only ctx cancels.
func (t *Task) adoptShielded(child *Task, s *Spec, ctx context.Context) {
	child.base, child.traits = ctx, mortality(ctx)
	switch {
	case s.Client != t.Client():
		child.scope = t.pool.scope(s.Client)
	case s.Client != 0:
		child.scope = &clientScope{client: s.Client} // which nobody knows, so nobody cancels it
	}
}

// describe fills in what s says.
func (t *Task) describe(s *Spec, fn func(*Task) error) {
	t.name, t.fn, t.lane = s.Name, fn, uint8(s.Lane.Index())
	if !s.plain() {
		t.extra = &extra{key: s.Key, deadline: s.Deadline}
	}
}

// ExitsFrom says where the task's function is while Goexit ends it, for [ErrGoexit] to name. A
// deferred function calls it that finds neither a return nor a panic. The first call counts: it
// comes from the innermost place.
func (t *Task) ExitsFrom(where string) {
	if t.err == nil {
		t.err = fmt.Errorf("%w in %s", ErrGoexit, where)
	}
}

// exitError returns the error of a task that Goexit ends, and forgets what ExitsFrom has said.
func (t *Task) exitError() error {
	err := t.err
	if t.err = nil; err == nil {
		return ErrGoexit
	}
	return err
}
