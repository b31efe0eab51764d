package sched

import (
	"context"
	"sync/atomic"
)

// A cause is why a task is cancelled.
type cause struct{ err error }

// sealed is the cause of a task that ended without being cancelled: it cannot be cancelled any
// more, and its descendants skip it when they look upwards.
var sealed = new(cause)

// A clientScope stands for the tasks that a client has had since its last cancellation.
type clientScope struct {
	client uint64
	cause  atomic.Pointer[cause]
}

// id returns the client, 0 without a scope.
func (s *clientScope) id() uint64 {
	if s == nil {
		return 0
	}
	return s.client
}

// why returns the cause if the client's tasks are cancelled.
func (s *clientScope) why() error {
	if s == nil {
		return nil
	}
	if c := s.cause.Load(); c != nil {
		return c.err
	}
	return nil
}

// doubtful reports whether a task may be cancelled by something other than its own cause. False is
// sure, and cheaper than Err.
func (t *Task) doubtful() bool {
	return t.traits.has(mortal) || t.scope != nil || t.root != nil && t.root.kin.has(upset) || t.pool.killed.Load() != nil
}

// Err returns the cause if the task is cancelled, nil otherwise. It costs a few loads. Any
// goroutine may call it.
func (t *Task) Err() error {
	if v := t.view.Load(); v != nil && v.shield != nil {
		return t.shieldErr(v.shield)
	}
	return t.Cancelled()
}

// Cancelled returns the cause if the task is cancelled, also where [Task.Shield] puts that off.
// Without a shield it is Err. Any goroutine may call it.
func (t *Task) Cancelled() error {
	if why := t.ownErr(); why != nil {
		return why
	}
	if t.top().kin.has(upset) {
		for a := t.ancestor(); a != nil; a = a.ancestor() {
			if why := a.ownErr(); why != nil {
				return why
			}
		}
	}
	if c := t.pool.killed.Load(); c != nil {
		return c.err
	}
	if t.traits.has(mortal) && t.base.Err() != nil {
		return context.Cause(t.base)
	}
	return nil
}

// ownErr returns the cause if this very task, or its client, is cancelled.
func (t *Task) ownErr() error {
	if c := t.cause.Load(); c != nil && c != sealed {
		return c.err
	}
	return t.scope.why()
}

// ancestor returns the nearest ancestor that can still be, or is, cancelled. It shortens the path
// on the way, so that a chain of tasks that each spawn the next does not keep the ended ones alive.
func (t *Task) ancestor() *Task {
	p := t.parent.Load()
	for p != nil && p.cause.Load() == sealed {
		up := p.parent.Load()
		t.parent.CompareAndSwap(p, up)
		p = up
	}
	return p
}

// cancel is Handle.Cancel.
func (t *Task) cancel(why error) bool {
	if why == nil {
		why = context.Canceled
	}
	if t.state.Load() == done || !t.cause.CompareAndSwap(nil, &cause{why}) {
		return false
	}
	t.top().kin.set(upset) // after the cause and before the sweep
	if t.state.CompareAndSwap(queued, done) {
		t.end(&t.pool.outside, endCancelled, why) // it stays in its lane as a husk, which its popper drops
	} else {
		t.notice(why)
	}
	if t.kin.has(spawned) {
		t.pool.sweep()
	}
	return true
}

// notice tells a started task that it is cancelled. The cause is set already.
func (t *Task) notice(why error) {
	t.wake()
	if v := t.view.Load(); v != nil {
		v.tell(why)
	}
}

// sweep tells every enlisted task whose cancellation came from somewhere else: an ancestor, its
// client, the pool.
func (p *Pool) sweep() {
	p.recycler.observe()
	defer p.recycler.unobserve()
	for _, w := range p.workers {
		for _, t := range w.enlisted.tasks() {
			if why := t.Err(); why != nil {
				t.notice(why)
			}
		}
	}
}

// seal settles the cause of a task that ends and has children: they look at it from now on.
func (t *Task) seal() {
	verdict := sealed
	if why := t.Err(); why != nil {
		verdict = &cause{why}
		t.top().kin.set(upset)
	}
	t.cause.CompareAndSwap(nil, verdict)
	t.ancestor() // cut ended ancestors off while somebody is looking
}

// CancelClient cancels all tasks that the client has now, and their descendants, for the given
// cause, context.Canceled if it is nil. Tasks that the client submits later are not concerned.
// Client 0, the engine itself, cannot be cancelled.
func (p *Pool) CancelClient(client uint64, why error) {
	if client == 0 {
		return
	}
	if why == nil {
		why = context.Canceled
	}
	if s, ok := p.clients.LoadAndDelete(client); ok {
		s.cause.Store(&cause{why})
		p.sweep()
		p.pending.wake(func(r *Restartable) bool { return r.scope == s })
	}
}

// scope returns the scope that a new task of the client belongs to, nil for client 0.
func (p *Pool) scope(client uint64) *clientScope {
	if client == 0 {
		return nil
	}
	s, ok := p.clients.Load(client)
	if !ok {
		s, _ = p.clients.LoadOrStore(client, &clientScope{client: client})
	}
	return s
}
