package runtime

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/sched"
)

// A Restartable is a task that waits by returning; see [Engine.GoRestartable].
type Restartable = sched.Restartable

var errNotRestartable = errors.New("the task is not restartable")

// GoRestartable is Go of a task that waits with neither a thread nor a stack, for tasks that wait
// in crowds. Where fn finds with [Partition.Pend] that a key is not there yet, it returns
// [ErrPending], and is called again from its beginning, in the newest generation, when a key that
// matches has been put; where it failed for a reason that may pass it returns what [Task.Retry]
// says. What it has computed by then is at hand where queries computed it. It has ended when fn
// returns anything else. An engine that closes does not wait for it: it ends with [ErrClosed]. The
// options At, Supersede, Deadline and HydrateFirst are refused (ErrOption); a context with a
// deadline bounds runs and waits.
func (e *Engine) GoRestartable(ctx context.Context, l lane.Lane, fn func(*Task) error, opts ...TaskOption) (*Restartable, error) {
	if err := errors.Join(e.admitBy(ctx, "submitting a task"), e.governor.admits("submitting a task")); err != nil {
		return nil, err
	}
	o := optionsOf(l, opts)
	if err := o.refused("GoRestartable", optAt, optSupersede, optDeadline, optHydrateFirst); err != nil {
		return nil, err
	}
	a := &again{ws: &e.watchers}
	body := e.body(&o, func(t *Task) error {
		t.root.again = a
		return a.run(t, fn)
	})
	r, err := e.sched.SubmitRestartable(ctx, o.spec, func(s *sched.Task, r *sched.Restartable) error {
		a.r = r
		return body(s)
	})
	if err != nil {
		return nil, fmt.Errorf("runtime: submitting task %q: %w", o.spec.Name, err)
	}
	r.Ended().OnFire(a.end)
	return r, nil
}

// Pend returns the first value whose key matches pat, as Wait does, but does not wait: if there is
// none the error is [ErrPending], which the function of the task is to return. Of several calls in
// one run the last counts. Only a restartable task may call it, and not inside a query.
func (p *Partition[V]) Pend(t *Task, pat Pattern) (key string, v V, err error) {
	if err := t.notInQuery("Pend"); err != nil {
		return "", v, err
	}
	if _, _, err := t.reads(); err != nil {
		return "", v, err
	}
	part, err := p.id(t.eng)
	if err != nil {
		return "", v, err
	}
	a := t.root.again
	if a == nil {
		return "", v, fmt.Errorf("runtime: pending on a key of %s: %w", p.name, errNotRestartable)
	}
	var ready sched.Event
	a.retrying = false // of several calls the last counts
	a.await(&keyWait{part: part, pat: pat, fire: func(origin) { ready.Fire() }})
	// Registered first, looked second, as in awaitKey.
	key, found, err := firstMatch(t.root.snap.snap, part, pat)
	if err != nil {
		return "", v, fmt.Errorf("runtime: pending on a key of %s: %w", p.name, public(err))
	}
	if found {
		a.await(nil)
		v, err = p.Get(t, key)
		return key, v, err
	}
	newest := t.eng.snapshot()
	defer newest.Release()
	if newest.Generation() > t.Generation() {
		ready.Fire()
	}
	return "", v, a.r.Pend(&ready)
}

// Retry is for a restartable task that failed for a reason that may pass, such as a network that is
// not there. The function is to return what Retry returns, which wraps why; it is called again
// after a while, on a lane of its own for second attempts, for third ones and so on, each less
// urgent than the one before (lane.Retry). The first wait is about first, each that follows 4 times
// as long, up to 256 times first; they vary by an eighth, so that what failed together is not tried
// together. A run that ends in any other way, also one that waits for a key, begins the count anew.
// Only a restartable task may call it, and not inside a query.
func (t *Task) Retry(first time.Duration, why error) error {
	if err := t.notInQuery("Retry"); err != nil {
		return err
	}
	if _, _, err := t.reads(); err != nil {
		return err
	}
	a := t.root.again
	if a == nil {
		return fmt.Errorf("runtime: trying again: %w (%w)", errNotRestartable, why)
	}
	if first <= 0 {
		return fmt.Errorf("runtime: trying again after %v: it has to be after some time (%w)", first, why)
	}
	a.await(nil)
	a.retries++
	a.retrying = true
	wait := min(first, maxFirstWait) << (2 * min(a.retries-1, longestWait))
	wait += time.Duration(scatter(a.r.ID(), a.retries) * float64(wait) / 8)
	return fmt.Errorf("%w: %w", a.r.PendFor(wait, lane.Retry(a.retries-1)), why)
}

const (
	longestWait  = 4                   // how many waits are longer than the one before
	maxFirstWait = 30 * 24 * time.Hour // so that none is longer than a Duration can say
)

// scatter is a number in [-1, 1) that differs from task to task and from attempt to attempt, and is
// the same in each run of a simulation.
func scatter(task uint64, attempt int) float64 {
	return 2*rand.New(rand.NewPCG(task, uint64(attempt))).Float64() - 1
}

// again is what a restartable task keeps from one run to the next.
type again struct {
	ws *watchers

	// The run's.
	r        *sched.Restartable
	retries  int  // attempts that have failed, one after the other
	retrying bool // the run has asked to be tried again

	mu    sync.Mutex
	waits *keyWait // guarded by mu; what the latest run pends on
}

// run calls the task's function.
func (a *again) run(t *Task, fn func(*Task) error) error {
	a.retrying = false
	err := fn(t)
	if !a.retrying {
		a.retries = 0
	}
	return err
}

// await makes kw, which may be nil, the one key that is waited for.
func (a *again) await(kw *keyWait) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waits != nil {
		a.ws.forget(a.waits)
	}
	if a.waits = kw; kw != nil {
		a.ws.await(kw)
	}
}

// end leaves nothing behind. The last run has ended.
func (a *again) end() { a.await(nil) }
