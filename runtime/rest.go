package runtime

import (
	"runtime/debug"
	"time"

	"github.com/cytisus/cytisus/runtime/account"
)

// A rest gives memory back to the system when a process that is all engine does nothing (M8). Go's
// collector runs when enough was allocated, so the garbage of what came last would stay for as long
// as nothing comes, twice what is live with GOGC=200.
//
// What tells is what is allocated: a process that allocates little, against what it could give
// back, does not need that soon.
type rest struct {
	began     time.Time // of the stretch of restAfter
	allocated int64     // when it began
	gaveBack  int64     // what was allocated when memory was last given back
	urgent    uint64    // urgent tasks when the stretch began
	waited    int       // stretches at rest but for urgent tasks, since memory was last given back
}

const (
	restAfter = 3 * time.Second
	restShare = 8        // less than this part of what is spare was allocated in a stretch: it is at rest
	restLeast = 16 << 20 // bytes that are worth a run of the collector
	restLive  = 4        // and this part of what is live, which such a run costs

	// restWaits is how many stretches a run waits for one in which nobody asks: it takes time from
	// who does, a tenth of a second of a large heap's.
	restWaits = 20
)

// look gives memory back if a stretch has ended in which the process was at rest. Urgent is how
// many urgent tasks have begun so far.
func (r *rest) look(now time.Time, urgent uint64) {
	if now.Sub(r.began) < restAfter {
		return
	}
	m := account.ReadGo()
	first, allocated, asked := r.began.IsZero(), m.Allocated-r.allocated, urgent != r.urgent
	r.began, r.allocated, r.urgent = now, m.Allocated, urgent
	spare := m.Spare()
	switch {
	case first, allocated > spare/restShare:
		return // busy
	case spare < max(restLeast, m.Live/restLive), m.Allocated-r.gaveBack < restLeast:
		return // what is spare lies between what is live, or is not worth it
	}
	if asked && r.waited < restWaits {
		r.waited++
		return
	}
	debug.FreeOSMemory()
	r.gaveBack, r.waited = m.Allocated, 0
}
