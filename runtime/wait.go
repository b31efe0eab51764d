package runtime

import (
	"fmt"
	"time"

	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/sched"
)

// Wait returns the first value whose key matches pat, waiting until there is one; when it had to
// wait, the task reads the newest generation from then on. It ends with the cause of the task's
// context when that ends first. It is not allowed inside a query.
func (p *Partition[V]) Wait(t *Task, pat Pattern) (key string, v V, err error) {
	return p.WaitUntil(t, pat, time.Time{})
}

// WaitUntil is Wait that gives up at the deadline with ErrTimeout, unless the deadline is zero. The
// task goes on.
func (p *Partition[V]) WaitUntil(t *Task, pat Pattern, deadline time.Time) (key string, v V, err error) {
	if err := t.notInQuery("Wait"); err != nil {
		return "", v, err
	}
	part, err := p.id(t.eng)
	if err != nil {
		return "", v, err
	}
	for {
		key, found, err := p.awaitKey(t, part, pat, deadline)
		if err != nil {
			return "", v, fmt.Errorf("runtime: waiting for a key of %s: %w", p.name, public(err))
		}
		if found {
			v, err = p.Get(t, key)
			return key, v, err
		}
		t.root.advance(t.eng.snapshot()) // something that matches was put; it may be gone again
	}
}

// awaitKey looks for a key in the task's generation. If there is none it waits until one was put,
// and reports false.
func (p *Partition[V]) awaitKey(t *Task, part db.PartID, pat Pattern, deadline time.Time) (key string, found bool, err error) {
	var ready sched.Event
	kw := &keyWait{part: part, pat: pat, fire: func(origin) { ready.Fire() }}
	t.eng.watchers.await(kw)
	defer t.eng.watchers.forget(kw)
	// Registered first, looked second: a commit in between fires the event.
	key, found, err = firstMatch(t.root.snap.snap, part, pat)
	if err != nil || found {
		return key, found, err
	}
	newest := t.eng.snapshot()
	defer newest.Release()
	if newest.Generation() > t.Generation() {
		return "", false, nil
	}
	why := sched.Reason{What: "a key of " + p.name}
	if deadline.IsZero() {
		err = t.task().AwaitReason(&ready, why)
	} else {
		err = t.task().AwaitUntil(&ready, deadline, why)
	}
	return "", false, err
}

// firstMatch returns the first key of a partition that matches.
func firstMatch(snap *db.Snapshot, part db.PartID, pat Pattern) (key string, found bool, err error) {
	err = snap.Range(part, pat.lo, pat.hi, false, func(k string, _ db.Hash) bool {
		if pat.Match(k) {
			key, found = k, true
		}
		return !found
	})
	return key, found, err
}
