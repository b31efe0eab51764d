package db

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// pinShards is how many counters a state has, so that readers on different cores seldom meet.
const pinShards = 4

// pins counts the snapshots of one state.
type pins struct {
	shards [pinShards]struct {
		n atomic.Int64
		_ [56]byte // keeps neighbours off this line
	}
}

// shard returns one of the counters. Which one depends on where the caller's stack lies: goroutines
// that run at the same time have different ones, and nothing cheaper tells them apart. Any counter
// is right.
func (p *pins) shard() *atomic.Int64 {
	var here byte
	at := uintptr(unsafe.Pointer(&here)) // a number: nobody follows it
	return &p.shards[(at>>11^at>>15)%pinShards].n
}

func (p *pins) count() (n int64) {
	for i := range p.shards {
		n += p.shards[i].n.Load()
	}
	return n
}

// A registry knows the states that may be read: those that snapshots hold, those kept as history,
// and the newest.
type registry struct {
	mu      sync.Mutex
	states  []*state // guarded by mu; generations ascend, the last is the newest
	history int      // immutable after begin
}

func (r *registry) begin(st *state, history int) {
	r.states, r.history = []*state{st}, max(history, 0)
}

// advance makes the last of news current, and adds the others to the history.
func (r *registry) advance(current *atomic.Pointer[state], news ...*state) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states = append(r.states, news...)
	current.Store(news[len(news)-1]) // before the counters are looked at; see Snapshot
	// So many states leave the history. The older ones are held, or forget has seen to them.
	for i, end := max(len(r.states)-1-r.history-len(news), 0), len(r.states)-1-r.history; i < end; {
		if r.states[i].pins.count() > 0 {
			i++
			continue
		}
		r.states = slices.Delete(r.states, i, i+1)
		end--
	}
}

// forget takes a state whose last snapshot went out of the list, unless it is kept for another
// reason.
func (r *registry) forget(st *state) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, found := r.find(st.gen)
	if found && r.states[i] == st && i < len(r.states)-1-r.history && st.pins.count() == 0 {
		r.states = slices.Delete(r.states, i, i+1)
	}
}

// find is called with mu held.
func (r *registry) find(gen uint64) (int, bool) {
	return slices.BinarySearchFunc(r.states, gen, func(s *state, gen uint64) int { return cmp.Compare(s.gen, gen) })
}

// pin registers a snapshot of a past generation.
func (r *registry) pin(gen uint64) (*state, *atomic.Int64, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, found := r.find(gen)
	if !found {
		return nil, nil, false
	}
	st := r.states[i]
	n := st.pins.shard()
	n.Add(1) // forget and advance look at it with mu held
	return st, n, true
}

// all returns the states that may be read.
func (r *registry) all() []*state {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.states)
}

// oldest returns the generation of the oldest state that is held, or kept as history; newest if
// there is none.
func (r *registry) oldest(newest uint64) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, st := range r.states {
		if st.gen >= newest {
			break
		}
		if i >= len(r.states)-1-r.history || st.pins.count() > 0 {
			return st.gen
		}
	}
	return newest
}

// cut forgets all states but the newest and those that are held.
func (r *registry) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	newest := r.states[len(r.states)-1]
	r.states = slices.DeleteFunc(r.states, func(st *state) bool { return st != newest && st.pins.count() == 0 })
}
