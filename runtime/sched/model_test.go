package sched

import "testing"

// The model is the protocol of a task's states (see the package comment) as small steps: one task
// that waits twice, for two conditions, two wakers that make one condition true each, and the
// worker that resumes. The search visits every interleaving. It must never end with the task
// waiting, and each broken variant must end so.
type model struct {
	state  uint32
	cond   [2]bool
	inList int  // entries of the task in the resume list (S4)
	parked bool // its coroutine has yielded
	pc     [4]uint8
	seen   [4]uint32 // the state that a waker has loaded
}

type variant struct {
	forgets    bool // a waker that finds the task running leaves nothing behind
	looksLate  bool // the waker wakes before it makes the condition true
	resumesRaw bool // the task looks at its condition before it becomes running again
	storesPark bool // waiting is stored instead of moved to
}

const (
	thTask = iota
	thWaker0
	thWaker1
	thWorker
)

// Steps of the task: for each condition look, then park (or go on); then the end.
const (
	tLook = iota
	tPark
	tYield
	tResumed
	tPhase // added for the second condition
)

func (m model) step(th int, v variant) (model, bool) {
	switch th {
	case thTask:
		return m.task(v)
	case thWorker:
		// Takes the list when the coroutine has yielded, as both are on one thread, and lets the
		// task go on.
		if m.inList == 0 || !m.parked {
			return m, false
		}
		m.inList--
		m.parked = false
		return m, true
	default:
		return m.waker(th, v)
	}
}

func (m model) task(v variant) (model, bool) {
	phase := m.pc[thTask] / tPhase
	if phase == 2 {
		return m, false
	}
	next := func(s uint8) { m.pc[thTask] = phase*tPhase + s }
	switch m.pc[thTask] % tPhase {
	case tLook:
		if m.cond[phase] {
			m.pc[thTask] = (phase + 1) * tPhase
		} else {
			next(tPark)
		}
	case tPark:
		switch {
		case v.storesPark || m.state == running:
			m.state = waiting
			next(tYield)
		default: // woken
			m.state = running
			next(tLook)
		}
	case tYield:
		m.parked = true
		next(tResumed)
	case tResumed:
		if m.parked {
			return m, false
		}
		if v.resumesRaw && !m.cond[phase] && m.seen[thTask] == 0 {
			m.seen[thTask] = 1 // it has looked, and only then:
			return m, true
		}
		m.state = running
		if v.resumesRaw && m.seen[thTask] == 1 {
			m.seen[thTask] = 0
			next(tPark)
		} else {
			next(tLook)
		}
	}
	return m, true
}

func (m model) waker(th int, v variant) (model, bool) {
	set, wake := uint8(0), uint8(1)
	if v.looksLate {
		set, wake = 3, 0
	}
	pc := m.pc[th]
	switch {
	case pc == set:
		m.cond[th-thWaker0] = true
		m.pc[th]++
	case pc == wake: // load
		m.seen[th] = m.state
		m.pc[th]++
	case pc == wake+1: // compare and swap on what was loaded
		m.pc[th]++
		switch m.seen[th] {
		case running:
			if v.forgets {
				break
			}
			if m.state == running {
				m.state = woken
			} else {
				m.pc[th] = wake
			}
		case waiting:
			if m.state == waiting {
				m.state = resuming
				m.inList++
			} else {
				m.pc[th] = wake
			}
		}
	default:
		return m, false
	}
	return m, true
}

// explore returns the number of states, and whether the task can get stuck or into two lists.
func explore(v variant) (states int, broken bool) {
	start := model{state: running}
	seen := map[model]bool{start: true}
	work := []model{start}
	for len(work) > 0 {
		m := work[len(work)-1]
		work = work[:len(work)-1]
		moved := false
		for th := range m.pc {
			next, ok := m.step(th, v)
			if !ok {
				continue
			}
			moved = true
			if !seen[next] {
				seen[next] = true
				work = append(work, next)
			}
		}
		if m.inList > 1 || !moved && m.pc[thTask] != 2*tPhase {
			return len(seen), true
		}
	}
	return len(seen), false
}

func TestModel(t *testing.T) {
	states, broken := explore(variant{})
	if broken {
		t.Fatal("a wake can be lost")
	}
	t.Logf("%d states", states)
	for name, v := range map[string]variant{
		"wake forgotten while running":    {forgets: true},
		"wake before the condition":       {looksLate: true},
		"look before running again":       {resumesRaw: true},
		"store instead of a move to wait": {storesPark: true},
	} {
		if _, broken := explore(v); !broken {
			t.Errorf("%s: not caught", name)
		}
	}
}
