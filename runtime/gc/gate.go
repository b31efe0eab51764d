package gc

import "sync/atomic"

// A gate counts the open sessions of the current and the previous phase. Sessions enter the phase
// that is current when they begin; turn starts a new phase, and the old one is drained when its
// count is zero.
type gate struct {
	phase atomic.Uint32
	open  [2]atomic.Int64

	at func(place string) // tests interleave here; nil in the product
}

func (g *gate) reached(place string) {
	if g.at != nil {
		g.at(place)
	}
}

// enter opens a session and returns what to pass to leave.
func (g *gate) enter() uint32 {
	for {
		p := g.phase.Load()
		g.reached("looked")
		g.open[p&1].Add(1)
		g.reached("counted")
		if g.phase.Load() == p {
			return p
		}
		g.open[p&1].Add(-1) // turned in between: this count may already be under watch
	}
}

func (g *gate) leave(p uint32) { g.open[p&1].Add(-1) }

// leavers returns what leaves an even and an odd phase.
func (g *gate) leavers() [2]func() {
	return [2]func(){func() { g.leave(0) }, func() { g.leave(1) }}
}

// turn starts a new phase. The phase before the current one must be drained.
func (g *gate) turn() { g.phase.Add(1) }

// drained reports whether every session of the previous phase has ended.
func (g *gate) drained() bool { return g.open[(g.phase.Load()+1)&1].Load() == 0 }
