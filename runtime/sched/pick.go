package sched

import (
	"math/bits"
	"time"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/queue"
	"github.com/cytisus/cytisus/runtime/lane"
)

const (
	// shareEvery is how many picks of a worker lie between two that go to a low lane. A prime, so
	// that it does not beat with the periods of what users submit.
	shareEvery = 61

	// spinShrinks is how much shorter than Options.Spin a worker looks for work that does not come.
	spinShrinks = 16

	// The only worker of a pool looks for work lookEvery times in what is one look for others,
	// pausing less in between.
	lookEvery     = 4
	pausesPerLook = 2

	// deniedLooks is how often a worker looks again for a task that it is denied before it gives
	// its processor away.
	deniedLooks = 16

	// fullPause is how long a worker with too many waiting tasks looks for one to resume before it
	// starts another.
	fullPause = time.Millisecond
	fullPoll  = 50 * time.Microsecond
)

// find returns the next task to start or resume, sleeping until there is one, and nil when the pool
// is over. While the thread stands in for a stretch it does not sleep: nil says that nothing more
// urgent is left.
func (w *worker) find() *Task {
	switch {
	case w.passive:
		return nil
	case w.above != 0:
		return w.pickAbove()
	}
	for {
		if t := w.pick(); t != nil {
			w.denials = 0
			if w.rested {
				w.rested = false
				w.pool.lookout.stir(w)
				w.pool.idle.Found(w.id)
			}
			return t
		}
		if w.pool.over.Fired() {
			return nil
		}
		if !w.denied() && !w.linger() {
			w.rest()
		}
	}
}

// denied follows a pick that found nothing, and reports whether a lane holds a task all the same:
// the push of the oldest one has claimed its place and not filled it. The worker has seen to all
// other lanes by then. It must not sleep, and it need not wait long, but for a thread that was
// stopped there; then polling may be what keeps this one from going on. So the worker gives its
// processor away after a moment, and looks again.
func (w *worker) denied() bool {
	if !w.mayStart() || !w.pool.queued() {
		w.denials = 0
		return false
	}
	if w.denials++; w.denials <= deniedLooks {
		affinity.Relax()
	} else {
		affinity.Yield()
		w.gaveWay.add(1)
	}
	return true
}

// linger looks for work for a while before the only worker of a pool rests, and reports whether
// there may be some. It looks at what pushers change anyway, and touches nothing that they look at,
// so a stream of tasks goes on undisturbed.
func (w *worker) linger() bool {
	p := w.pool
	if !p.solo || !w.mayStart() {
		return false
	}
	for range lookEvery * w.spins {
		if p.lanes.Occupied() != 0 || !w.resumes.empty() || p.over.Fired() {
			w.spins = p.spins
			return true
		}
		affinity.Pause(pausesPerLook)
	}
	return false
}

// rest passes the time until there may be work.
func (w *worker) rest() {
	w.current.store(nil)
	w.busy.Store(false)
	w.rested = true
	w.rests.Add(1) // with a fence: see "Counting"
	w.pool.checkOver()
	w.restock()
	if w.mayStart() {
		spins := w.spins
		if w.pool.solo {
			spins = 0 // it has lingered
		}
		if slept := w.pool.idle.Rest(w.id, spins, time.Time{}); slept {
			w.spins = max(w.spins/2, w.pool.spins/spinShrinks)
		} else {
			w.spins = w.pool.spins
		}
		return
	}
	w.pool.idle.Found(w.id) // if we were woken for a start, somebody else has to do it
	for end := time.Now().Add(fullPause); w.resumes.empty() && !w.pool.over.Fired(); time.Sleep(fullPoll) {
		if time.Now().After(end) {
			w.excess = true
			return
		}
	}
}

// mayStart reports whether the worker takes new tasks.
func (w *worker) mayStart() bool {
	return w.waiting < w.pool.waitingLimit || w.excess || w.pool.killed.Load() != nil
}

// pick returns the next task to start or resume, nil if there is none.
func (w *worker) pick() *Task {
	if w.above != 0 {
		return w.pickAbove()
	}
	w.takeResumes()
	if w.picks++; w.picks >= shareEvery {
		w.picks = 0
		w.fetchSame()
		if t := w.pickShare(); t != nil {
			return t
		}
	}
	starts := w.mayStart()
	if starts {
		if t := w.popOverdue(); t != nil {
			return w.started(t)
		}
	}
	best := w.ready.highest()
	if starts {
		mask := uint32(1)<<best - 1
		if w.turn = !w.turn; w.turn && best < lane.Count {
			mask |= 1 << best
		}
		if t := w.popStart(mask); t != nil {
			return w.started(t)
		}
	}
	if best < lane.Count {
		return w.ready.pop(best)
	}
	return nil
}

func (w *worker) started(t *Task) *Task {
	w.excess = false
	return t
}

// pickShare returns a task of the lowest occupied lane that has not had its share in this round.
func (w *worker) pickShare() *Task {
	occupied := w.ready.mask
	if w.mayStart() {
		occupied |= w.own.mask | w.pool.occupied()
	}
	if occupied&w.round == 0 {
		w.round = queue.AllLanes
	}
	for todo := occupied & w.round; todo != 0; todo = occupied & w.round {
		i := bits.Len32(todo) - 1
		w.round &^= 1 << i
		if w.ready.mask&(1<<i) != 0 {
			return w.ready.pop(i)
		}
		if t := w.popStart(1 << i); t != nil {
			return w.started(t)
		}
	}
	return nil
}

// wantedBy reports whether a running task of lane i that offers its thread has to give it up: to
// something at least as urgent, or because a share is due.
func (w *worker) wantedBy(i int) bool {
	w.takeResumes()
	others := w.ready.mask
	if w.mayStart() {
		others |= w.own.mask | w.pool.occupied()
	}
	w.picks++
	if w.picks < shareEvery {
		others &= uint32(2)<<i - 1
	}
	return others != 0
}

// takeResumes sorts what wakers have handed over into the ready lanes.
func (w *worker) takeResumes() {
	if w.resumes.empty() {
		return
	}
	for t := w.resumes.takeAll(); t != nil; {
		next := t.next
		w.ready.push(t)
		t = next
	}
}
