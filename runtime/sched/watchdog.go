package sched

import (
	"fmt"
	"strings"
	"time"

	"github.com/cytisus/cytisus/epoch"
)

// A watchdog looks at the pool from time to time, and warns of what somebody should act on, because
// it does not get better by itself or lets others wait:
//
//   - nothing moves: tasks are queued, and no worker has started, resumed or ended one for the
//     limit;
//   - a task has held its worker for the limit, and others wait to go on there, which only that
//     worker can resume;
//   - tasks have waited for each other in a circle for the limit;
//   - a reader has held back memory that is to be freed for the limit.
//
// That a task computes, or waits, for long is what tasks are for, and so is a queue that moves:
// these are told at level debug. Each is told when it has stood still for the limit, and again each
// time that has doubled.
type watchdog struct {
	pool   *Pool
	epochs *epoch.Domain // nil without
	seen   map[standing]*stall
	round  uint64
}

// standing identifies something in a state: if it is the same at two looks, nothing has moved.
type standing struct {
	kind  string // "pool", "running", "behind", "waiting", "circle", "lane", "epoch"
	id    uint64 // task, lane index, or epoch
	moves uint64 // a count that changes when it moves
	label string
}

type stall struct {
	since time.Time
	next  time.Duration // age at which to log it
	round uint64        // of the last look that saw it
}

func newWatchdog(p *Pool, epochs *epoch.Domain) *watchdog {
	return &watchdog{pool: p, epochs: epochs, seen: make(map[standing]*stall)}
}

// run looks until the pool is over.
func (d *watchdog) run() {
	tick := time.NewTicker(max(d.pool.stallAfter/4, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-d.pool.over.Done():
			return
		case now := <-tick.C:
			d.look(now)
		}
	}
}

// look compares the pool with the previous looks.
func (d *watchdog) look(now time.Time) {
	d.round++
	st := d.pool.Stats()
	d.lookAtPool(&st, now)
	d.lookAtRunning(&st, now)
	d.lookAtWaiting(&st, now)
	d.lookAtLanes(&st, now)
	if d.epochs != nil && d.epochs.Stats().Pending > 0 {
		for _, s := range d.epochs.Stalled(d.pool.stallAfter) {
			if _, due := d.due(standing{kind: "epoch", id: s.Epoch, label: s.Label}, now); due {
				d.pool.log.Warn("sched: reader holds back memory reclamation", "for", s.Age, "reader", s.Label)
			}
		}
	}
	for k, s := range d.seen {
		if s.round != d.round {
			delete(d.seen, k)
		}
	}
}

// lookAtPool reports that tasks are queued and no worker does anything about it.
func (d *watchdog) lookAtPool(st *Stats, now time.Time) {
	total := st.Total()
	if total.Queued == 0 {
		return
	}
	moves := total.Started + total.Ended()
	for i := range st.Workers {
		moves += st.Workers[i].Resumed
	}
	if age, due := d.due(standing{kind: "pool", moves: moves}, now); due {
		var held []string
		for i := range st.Running {
			t := &st.Running[i]
			held = append(held, fmt.Sprintf("worker %d by task %d %q", t.Worker, t.ID, t.Name))
		}
		d.pool.log.Warn("sched: nothing moves", "for", age, "queued", total.Queued, "workers", len(st.Workers), "held", strings.Join(held, ", "))
	}
}

// lookAtRunning reports tasks that hold their workers, and warns where others wait to go on there.
func (d *watchdog) lookAtRunning(st *Stats, now time.Time) {
	for i := range st.Running {
		t := &st.Running[i]
		behind := 0
		for j := range st.Waiting {
			if w := &st.Waiting[j]; w.ready && w.Worker == t.Worker {
				behind++
			}
		}
		var moves uint64 // of its worker, which another one drives if there is a stand-in
		if !t.StoodIn {
			moves = st.Workers[t.Worker].Resumed
		}
		args := func(age time.Duration) []any {
			return []any{"for", age, "task", t.ID, "name", t.Name, "lane", t.Lane.String(), "client", t.Client, "worker", t.Worker, "behind", behind, "standin", t.StoodIn}
		}
		if age, due := d.due(standing{kind: "running", id: t.ID, moves: moves}, now); due {
			d.pool.log.Debug("sched: task holds its worker", args(age)...)
		}
		if behind == 0 {
			continue
		}
		if age, due := d.due(standing{kind: "behind", id: t.ID, moves: moves}, now); due {
			d.pool.log.Warn("sched: task holds its worker, and others wait to go on there", args(age)...)
		}
	}
}

// lookAtWaiting reports tasks that wait, and warns of circles, each once.
func (d *watchdog) lookAtWaiting(st *Stats, now time.Time) {
	chains := newChains(st)
	for i := range st.Waiting {
		t := &st.Waiting[i]
		args := func(age time.Duration) []any {
			return []any{
				"for", age, "task", t.ID, "name", t.Name, "lane", t.Lane.String(), "client", t.Client, "worker", t.Worker, "chain", chains.of(t),
			}
		}
		if age, due := d.due(standing{kind: "waiting", id: t.ID, moves: t.Waits}, now); due {
			d.pool.log.Debug("sched: task waits", args(age)...)
		}
		if !chains.leads(t) {
			continue
		}
		if age, due := d.due(standing{kind: "circle", id: t.ID, moves: t.Waits}, now); due {
			d.pool.log.Warn("sched: tasks wait for each other", args(age)...)
		}
	}
}

// lookAtLanes reports lanes that hold tasks of which none has started. Requests are counted
// together: while they age, they wait in a ring that serves another RPC lane than the one they
// count for.
func (d *watchdog) lookAtLanes(st *Stats, now time.Time) {
	var requests uint64
	for i := range st.Lanes {
		if l := &st.Lanes[i]; l.Lane.IsRPC() {
			requests += l.Started + l.Ended()
		}
	}
	for i := range st.Lanes {
		l := &st.Lanes[i]
		if l.Queued == 0 {
			continue
		}
		moves := l.Started + l.Ended()
		if l.Lane.IsRPC() {
			moves = requests
		}
		if age, due := d.due(standing{kind: "lane", id: uint64(i), moves: moves}, now); due {
			d.pool.log.Debug("sched: lane is not served", "for", age, "lane", l.Lane.String(), "queued", l.Queued)
		}
	}
}

// due notes that k stands at this look, and reports for how long and whether to log it.
func (d *watchdog) due(k standing, now time.Time) (age time.Duration, due bool) {
	s := d.seen[k]
	if s == nil {
		s = &stall{since: now, next: d.pool.stallAfter}
		d.seen[k] = s
	}
	s.round = d.round
	if age = now.Sub(s.since); age < s.next {
		return age, false
	}
	s.next = 2 * age
	return age.Round(time.Millisecond), true
}

// chains knows who waits for whom.
type chains map[uint64]*TaskStatus

func newChains(st *Stats) chains {
	c := make(chains, len(st.Running)+len(st.Waiting))
	for i := range st.Running {
		c[st.Running[i].ID] = &st.Running[i]
	}
	for i := range st.Waiting {
		c[st.Waiting[i].ID] = &st.Waiting[i]
	}
	return c
}

// leads reports whether a task is the one with the least number of those that wait for each other
// in a circle.
func (c chains) leads(t *TaskStatus) bool {
	at := t
	for range len(c) {
		if at == nil || at.ready || at.Reason.On == 0 || at.ID < t.ID {
			return false
		}
		if at = c[at.Reason.On]; at != nil && at.ID == t.ID {
			return true
		}
	}
	return false // it leads into a circle
}

// of spells out what a task waits for, what that waits for, and so on.
func (c chains) of(t *TaskStatus) string {
	var b strings.Builder
	met := make(map[uint64]bool)
	for {
		met[t.ID] = true
		fmt.Fprintf(&b, "task %d %q %s", t.ID, t.Name, t.state())
		on := t.Reason.On
		if on == 0 || t.ready {
			return b.String()
		}
		next := c[on]
		switch {
		case next == nil:
			b.WriteString(", which is queued or has just ended")
			return b.String()
		case met[on]:
			b.WriteString(": a cycle")
			return b.String()
		}
		b.WriteString("; ")
		t = next
	}
}
