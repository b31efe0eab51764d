package sched

import (
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/queue"
)

const (
	lotSize   = 32  // tasks in a full lot
	lotsSpare = 256 // lots that a pool keeps for everybody; what is more is left to the collector
	stockMax  = 512 // tasks that a worker keeps for itself, more or less
)

// A lot is a list of tasks that move together, linked by Task.next (S4).
type lot struct {
	first, last *Task
	n           int
}

func (l *lot) add(t *Task) {
	if l.n == 0 {
		l.last = t
	}
	t.next = l.first
	l.first = t
	l.n++
}

// join moves all tasks of other to l. Neither other nor its tasks may be used otherwise meanwhile.
func (l *lot) join(other lot) {
	if l.n == 0 {
		*l = other
		return
	}
	other.last.next = l.first
	l.first = other.first
	l.n += other.n
}

// take removes a task of a lot that is not empty.
func (l *lot) take() *Task {
	t := l.first
	l.first = t.next
	t.next = nil
	l.n--
	return t
}

// A recycler gives tasks a second life. Only a task without a handle, children, a context of its
// own, a key or a deadline is eligible: when such a one has ended, only the worker that ran it can
// reach it, and observers.
//
// Workers put ended tasks together in lots. When a lot is full it may be used again if no observer
// is at work; otherwise it is left to the collector. An observer announces itself (B1) before it
// loads which tasks workers run (B2). A worker stores that it does not run the task any more (C1),
// then makes a fence (C2), then looks for observers (C3). If C3 sees none, B1 comes after it, so B2
// sees what C1 stored and does not find the tasks of the lot.
//
// Workers make the tasks of most jobs out of what they have used, and those that they spawn.
// Submitters use some again for tasks with a client or a context, which a job has no room for.
//
// A late wake may still arrive, from an event, a timer or a context that the task waited for. It
// touches nothing but the state, and is a hint to whoever has the task now.
type recycler struct {
	spare     *queue.MPMC[lot] // what workers have too much of
	lots      sync.Pool        // of *lot: what submitters take from, one for each processor or so
	observers atomic.Int32
}

func (r *recycler) init() {
	r.spare = queue.NewMPMC[lot](lotsSpare)
	r.lots.New = func() any { return new(lot) }
}

// observe is called before tasks are looked at that may end meanwhile; unobserve when nothing of
// them is used any more.
func (r *recycler) observe() { r.observers.Add(1) }

func (r *recycler) unobserve() { r.observers.Add(-1) }

// anyLot returns tasks that have been used, or else new ones.
func (p *Pool) anyLot() lot {
	if l, ok := p.recycler.spare.TryPop(); ok {
		return l
	}
	return p.newLot()
}

// newLot makes tasks that have never been used. Not in one piece of memory: that would not begin at
// a cache line.
func (p *Pool) newLot() (l lot) {
	for range lotSize {
		l.add(p.newTask())
	}
	return l
}

// newTask makes a task without a handle.
func (p *Pool) newTask() *Task {
	t := &Task{pool: p, detached: true}
	t.state.Store(running) // nobody cancels it while it is queued, so it need not be told from one that runs
	return t
}

// bare returns a task without a handle, and as yet without a number, for a submitter from outside.
func (p *Pool) bare() *Task {
	s := p.recycler.lots.Get().(*lot)
	if s.first == nil {
		s.join(p.anyLot())
	}
	t := s.take()
	p.recycler.lots.Put(s)
	return t
}

// fresh returns a task without a handle, and as yet without a number, for this worker to run or to
// spawn.
func (w *worker) fresh() *Task {
	if w.stock.first == nil {
		w.stock.join(w.pool.anyLot())
	}
	return w.stock.take()
}

// recycle takes back a task that has ended on this worker and that nobody can see but observers.
func (w *worker) recycle(t *Task) {
	t.fn = nil
	if w.ended.n == lotSize {
		w.restock()
	}
	w.ended.add(t)
}

// restock makes the tasks that have ended available.
func (w *worker) restock() {
	if w.ended.n == 0 {
		return
	}
	r := &w.pool.recycler
	l := w.ended
	w.ended = lot{}
	w.fence.Add(1)               // C2
	if r.observers.Load() != 0 { // C3
		return
	}
	for t := l.first; t != nil; t = t.next { // what the tasks have used must not stay alive
		t.base, t.scope, t.loop, t.root, t.id, t.parentID = nil, nil, nil, nil, 0, 0
		initPointer(&t.parent, nil)
	}
	if w.stock.n < stockMax {
		w.stock.join(l)
		return
	}
	r.spare.TryPush(l) // if there is no room, the collector takes it
}

// numbers gives out task numbers by the block, so that the counter of the pool is seldom touched.
type numbers struct{ last, end uint64 }

func (n *numbers) next(p *Pool) uint64 {
	if n.last == n.end {
		n.end = p.ids.Add(idBlock)
		n.last = n.end - idBlock
	}
	n.last++
	return n.last
}
