package memo

import (
	"slices"

	"github.com/cytisus/cytisus/runtime/db"
)

// Known returns the answer of q for key in snap's generation if it is known to hold there without
// verifying a read. See "Without a task". Of snap only the generation is asked and when partitions
// changed, so it need not be held.
func (t *Table) Known(q *Query, key string, snap *db.Snapshot) (Answer, bool) {
	e, ok := q.entries.Load(key)
	if !ok {
		return Answer{}, false
	}
	tr := e.last.Load()
	if tr == nil || tr.soundAt.Load() != t.damage.Load() {
		return Answer{}, false
	}
	v, ok := t.covers(e, tr, snap)
	if !ok || v.grown && !t.unsampled() {
		return Answer{}, false
	}
	a, ok := t.knownValue(e, tr)
	if ok {
		q.Counts.Reused.Add(1)
	}
	return a, ok
}

// Peek is Known for all traces of the key, those in the store among them, and samples nothing.
func (t *Table) Peek(q *Query, key string, snap *db.Snapshot) (Answer, bool, error) {
	if err := q.fits(key); err != nil {
		return Answer{}, false, err
	}
	e := t.entry(q, key)
	if err := t.load(e); err != nil {
		return Answer{}, false, err
	}
	e.mu.Lock()
	traces := slices.Clone(e.traces)
	e.mu.Unlock()
	for _, tr := range traces {
		if !t.sound(tr) {
			continue
		}
		if _, ok := t.covers(e, tr, snap); !ok {
			continue
		}
		if a, ok := t.knownValue(e, tr); ok {
			q.Counts.Reused.Add(1)
			return a, true, nil
		}
	}
	return Answer{}, false, nil
}

// knownValue returns the answer of a trace that holds, unless it cannot be read.
func (t *Table) knownValue(e *entry, tr *trace) (Answer, bool) {
	value, err := t.value(e, tr)
	if err != nil {
		return Answer{}, false
	}
	e.touch()
	return Answer{tr.result, value}, true
}

// unsampled takes the next turn of the sampler, unless an answer is to be computed again in it:
// then that turn is left to whoever can.
func (t *Table) unsampled() bool {
	if t.o.RecomputeShare <= 0 {
		return true
	}
	n := t.sampler.Load()
	return !t.due(n+1) && t.sampler.CompareAndSwap(n, n+1)
}
