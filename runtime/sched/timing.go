package sched

import (
	"time"

	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/latency"
)

// sampleEvery is how many tasks of a lane are submitted by one worker, or from outside, for each of
// them that is timed; tasks that come from outside for a client all are. Three looks at a clock
// cost more than a small task.
const sampleEvery = 256

// sampled reports whether a task is timed, by the count of submissions with it: the first is, and
// each 256th after it.
func sampled(count uint64) bool { return count%sampleEvery == 1 }

// laneTimes count how long timed tasks of one lane took. Anybody counts and reads.
type laneTimes struct{ queued, waited, ran latency.Recorder }

// LaneTimes tell how long the timed tasks of one lane took: all that came from outside the pool for
// a client, and one in 256 of the others.
type LaneTimes struct {
	Queued latency.Histogram // from being submitted to the start
	Waited latency.Histogram // parked between start and end, of those that waited
	Ran    latency.Histogram // from start to end, less what they waited
}

// Times returns what was counted so far, by lane index. Any goroutine may call it.
func (p *Pool) Times() (all [lane.Count]LaneTimes) {
	for i := range all {
		t := &p.times[i]
		all[i] = LaneTimes{t.queued.Histogram(), t.waited.Histogram(), t.ran.Histogram()}
	}
	return all
}

// endow gives a task that is not queued yet its traits, and lets its time begin if it is timed.
func (t *Task) endow(is traits) {
	t.traits = is
	if is.has(timed) {
		t.stamp = uint32(t.pool.now() / time.Microsecond)
	}
}

// A timing is how far a timed task has come. It belongs to the task's loop; its zero value is that
// of a task that is not timed.
type timing struct {
	began  time.Duration // by the pool's clock; 0 is none
	parked time.Duration // so far
	waited bool
}

// begin counts how long the task was queued. Stamps are microseconds modulo 2^32, so a task that
// was queued for more than 71 minutes may count as one that was not.
func (m *timing) begin(t *Task) {
	now := t.pool.now()
	*m = timing{began: max(now, 1)}
	queued := uint32(now/time.Microsecond) - t.stamp
	t.pool.times[t.lane].queued.Add(time.Duration(queued) * time.Microsecond)
}

// park returns what unpark needs to know when the task goes on.
func (m *timing) park(p *Pool) (since time.Duration) {
	if m.began == 0 {
		return 0
	}
	return p.now()
}

func (m *timing) unpark(p *Pool, since time.Duration) {
	if m.began != 0 {
		m.parked += p.now() - since
		m.waited = true
	}
}

// end counts how long the task ran and waited.
func (m *timing) end(t *Task) {
	if m.began == 0 {
		return
	}
	to := &t.pool.times[t.lane]
	to.ran.Add(t.pool.now() - m.began - m.parked)
	if m.waited {
		to.waited.Add(m.parked)
	}
	*m = timing{}
}
