package runtime

import (
	"slices"
	"sync"

	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/sched"
)

// A gate is where tasks of background lanes begin; see "Limits", M4 and M5.
type gate struct {
	mu      sync.Mutex
	width   int           // immutable: how many are let in while the limit is far; 0: any number
	narrow  bool          // guarded by mu: no more than one is let in
	inside  int           // guarded by mu: that were let in and have not left
	waiting []*gateTicket // guarded by mu: in the order they came
	refusal *LimitError   // guarded by mu: what those who wait are told; nil: they wait
}

type gateTicket struct {
	let sched.Event
	in  bool // guarded by gate.mu
}

// waitsAtGate reports whether tasks of a lane are background: what nobody waits for by the second.
func waitsAtGate(l lane.Lane) bool { return !l.Above(lane.Default) }

// enter waits until the task may begin. The caller leaves if it returns nil.
func (g *gate) enter(t *sched.Task) error {
	g.mu.Lock()
	if g.room() && g.refusal == nil {
		g.inside++
		g.mu.Unlock()
		return nil
	}
	if err := g.refusal; err != nil {
		g.mu.Unlock()
		return err
	}
	ticket := &gateTicket{}
	g.waiting = append(g.waiting, ticket)
	g.mu.Unlock()
	err := t.AwaitReason(&ticket.let, sched.Reason{What: "memory: the limit is near"})
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case ticket.in && err == nil:
		return nil
	case ticket.in: // cancelled in the same moment
		g.leaveLocked()
	default:
		g.waiting = slices.DeleteFunc(g.waiting, func(o *gateTicket) bool { return o == ticket })
	}
	if err == nil {
		err = g.refusal
		if g.refusal == nil {
			err = errRefused // the refusal was taken back since
		}
	}
	return err
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leaveLocked()
}

func (g *gate) leaveLocked() {
	g.inside--
	g.letIn()
}

// letIn lets in who may come. The caller holds mu.
func (g *gate) letIn() {
	for len(g.waiting) > 0 && g.room() {
		next := g.waiting[0]
		g.waiting = g.waiting[1:]
		g.inside++
		next.in = true
		next.let.Fire()
	}
}

// room reports whether one more may be let in. The caller holds mu.
func (g *gate) room() bool {
	switch {
	case g.narrow:
		return g.inside == 0
	case g.width > 0:
		return g.inside < g.width
	}
	return true
}

// set makes the gate narrow or wide.
func (g *gate) set(narrow bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.narrow = narrow
	if !narrow {
		g.refusal = nil
	}
	g.letIn()
}

// refuse has those who wait fail, and those who come while the gate is narrow.
func (g *gate) refuse(err *LimitError) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refusal = err
	for _, ticket := range g.waiting {
		ticket.let.Fire()
	}
	g.waiting = nil
}

// busy reports whether a task is inside that may yet leave.
func (g *gate) busy() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inside > 0
}
