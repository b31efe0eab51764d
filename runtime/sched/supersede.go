package sched

import "sync"

// A keyTable knows the newest task of each supersede key that has not ended.
type keyTable struct {
	mu     sync.Mutex
	newest map[supersedeKey]*Task // guarded by mu
}

type supersedeKey struct {
	client uint64
	key    string
}

// take makes t the newest task of its key and returns the one that it supersedes, if any.
func (k *keyTable) take(t *Task) (old *Task) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.newest == nil {
		k.newest = make(map[supersedeKey]*Task)
	}
	id := supersedeKey{t.Client(), t.extra.key}
	old = k.newest[id]
	if t.state.Load() != done { // or its drop has been already
		k.newest[id] = t
	}
	return old
}

// drop forgets a task that has ended.
func (k *keyTable) drop(t *Task) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if id := (supersedeKey{t.Client(), t.extra.key}); k.newest[id] == t {
		delete(k.newest, id)
	}
}
