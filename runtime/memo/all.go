package memo

import (
	"sync/atomic"
	"time"
)

// A Spawner starts helpers of a strand: fn runs as a task of its own, in the same snapshot, on the
// same lane, with a root frame. It never waits. On an error there may be fewer.
type Spawner func(helpers int, fn func(*Frame)) error

// All answers q for many keys, in parallel as far as helpers find time, and records the reads in
// the order of keys. It returns the error of the first key that has one, with the answers of those
// before it, a panic of the query being one; the errors of later keys, which may or may not have
// been asked for, go to the strands that ask for these keys.
//
// Helpers only claim flights: the caller claims every one that no helper took, so its progress does
// not depend on helpers being scheduled, and helpers that cannot be started are no error.
func (t *Table) All(fr *Frame, q *Query, keys []string, helpersMax int, spawn Spawner) ([]Answer, error) {
	answers, err := t.allBetween(fr, q, keys, helpersMax, spawn, nil)
	fr.answered()
	return answers, err
}

// allBetween is All, and calls between before the read of each key is recorded.
func (t *Table) allBetween(fr *Frame, q *Query, keys []string, helpersMax int, spawn Spawner, between func(i int)) ([]Answer, error) {
	if fr.timed {
		fr.timed = false // of the single keys
		defer func(began time.Time) { fr.timed, fr.below = true, fr.below+t.since(began) }(t.o.Now())
	}
	return t.all(fr, q, keys, helpersMax, spawn, between)
}

// eachAlone is all on the strand alone, which has provisional values that no helper can see.
func (t *Table) eachAlone(fr *Frame, q *Query, keys []string) ([]Answer, error) {
	answers := make([]Answer, len(keys))
	for i, key := range keys {
		var err error
		if answers[i], err = t.get(fr, q, key, false); err != nil {
			return answers[:i], err
		}
	}
	return answers, nil
}

func (t *Table) all(fr *Frame, q *Query, keys []string, helpersMax int, spawn Spawner, between func(i int)) ([]Answer, error) {
	if fr.replay != nil {
		return replayAll(fr, q, keys)
	}
	if fr.strand.fix != nil {
		return t.eachAlone(fr, q, keys)
	}
	snap := fr.strand.Snap
	flights := make([]*flight, len(keys))
	var open []*flight
	found := make([]holding, len(keys)) // what is known to hold
	place := fr.recorder.at
	for i, key := range keys {
		var e *entry
		if e, place = fr.recorder.query(q, key, place); e != nil && e.changed.Load() != never {
			place++
		} else {
			if q.fits(key) != nil {
				continue // get says so, in its turn
			}
			e = t.entry(q, key)
		}
		if tr := e.last.Load(); tr != nil && t.sound(tr) {
			if v, ok := t.covers(e, tr, snap); ok {
				found[i] = holding{entry: e, trace: tr, vouch: v}
				continue
			}
		}
		if fr.met(e) != nil {
			continue
		}
		if fr.strand.tooDeep(t.levels) {
			panic(unwound{})
		}
		// An entry that is evicted at this very moment has none: the get below sees to its key.
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
				if fr.strand.unwinding {
					return
				}
				fr.note(open[i]) // now: the caller may not come to this key
			}
		}
	}
	defer func() {
		for _, f := range open { // those left when the strand was cancelled; they would keep their entries
			if t.claim(fr, f) {
				f.abandon()
			}
		}
	}()
	if helpers := min(helpersMax, len(open)-1); helpers > 0 && fr.strand.hops < hopsMax {
		question, hops := fr.strand.question(), fr.strand.hops+1
		_ = spawn(helpers, func(fr *Frame) {
			fr.strand.unkept, fr.strand.hops = question, hops
			work(fr)
		})
	}
	work(fr)
	if fr.strand.unwinding {
		panic(unwound{})
	}

	answers := make([]Answer, len(keys))
	for i, key := range keys {
		if between != nil {
			between(i)
		}
		if h := &found[i]; h.trace != nil {
			if value, err := t.value(h.entry, h.trace); err == nil && (q.Whole == nil || q.Whole(value) == nil) {
				h.entry.touch()
				t.reused(q, h.entry, h.trace)
				fr.took(q, h)
				answers[i] = Answer{h.trace.result, value}
				continue
			}
		}
		if f := flights[i]; f != nil {
			err := t.wait(fr, f)
			switch {
			case err == errOwn || err == errCloses:
				err = nil // the get below sees to it
			case err == nil && f.usable(fr.strand):
				fr.note(f)
				err = f.err
			}
			if err != nil {
				fr.tainted = true
				return answers[:i], err
			}
		}
		a, err := t.get(fr, q, key, false)
		if err != nil {
			return answers[:i], err
		}
		answers[i] = a
	}
	return answers, nil
}
