package runtime

import (
	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/latency"
)

// commitTimes count how long commits took, by lane index.
type commitTimes [lane.Count]latency.Recorder

// latencies lists the lanes that something was counted of, most urgent first.
func (e *Engine) latencies() []latency.OfLane {
	list := []latency.OfLane{}
	tasks := e.sched.Times()
	for i, t := range tasks {
		l := latency.OfLane{
			Lane: lane.FromIndex(i), Queued: t.Queued.Spread(), Waited: t.Waited.Spread(), Ran: t.Ran.Spread(),
			Committed: e.commitTimes[i].Histogram().Spread(),
		}
		if l.Queued.Count+l.Committed.Count > 0 {
			list = append(list, l)
		}
	}
	return list
}
