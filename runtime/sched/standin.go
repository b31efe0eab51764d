package sched

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/affinity"
)

const (
	// lookEach is the time between two looks at the workers, while there is one that is not at
	// rest.
	lookEach = 3 * time.Millisecond

	// heldAfter is how long a task's code may run before another thread stands in. With lookEach
	// and some time for the lookout to be run itself, it is noticed within 20 ms.
	heldAfter = 6 * time.Millisecond

	// stretchedAfter is heldAfter of a stretch: until then it has a stand-in for what is more
	// urgent only. It computes, so with another thread everything would take as long.
	stretchedAfter = 100 * time.Millisecond

	// quietLooks is after how many looks that find all workers at rest the lookout sleeps.
	quietLooks = 6
)

// inside reports whether the task's own code runs.
func (l *loop) inside() bool { return l.user.load()%2 == 1 }

// enter begins what a task does with its worker, and returns that. From here to exit the worker is
// the task's, and no thread comes to stand in (G1 to G3 of "Stand-ins").
func (l *loop) enter() *worker {
	if !l.undisturbed() {
		l.disturbed()
	}
	return l.worker()
}

// undisturbed is G1 and G2; if it says false, disturbed has to follow. Where each nanosecond counts
// they are called one by one, as this one is inlined.
func (l *loop) undisturbed() bool {
	l.user.add(1)
	return l.claim.Load() == 0
}

// exit ends it: the task's own code runs from here on.
func (l *loop) exit() { l.user.add(1) }

// enterLate is enter after a panic, which may have come between enter and exit.
func (l *loop) enterLate() *worker {
	if l.inside() {
		return l.enter()
	}
	return l.worker()
}

// Bits of loop.claim.
const (
	stoodIn  uint32 = 1 << iota // a thread is about to stand in, or does
	unfenced                    // G1 needs a fence of its own
)

// newClaim is the claim of a new loop.
func newClaim() uint32 {
	if plainTallies && !affinity.RemoteFences() {
		return unfenced
	}
	return 0
}

// disturbed gives G1 a fence if that is needed, and waits until the lookout has decided.
func (l *loop) disturbed() {
	if l.claim.Load()&unfenced != 0 {
		if affinity.RemoteFences() {
			l.claim.And(^unfenced)
		}
		l.user.n.Add(0)
	}
	if l.claim.Load()&stoodIn != 0 {
		l.worker().pool.lookout.settled()
	}
}

// A lookout has threads stand in for those that tasks hold.
type lookout struct {
	pool    *Pool
	stirred chan struct{} // holds a token: there may be something to see
	asleep  atomic.Bool

	seen  []sight // by worker; the lookout's goroutine's
	quiet int     // looks in a row that found all at rest; likewise

	mu    sync.Mutex // held while a loop is claimed, before it is known for whom
	free  []*worker  // guarded by mu; sidings
	most  int        // guarded by mu
	total uint64     // guarded by mu
}

// A sight is what the lookout has seen of a worker.
type sight struct {
	l     *loop
	user  uint64
	since time.Duration // since the lookout began
}

func newLookout(p *Pool, standIns int) *lookout {
	k := &lookout{pool: p, stirred: make(chan struct{}, 1), seen: make([]sight, len(p.workers))}
	for i := range 2 * standIns {
		p.sidings = append(p.sidings, &worker{pool: p, id: len(p.workers) + i, siding: true, passive: true})
	}
	k.free = slices.Clone(p.sidings)
	return k
}

// settled returns when the claim that the caller has seen is decided.
func (k *lookout) settled() {
	k.mu.Lock()
	defer k.mu.Unlock()
}

// stats may be asked of no lookout.
func (k *lookout) stats() (st StandInStats) {
	if k != nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		all := len(k.pool.sidings)
		st = StandInStats{Now: all - len(k.free), Most: k.most, Total: k.total, Max: all}
	}
	return st
}

// stir tells that a worker is not at rest any more. It may be asked of no lookout.
func (k *lookout) stir(w *worker) {
	if k == nil {
		return
	}
	w.busy.Store(true) // before the look at asleep: see run
	if k.asleep.Load() && k.asleep.CompareAndSwap(true, false) {
		k.poke()
	}
	k.pool.pressed() // who pressed may have left it to this worker: see "Stretches"
}

// poke makes the lookout look at once.
func (k *lookout) poke() {
	select {
	case k.stirred <- struct{}{}:
	default:
	}
}

// run looks until the pool is over. It sleeps while all workers are at rest: it says so before it
// looks at them once more, and a worker says that it is busy before it looks whether the lookout
// sleeps.
func (k *lookout) run() {
	again := time.AfterFunc(lookEach, k.poke)
	defer again.Stop()
	for start := time.Now(); ; {
		k.look(time.Since(start))
		if k.quiet >= quietLooks {
			k.asleep.Store(true)
			if k.atRest() {
				select {
				case <-k.pool.over.Done():
					return
				case <-k.stirred:
				}
			}
			k.asleep.Store(false)
			k.quiet = 0
		}
		again.Reset(lookEach)
		select {
		case <-k.pool.over.Done():
			return
		case <-k.stirred:
		}
	}
}

func (k *lookout) atRest() bool {
	return !slices.ContainsFunc(k.pool.workers, func(w *worker) bool { return w.busy.Load() })
}

// look finds those workers whose threads are held by the same piece of a task's code as before.
func (k *lookout) look(now time.Duration) {
	if k.quiet++; !k.atRest() {
		k.quiet = 0
	}
	k.press()
	for i, w := range k.pool.workers {
		l, s := w.on.load(), &k.seen[i]
		if l == nil || !l.inside() {
			*s = sight{}
			continue
		}
		if user := l.user.load(); l != s.l || user != s.user {
			*s = sight{l, user, now}
			continue
		}
		after := heldAfter
		if l.stretch.Load() != 0 {
			after = stretchedAfter
		}
		if now-s.since >= after && k.standIn(w, l, s.user, 0) {
			*s = sight{}
		}
	}
}

// standIn has another thread drive w, if the task on l is still in the piece of code that user
// says. It is then on a siding with the thread that it holds. Above is 0, or the lanes that the
// task's stretch gives way to: then something has to wait there, and the thread takes up nothing
// else.
func (k *lookout) standIn(w *worker, l *loop, user uint64, above uint32) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.free) == 0 || user%2 == 0 {
		return false
	}
	l.claim.Or(stoodIn)          // H1
	if affinity.RemoteFences() { // H2
		affinity.RemoteFence()
	}
	if l.user.load() != user || l.worker() != w || !k.worthIt(w, above) { // H3
		l.claim.And(^stoodIn)
		return false
	}
	s := k.free[len(k.free)-1]
	k.free = k.free[:len(k.free)-1]
	k.total++
	k.most = max(k.most, len(k.pool.sidings)-len(k.free))
	l.moves.Add(1)
	s.home, s.th, s.paused = w, w.th, w.paused
	s.th.w = s
	s.part = w.part
	s.current.store(w.current.load())
	s.on.store(l)
	l.w.Store(s)

	w.th, w.paused = &thread{w}, nil
	w.current.store(nobody)
	if above != 0 && w.aside == nil {
		w.aside, w.above = l, above
		w.settle()
	}
	w.register()
	k.pool.alive.Add(1) // that of w is not over, so the pool is not
	if k.pool.sim == nil {
		go w.th.main()
	}
	return true
}

// worthIt reports whether the task that holds w may have a stand-in: one that is in a stretch if
// something waits for w on the lanes above, any other as long as half of the sidings are free, and
// then if it keeps something more urgent waiting. The caller has claimed w.
func (k *lookout) worthIt(w *worker, above uint32) bool {
	if above != 0 {
		return w.waitsAbove(above)
	}
	if 2*len(k.free) > len(k.pool.sidings) {
		return true
	}
	w.takeResumes()
	waits := w.ready.mask | w.own.mask | k.pool.occupied()
	return waits&(1<<w.current.load().lane-1) != 0
}

// register gives the worker a reader of its own.
func (w *worker) register() {
	if w.part = nil; w.pool.epochs != nil {
		w.part = w.pool.epochs.Register(fmt.Sprintf("worker %d", w.id))
	}
}

// retire gives a siding back, when its task has ended or is to go on at its worker; the thread
// ends.
func (w *worker) retire() {
	w.current.store(nil)
	w.on.store(nil)
	if t := w.leaving; t != nil {
		w.leaving = nil
		t.loop.w.Store(w.home)
		t.loop.claim.And(^stoodIn)
		w.home.resume(t) // from here on the task is not ours
	}
	for len(w.free) > 0 {
		w.dropLoop()
	}
	w.rests.Add(1) // with a fence: see "Counting"
	w.pool.checkOver()
	if w.part != nil {
		w.part.Close()
	}
	k := w.pool.lookout
	k.mu.Lock()
	k.free = append(k.free, w)
	k.mu.Unlock()
	k.poke() // another task may have waited for it
	w.pool.alive.Done()
}
