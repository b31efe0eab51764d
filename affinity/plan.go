package affinity

import (
	"cmp"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// A Mode says whether workers are bound to processors.
type Mode uint8

const (
	Auto Mode = iota // if the process may use autoMin processors or more
	On               // always
	Off              // never
)

// autoMin is how many processors Auto asks for. With fewer, binding gained nothing that could be
// measured, and keeps the kernel from moving a worker off a processor that somebody else uses.
const autoMin = 4

func (m Mode) String() string {
	switch m {
	case Auto:
		return "auto"
	case On:
		return "on"
	case Off:
		return "off"
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// MarshalText implements encoding.TextMarshaler.
func (m Mode) MarshalText() ([]byte, error) {
	if m > Off {
		return nil, fmt.Errorf("affinity: no such mode: %d", uint8(m))
	}
	return []byte(m.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler: auto, on or off, in any case.
func (m *Mode) UnmarshalText(text []byte) error {
	for _, mode := range []Mode{Auto, On, Off} {
		if strings.EqualFold(string(text), mode.String()) {
			*m = mode
			return nil
		}
	}
	return fmt.Errorf("affinity: no such mode: %q is not auto, on or off", text)
}

// A Machine is what a process may use of the computer that it runs on.
type Machine struct {
	Topology Topology
	Allowed  Mask    // processors that the process was given; only those that are also online count
	Quota    float64 // processor time in processors, +Inf without a limit
}

// Usable returns the number of processors that the process can keep busy: those that are online and
// allowed, or the quota, rounded up, if that is less. It is at least 1.
func (m Machine) Usable() int {
	n := float64(m.Topology.Online().And(m.Allowed).Count())
	if m.Quota > 0 { // also leaves out NaN
		n = min(n, math.Ceil(m.Quota))
	}
	return max(int(n), 1)
}

// usable is the answer of [Usable].
var usable = sync.OnceValue(func() int {
	m, err := ReadMachine()
	if err != nil {
		return runtime.NumCPU()
	}
	return min(m.Usable(), runtime.NumCPU())
})

// Usable returns how many processors this process can keep busy, by its mask and its quota; where
// the machine cannot be read, by what Go knows of it. It is read once.
func Usable() int { return usable() }

// Unbound stands for "no processor in particular" in a plan.
const Unbound = -1

// Plan returns the processor for each worker, or Unbound: for all of them if the mode says so, and
// for those that are more than there are processors to give. No two workers get the same processor,
// and none gets one that the process was not given.
//
// Workers fill one NUMA node after the other, the largest first, and within a node one last-level
// cache after the other, so that the few workers of a small pool share what they can. Fast cores
// come before thrifty ones. A second thread of a core comes only when every core has one.
func Plan(m Machine, mode Mode, workers int) []int {
	plan := make([]int, max(workers, 0))
	for w := range plan {
		plan[w] = Unbound
	}
	if mode == Off || mode == Auto && m.Usable() < autoMin {
		return plan
	}
	for i, c := range m.order() {
		if i == len(plan) {
			break
		}
		plan[i] = c.ID
	}
	return plan
}

// order returns the processors of the process in the order in which workers take them.
func (m Machine) order() []CPU {
	nodeSize, sibling := map[int]int{}, map[int]int{} // by node; by processor: its place among its core's
	coreSize := map[int]int{}
	var cpus []CPU
	for _, c := range m.Topology.CPUs {
		if m.Allowed.Has(c.ID) {
			cpus = append(cpus, c)
			nodeSize[c.Node]++
			sibling[c.ID] = coreSize[c.Core]
			coreSize[c.Core]++
		}
	}
	slices.SortFunc(cpus, func(a, b CPU) int {
		return cmp.Or(
			cmp.Compare(sibling[a.ID], sibling[b.ID]),
			cmp.Compare(a.Class, b.Class),
			cmp.Compare(nodeSize[b.Node], nodeSize[a.Node]),
			cmp.Compare(a.Node, b.Node),
			cmp.Compare(a.Cache, b.Cache),
			cmp.Compare(a.ID, b.ID),
		)
	})
	return cpus
}
