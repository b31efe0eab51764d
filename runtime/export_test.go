package runtime

import "github.com/cytisus/cytisus/runtime/sched"

// Simulated makes an engine's workers a simulation, which Simulate moves.
func Simulated(o Options, d *sched.Deterministic) Options {
	o.simulated = d
	return o
}

// Simulate lets the workers of a simulated engine go on until nothing can move.
func (e *Engine) Simulate() { e.sched.Simulate(nil) }

// Choices tells runs of simulated engines apart.
func (e *Engine) Choices() (n int, digest uint64) { return e.sched.Choices() }
