package sched

import (
	"fmt"
	"log/slog"
	goruntime "runtime"
	"time"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/epoch"
)

const (
	workersMax   = 1024
	standInsMax  = 1024
	waitingMax   = 16384
	stallDefault = 10 * time.Second
	graceDefault = time.Second
	ageDefault   = 5 * time.Millisecond
	spinDefault  = 10 * time.Microsecond
)

// Options configure a [Pool]. The zero value works. All are fixed at creation.
type Options struct {
	// Workers is the number of workers. Zero means one less than the processors that the process
	// may keep busy, by its mask and its quota, and at least one. A process that does nothing else
	// may use all of them; it should then raise GOMAXPROCS to what [Processors] says. A pool never
	// changes GOMAXPROCS, but it logs when the workers could take all of it.
	Workers int

	// Affinity says whether workers are bound to processors of their own, among those that the
	// process was given. On fails where the system does not allow it. A bound worker has no
	// stand-ins (see "Stand-ins" in the package comment), so Auto binds only where StandIns is
	// negative, when there are four processors or more.
	Affinity affinity.Mode

	// StandIns is how many tasks at a time may have another thread stand in for the one that they
	// hold; as many again may where something more urgent waits. Zero means two, and one more for
	// every four workers. Negative means none.
	StandIns int

	// Epochs is the domain whose epoch a worker is pinned in while it runs a task, other than
	// during waits. Nil means that tasks need no pin of the worker's.
	Epochs *epoch.Domain

	// Spin is how long a worker looks for work before it sleeps, while that pays; see "Sleeping" in
	// the package comment. Zero means 10 µs where a processor is to spare, and not at all with one
	// processor or when the workers could take all of GOMAXPROCS. Negative means not at all.
	Spin time.Duration

	// QueueLimit is how many queued tasks of one lane [Pool.Submit] allows before it waits, rounded
	// up to a power of two. Zero means 4096. [Task.Spawn] is not limited.
	QueueLimit int

	// WaitingLimit is how many tasks of one worker may wait at the same time before it prefers
	// resuming to starting. Each takes about 2.5 KiB and more if it waits deep in calls. Zero means
	// 16384.
	WaitingLimit int

	// StallAfter is how long things may stay as they are before the watchdog speaks: it warns of
	// what lets others wait or cannot get better (see "What is warned of" in the package comment),
	// and tells the rest at level debug. Zero means ten seconds; negative means no watchdog.
	StallAfter time.Duration

	// AgeEvery is how long a request waits before it counts as one RPC lane more urgent. Zero means
	// 5 ms.
	AgeEvery time.Duration

	// CloseGrace is how long [Pool.Close] waits for cancelled tasks to end after its context has
	// ended. Zero means a second.
	CloseGrace time.Duration

	// Logger receives warnings: a starved setting, tasks that do not move. Nil means
	// slog.Default().
	Logger *slog.Logger

	// Hooks are called as tasks move.
	Hooks Hooks

	// Deterministic, if not nil, makes the pool one for tests that repeats itself: it has no
	// threads and a clock of its own, and moves only when somebody waits for it.
	Deterministic *Deterministic

	now   func() time.Duration // tests: time since the pool was made, for ageing
	blind bool                 // tests: the lookout does not look by itself
}

func (o *Options) validate() error {
	switch {
	case o.Workers < 0 || o.Workers > workersMax:
		return fmt.Errorf("%w: %d workers, allowed are 1 to %d, or 0", ErrOptions, o.Workers, workersMax)
	case o.Affinity > affinity.Off:
		return fmt.Errorf("%w: %v", ErrOptions, o.Affinity)
	case o.StandIns > standInsMax || o.StandIns > 0 && o.Affinity == affinity.On:
		return fmt.Errorf("%w: %d stand-ins, allowed are up to %d, and none for bound workers", ErrOptions, o.StandIns, standInsMax)
	case o.QueueLimit < 0:
		return fmt.Errorf("%w: queue limit %d", ErrOptions, o.QueueLimit)
	case o.WaitingLimit < 0:
		return fmt.Errorf("%w: waiting limit %d", ErrOptions, o.WaitingLimit)
	case o.AgeEvery < 0:
		return fmt.Errorf("%w: ageing step %v", ErrOptions, o.AgeEvery)
	case o.CloseGrace < 0:
		return fmt.Errorf("%w: close grace %v", ErrOptions, o.CloseGrace)
	}
	return nil
}

func (o *Options) fill() {
	if o.Deterministic != nil {
		o.simulated()
	}
	if o.Workers == 0 {
		o.Workers = max(1, affinity.Usable()-1)
	}
	if o.StandIns == 0 {
		if o.StandIns = standInsOf(o.Workers); o.Affinity == affinity.On {
			o.StandIns = -1
		}
	}
	if o.Spin == 0 && affinity.Usable() > 1 && o.Workers < goruntime.GOMAXPROCS(0) {
		o.Spin = spinDefault
	}
	if o.QueueLimit == 0 {
		o.QueueLimit = 4096
	}
	if o.WaitingLimit == 0 {
		o.WaitingLimit = waitingMax
	}
	if o.StallAfter == 0 {
		o.StallAfter = stallDefault
	}
	if o.AgeEvery == 0 {
		o.AgeEvery = ageDefault
	}
	if o.CloseGrace == 0 {
		o.CloseGrace = graceDefault
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
}

// standInsOf is the default of Options.StandIns.
func standInsOf(workers int) int { return 2 + workers/4 }

// Processors is what GOMAXPROCS should be at least in a process that does nothing else: so many of
// Go's processors do a pool of so many workers, with the default of stand-ins, and one goroutine
// beside it keep busy: each worker a stretch, the threads that stand in for stretches what is more
// urgent. With fewer, what is more urgent has a thread and no processor of Go's: it waits until
// Go's scheduler takes one from a stretch, which it looks for every 10 ms. Go's processors beyond
// the machine's cost nothing while they have nothing to run.
func Processors(workers int) int { return workers + min(workers, standInsOf(workers)) + 1 }

// simulated fills in what a simulation must not take from the machine.
func (o *Options) simulated() {
	if o.Workers == 0 {
		o.Workers = 2
	}
	o.Affinity = affinity.Off
	o.Spin = -1
	o.StallAfter = -1
}

// warnOfStarvation logs a GOMAXPROCS that leaves nothing for goroutines when all workers are busy:
// timers and the network are then served only when the runtime takes a processor away from a
// worker, some 20 ms late.
func (o *Options) warnOfStarvation() {
	if procs := goruntime.GOMAXPROCS(0); o.Workers >= procs {
		o.Logger.Warn("sched: busy workers leave no processor for other goroutines; raise GOMAXPROCS or use fewer workers",
			"workers", o.Workers, "GOMAXPROCS", procs)
	}
}
