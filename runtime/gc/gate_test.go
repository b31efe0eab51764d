package gc

import "testing"

// A cycle takes its roots once every session from before it has ended, and does not wait for later ones.
func TestGateDrains(t *testing.T) {
	var g gate
	for cycle := range 3 {
		before := g.enter()
		g.turn()
		after := g.enter()
		if g.drained() {
			t.Fatalf("cycle %d: drained while a session from before is open", cycle)
		}
		g.leave(before)
		if !g.drained() {
			t.Fatalf("cycle %d: waits for a session that began later", cycle)
		}
		g.leave(after)
	}
}

// A session that is open when a cycle begins holds off the roots: what it puts and refers to afterwards is among them.
func TestStepWaitsForOpenSessions(t *testing.T) {
	c := &Collector{}
	end := c.Session()
	c.gate.turn()
	if c.gate.drained() {
		t.Error("the gate is drained while the session is open")
	}
	end()
	if !c.gate.drained() {
		t.Error("the gate is not drained after the session has ended")
	}
}
