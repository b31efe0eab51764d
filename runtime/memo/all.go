package memo

import (
	"errors"
	"sync/atomic"
)

// A Spawner starts helpers of a strand: fn runs as a task of its own, in the same snapshot, on the same lane, with a root frame. It never waits.
type Spawner func(helpers int, fn func(*Frame)) error

// All answers q for many keys, in parallel as far as helpers find time, and records the reads in the order of keys. It
// returns the first error in the order of keys.
//
// Helpers only claim flights: the caller claims every one that no helper took, so its progress does not
// depend on helpers being scheduled.
func (t *Table) All(fr *Frame, q *Query, keys []string, helpersMax int, spawn Spawner) ([]Answer, error) {
	snap := fr.strand.Snap
	flights := make([]*flight, len(keys))
	var open []*flight
	for i, key := range keys {
		e := t.entry(q, key)
		if tr := e.last.Load(); tr != nil && t.covers(q, tr, snap) && t.sound(tr) {
			continue
		}
		// An entry that is evicted at this very moment has none: the Get below sees to its key.
		if f := e.join(snap.Gen()); f != nil {
			flights[i] = f
			open = append(open, f)
		}
	}
	var next atomic.Int64
	work := func(fr *Frame) {
		for {
			if fr.strand.Task.Err() != nil {
				return
			}
			i := int(next.Add(1)) - 1
			if i >= len(open) {
				return
			}
			if t.claim(fr, open[i]) {
				t.fly(fr, open[i])
			}
		}
	}
	if helpers := min(helpersMax, len(open)-1); helpers > 0 {
		if err := spawn(helpers, work); err != nil {
			return nil, err
		}
	}
	work(fr)

	answers := make([]Answer, len(keys))
	for i, key := range keys {
		if f := flights[i]; f != nil {
			err := t.wait(fr, f)
			if err == nil && !errors.Is(f.err, errAbandoned) {
				err = f.err
			}
			if err != nil {
				fr.tainted = true
				return nil, err
			}
		}
		a, err := t.Get(fr, q, key)
		if err != nil {
			return nil, err
		}
		answers[i] = a
	}
	return answers, nil
}
