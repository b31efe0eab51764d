package sched

import "math/bits"

const (
	// ownBatch is how many tasks the only worker of a pool takes from a ring at a time.
	ownBatch = 16

	// ownTurns is how many tasks it starts from its own queues before it looks at the ring of the same lane.
	ownTurns = 16
)

// push queues a task that was spawned on this worker.
func (w *worker) push(t *Task) {
	if w.pool.solo && rpcMask&(1<<t.lane) == 0 {
		w.hold(t)
		return
	}
	w.pool.push(t)
}

// hold queues a task where only this worker finds it.
func (w *worker) hold(t *Task) {
	w.counts.lanes[t.lane].held.add(1)
	w.own.push(t)
}

// pickOwn is pick's answer if that is plain to see: nothing is ready to resume, nothing urgent is in the rings, no rule
// of fairness is due. It returns nil to say that pick has to decide.
func (w *worker) pickOwn() *Task {
	best := bits.TrailingZeros32(w.own.mask) // 32 if there is none
	p := w.pool
	if best == 32 || w.ready.mask|p.lanes.Occupied()&(1<<best-1) != 0 || !w.resumes.empty() {
		return nil
	}
	if w.picks+1 >= shareEvery || w.ownRun+1 >= ownTurns || w.waiting >= p.waitingLimit {
		return nil
	}
	w.picks++
	w.ownRun++
	w.excess = false
	return w.popOwn(best)
}

// popOwn removes the oldest task of lane i of the worker's own, which is not empty.
func (w *worker) popOwn(i int) *Task {
	w.counts.lanes[i].held.add(^uint64(0))
	return w.own.pop(i)
}

// popStart removes the oldest live task of the most urgent occupied lane of the mask.
func (w *worker) popStart(mask uint32) *Task {
	if !w.pool.solo {
		return w.pool.popHighest(mask)
	}
	for {
		best := bits.TrailingZeros32(w.own.mask & mask) // 32 if there is none
		if t := w.fetch(mask & (1<<best - 1)); t != nil {
			return t
		}
		if best = bits.TrailingZeros32(w.own.mask & mask); best == 32 {
			return nil
		}
		if w.ownRun++; w.ownRun >= ownTurns {
			w.ownRun = 0
			w.fetchBatch(1 << best)
		}
		if t := w.popOwn(best); t.state.Load() != done {
			return t
		}
	}
}

// fetch sees to the most urgent occupied ring of the mask: it moves a batch to the worker's own queues. Requests stay
// where they age, so of these it returns one.
func (w *worker) fetch(mask uint32) *Task {
	rings := w.pool.lanes.Occupied()
	if todo := rings & mask & aboveRPC; todo != 0 && w.fetchBatch(todo) {
		return nil
	}
	if rings&rpcMask != 0 && mask&rpcMask != 0 {
		if t := w.pool.popHighest(mask & rpcMask); t != nil {
			return t
		}
	}
	if todo := rings & mask & belowRPC; todo != 0 {
		w.fetchBatch(todo)
	}
	return nil
}

// fetchBatch moves tasks from the most urgent occupied ring of the mask, which has no requests, to the worker's own queue
// of that lane.
func (w *worker) fetchBatch(mask uint32) bool {
	var batch [ownBatch]*Task
	n, _ := w.pool.lanes.PopN(mask, batch[:])
	for _, t := range batch[:n] {
		w.hold(t)
	}
	return n > 0
}
