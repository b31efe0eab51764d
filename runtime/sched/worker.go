package sched

import (
	"fmt"
	"iter"
	goruntime "runtime"
	"runtime/trace"
	"sync/atomic"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/epoch"
)

// idBlock is how many task numbers a worker takes from the pool at a time.
const idBlock = 64

// freeLoopsMax is how many idle loop coroutines a worker keeps.
const freeLoopsMax = 64

// A worker is a place where tasks run, one at a time. A thread drives it, to which the fields
// without another note belong; another thread may stand in for that one (see "Stand-ins").
type worker struct {
	pool    *Pool
	id      int
	cpu     int                // to be bound to, or affinity.Unbound
	unbind  func()             // gives the thread back its processors
	part    *epoch.Participant // nil without epochs
	th      *thread            // which drives it
	solo    bool               // immutable: what its tasks spawn stays here; see "Order"
	passive bool               // immutable: it takes nothing up by itself, being a siding, or simulated

	// Of a siding, where a task that holds its thread has been put aside with it.
	siding  bool    // immutable
	home    *worker // which that thread drove before
	leaving *Task   // which is to go on at home

	// Of a worker whose thread stands in for one that a stretch holds; zero otherwise.
	aside *loop  // of the stretch
	above uint32 // the lanes that the thread takes up

	ready    readyLanes
	own      readyLanes // tasks to start that only this worker knows of; see "Order"
	free     []*loop
	paused   *loop  // of a simulation: interrupted, and to go on before anything else here
	handoff  *Task  // what root is to resume, left by a loop that gives its place up
	waiting  int    // tasks of this worker whose coroutine is parked
	picks    uint32 // since the last share; see pick.go
	picksMax uint32 // up to so many, pickOwn may decide; 0 if it never may
	rested   bool   // has been in Idle.Rest since it last found something
	round    uint32 // lanes that have not had their share in this round
	turn     bool   // on a tie, whether lanes go before ready tasks
	ids      numbers
	stock    lot  // tasks to be used again
	ended    lot  // tasks that may soon be
	spins    int  // how often to look for work before the next sleep
	excess   bool // may start one task beyond the limit of waiting ones
	denials  int  // looks in a row that found a task and did not get it; see denied
	labels   labelCache
	batch    [ownBatch]job // scratch

	_        affinity.LinePair
	resumes  resumeList // written by wakers
	_        affinity.LinePair
	current  published[Task] // what the thread runs; read by the watchdog and Stats
	on       published[loop] // the loop that the thread is in, or was in last; read by the lookout
	busy     atomic.Bool     // not at rest
	resumed  tally
	rests    atomic.Uint64 // counted with a fence; see "Counting"
	gaveWay  tally         // its processor, to a push that had stopped
	exits    tally         // tasks that called Goexit
	fence    atomic.Uint64 // see recycler
	enlisted enlistment
	counts   counters
}

// nobody is the current task between two tasks.
var nobody = func() *Task {
	t := new(Task)
	t.state.Store(done)
	return t
}()

// A loop is a worker's loop in a coroutine of its own. A task that has started keeps its loop to
// its end, so what it needs for waiting lies here and is used again by the next one.
type loop struct {
	user  tally                  // odd while the task's own code runs; see "Stand-ins"
	claim atomic.Uint32          // not 0: a thread is about to stand in for this one, or does
	w     atomic.Pointer[worker] // where it runs; another only while claimed
	roll  *enlistment            // immutable; of the worker that made it

	stretch atomic.Uint32 // in a stretch: the lanes that it gives way to; written by the task
	moves   atomic.Uint32 // to a siding, and back by takeBack

	first *Task // what to start with, left by root
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool

	goroutine atomic.Pointer[string] // its number, in a simulation; set once, when it first runs
	crashed   bool                   // the task that ran last ended by a panic
	thread    threadState

	local  any    // the running task's; see SetLocal
	timing timing // the running task's

	// Of the task that runs on it; plain, that task's. Zero until its first wait.
	waiter   waiter // linked under the lock of the event that is waited for
	waited   bool   // the task has begun a wait, so there is something to undo at its end
	noted    bool   // it is enlisted, with the reason of its latest wait
	told     bool   // a wait has returned ErrClosed, the next one unwinds
	labelled bool   // the coroutine carries pprof labels
	region   *trace.Region
	unwatch  func() bool // stops watching the task's context; nil before its first wait
	owner    checkOwner  // check builds: the goroutine

	// Of the same task, guarded by the worker's enlistment.
	task     *Task
	enlisted bool
	prevEnl  *loop
	nextEnl  *loop
	reason   Reason // of the latest wait; written by the task
	waits    tally  // waits begun, for the watchdog
}

// worker returns where the loop runs. Any goroutine may ask; see [loop.enter] for the task's own.
func (l *loop) worker() *worker { return l.w.Load() }

// A thread is a goroutine that drives a worker, locked to its OS thread if that is bound.
type thread struct {
	// Plain, the thread's; changed by whoever puts it on a siding or takes it back, while a task
	// holds it. Nil: it is to end.
	w *worker
}

func (th *thread) main() {
	if w := th.w; w.pool.bound {
		goruntime.LockOSThread()
		w.bind()
	}
	th.root()
}

// root drives workers to the end, also across Goexit in a task.
func (th *thread) root() {
	ended := false
	defer func() {
		if !ended {
			th.rootExited()
		}
	}()
	th.drive()
	if th.w != nil {
		th.w.leave()
	}
	ended = true
}

// drive switches between loops until the pool is over, or the thread has been put on a siding and
// its task ends, or goes home, or it has given a stretch its worker back. Every switch to a
// coroutine happens here (S6).
func (th *thread) drive() {
	w := th.w
	var t *Task
	for {
		if t == nil {
			t = w.find()
		}
		if t == nil && w.above != 0 {
			if w.takeBack() {
				th.w = nil
				return
			}
			continue
		}
		if t == nil {
			return
		}
		l := t.loop
		if l == nil {
			l = w.takeLoop()
			l.first = t
		}
		w.on.store(l)
		l.next()
		// The loop's task waits, or the loop has given its place up to the task in handoff.
		w = th.w
		t, w.handoff = w.handoff, nil
		for len(w.free) > freeLoopsMax {
			w.dropLoop()
		}
	}
}

// leave ends the worker: no task is left, so all coroutines are on the free list.
func (w *worker) leave() {
	if w.siding {
		w.retire()
		return
	}
	if w.waiting != 0 {
		panic(fmt.Sprintf("sched: S7: worker %d ends with %d tasks waiting", w.id, w.waiting))
	}
	for len(w.free) > 0 {
		w.dropLoop()
	}
	if w.part != nil {
		w.part.Close()
	}
	if w.pool.bound {
		w.unbind()
		goruntime.UnlockOSThread()
	}
	w.pool.alive.Done()
}

// rootExited goes on after a task's Goexit has reached root, which runs its deferred functions and
// will then end. The coroutine that the task ran on is lost; the task itself has ended.
func (th *thread) rootExited() {
	w := th.w
	switch {
	case w.siding:
		w.retire()
		return
	case w.pool.bound && w.waiting > 0:
		th.root() // the parked coroutines belong to this thread
		return
	case w.pool.bound: // this goroutine ends locked, and its thread with it
		for len(w.free) > 0 {
			w.dropLoop()
		}
	}
	go th.main()
}

func (w *worker) takeLoop() *loop {
	if n := len(w.free); n > 0 {
		l := w.free[n-1]
		w.free[n-1] = nil
		w.free = w.free[:n-1]
		return l
	}
	l := &loop{roll: &w.enlisted}
	l.w.Store(w)
	l.claim.Store(newClaim())
	l.next, l.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer caller{loop: l}.enter()()
		l.thread.note()
		l.yield = yield
		if w.pool.sim != nil {
			id := goroutineID()
			l.goroutine.Store(&id)
		}
		l.body()
	})
	return l
}

// dropLoop ends one idle coroutine.
func (w *worker) dropLoop() {
	n := len(w.free) - 1
	l := w.free[n]
	w.free[n] = nil
	w.free = w.free[:n]
	l.stop()
}

// body runs tasks until the coroutine is ended. Between two tasks it may find that another
// coroutine is to go on; then it leaves its place to that one and waits on the free list to be used
// again.
func (l *loop) body() {
	for {
		t := l.first
		l.first = nil
		for {
			if t = l.run(t); !l.crashed {
				break
			}
			l.crashed = false
			t = l.worker().find()
		}
		w := l.worker()
		w.handoff = t
		w.free = append(w.free, l)
		if !l.yield(struct{}{}) {
			return
		}
	}
}

// run runs one task after the other, each from the start to the end with whatever waits lie
// between. It returns when the next thing to do is to resume a task, or nothing, or after a panic
// with crashed set. Tasks share its deferred function, because one for each would cost as much as
// starting a task.
func (l *loop) run(t *Task) (next *Task) {
	w := l.worker()
	calling := false
	defer func() {
		if !calling {
			return // all is well, or a bug of ours
		}
		w := l.enterLate()
		r := recover()
		how, err := endPanicked, t.exitError()
		switch _, locked := r.(lockedWait); {
		case locked:
			how, err = endReturned, fmt.Errorf("%w: task %d %q waits", ErrThreadLocked, t.id, t.name)
		case r == unwind:
			how, err = endCancelled, ErrClosed
		case r != nil:
			err = asPanicError(r)
		}
		if l.thread.changed() {
			err = l.thread.restore(t, err)
		}
		if r == nil { // Goexit: nothing after this function runs any more
			w.exits.add(1)
			w.finish(t, how, err)
			return
		}
		w.finish(t, how, err)
		l.crashed = true
	}()
	for t != nil && t.loop == nil {
		if w.begin(l, t) {
			watched := t.traits.has(timed) || w.watched()
			if watched {
				w.dress(t)
			}
			calling = true
			l.exit()
			err := t.fn(t)
			if !l.undisturbed() {
				l.disturbed()
			}
			w = l.worker()
			calling = false
			if l.thread.changed() {
				err = l.thread.restore(t, err)
			}
			if err != nil || watched || l.waited || !t.detached || !t.unseen() {
				w.finish(t, endReturned, err)
			} else {
				w.finishQuick(t)
			}
		}
		if t = w.pickOwn(); t == nil {
			t = w.find()
		}
	}
	return t
}

// begin makes a task the one that the loop runs, and reports false if it ended before it could
// start.
func (w *worker) begin(l *loop, t *Task) bool {
	if !t.detached && !t.state.CompareAndSwap(queued, running) {
		w.dropped(t)
		return false // a husk: it was cancelled in its lane (S1)
	}
	t.loop = l
	if t.id == 0 {
		t.id = w.ids.next(w.pool)
	}
	if !t.detached || t.doubtful() { // who has no handle of a task can cancel it in other ways only
		if why := t.Err(); why != nil {
			w.dropped(t)
			t.end(&w.counts, endCancelled, why)
			return false
		}
	}
	l.owner.set()
	w.current.store(t)
	w.counts.lanes[t.lane].started.add(1)
	return true
}

// watched reports whether somebody wants to see each task's start and end.
func (w *worker) watched() bool {
	return w.pool.watchers || w.pool.profiling.Load() || trace.IsEnabled()
}

// dress tells of the start of a task to those who want to see it.
func (w *worker) dress(t *Task) {
	if h := w.pool.hooks.OnStart; h != nil {
		h(t.info())
	}
	if w.pool.profiling.Load() {
		w.label(t)
	}
	t.loop.traced(t)
	if t.traits.has(timed) {
		t.loop.timing.begin(t)
	}
	if w.part != nil {
		w.part.Enter()
	}
}

// finish is everything that comes right after a task's function.
func (w *worker) finish(t *Task, how ending, err error) {
	if w.part != nil {
		w.part.Leave()
	}
	t.loop.unlabel()
	t.loop.timing.end(t)
	t.end(&w.counts, how, err)
}

// finishQuick is finish of a task that completed without a wait, and that nobody watches or can
// reach.
func (w *worker) finishQuick(t *Task) {
	w.current.store(nobody) // C1
	if l := t.loop; l.local != nil {
		l.local = nil
	}
	w.counts.lanes[t.lane].ended[Completed].add(1)
	w.recycle(t)
}

// suspend parks the task's coroutine until root resumes it. The task is in the waiting state, or a
// waker has moved it on already.
func (w *worker) suspend(t *Task) {
	if h := w.pool.hooks.OnWait; h != nil {
		h(t.info())
	}
	w.switchAway(t)
	w.resumed.add(1)
	if h := w.pool.hooks.OnResume; h != nil {
		h(t.info())
	}
}

// yield puts a running task behind the others of its lane.
func (w *worker) yield(t *Task) {
	t.state.Store(resuming) // a wake that gets lost here wanted the task to look before it waits; it will
	w.takeResumes()         // those woken before it come first
	w.ready.push(t)
	w.turn = false // and then one from the lane
	w.switchAway(t)
}

// settle decides whether pickOwn may decide, after the number of waiting tasks has changed.
func (w *worker) settle() {
	w.picksMax = 0
	if w.pool.quick && w.waiting < w.pool.waitingLimit && w.above == 0 {
		w.picksMax = shareEvery - 1
	}
}

// switchAway gives the thread to root and returns when root resumes the task's coroutine.
func (w *worker) switchAway(t *Task) {
	if w.part != nil {
		w.part.Leave() // S5
	}
	w.waiting++
	w.settle()
	l := t.loop
	since := l.timing.park(w.pool)
	if !l.yield(struct{}{}) {
		panic("sched: S6: a parked task's coroutine was ended")
	}
	l.timing.unpark(w.pool, since)
	w.waiting--
	w.settle()
	t.goOn(w)
}

// resume hands over a task that may go on. Called by any thread that has moved the task to the
// resuming state.
func (w *worker) resume(t *Task) {
	w.resumes.push(t)
	if s := w.pool.sim; s != nil {
		s.nudge()
		s.pointOfWaker()
		return
	}
	w.pool.idle.Wake(w.id)
	w.pool.pressed()
}

// goHome moves a task from a siding, where it has run, to its worker, behind those that are ready
// there. It returns when that worker's thread resumes the task, which then looks at its condition.
func (w *worker) goHome(t *Task) {
	t.state.Store(resuming) // as in yield
	w.leaving = t
	if w.part != nil {
		w.part.Leave() // S5
	}
	l := t.loop
	since := l.timing.park(w.pool)
	if !l.yield(struct{}{}) {
		panic("sched: S6: a parked task's coroutine was ended")
	}
	l.timing.unpark(w.pool, since)
	t.goOn(l.worker())
}

// goOn makes a task that has been resumed on w the one that runs there.
func (t *Task) goOn(w *worker) {
	t.state.Store(running) // before it looks at its condition: see "A task's states"
	w.current.store(t)
	if w.part != nil {
		w.part.Enter()
	}
}

// refresh moves the epoch pin of the running task.
func (w *worker) refresh() {
	if w.part != nil {
		w.part.Refresh()
	}
}
