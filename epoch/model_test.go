package epoch

import "testing"

// The model below is the protocol of the package comment as small steps over one plain state. The
// search visits every interleaving of the threads. Each broken variant must be caught: that shows
// that the search can see the mistake the real order prevents.

type model struct {
	global uint64
	slots  [2]uint64
	linked bool   // readers can find the object
	stamp  uint64 // 0 = not retired
	freed  bool
	pc     [5]uint8
	local  [5]uint64
	found  [2]bool
}

// variant selects one deliberate mistake.
type variant struct {
	stampFirst   bool // W2 before W1
	loadFirst    bool // E2 before E1
	oneEpoch     bool // free one epoch after the stamp
	skipScan     bool // advance without looking at the second slot
	blindAdvance bool // advance by a store instead of a compare-and-swap
}

// step runs the next step of thread th. ok is false when the thread has ended or cannot move now.
func (m model) step(th int, v variant) (next model, ok bool) {
	pc := m.pc[th]
	m.pc[th]++
	switch th {
	case 0, 1: // readers
		enter, find := uint8(1), uint8(2)
		if v.loadFirst {
			enter, find = 2, 1
		}
		switch pc {
		case 0:
			m.local[th] = m.global
		case enter:
			m.slots[th] = inside(m.local[th])
		case find:
			m.found[th] = m.linked
		case 3: // leave
			m.found[th] = false
			m.slots[th] = 0
		default:
			return m, false
		}
	case 2: // writer
		unlink, stamp := uint8(0), uint8(1)
		if v.stampFirst {
			unlink, stamp = 1, 0
		}
		switch pc {
		case unlink:
			m.linked = false
		case stamp:
			m.stamp = m.global
		default:
			return m, false
		}
	case 3, 4: // advancers: two rounds each, the first one also collects
		switch pc % 4 {
		case 0:
			if pc == 8 {
				return m, false
			}
			m.local[th] = m.global
		case 1, 2:
			w := m.slots[pc%4-1]
			if w != 0 && w != inside(m.local[th]) && (!v.skipScan || pc%4 == 1) {
				m.pc[th] = pc/4*4 + 4 // refused: next round
			}
		case 3:
			if m.global == m.local[th] || v.blindAdvance {
				m.global = m.local[th] + 1
			}
		}
	}
	wait := uint64(2)
	if v.oneEpoch {
		wait = 1
	}
	// The collector may run at any moment, so it is not a thread of its own: it frees at once.
	if m.stamp != 0 && m.pc[2] == 2 && m.global >= m.stamp+wait {
		m.freed = true
	}
	return m, true
}

func (m model) broken() bool { return m.freed && (m.found[0] || m.found[1]) }

// explore returns the number of states visited, and whether a broken one was met.
func explore(v variant) (states int, broken bool) {
	start := model{global: 5, linked: true}
	seen := map[model]bool{start: true}
	work := []model{start}
	for len(work) > 0 {
		m := work[len(work)-1]
		work = work[:len(work)-1]
		if m.broken() {
			return len(seen), true
		}
		for th := range m.pc {
			next, ok := m.step(th, v)
			if next.global < m.global {
				return len(seen), true // E0
			}
			if ok && !seen[next] {
				seen[next] = true
				work = append(work, next)
			}
		}
	}
	return len(seen), false
}

func TestModel(t *testing.T) {
	states, broken := explore(variant{})
	if broken {
		t.Fatal("the protocol frees what a reader holds")
	}
	t.Logf("%d states", states)
	for name, v := range map[string]variant{
		"stamp before unlink":   {stampFirst: true},
		"load before pin":       {loadFirst: true},
		"one epoch only":        {oneEpoch: true},
		"scan misses a slot":    {skipScan: true},
		"advance without a CAS": {blindAdvance: true},
	} {
		if _, broken := explore(v); !broken {
			t.Errorf("%s: not caught", name)
		}
	}
}
