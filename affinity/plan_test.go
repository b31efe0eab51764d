package affinity

import (
	"encoding"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestPlanProperties checks every promise of Plan on machines of all shapes.
func TestPlanProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m Machine
		threads := rapid.IntRange(1, 3).Draw(t, "threads")
		for id := range rapid.IntRange(1, 40).Draw(t, "cpus") {
			core := id - id%threads
			node := rapid.IntRange(0, 2).Draw(t, "node")
			class := Class(rapid.IntRange(0, 1).Draw(t, "class"))
			if core != id { // a core is all of one kind, in one place
				first := m.Topology.CPUs[slices.IndexFunc(m.Topology.CPUs, func(c CPU) bool { return c.ID == core })]
				node, class = first.Node, first.Class
			}
			m.Topology.CPUs = append(m.Topology.CPUs, CPU{ID: id, Core: core, Cache: core / 8 * 8, Node: node, Class: class})
		}
		m.Allowed = MaskOf(rapid.SliceOf(rapid.IntRange(0, 45)).Draw(t, "allowed")...)
		m.Quota = rapid.SampledFrom([]float64{math.Inf(1), 0.5, 1.5, 4, 0, math.NaN()}).Draw(t, "quota")
		mode := Mode(rapid.IntRange(0, 2).Draw(t, "mode"))
		workers := rapid.IntRange(-1, 60).Draw(t, "workers")

		plan := Plan(m, mode, workers)
		if len(plan) != max(workers, 0) {
			t.Fatalf("%d places for %d workers", len(plan), workers)
		}
		ours := m.Topology.Online().And(m.Allowed)
		bound, second := 0, false
		var taken Mask
		cores := map[int]bool{}
		for w, cpu := range plan {
			if cpu == Unbound {
				continue
			}
			if w != bound {
				t.Fatalf("worker %d is bound after one that is not", w)
			}
			bound++
			if !ours.Has(cpu) {
				t.Fatalf("processor %d is not ours", cpu)
			}
			if taken.Has(cpu) {
				t.Fatalf("processor %d given twice", cpu)
			}
			taken.add(cpu)
			core := cpu - cpu%threads
			if second && !cores[core] {
				t.Fatalf("core %d gets its first worker after another core has got its second", core)
			}
			second = second || cores[core]
			cores[core] = true
		}
		want := min(len(plan), ours.Count())
		if mode == Off || mode == Auto && m.Usable() < 4 {
			want = 0
		}
		if bound != want {
			t.Fatalf("%d bound, want %d of %d workers on %d processors, mode %v, usable %d", bound, want, workers, ours.Count(), mode, m.Usable())
		}
	})
}

func TestUsable(t *testing.T) {
	four := Flat(MaskOf(0, 1, 2, 3))
	for _, c := range []struct {
		m    Machine
		want int
	}{
		{Machine{}, 1},
		{Machine{Topology: four}, 1},
		{Machine{Topology: four, Allowed: MaskOf(1, 2, 9), Quota: math.Inf(1)}, 2},
		{Machine{Topology: four, Allowed: MaskOf(0, 1, 2, 3), Quota: 1.2}, 2},
		{Machine{Topology: four, Allowed: MaskOf(0, 1, 2, 3), Quota: 0.1}, 1},
		{Machine{Topology: four, Allowed: MaskOf(0, 1, 2, 3), Quota: math.NaN()}, 4},
	} {
		if got := c.m.Usable(); got != c.want {
			t.Errorf("%v of %v with quota %v: Usable = %d, want %d", c.m.Allowed, c.m.Topology.Online(), c.m.Quota, got, c.want)
		}
	}
}

func TestModeText(t *testing.T) {
	var _ encoding.TextUnmarshaler = new(Mode)
	for _, m := range []Mode{Auto, On, Off} {
		text, err := m.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		back := Mode(77)
		if err := back.UnmarshalText(text); err != nil || back != m {
			t.Errorf("%s became %v, %v", text, back, err)
		}
	}
	var m Mode
	if err := m.UnmarshalText([]byte("OFF")); err != nil || m != Off {
		t.Errorf("OFF: %v, %v", m, err)
	}
	if err := m.UnmarshalText([]byte("maybe")); err == nil || m != Off {
		t.Errorf("maybe: %v, %v", m, err)
	}
	if _, err := Mode(9).MarshalText(); err == nil || Mode(9).String() != "Mode(9)" {
		t.Errorf("Mode(9): %v, %v", Mode(9), err)
	}
}
