package latency

import "github.com/cytisus/cytisus/runtime/lane"

// OfLane tells how long the work of one lane took in this process, by phase. Of tasks it counts all
// that come from outside the engine for a client, and one in 256 of the others. Of commits it
// counts all that write something; those from outside of tasks count in the lane of the watchers
// that they set off.
type OfLane struct {
	Lane      lane.Lane `json:"lane"`
	Queued    Spread    `json:"queued"`    // from being submitted to the start
	Waited    Spread    `json:"waited"`    // parked between start and end, of tasks that waited
	Ran       Spread    `json:"ran"`       // from start to end, less what they waited
	Committed Spread    `json:"committed"` // from the end of the commit's function until it is published, and durable if that was asked for
}
