package gc

import (
	"cmp"
	"context"
	"time"
)

// RecordWork is what a record counts for beside its bytes, in Stats.Work and in what is owed.
const RecordWork = 1 << 10

// An Aid is how whoever makes garbage helps a collection: see "Saturation" in the package comment.
type Aid struct {
	Slice time.Duration // how long it helps at the most, about; 0: only Most counts
	Most  int64         // how much it does at the most, about, counted as in Stats.Work
	Begin bool          // a cycle of everything begins if none runs

	// Patience is how long it waits for errands, all in all, and for a slice of another.
	Patience time.Duration

	// Apart has an errand done by another goroutine, and does not wait for it. Nil: in place.
	Apart func(errand func())
}

// Assist does a part of the cycle that runs, and returns how much. The caller has no session open
// and holds no lock.
func (c *Collector) Assist(a Aid) (did int64) {
	until := time.Now().Add(cmp.Or(a.Slice, noSlice))
	patience := a.Patience
	for first := true; did < a.Most; first = false {
		left := time.Until(until)
		if left <= 0 && !first || !c.lockWithin(patience) {
			return did
		}
		if e := c.errand; e != nil {
			c.stepMu.Unlock()
			began := time.Now()
			if patience <= 0 || !e.await(patience) {
				return did
			}
			waited := time.Since(began)
			patience, until = patience-waited, until.Add(waited)
			continue
		}
		if !c.assistable(a.Begin && first) { // one cycle is enough
			c.stepMu.Unlock()
			return did
		}
		w := &work{slice: left, most: a.Most - did}
		short := c.short
		e, err := c.step(context.Background(), w)
		c.stepMu.Unlock()
		did += w.done
		if err != nil {
			c.tell(short, err)
			return did
		}
		if e == nil {
			continue
		}
		errand := func() { _ = c.run(e) } // which tells Options.Over of an error
		if a.Apart == nil {
			errand()
		} else {
			a.Apart(errand)
		}
	}
	return did
}

// assistable reports whether a step can be made. If it may begin a cycle, and does, that is one of
// everything. The caller holds stepMu.
func (c *Collector) assistable(begin bool) bool {
	switch {
	case c.closed:
		return false
	case Phase(c.phase.Load()) <= Draining && !c.gate.drained():
		return false // whoever has the session may wait for the caller
	case c.cycle != nil:
		return true
	case begin:
		c.wanted = max(c.wanted, c.began+1)
	}
	return begin
}

// noSlice stands for the time of who goes by the work alone.
const noSlice = time.Hour

// lockLook is how often lockWithin looks.
const lockLook = 20 * time.Microsecond

// lockWithin takes stepMu if it can within a time.
func (c *Collector) lockWithin(limit time.Duration) bool {
	if c.stepMu.TryLock() {
		return true
	}
	for until := time.Now().Add(limit); time.Now().Before(until); {
		time.Sleep(lockLook)
		if c.stepMu.TryLock() {
			return true
		}
	}
	return false
}
