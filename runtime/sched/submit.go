package sched

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cytisus/cytisus/queue"
)

// Submit queues a task. The context is the task's: the task is cancelled when it ends, and
// [Task.Context] carries its values. While its lane has too many queued tasks, Submit waits for
// room, as long as the context and the pool allow; but a task that calls it does not wait, because
// a worker that waits for room makes none.
//
// It fails with [ErrLane] or [ErrNilFunc] on bad arguments, with [ErrClosed], or with the context's
// cause; then the function is not called.
func (p *Pool) Submit(ctx context.Context, s Spec, fn func(*Task) error) (*Handle, error) {
	if ctx == nil {
		ctx = background
	}
	is, err := p.admit(ctx, &s, fn)
	if err != nil {
		return nil, err
	}
	t := p.handled(&s, fn)
	t.base = ctx
	t.endow(is)
	p.prepare(t, &s)
	if err := p.pushBounded(ctx, int(t.lane), made(t)); err != nil {
		if t.state.CompareAndSwap(queued, done) {
			t.end(&p.outside, endCancelled, err)
		}
		return nil, fmt.Errorf("sched: submit %q on %v: %w", s.Name, s.Lane, err)
	}
	return t.Handle(), nil
}

// Go is Submit of a task that nobody will ask about: there is no handle, so the task itself is used
// again for others, and in the long run nothing is allocated. Its error is only counted; its panic
// is counted and logged.
func (p *Pool) Go(ctx context.Context, s Spec, fn func(*Task) error) error {
	if !s.plain() {
		_, err := p.Submit(ctx, s, fn)
		return err
	}
	if ctx == nil {
		ctx = background
	}
	is, err := p.admit(ctx, &s, fn)
	if err != nil {
		return err
	}
	i := s.Lane.Index()
	j := unmade(i, s.Name, fn)
	if ctx != background || s.Client != 0 || is.has(timed) || p.hooks.OnSubmit != nil {
		j = p.bareJob(ctx, is, &s, fn)
	}
	if err := p.pushBounded(ctx, i, j); err != nil {
		p.refused(&j, i, err)
		return fmt.Errorf("sched: submit %q on %v: %w", s.Name, s.Lane, err)
	}
	return nil
}

// mortality is the trait of a task with a context.
func mortality(ctx context.Context) traits {
	if ctx.Done() != nil {
		return mortal
	}
	return 0
}

// background is the context of tasks that come without one.
var background = context.Background()

// SubmitNow is Submit without waiting for room, for work that is bounded in another way, such as at
// most one queued task for each watcher. Tasks, and code that must not wait, may call it. The
// context never ends.
func (p *Pool) SubmitNow(s Spec, fn func(*Task) error) (*Handle, error) {
	return p.submitNow(background, s, fn)
}

func (p *Pool) submitNow(ctx context.Context, s Spec, fn func(*Task) error) (*Handle, error) {
	is, err := p.admit(ctx, &s, fn)
	if err != nil {
		return nil, err
	}
	t := p.handled(&s, fn)
	t.base = ctx
	t.endow(is)
	p.prepare(t, &s)
	p.push(t)
	return t.Handle(), nil
}

// admit looks whether a task from outside may come, and counts it if so.
func (p *Pool) admit(ctx context.Context, s *Spec, fn func(*Task) error) (is traits, err error) {
	if err := s.validate(fn); err != nil {
		return 0, err
	}
	if is = mortality(ctx); is != 0 && ctx.Err() != nil {
		return 0, fmt.Errorf("sched: submit %q on %v: %w", s.Name, s.Lane, context.Cause(ctx))
	}
	submitted := &p.outside.lanes[s.Lane.Index()].submitted
	if sampled(submitted.n.Add(1)) || s.Client != 0 { // counted before the look at phase: see checkOver
		is |= timed
	}
	if p.phase.Load() != open {
		submitted.n.Add(^uint64(0))
		p.checkOver() // which may have seen the count
		return 0, ErrClosed
	}
	return is, nil
}

// handled makes a task from outside that somebody will have a handle of.
func (p *Pool) handled(s *Spec, fn func(*Task) error) *Task {
	t := &Task{pool: p, id: p.ids.Add(1)}
	t.describe(s, fn)
	t.scope = p.scope(s.Client)
	return t
}

// bareJob makes a task without a handle that a job alone cannot tell everything of.
func (p *Pool) bareJob(ctx context.Context, is traits, s *Spec, fn func(*Task) error) job {
	t := p.bare()
	t.describe(s, fn)
	t.base, t.scope = ctx, p.scope(s.Client)
	t.endow(is)
	p.prepare(t, s)
	return made(t)
}

// refused settles a counted task without a handle that found no room.
func (p *Pool) refused(j *job, lane int, why error) {
	if j.fn == nil {
		(*Task)(j.ref).end(&p.outside, endCancelled, why)
		return
	}
	p.outside.count(&p.outside.lanes[lane].ended[Cancelled])
	if p.phase.Load() != open {
		p.checkOver()
	}
}

// prepare does what has to be done between counting a task and queueing it.
func (p *Pool) prepare(t *Task, s *Spec) {
	if h := p.hooks.OnSubmit; h != nil {
		if t.id == 0 {
			t.id = p.ids.Add(1)
		}
		h(t.info())
	}
	if !s.plain() {
		t.extra.prepare(t)
	}
}

// prepare sets the task's deadline and makes it the newest of its key. After either of them others
// may end the task.
func (x *extra) prepare(t *Task) {
	switch left := x.deadline.Sub(t.pool.Now()); {
	case x.deadline.IsZero():
	case left <= 0:
		t.cancel(context.DeadlineExceeded) // at once, so that it does not start
	default:
		// In two steps, so that the timer cannot fire before it is stored.
		x.timer = t.pool.clock.afterFunc(time.Hour, func() { t.cancel(context.DeadlineExceeded) })
		x.timer.Reset(left)
	}
	if x.key != "" {
		if old := t.pool.keys.take(t); old != nil {
			old.cancel(ErrSuperseded)
		}
	}
}

// push queues a task without waiting for room.
func (p *Pool) push(t *Task) {
	if rpcMask&(1<<t.lane) != 0 {
		p.pushedRPC()
	}
	if err := p.lanes.Push(p.ring(int(t.lane)), made(t)); err != nil {
		panic("sched: validated lane: " + err.Error())
	}
	p.notify()
}

// notify follows a push.
func (p *Pool) notify() {
	if p.sim != nil {
		p.sim.nudge()
		return
	}
	p.idle.Notify()
	p.pressed()
}

// pushBounded queues a job, waiting for room.
func (p *Pool) pushBounded(ctx context.Context, lane int, j job) error {
	ring := lane
	if rpcMask&(1<<lane) != 0 {
		p.pushedRPC()
		ring = p.ring(lane)
	}
	if err := p.lanes.TryPushBounded(ring, j); err != nil {
		if err = p.pushWait(ctx, ring, j, err); err != nil {
			return err
		}
	}
	p.notify()
	return nil
}

// pushWait waits for room until the context ends or the pool closes.
func (p *Pool) pushWait(ctx context.Context, ring int, j job, why error) error {
	switch {
	case !errors.Is(why, queue.ErrFull):
		return why
	case p.sim != nil || Current() != nil:
		return p.lanes.Push(ring, j) // while we wait there may be no worker that makes room
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(p.closing, func() { cancel(ErrClosed) })
	defer stop()
	return p.lanes.PushWait(ctx, ring, j)
}
