package sched

import (
	"fmt"

	"github.com/cytisus/cytisus/runtime/lane"
)

// counters are what one worker counts, or all threads outside.
type counters struct {
	lanes  [lane.Count]laneCounters
	shared bool // immutable; several threads count
}

type laneCounters struct {
	submitted tally
	started   tally
	fetched   tally // moved from the lane's ring to worker.own
	dropped   tally // taken from worker.own and not started, as they had ended or were cancelled
	ended     [outcomes]tally
}

// count adds one to a tally of c.
func (c *counters) count(n *tally) {
	if c.shared {
		n.n.Add(1)
	} else {
		n.add(1)
	}
}

func (c *counters) totalSubmitted() (n uint64) {
	for i := range c.lanes {
		n += c.lanes[i].submitted.load()
	}
	return n
}

func (c *counters) totalEnded() (n uint64) {
	for i := range c.lanes {
		for o := range c.lanes[i].ended {
			n += c.lanes[i].ended[o].load()
		}
	}
	return n
}

// allCounters yields every set of counters of the pool.
func (p *Pool) allCounters(yield func(*counters) bool) {
	if !yield(&p.outside) {
		return
	}
	for w := range p.places {
		if !yield(&w.counts) {
			return
		}
	}
}

// places yields every worker, and the sidings.
func (p *Pool) places(yield func(*worker) bool) {
	for _, list := range [][]*worker{p.workers, p.sidings} {
		for _, w := range list {
			if !yield(w) {
				return
			}
		}
	}
}

// Stats are a pool's counters and tasks at about one moment. A task's end is counted before its
// handle tells of it.
type Stats struct {
	Lanes   [lane.Count]LaneStats `json:"lanes"` // by lane index
	Workers []WorkerStats         `json:"workers"`
	Wakes   uint64                `json:"wakes"` // sleeping workers woken
	Running []TaskStatus          `json:"running"`
	Waiting []TaskStatus          `json:"waiting"` // oldest last

	StandIns StandInStats `json:"standIns"`
}

// StandInStats tell of threads that stand in for those that tasks hold.
type StandInStats struct {
	Now   int    `json:"now"`   // tasks that have one at the moment
	Most  int    `json:"most"`  // that had one at the same time
	Total uint64 `json:"total"` // that had one so far
	Max   int    `json:"max"`   // that may have one at the same time
}

// LaneStats count the tasks of one lane.
type LaneStats struct {
	Lane      lane.Lane `json:"lane"`
	Queued    int       `json:"queued"` // at the moment
	Submitted uint64    `json:"submitted"`
	Started   uint64    `json:"started"`
	Completed uint64    `json:"completed"`
	Failed    uint64    `json:"failed"`
	Panicked  uint64    `json:"panicked"`
	Cancelled uint64    `json:"cancelled"`
}

// Ended returns how many tasks of the lane have ended, in whatever way.
func (s LaneStats) Ended() uint64 { return s.Completed + s.Failed + s.Panicked + s.Cancelled }

// WorkerStats tell about one worker.
type WorkerStats struct {
	Started uint64 `json:"started"`
	Resumed uint64 `json:"resumed"` // waits that ended, yields not counted
	Rests   uint64 `json:"rests"`   // times it ran out of work
	GaveWay uint64 `json:"gaveWay"` // times it gave its processor away, because a push that had stopped hid all the work there was
	Goexits uint64 `json:"goexits"`
	Idle    bool   `json:"idle"`
}

// A TaskStatus is a task that has started and not ended.
type TaskStatus struct {
	TaskInfo
	Waits   uint64 `json:"waits"`   // waits begun so far
	Reason  Reason `json:"reason"`  // of the latest wait
	StoodIn bool   `json:"stoodIn"` // it holds its thread, and another one stands in
	ready   bool
}

func (s *TaskStatus) state() string {
	switch {
	case s.ready:
		return "ready to go on"
	case s.Reason == Reason{}:
		return "running"
	case s.Reason.On != 0:
		return fmt.Sprintf("waits for %s %d", s.Reason.What, s.Reason.On)
	default:
		return "waits for " + s.Reason.What
	}
}

// Total adds the lanes up; its Lane is none.
func (s Stats) Total() (sum LaneStats) {
	for i := range s.Lanes {
		l := &s.Lanes[i]
		sum.Queued += l.Queued
		sum.Submitted += l.Submitted
		sum.Started += l.Started
		sum.Completed += l.Completed
		sum.Failed += l.Failed
		sum.Panicked += l.Panicked
		sum.Cancelled += l.Cancelled
	}
	return sum
}

// Stats reads the counters and lists the tasks. It takes time proportional to the number of tasks
// that wait.
func (p *Pool) Stats() Stats {
	p.recycler.observe()
	defer p.recycler.unobserve()
	st := Stats{Wakes: p.idle.Wakes(), Workers: make([]WorkerStats, len(p.workers)), Running: []TaskStatus{}, Waiting: []TaskStatus{}}
	for i := range st.Lanes {
		l := &st.Lanes[i]
		l.Lane = lane.FromIndex(i)
		l.Queued = p.lanes.Len(p.ring(i))
		for c := range p.allCounters {
			l.add(&c.lanes[i])
		}
	}
	for w := range p.places {
		if !w.siding {
			st.Workers[w.id] = w.stats()
			w.addOwn(&st)
			st.Waiting = append(st.Waiting, w.waitingTasks()...)
		}
		if t := w.current.load(); t != nil && t.started() {
			st.Running = append(st.Running, p.holder(t))
		}
	}
	st.StandIns = p.lookout.stats()
	return st
}

// holder is the status of a task that is on a thread. Whether another one stands in follows from
// the place that the status names: since the task was found it may have been put on a siding, or
// have gone home.
func (p *Pool) holder(t *Task) TaskStatus {
	i := t.info()
	return TaskStatus{TaskInfo: i, StoodIn: i.Worker >= len(p.workers)}
}

// add reads the ended tasks before the submitted ones, so that never more seem to have ended than
// were submitted.
func (s *LaneStats) add(c *laneCounters) {
	s.Completed += c.ended[Completed].load()
	s.Failed += c.ended[Failed].load()
	s.Panicked += c.ended[Panicked].load()
	s.Cancelled += c.ended[Cancelled].load()
	s.Started += c.started.load()
	s.Submitted += c.submitted.load()
}

// addOwn adds the tasks that lie in the worker's own queues: what came there less what was taken.
func (w *worker) addOwn(st *Stats) {
	if !w.solo {
		return
	}
	for i := range st.Lanes {
		if rpcMask&(1<<i) == 0 {
			c := &w.counts.lanes[i]
			taken := c.started.load() + c.dropped.load() // first: never more seem to have been taken than came
			st.Lanes[i].Queued += int(c.fetched.load() + c.submitted.load() - taken)
		}
	}
}

func (w *worker) stats() WorkerStats {
	st := WorkerStats{
		Resumed: w.resumed.load(),
		Rests:   w.rests.Load(),
		GaveWay: w.gaveWay.load(),
		Goexits: w.exits.load(),
		Idle:    w.current.load() == nil,
	}
	for i := range w.counts.lanes {
		st.Started += w.counts.lanes[i].started.load()
	}
	return st
}

// started reports whether the task is on a thread.
func (t *Task) started() bool {
	s := t.state.Load()
	return s == running || s == woken
}

// waitingTasks lists the worker's tasks that have begun to wait and have not gone on.
func (w *worker) waitingTasks() (list []TaskStatus) {
	e := &w.enlisted
	e.mu.Lock()
	defer e.mu.Unlock()
	for l := e.first; l != nil; l = l.nextEnl {
		if s := l.task.state.Load(); s == waiting || s == resuming {
			list = append(list, TaskStatus{TaskInfo: l.task.info(), Waits: l.waits.load(), Reason: l.reason, ready: s == resuming})
		}
	}
	return list
}
