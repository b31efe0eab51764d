package epoch

import "testing"

// The model below is the protocol of the package comment as small steps over one plain state. The
// search visits every interleaving of the threads. Each broken variant must be caught: that shows
// that the search can see the mistake the real order prevents. fuzz/spin has the protocol once
// more.

const modelReaders = 2

type model struct {
	global  uint8
	slots   [modelReaders]uint8 // epoch that a scan sees, 0 outside
	buffer  [modelReaders]uint8 // a pin on its way to slots
	leaving [modelReaders]bool  // a leaving store on its way, behind buffer
	chained bool                // the last reader's slot is in the list
	remote  bool                // entering may do without a fence
	linked  bool                // readers can find the object
	stamp   uint8               // 0 = not retired
	freed   bool
	pc      [modelReaders + 3]uint8
	epoch   [modelReaders + 3]uint8 // what each thread loaded
	found   [modelReaders]bool
	fences  [2]bool // what each advancer knows of remote
	all     [2]bool // and of chained
}

// variant is what is modelled, and one deliberate mistake.
type variant struct {
	readers int  // 1 or 2
	plain   bool // readers enter by a plain store where remote is set, which happens at some moment
	late    bool // the last reader's slot is chained on before it is used

	stampFirst   bool // W2 before W1
	loadFirst    bool // R2 before R1
	oneEpoch     bool // free one epoch after the stamp
	skipScan     bool // advance without looking at the last slot
	blindAdvance bool // advance by a store instead of a compare-and-swap
	noFence      bool // the scan does without the fence
	fenceFirst   bool // the fence before the epoch is loaded
	flagFirst    bool // remote is loaded before the epoch
	listFirst    bool // the list is loaded before the epoch
}

const (
	writerThread   = modelReaders
	advancerThread = modelReaders + 1
	modelRounds    = 2
)

// drain moves what thread th has stored to where others see it.
func (m *model) drain(th int) {
	if m.buffer[th] != 0 {
		m.slots[th], m.buffer[th] = m.buffer[th], 0
	}
	if m.leaving[th] {
		m.slots[th], m.leaving[th] = 0, false
	}
}

// reader returns false when the reader has ended.
func (m *model) reader(th int, v variant) bool {
	pc := m.pc[th]
	m.pc[th]++
	enter, find := uint8(2), uint8(3)
	if v.loadFirst {
		enter, find = 3, 2
	}
	switch pc {
	case 0:
		if th == v.readers-1 {
			m.chained = true
		}
	case 1:
		m.epoch[th] = m.global
	case enter:
		m.buffer[th] = m.epoch[th]
		if !m.remote {
			m.drain(th)
		}
	case find:
		m.found[th] = m.linked
	case 4: // leave
		m.found[th] = false
		if m.leaving[th] = true; !v.plain {
			m.drain(th)
		}
	default:
		return false
	}
	return true
}

func (m *model) writer(v variant) bool {
	pc := m.pc[writerThread]
	m.pc[writerThread]++
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
		return false
	}
	return true
}

// advancer number a makes a few rounds of loading, scanning and advancing.
func (m *model) advancer(a int, v variant) bool {
	const steps = 7
	th := advancerThread + a
	pc := m.pc[th]
	round, step := pc/steps, pc%steps
	if round == modelRounds {
		return false
	}
	if step == 0 && !v.listFirst && !v.flagFirst && !v.fenceFirst {
		step = 1
	}
	if step == 2 && !v.plain {
		step = 3
	}
	m.pc[th] = round*steps + step + 1
	refused := func(r int) {
		if w := m.slots[r]; w != 0 && w != m.epoch[th] {
			m.pc[th] = (round + 1) * steps
		}
	}
	fence := func() {
		if m.fences[a] && !v.noFence {
			for r := range v.readers {
				m.drain(r)
			}
		}
	}
	switch step {
	case 0: // what must not come before the epoch is loaded
		if v.listFirst {
			m.all[a] = m.chained
		}
		if v.flagFirst {
			m.fences[a] = m.remote
		}
		if v.fenceFirst {
			m.fences[a] = m.remote
			fence()
		}
	case 1:
		m.epoch[th] = m.global
	case 2:
		if !v.flagFirst && !v.fenceFirst {
			m.fences[a] = m.remote
		}
	case 3:
		if !v.fenceFirst {
			fence()
		}
		if !v.listFirst {
			m.all[a] = m.chained
		}
	case 4:
		if v.readers > 1 {
			refused(0)
		}
	case 5:
		if (m.all[a] || !v.late) && !v.skipScan {
			refused(v.readers - 1)
		}
	case 6:
		if m.global == m.epoch[th] || v.blindAdvance {
			m.global = m.epoch[th] + 1
		}
	}
	return true
}

// step runs the next step of thread th. ok is false when the thread has ended or cannot move now.
func (m model) step(th int, v variant) (next model, ok bool) {
	const (
		buffers = advancerThread + 2
		flip    = buffers + modelReaders
	)
	switch {
	case th < modelReaders:
		ok = th < v.readers && m.reader(th, v)
	case th == writerThread:
		ok = m.writer(v)
	case th < buffers:
		ok = m.advancer(th-advancerThread, v)
	case th < flip:
		r := th - buffers
		ok = m.buffer[r] != 0 || m.leaving[r]
		if m.buffer[r] != 0 {
			m.slots[r], m.buffer[r] = m.buffer[r], 0
		} else {
			m.drain(r)
		}
	default:
		ok = v.plain && !m.remote
		m.remote = v.plain
	}
	wait := uint8(2)
	if v.oneEpoch {
		wait = 1
	}
	// The collector may run at any moment, so it is not a thread of its own: it frees at once.
	if m.stamp != 0 && m.pc[writerThread] == 2 && m.global >= m.stamp+wait {
		m.freed = true
	}
	return m, ok
}

const modelThreads = modelReaders + 3 + modelReaders + 1

func (m model) broken() bool {
	return m.freed && (m.found[0] || m.found[1])
}

// explore returns the number of states visited, and whether a broken one was met.
func explore(v variant) (states int, broken bool) {
	start := model{global: 5, linked: true}
	if !v.late {
		for r := range modelReaders {
			start.pc[r] = 1
		}
	}
	seen := map[model]struct{}{start: {}}
	work := []model{start}
	for len(work) > 0 {
		m := work[len(work)-1]
		work = work[:len(work)-1]
		if m.broken() {
			return len(seen), true
		}
		for th := range modelThreads {
			next, ok := m.step(th, v)
			if next.global < m.global {
				return len(seen), true // E0
			}
			if _, met := seen[next]; ok && !met {
				seen[next] = struct{}{}
				work = append(work, next)
			}
		}
	}
	return len(seen), false
}

func TestModel(t *testing.T) {
	for name, v := range map[string]variant{
		"two readers":                  {readers: 2},
		"one reader with plain stores": {readers: 1, plain: true},
		"a slot that joins late":       {readers: 1, late: true},
	} {
		t.Run(name, func(t *testing.T) {
			states, broken := explore(v)
			if broken {
				t.Fatal("the protocol frees what a reader holds")
			}
			t.Logf("%d states", states)
		})
	}
	for name, v := range map[string]variant{
		"stamp before unlink":            {readers: 2, stampFirst: true},
		"load before pin":                {readers: 2, loadFirst: true},
		"one epoch only":                 {readers: 2, oneEpoch: true},
		"scan misses a slot":             {readers: 2, skipScan: true},
		"advance without a CAS":          {readers: 2, blindAdvance: true},
		"plain pin without the fence":    {readers: 1, plain: true, noFence: true},
		"fence before the epoch":         {readers: 1, plain: true, fenceFirst: true},
		"flag before the epoch":          {readers: 1, plain: true, flagFirst: true},
		"list of slots before the epoch": {readers: 1, late: true, listFirst: true},
	} {
		t.Run(name, func(t *testing.T) {
			if _, broken := explore(v); !broken {
				t.Error("not caught")
			}
		})
	}
}
