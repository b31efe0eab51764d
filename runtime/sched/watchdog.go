package sched

import (
	"fmt"
	"strings"
	"time"

	"github.com/cytisus/cytisus/epoch"
)

// A watchdog looks at the pool from time to time and logs what has not moved between looks: tasks that hold a worker,
// tasks that wait, lanes that are not served, readers that hold back the epoch. Each is logged when it has stood still
// for the limit, and again each time that has doubled.
type watchdog struct {
	pool   *Pool
	epochs *epoch.Domain // nil without
	seen   map[standing]*stall
	round  uint64
}

// standing identifies something in a state: if it is the same at two looks, nothing has moved.
type standing struct {
	kind  string // "running", "waiting", "lane", "epoch"
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
	chains := newChains(&st)
	for i := range st.Running {
		t := &st.Running[i]
		if age, due := d.due(standing{kind: "running", id: t.ID, moves: st.Workers[t.Worker].Resumed}, now); due {
			d.pool.log.Warn("sched: task holds its worker", "for", age, "task", t.ID, "name", t.Name, "lane", t.Lane.String(),
				"client", t.Client, "worker", t.Worker)
		}
	}
	for i := range st.Waiting {
		t := &st.Waiting[i]
		if age, due := d.due(standing{kind: "waiting", id: t.ID, moves: t.Waits}, now); due {
			d.pool.log.Warn("sched: task waits", "for", age, "task", t.ID, "name", t.Name, "lane", t.Lane.String(),
				"client", t.Client, "worker", t.Worker, "chain", chains.of(t))
		}
	}
	d.lookAtLanes(&st, now)
	if d.epochs != nil {
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

// lookAtLanes reports lanes that hold tasks of which none has started. Requests are counted together: while they age, they
// wait in a ring that serves another RPC lane than the one they count for.
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
			d.pool.log.Warn("sched: lane is not served", "for", age, "lane", l.Lane.String(), "queued", l.Queued)
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
