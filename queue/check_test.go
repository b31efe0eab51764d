//go:build check

package queue

import (
	"strings"
	"testing"
	"time"
)

// TestCheckSoleUse: check builds name whoever breaks an ownership rule.
func TestCheckSoleUse(t *testing.T) {
	m, s, p := NewMPMC[int](2), NewSPSC[int](2), new(Parker)
	m.only.enter("")
	s.pushing.enter("")
	s.popping.enter("")
	p.core.only.enter("")
	for name, f := range map[string]func(){
		"TryPopSC":     func() { m.TryPopSC() },
		"SPSC.TryPush": func() { s.TryPush(1) },
		"SPSC.PushN":   func() { s.PushN([]int{1}) },
		"SPSC.TryPop":  func() { s.TryPop() },
		"SPSC.PopN":    func() { s.PopN(make([]int, 1)) },
		"Parker.Park":  func() { p.Park(0, time.Now()) },
	} {
		func() {
			defer func() {
				if msg, _ := recover().(string); !strings.Contains(msg, name) {
					t.Errorf("%s used twice at once: %q", name, msg)
				}
			}()
			f()
		}()
	}
}
