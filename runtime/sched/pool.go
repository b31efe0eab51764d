package sched

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/puzpuzpuz/xsync/v3"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/queue"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A Pool is a set of workers and the tasks they run. All methods may be called by any goroutine. It
// must be made by [New], must not be copied, and has to be closed.
type Pool struct {
	// Immutable.
	lanes        *queue.Lanes[job]
	idle         *queue.Idle
	workers      []*worker
	sidings      []*worker
	lookout      *lookout // nil without stand-ins
	bound        bool     // threads are locked, and bound where there is a processor for them
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

	epochs   *epoch.Domain
	watchers bool // hooks or epochs want to know of each task
	quick    bool // solo, and no simulation
	solo     bool // there is one worker, so what a task spawns need not be shared; see "Order"

	// Read for every task, written rarely.
	ages      ageing
	profiling atomic.Bool
	stretches atomic.Int32          // that tasks are in, waiting tasks among them
	phase     atomic.Uint32         // open -> draining
	killed    atomic.Pointer[cause] // set when all tasks are cancelled
	over      Event                 // fires when no task is left and none can come (S7)

	// Written by submitters; far from what workers read.
	_        affinity.LinePair
	ids      atomic.Uint64
	outside  counters // tasks submitted, or ended, by other threads than workers
	recycler recycler
	times    [lane.Count]laneTimes
	keys     keyTable
	pending  pendingList
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
		lanes:        queue.NewLanesCap[job](o.QueueLimit),
		workers:      make([]*worker, o.Workers),
		spins:        affinity.SpinsIn(max(0, o.Spin)),
		waitingLimit: o.WaitingLimit,
		ageStep:      max(1, int64(o.AgeEvery)),
		stallAfter:   o.StallAfter,
		closeGrace:   o.CloseGrace,
		log:          o.Logger,
		hooks:        o.Hooks,
		epochs:       o.Epochs,
		bound:        o.Deterministic == nil && slices.ContainsFunc(cpus, func(cpu int) bool { return cpu != affinity.Unbound }),
		clock:        realClock{},
		watchers:     o.Hooks.OnStart != nil || o.Hooks.OnEnd != nil || o.Epochs != nil,
		quick:        o.Workers == 1 && o.Deterministic == nil,
		solo:         o.Workers == 1,
		clients:      xsync.NewMapOf[uint64, *clientScope](),
	}
	p.lanes.Overtake(uint32(lane.Interactive))
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
		w := &worker{pool: p, id: i, cpu: cpus[i], round: queue.AllLanes, spins: p.spins, solo: p.solo, passive: p.sim != nil}
		w.busy.Store(true)
		w.settle()
		w.register()
		w.th = &thread{w}
		p.workers[i] = w
	}
	p.alive.Add(o.Workers)
	if o.StandIns > 0 {
		p.lookout = newLookout(p, o.StandIns)
	}
	if p.sim != nil {
		return p, nil
	}
	affinity.WantRemoteFences() // without stand-ins, too: a task's calls are cheaper with them
	for _, w := range p.workers {
		go w.th.main()
	}
	if p.lookout != nil && !o.blind {
		p.watching.Go(p.lookout.run)
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

// Profiling switches pprof labels (lane, task, client) on or off for tasks that start from now on.
func (p *Pool) Profiling(on bool) { p.profiling.Store(on) }
