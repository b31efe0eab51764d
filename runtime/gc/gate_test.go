package gc

import "testing"

// A cycle takes its roots once every session from before it has ended, and does not wait for later
// ones.
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

// A session that is open when a cycle begins holds off the roots: what it puts and refers to
// afterwards is among them.
func TestStepWaitsForOpenSessions(t *testing.T) {
	c := &Collector{}
	c.leave = c.gate.leavers()
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

// A session that enters while a turn is made is counted in a phase that is still waited for: either
// by that turn, if it is not over yet, or by the next one.
func TestGateCountsWhoEntersDuringATurn(t *testing.T) {
	for _, place := range []string{"looked", "counted"} {
		var g gate
		g.at = func(at string) {
			if at == place {
				g.at = nil
				g.turn()
				if at == "looked" && !g.drained() {
					t.Fatal("a turn waits for a session that has not entered")
				}
			}
		}
		p := g.enter()
		g.turn() // the next cycle
		if g.drained() {
			t.Errorf("a session that entered while a cycle began (%s) is not waited for by the next one", place)
		}
		g.leave(p)
		if !g.drained() {
			t.Errorf("the session has left (%s) and is waited for", place)
		}
	}
}
