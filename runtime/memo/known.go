package memo

import (
	"github.com/cytisus/cytisus/runtime/db"
)

// Known returns the answer of q for key in snap's generation if it is known to hold there without
// verifying a read. See "Without a task". Of snap only the generation is asked and when partitions
// changed, so it need not be held.
func (t *Table) Known(q *Query, key string, snap *db.Snapshot) (Answer, bool) {
	return t.known(q, key, snap, q.Whole)
}

// KnownBytes is Known for a key that is valid during the call only.
func (t *Table) KnownBytes(q *Query, key []byte, snap *db.Snapshot) (Answer, bool) {
	return t.known(q, transient(key), snap, q.Whole)
}

// known keeps nothing of key.
func (t *Table) known(q *Query, key string, snap *db.Snapshot, read func(value any) error) (Answer, bool) {
	e := q.entry(key)
	if e == nil {
		return Answer{}, false
	}
	tr := e.last.Load()
	if tr == nil || tr.soundAt.Load() != t.damage.Load() {
		return Answer{}, false
	}
	if _, ok := t.covers(e, tr, snap); !ok {
		return Answer{}, false
	}
	a, ok := t.knownValue(e, tr, read)
	if ok {
		t.reused(q, e, tr)
	}
	return a, ok
}

// Peek is Known for all traces of the key, those in the store among them.
func (t *Table) Peek(q *Query, key string, snap *db.Snapshot) (Answer, bool, error) {
	if err := q.fits(key); err != nil {
		return Answer{}, false, err
	}
	e := t.entry(q, key)
	if err := t.load(e); err != nil {
		return Answer{}, false, err
	}
	e.mu.Lock()
	traces, kept := e.appendTraces(nil), e.keptTrace()
	e.mu.Unlock()
	for _, tr := range traces {
		if !t.sound(tr) {
			continue
		}
		if _, ok := t.covers(e, tr, snap); !ok {
			continue
		}
		if tr != kept && !t.whole(tr) {
			continue // a collection has taken what it refers to (M3)
		}
		if a, ok := t.knownValue(e, tr, q.Whole); ok {
			t.reused(q, e, tr)
			return a, true, nil
		}
	}
	return Answer{}, false, nil
}

// knownValue returns the answer of a trace that holds, unless it cannot be read.
func (t *Table) knownValue(e *entry, tr *trace, read func(value any) error) (Answer, bool) {
	value, err := t.value(e, tr)
	if err == nil && read != nil {
		err = read(value)
	}
	if err != nil {
		return Answer{}, false
	}
	e.touch()
	return Answer{tr.result, value}, true
}
