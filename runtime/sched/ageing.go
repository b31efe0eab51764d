package sched

import (
	"math/bits"
	"sync/atomic"

	"github.com/cytisus/cytisus/runtime/lane"
)

// rpcBase is the index of the first of the four RPC lanes, which are renamed as time goes by.
var rpcBase = lane.RPC0.Index()

const (
	rpcMask  = uint32(lane.RPC0to3)
	aboveRPC = uint32(lane.RPC0) - 1
	belowRPC = uint32(lane.All) &^ (aboveRPC | rpcMask)
)

// An ageing says which ring serves which RPC lane; see "Order" in the package comment.
type ageing struct {
	rotation atomic.Uint32 // ring (n+rotation)%4 serves RPC lane n
	agedAt   atomic.Int64  // when the last age step was made, or requests began to wait; ns
	overdue  atomic.Bool   // the next pick goes to the lowest RPC lane
}

// ring returns the ring that serves lane i now.
func (p *Pool) ring(i int) int {
	if n := i - rpcBase; n >= 0 && n < lane.RPCs {
		return rpcBase + (n+int(p.ages.rotation.Load()%lane.RPCs))%lane.RPCs
	}
	return i
}

// occupied returns the lanes that may hold tasks.
func (p *Pool) occupied() uint32 {
	rings := p.lanes.Occupied()
	if rings&rpcMask == 0 {
		return rings
	}
	lanes := rings &^ rpcMask
	for i := rpcBase; i < rpcBase+lane.RPCs; i++ {
		if rings&(1<<p.ring(i)) != 0 {
			lanes |= 1 << i
		}
	}
	return lanes
}

// queued reports whether some lane holds a task. A bit of the occupancy word alone would not do: it
// stays set when the last task is popped, and would wake one worker too many after every single
// submit.
func (p *Pool) queued() bool {
	for rings := p.lanes.Occupied(); rings != 0; rings &= rings - 1 {
		if p.lanes.Len(bits.TrailingZeros32(rings)) > 0 {
			return true
		}
	}
	return false
}

// popHighest removes the oldest live task of the most urgent occupied lane of the mask.
func (w *worker) popHighest(mask uint32) *Task {
	p := w.pool
	rings := p.lanes.Occupied()
	if rings&rpcMask == 0 || p.ages.rotation.Load()%lane.RPCs == 0 && rings&mask&rpcMask&^(1<<rpcBase) == 0 {
		return w.popRings(mask) // no request, or none that could age: rings and lanes are the same
	}
	if t := w.popRings(mask & aboveRPC); t != nil {
		return t
	}
	p.age(rings)
	for m := mask & rpcMask; m != 0; m &= m - 1 {
		if t := w.popRings(1 << p.ring(bits.TrailingZeros32(m))); t != nil {
			return t
		}
	}
	return w.popRings(mask & belowRPC)
}

// popRings removes tasks from the rings of the mask until one has not been cancelled meanwhile.
func (w *worker) popRings(mask uint32) *Task {
	for {
		j, _, ok := w.pool.lanes.Pop(mask)
		if !ok {
			return nil
		}
		if t := w.take(&j); t.state.Load() != done {
			return t
		}
	}
}

// pushedRPC comes before a push to an RPC lane: it lets what waits there age first, so that it
// stands before the newcomer even if no pick has happened for long.
func (p *Pool) pushedRPC() {
	if rings := p.lanes.Occupied(); rings&rpcMask == 0 {
		p.ages.agedAt.Store(int64(p.now()))
	} else {
		p.age(rings)
	}
}

// age makes the age steps that are due. Requests wait in some of the rings.
func (p *Pool) age(rings uint32) {
	a := &p.ages
	now, last := int64(p.now()), a.agedAt.Load()
	if now-last < p.ageStep || !a.agedAt.CompareAndSwap(last, now) {
		return
	}
	for range min((now-last)/p.ageStep, lane.RPCs-1) {
		top := uint32(1) << p.ring(rpcBase)
		if rings&top != 0 {
			if rings&rpcMask&^top != 0 {
				a.overdue.Store(true)
			}
			return
		}
		a.rotation.Add(1) // the ring that was RPC 0 is empty and becomes RPC 3
	}
}

// popOverdue removes a task of the lowest occupied RPC lane if an age step asked for it.
func (w *worker) popOverdue() *Task {
	p, a := w.pool, &w.pool.ages
	if !a.overdue.Load() || !a.overdue.CompareAndSwap(true, false) {
		return nil
	}
	for i := rpcBase + lane.RPCs - 1; i >= rpcBase; i-- {
		if t := w.popRings(1 << p.ring(i)); t != nil {
			return t
		}
	}
	return nil
}
