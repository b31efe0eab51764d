package sched

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Deterministic makes a pool a simulation of itself, for tests: see "Simulation" in the package
// comment.
type Deterministic struct {
	// Seed decides every choice. The same seed, options and calls give the same run.
	Seed uint64

	// Start is what the pool's clock says at first. Zero means the first of January 2000, UTC.
	Start time.Time

	// KeepAtWake lets a task that fires an event, or cancels, go on. Otherwise it may be
	// interrupted there, as everywhere where it calls the scheduler; code that holds a lock
	// meanwhile, which other tasks block on, then never ends.
	KeepAtWake bool
}

// skipOneIn is how seldom the clock moves on although something else could happen at the present
// time.
const skipOneIn = 16

// A sim moves the workers of a pool by one goroutine, one step at a time.
type sim struct {
	pool       *Pool
	keepAtWake bool
	clock      simClock
	turn       chan struct{} // holds one token; whoever has it may drive
	nudged     chan struct{} // holds a token if something has come from outside since the last look

	// Of the goroutine that has the turn, and of the task that it runs.
	rnd     *rand.Rand
	moves   []func() // scratch
	steps   int
	digest  uint64
	stopped bool // the workers have ended

	running atomic.Pointer[loop] // the loop that the driving goroutine is in
	mu      sync.Mutex
	calls   []*blockingCall // guarded by mu; wait to be run
	watched []watched       // guarded by mu
}

// A watched context wakes its task when it ends.
type watched struct {
	task *Task
	ctx  context.Context
}

func newSim(p *Pool, o *Deterministic) *sim {
	s := &sim{
		pool:       p,
		keepAtWake: o.KeepAtWake,
		turn:       make(chan struct{}, 1),
		nudged:     make(chan struct{}, 1),
		rnd:        rand.New(rand.NewPCG(o.Seed, 0x5eed)),
	}
	s.clock.start = o.Start
	if o.Start.IsZero() {
		s.clock.start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	s.turn <- struct{}{}
	return s
}

// Simulate runs a deterministic pool until the condition holds, which is looked at between two
// steps (nil: never), or until nothing can move, whatever the time. It reports whether the
// condition holds. Other pools run by themselves, and it only looks. A task must not call it.
func (p *Pool) Simulate(until func() bool) bool {
	if until == nil {
		until = func() bool { return false }
	}
	if s := p.sim; s != nil {
		<-s.turn
		s.drive(until)
		s.turn <- struct{}{}
	}
	return until()
}

// Choices returns how many choices a deterministic pool has made, and a digest of them: two runs
// that went the same way have the same. It must not be called while the pool is driven.
func (p *Pool) Choices() (n int, digest uint64) {
	if p.sim == nil {
		return 0, 0
	}
	return p.sim.steps, p.sim.digest
}

// wait drives the pool until the event has fired, and waits where only somebody outside can help.
// It gives up when the context ends.
func (s *sim) wait(ctx context.Context, e *Event) {
	over := func() bool { return e.Fired() || ctx.Err() != nil }
	for !over() {
		select {
		case <-s.turn:
		case <-e.Done():
			return
		case <-ctx.Done():
			return
		}
		s.drive(over)
		s.turn <- struct{}{}
		if over() {
			return
		}
		select {
		case <-s.nudged:
		case <-e.Done():
		case <-ctx.Done():
		}
	}
}

// nudge tells who waits for outside help that there may be some.
func (s *sim) nudge() {
	select {
	case s.nudged <- struct{}{}:
	default:
	}
}

// drive makes steps until the condition holds or none can be made. They are made on a goroutine of
// its own, since a task may end it with Goexit, and since the caller may be locked to its thread,
// on which no coroutine may be switched that was made elsewhere.
func (s *sim) drive(until func() bool) {
	for ended := false; !ended; {
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			defer s.running.Store(nil)
			for {
				ended = true // also if the condition itself ends the goroutine
				if until() {
					return
				}
				if ended = false; !s.step() {
					ended = true
					return
				}
			}
		}()
		<-gone
	}
}

// step makes one step of those that are possible, and reports whether there was one.
func (s *sim) step() bool {
	p := s.pool
	p.checkOver()
	if p.over.Fired() && !s.midway() {
		s.stop()
		return false
	}
	moves := s.moves[:0]
	for w := range p.places {
		if w.canMove() {
			moves = append(moves, w.move)
		}
		if l := w.paused; p.lookout != nil && l != nil && !w.siding && l.inside() {
			moves = append(moves, func() { p.lookout.standIn(w, l, l.user.load(), l.stretch.Load()) })
		}
		if w.above != 0 && w.paused == nil {
			moves = append(moves, func() { w.takeBack() })
		}
	}
	s.mu.Lock()
	for _, c := range s.calls {
		moves = append(moves, func() { s.runCall(c) })
	}
	for _, x := range s.watched {
		if x.ctx.Err() != nil {
			moves = append(moves, func() { s.unwatch(x); x.task.wake() })
		}
	}
	s.mu.Unlock()
	if s.clock.hasDue() {
		moves = append(moves, func() {
			if fn := s.clock.due(); fn != nil {
				fn()
			}
		})
	}
	s.moves = moves
	if len(moves) == 0 || s.choose(skipOneIn) == 0 {
		if s.clock.skip() {
			return true
		}
	}
	if len(moves) == 0 {
		return s.letOneStart()
	}
	moves[s.choose(len(moves))]()
	return true
}

// choose returns a number below n.
func (s *sim) choose(n int) int {
	i := s.rnd.IntN(n)
	s.steps++
	s.digest = (s.digest ^ uint64(i)) * 0x100000001b3
	return i
}

// letOneStart is the simulation of the pause after which a worker with too many waiting tasks
// starts another one.
func (s *sim) letOneStart() bool {
	for _, w := range s.pool.workers {
		if !w.mayStart() && (w.own.mask != 0 || s.pool.queued()) {
			w.excess = true
			return true
		}
	}
	return false
}

// midway reports whether a worker was interrupted, which may be where it ends the last task.
func (s *sim) midway() bool {
	for w := range s.pool.places {
		if w.paused != nil {
			return true
		}
	}
	return false
}

// stop ends the workers of a pool that is over.
func (s *sim) stop() {
	if s.stopped {
		return
	}
	s.stopped = true
	for _, w := range s.pool.workers {
		w.leave()
	}
}

// canMove reports whether a simulated worker has something to do.
func (w *worker) canMove() bool {
	if w.above != 0 && w.paused == nil {
		w.takeResumes()
		return w.waitsAbove(w.above)
	}
	if w.paused != nil || w.ready.mask != 0 || !w.resumes.empty() {
		return true
	}
	return !w.siding && w.mayStart() && (w.own.mask != 0 || w.pool.queued())
}

// move lets a simulated worker go on with the task that was interrupted on it, or start or resume
// one. It returns when the task waits, has ended, or is interrupted.
func (w *worker) move() {
	l := w.paused
	w.paused = nil
	if l == nil {
		t := w.pick()
		if t == nil {
			return
		}
		if l = t.loop; l == nil {
			l = w.takeLoop()
			l.first = t
		}
	}
	s := w.pool.sim
	w.on.store(l)
	s.running.Store(l)
	defer func() { // also after Goexit
		s.running.Store(nil)
		if w.siding && w.paused == nil {
			w.retire()
		}
	}()
	l.next()
}

// runCall runs the function of a blocking call.
func (s *sim) runCall(c *blockingCall) {
	s.mu.Lock()
	s.calls = slices.DeleteFunc(s.calls, func(other *blockingCall) bool { return other == c })
	s.mu.Unlock()
	c.run()
}

// watch makes the end of the task's context a step that wakes it. Package context would do it on a
// goroutine of its own, some time.
func (s *sim) watch(t *Task, ctx context.Context) (stop func() bool) {
	x := watched{t, ctx}
	s.mu.Lock()
	s.watched = append(s.watched, x)
	s.mu.Unlock()
	return func() bool { return s.unwatch(x) }
}

// unwatch takes back one watch of x, the latest.
func (s *sim) unwatch(x watched) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.watched) - 1; i >= 0; i-- {
		if s.watched[i] == x {
			s.watched = slices.Delete(s.watched, i, i+1)
			return true
		}
	}
	return false
}

func (s *sim) addCall(c *blockingCall) {
	s.mu.Lock()
	s.calls = append(s.calls, c)
	s.mu.Unlock()
}

// point is where the running task may be interrupted.
func (t *Task) point() {
	if s := t.pool.sim; s != nil {
		s.interrupt(t.loop)
	}
}

// pointOfWaker is point for whoever wakes a task, which need not be a task, or be in this pool.
func (s *sim) pointOfWaker() {
	if s.keepAtWake {
		return
	}
	if l := s.running.Load(); l != nil {
		if id := l.goroutine.Load(); id != nil && *id == goroutineID() {
			s.interrupt(l)
		}
	}
}

// interrupt leaves the loop's worker standing where it is, every other time.
func (s *sim) interrupt(l *loop) {
	if s.choose(2) == 0 {
		return
	}
	l.worker().paused = l
	l.yield(struct{}{})
}
