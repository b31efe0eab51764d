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

// TestCheckPopBesideSingleConsumer: check builds notice also those pops that other methods make
// while TryPopSC is at work.
func TestCheckPopBesideSingleConsumer(t *testing.T) {
	for name, pop := range map[string]func(*MPMC[int]){
		"TryPop": func(m *MPMC[int]) { m.TryPop() },
		"PopN":   func(m *MPMC[int]) { m.PopN(make([]int, 1)) },
	} {
		m := NewMPMC[int](2)
		m.TryPush(1)
		func() {
			defer func() {
				if msg, _ := recover().(string); !strings.Contains(msg, "TryPopSC is used beside another pop") {
					t.Errorf("%s during TryPopSC: %q", name, msg)
				}
			}()
			m.PopSCSlowly(func() { pop(m) })
		}()
	}
}
