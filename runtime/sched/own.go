package sched

import "math/bits"

// ownBatch is how many tasks the only worker of a pool takes from a ring at a time.
const ownBatch = 32

// push queues a task that was spawned on this worker.
func (w *worker) push(t *Task) {
	if w.solo && rpcMask&(1<<t.lane) == 0 {
		w.own.push(t)
		return
	}
	w.pool.push(t)
}

// pickOwn is pick's answer if that is plain to see: nothing is ready to resume, nothing urgent is
// in the rings, no rule of fairness is due. It returns nil to say that pick has to decide.
func (w *worker) pickOwn() *Task {
	best := bits.TrailingZeros32(w.own.mask) // 32 if there is none
	if w.picks >= w.picksMax || w.ready.mask|w.pool.lanes.Occupied()&(1<<best-1) != 0 || best == 32 || !w.resumes.empty() {
		return nil
	}
	w.picks++
	return w.own.pop(best)
}

// popStart removes the oldest live task of the most urgent occupied lane of the mask.
func (w *worker) popStart(mask uint32) *Task {
	if !w.solo {
		return w.popHighest(mask)
	}
	for {
		best := bits.TrailingZeros32(w.own.mask & mask) // 32 if there is none
		if t := w.fetch(mask & (1<<best - 1)); t != nil {
			return t
		}
		if best = bits.TrailingZeros32(w.own.mask & mask); best == 32 {
			return nil
		}
		t := w.own.pop(best)
		if t.state.Load() != done {
			return t
		}
		w.dropped(t)
	}
}

// dropped counts a task of the worker's own that ended before it could start.
func (w *worker) dropped(t *Task) { w.counts.lanes[t.lane].dropped.add(1) }

// fetch sees to the most urgent occupied ring of the mask: it moves a batch to the worker's own
// queues. Requests stay where they age, so of these it returns one.
func (w *worker) fetch(mask uint32) *Task {
	rings := w.pool.lanes.Occupied()
	if todo := rings & mask & aboveRPC; todo != 0 && w.fetchBatch(todo) {
		return nil
	}
	if rings&rpcMask != 0 && mask&rpcMask != 0 {
		if t := w.popHighest(mask & rpcMask); t != nil {
			return t
		}
	}
	if todo := rings & mask & belowRPC; todo != 0 {
		w.fetchBatch(todo)
	}
	return nil
}

// fetchBatch moves tasks from the most urgent occupied ring of the mask, which has no requests, to
// the worker's own queue of that lane.
func (w *worker) fetchBatch(mask uint32) bool {
	n, lane := w.pool.lanes.PopN(mask, w.batch[:])
	if n == 0 {
		return false
	}
	w.counts.lanes[lane].fetched.add(uint64(n))
	for i := range w.batch[:n] {
		w.own.push(w.take(&w.batch[i]))
	}
	clear(w.batch[:n]) // it must not keep alive what the tasks use
	return true
}

// fetchSame lets what lies in the ring of the worker's most urgent lane of its own come behind what
// it has there. Without it, a task that spawns the next on its lane, and so on, would shut that
// ring out.
func (w *worker) fetchSame() {
	if rings := w.own.mask & w.pool.lanes.Occupied() &^ rpcMask; rings != 0 {
		w.fetchBatch(rings)
	}
}
