package sched

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cytisus/cytisus/runtime/lane"
)

// A Restartable is a task that waits by returning, for those that wait in crowds: while it waits it
// holds neither a thread nor a stack, only itself. Its function says what it waits for with
// [Restartable.Pend] and returns [ErrPending]; once that has happened, it is called again from its
// beginning, by any worker, as a task of its own, for the same client and on the same lane unless
// it asks for another one with [Restartable.PendFor]. It has to find by itself how far it had come,
// such as by memoised reads. A function may be called again although nothing has happened, and then
// pends again. All methods but Pend and PendFor may be called by any goroutine.
//
// It ends when its function returns anything but ErrPending, panics, or is cancelled: by Cancel, by
// the end of its context, or with its client. A pool that closes does not wait for what pends: that
// ends with [ErrClosed].
type Restartable struct {
	// Immutable.
	id    uint64
	pool  *Pool
	ctx   context.Context
	spec  Spec
	fn    func(*Task, *Restartable) error
	scope *clientScope

	// The run's that is under way, and then its end's.
	on    *Event    // what it pends on, nil if it does not
	next  lane.Lane // of the run that follows
	timer timer     // fires on, nil without PendFor; stopped by what ends the wait, or the run

	mu      sync.Mutex // taken before an event's and the pool's list of those that pend
	pending bool       // guarded by mu: between two runs, and waiting
	waiter  waiter     // linked while pending
	watched func() bool
	run     *Handle // guarded by mu: the latest
	cause   error   // guarded by mu: of Cancel
	runs    int     // guarded by mu

	err  error // written before done fires
	done Event
}

// SubmitRestartable queues a task that waits by returning. It waits for room as Submit does; a task
// must not call it. The spec must have no Key and no Deadline ([ErrOptions]): a context with a
// deadline does for both runs and waits. Other failures are those of Submit.
func (p *Pool) SubmitRestartable(ctx context.Context, s Spec, fn func(*Task, *Restartable) error) (*Restartable, error) {
	if !s.plain() {
		return nil, fmt.Errorf("%w: restartable task %q with a key or a deadline", ErrOptions, s.Name)
	}
	if fn == nil {
		return nil, fmt.Errorf("%w: %q", ErrNilFunc, s.Name)
	}
	if ctx == nil {
		ctx = background
	}
	r := &Restartable{id: p.ids.Add(1), pool: p, ctx: ctx, spec: s, fn: fn, scope: p.scope(s.Client)}
	h, err := p.Submit(ctx, s, r.call)
	if err != nil {
		return nil, err
	}
	r.follow(h)
	return r, nil
}

// Pend says that the function wants to be called again when the event has fired. Only the function
// may call it, and it returns what Pend returns, which is ErrPending, possibly wrapped. Of several
// calls in one run the last counts.
func (r *Restartable) Pend(e *Event) error {
	r.stop()
	r.on, r.next = e, r.spec.Lane
	return ErrPending
}

// PendFor is Pend for a time that is to pass, after which the function is called on lane l. A later
// Pend brings it back to its own lane.
func (r *Restartable) PendFor(d time.Duration, l lane.Lane) error {
	r.stop()
	over := new(Event)
	r.on, r.next = over, l
	r.timer = r.pool.clock.afterFunc(d, func() { over.Fire() })
	return ErrPending
}

// stop stops the timer of PendFor, if there is one.
func (r *Restartable) stop() {
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
}

// call is the function of each run's task. A run that pends has completed, as far as the pool is
// concerned.
func (r *Restartable) call(t *Task) error {
	r.on = nil
	err := r.fn(t, r)
	if r.on != nil && errors.Is(err, ErrPending) {
		return nil
	}
	r.on = nil
	r.stop()
	return err
}

// follow waits for the end of a run that has been submitted.
func (r *Restartable) follow(h *Handle) {
	r.mu.Lock()
	r.run = h
	r.runs++
	why := r.cause
	r.mu.Unlock()
	if why != nil {
		h.Cancel(why) // it came before the run was known
	}
	h.Ended().OnFire(func() {
		// A panic leaves on as it was, and a cancelled run that never began leaves nothing.
		if err := h.Err(); err != nil || r.on == nil {
			r.stop()
			r.finish(err)
			return
		}
		r.suspend()
	})
}

// suspend makes the Restartable wait. Whoever may have to end the wait looks at the list of those
// that pend after it has made its condition true; here the condition is looked at after joining
// that list. So one of the two sees the other.
func (r *Restartable) suspend() {
	r.mu.Lock()
	e := r.on
	r.pool.pending.add(r)
	r.waiter.fn = func() { r.wake(e) }
	joined := e.join(&r.waiter)
	r.pending = true
	if r.ctx.Done() != nil {
		r.watched = context.AfterFunc(r.ctx, func() { r.wake(e) })
	}
	over := !joined || r.why() != nil || r.pool.phase.Load() != open
	r.mu.Unlock()
	if over {
		r.wake(e)
	}
}

// wake ends the wait for e and runs the function again.
func (r *Restartable) wake(e *Event) {
	r.mu.Lock()
	if !r.pending || r.on != e {
		r.mu.Unlock()
		return // late
	}
	r.pending = false
	e.leave(&r.waiter)
	r.stop()
	if r.watched != nil {
		r.watched()
		r.watched = nil
	}
	r.pool.pending.remove(r)
	why := r.why()
	r.mu.Unlock()
	if why != nil {
		r.finish(why)
		return
	}
	spec := r.spec
	spec.Lane = r.next
	h, err := r.pool.submitNow(r.ctx, spec, r.call)
	if err != nil {
		r.finish(err)
		return
	}
	r.follow(h)
}

// why returns the cause if the Restartable is cancelled. The caller holds mu.
func (r *Restartable) why() error {
	switch {
	case r.cause != nil:
		return r.cause
	case r.ctx.Err() != nil:
		return context.Cause(r.ctx)
	default:
		return r.scope.why()
	}
}

func (r *Restartable) finish(err error) {
	r.err = err
	r.done.Fire()
}

// Cancel ends a Restartable that pends, and cancels the run of one that does not, for the given
// cause, context.Canceled if it is nil. Only the first cause counts.
func (r *Restartable) Cancel(cause error) {
	if cause == nil {
		cause = context.Canceled
	}
	r.mu.Lock()
	if r.cause == nil {
		r.cause = cause
	}
	h := r.run
	r.mu.Unlock()
	if !r.wakeNow() && h != nil {
		h.Cancel(cause)
	}
}

// wakeNow ends the wait if there is one, and reports whether there was.
func (r *Restartable) wakeNow() bool {
	r.mu.Lock()
	pending, e := r.pending, (*Event)(nil)
	if pending { // otherwise on is the run's
		e = r.on
	}
	r.mu.Unlock()
	if pending {
		r.wake(e)
	}
	return pending
}

// ID returns a number that no other task or Restartable of the pool has.
func (r *Restartable) ID() uint64 { return r.id }

// Ended returns the event that fires when it has ended.
func (r *Restartable) Ended() *Event { return &r.done }

// Err returns how it ended, as Handle.Err does, and nil while it has not.
func (r *Restartable) Err() error {
	if !r.done.Fired() {
		return nil
	}
	return r.err
}

// Runs returns how often its function was, or is about to be, called.
func (r *Restartable) Runs() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.runs
}

// A pendingList knows who pends, so that a closing pool and a cancelled client find them.
type pendingList struct {
	mu  sync.Mutex
	all map[*Restartable]struct{} // guarded by mu
}

func (l *pendingList) add(r *Restartable) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = make(map[*Restartable]struct{})
	}
	l.all[r] = struct{}{}
}

func (l *pendingList) remove(r *Restartable) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, r)
}

// wake runs those again of whom the condition holds.
func (l *pendingList) wake(which func(*Restartable) bool) {
	l.mu.Lock()
	var list []*Restartable
	for r := range l.all {
		if which(r) {
			list = append(list, r)
		}
	}
	l.mu.Unlock()
	slices.SortFunc(list, func(a, b *Restartable) int { return cmp.Compare(a.id, b.id) }) // simulations repeat
	for _, r := range list {
		r.wakeNow()
	}
}
