package ring

import "sync"

type mutexRing struct{ q *lockedRing }

func newMutexRing() contender { return mutexRing{new(lockedRing)} }

func (c mutexRing) push(it *item) {
	var p patience
	for !c.q.tryPush(it) {
		p.wait()
	}
}

func (c mutexRing) pop() *item {
	var p patience
	for {
		if it, ok := c.q.tryPop(); ok {
			return it
		}
		p.wait()
	}
}

func (c mutexRing) pair(n int) (sum uint64) {
	var p patience
	for i := range n {
		for !c.q.tryPush(&items[i%lap]) {
			p.wait()
		}
		it, ok := c.q.tryPop()
		for !ok {
			p.wait()
			it, ok = c.q.tryPop()
		}
		sum += it.id
	}
	return sum
}

func (c mutexRing) produce(n int) {
	var p patience
	for i := range n {
		for !c.q.tryPush(&items[i%lap]) {
			p.wait()
		}
	}
}

func (c mutexRing) consume(n int) (sum uint64) {
	var p patience
	for range n {
		it, ok := c.q.tryPop()
		for !ok {
			p.wait()
			it, ok = c.q.tryPop()
		}
		sum += it.id
	}
	return sum
}

// A lockedRing is the plain rival: a slice and a mutex.
type lockedRing struct {
	mu         sync.Mutex
	head, tail uint64
	cells      [capacity]*item
}

func (r *lockedRing) tryPush(it *item) bool {
	r.mu.Lock()
	ok := r.tail-r.head < capacity
	if ok {
		r.cells[r.tail%capacity] = it
		r.tail++
	}
	r.mu.Unlock()
	return ok
}

func (r *lockedRing) tryPop() (it *item, ok bool) {
	r.mu.Lock()
	if ok = r.head != r.tail; ok {
		it, r.cells[r.head%capacity] = r.cells[r.head%capacity], nil
		r.head++
	}
	r.mu.Unlock()
	return it, ok
}
