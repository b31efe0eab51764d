package sched

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/puzpuzpuz/xsync/v3"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/queue"
)

// A Pool is a set of workers and the tasks they run. All methods may be called by any goroutine. It must be made by
// [New], must not be copied, and has to be closed.
type Pool struct {
	// Immutable.
	lanes        *queue.Lanes[*Task]
	idle         *queue.Idle
	workers      []*worker
	spins        int
	waitingLimit int
	ageStep      int64 // ns
	stallAfter   time.Duration
	closeGrace   time.Duration
	log          *slog.Logger
	hooks        Hooks
	now          func() time.Duration // since the pool was made, for ageing
	clock        clock
	sim          *sim // nil but for a deterministic pool
	clients      *xsync.MapOf[uint64, *clientScope]
	closing      context.Context // ends when admission does
	stopAdmitted context.CancelFunc

	solo bool // there is one worker, so what a task spawns need not be shared; see "Order"

	// Read for every task, written rarely.
	ages      ageing
	profiling atomic.Bool
	phase     atomic.Uint32         // open -> draining
	killed    atomic.Pointer[cause] // set when all tasks are cancelled
	over      Event                 // fires when no task is left and none can come (S7)

	// Written by submitters; far from what workers read.
	_        affinity.LinePair
	ids      atomic.Uint64
	outside  counters // tasks submitted, or ended, by other threads than workers
	recycler recycler
	keys     keyTable
	alive    sync.WaitGroup // workers
	watching sync.WaitGroup // the watchdog
}

// New makes a pool and starts its workers.
func New(o Options) (*Pool, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	o.fill()
	cpus := make([]int, o.Workers)
	if o.Deterministic == nil {
		var err error
		if cpus, err = planCPUs(&o); err != nil {
			return nil, err
		}
		o.warnOfStarvation()
	}
	p := &Pool{
		lanes:        queue.NewLanesCap[*Task](o.QueueLimit),
		workers:      make([]*worker, o.Workers),
		spins:        affinity.SpinsIn(max(0, o.Spin)),
		waitingLimit: o.WaitingLimit,
		ageStep:      max(1, int64(o.AgeEvery)),
		stallAfter:   o.StallAfter,
		closeGrace:   o.CloseGrace,
		log:          o.Logger,
		hooks:        o.Hooks,
		clock:        realClock{},
		solo:         o.Workers == 1,
		clients:      xsync.NewMapOf[uint64, *clientScope](),
	}
	p.outside.shared = true
	p.recycler.init()
	if o.Deterministic != nil {
		p.sim = newSim(p, o.Deterministic)
		p.clock = &p.sim.clock
	}
	if p.now = o.now; p.now == nil {
		start := p.Now()
		p.now = func() time.Duration { return p.Now().Sub(start) }
	}
	p.closing, p.stopAdmitted = context.WithCancel(context.Background())
	p.idle = queue.NewIdle(o.Workers,
		func() bool { return p.queued() || p.over.Fired() },
		func(w int) bool { return !p.workers[w].resumes.empty() })
	for i := range p.workers {
		w := &worker{pool: p, id: i, cpu: cpus[i], round: queue.AllLanes, spins: p.spins}
		if o.Epochs != nil {
			w.part = o.Epochs.Register(fmt.Sprintf("worker %d", i))
		}
		p.workers[i] = w
	}
	p.alive.Add(o.Workers)
	if p.sim != nil {
		return p, nil
	}
	for _, w := range p.workers {
		go w.main()
	}
	if p.stallAfter > 0 {
		p.watching.Go(newWatchdog(p, o.Epochs).run)
	}
	return p, nil
}

// Now returns the time of the pool's clock: the usual time, but in a deterministic pool.
func (p *Pool) Now() time.Time { return p.clock.now() }

// Workers returns the number of workers.
func (p *Pool) Workers() int { return len(p.workers) }

// Submit queues a task. The context is the task's: the task is cancelled when it ends, and [Task.Context] carries its
// values. While its lane has too many queued tasks, Submit waits for room, as long as the context and the pool
// allow. Tasks spawn others with [Task.Spawn] instead, because a worker that waits for room makes none.
//
// It fails with [ErrLane] or [ErrNilFunc] on bad arguments, with [ErrClosed], or with the context's cause; then the
// function is not called.
func (p *Pool) Submit(ctx context.Context, s Spec, fn func(*Task) error) (*Handle, error) {
	t := &Task{pool: p}
	if err := p.submit(ctx, t, &s, fn); err != nil {
		return nil, err
	}
	return t.Handle(), nil
}

// Go is Submit of a task that nobody will ask about: there is no handle, so the task itself is used again for others, and
// in the long run nothing is allocated. Its error is only counted; its panic is counted and logged.
func (p *Pool) Go(ctx context.Context, s Spec, fn func(*Task) error) error {
	if !s.plain() {
		_, err := p.Submit(ctx, s, fn)
		return err
	}
	return p.submit(ctx, nil, &s, fn)
}

// submit queues t, or a task without a handle if it is nil.
func (p *Pool) submit(ctx context.Context, t *Task, s *Spec, fn func(*Task) error) error {
	if ctx == nil {
		ctx = context.Background()
	}
	if err := s.validate(fn); err != nil {
		return err
	}
	mortal := ctx.Done() != nil
	if mortal && ctx.Err() != nil {
		return fmt.Errorf("sched: submit %q on %v: %w", s.Name, s.Lane, context.Cause(ctx))
	}
	t, err := p.admit(t, s, fn)
	if err != nil {
		return err
	}
	t.base, t.mortal = ctx, mortal
	p.prepare(t, s)
	if err := p.pushBounded(ctx, t); err != nil {
		if t.detached || t.state.CompareAndSwap(queued, done) {
			t.end(&p.outside, endCancelled, err)
		}
		return fmt.Errorf("sched: submit %q on %v: %w", s.Name, s.Lane, err)
	}
	return nil
}

// SubmitNow is Submit without waiting for room, for work that is bounded in another way, such as at most one queued task
// for each watcher. Tasks, and code that must not wait, may call it. The context never ends.
func (p *Pool) SubmitNow(s Spec, fn func(*Task) error) (*Handle, error) {
	if err := s.validate(fn); err != nil {
		return nil, err
	}
	t, err := p.admit(&Task{pool: p}, &s, fn)
	if err != nil {
		return nil, err
	}
	t.base = context.Background()
	p.prepare(t, &s)
	p.push(t)
	return t.Handle(), nil
}

// admit makes t, or a task without a handle if it is nil, a task from outside, and counts it.
func (p *Pool) admit(t *Task, s *Spec, fn func(*Task) error) (*Task, error) {
	submitted := &p.outside.lanes[s.Lane.Index()].submitted
	p.outside.count(submitted) // before the look at phase: see checkOver
	if p.phase.Load() != open {
		submitted.n.Add(^uint64(0))
		p.checkOver() // which may have seen the count
		return nil, ErrClosed
	}
	if t == nil {
		t = p.bare()
	} else {
		t.id = p.ids.Add(1)
	}
	t.describe(s, fn)
	t.scope = p.scope(s.Client)
	return t, nil
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

// prepare sets the task's deadline and makes it the newest of its key. After either of them others may end the task.
func (x *extra) prepare(t *Task) {
	if !x.deadline.IsZero() {
		// In two steps, so that the timer cannot fire before it is stored.
		x.timer = t.pool.clock.afterFunc(time.Hour, func() { t.cancel(context.DeadlineExceeded) })
		x.timer.Reset(x.deadline.Sub(t.pool.Now()))
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
	if err := p.lanes.Push(p.ring(int(t.lane)), t); err != nil {
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
}

// pushBounded queues a task, waiting for room.
func (p *Pool) pushBounded(ctx context.Context, t *Task) error {
	if rpcMask&(1<<t.lane) != 0 {
		p.pushedRPC()
	}
	ring := p.ring(int(t.lane))
	err := p.lanes.TryPushBounded(ring, t)
	if err != nil && errors.Is(err, queue.ErrFull) {
		if p.sim != nil {
			err = p.lanes.Push(ring, t) // nobody makes room while we wait
		} else {
			err = p.pushWait(ctx, ring, t)
		}
	}
	if err == nil {
		p.notify()
	}
	return err
}

// pushWait waits for room until the context ends or the pool closes.
func (p *Pool) pushWait(ctx context.Context, ring int, t *Task) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(p.closing, func() { cancel(ErrClosed) })
	defer stop()
	return p.lanes.PushWait(ctx, ring, t)
}

// Profiling switches pprof labels (lane, task, client) on or off for tasks that start from now on.
func (p *Pool) Profiling(on bool) { p.profiling.Store(on) }
