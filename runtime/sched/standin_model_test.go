package sched

import "testing"

// The stand-in model is G1 to G3, H1 to H4 and B1 to B3 of "Stand-ins", and K1 to K3 of
// "Stretches", as small steps: a task that calls the scheduler some times and then waits, the
// lookout, which tries once or twice to have a stand-in come, and that thread, which uses the
// worker and gives it back, or resumes the task when it is handed over. The task's stores of user
// lie in a buffer until the processor sees to them, as on amd64. The search visits every
// interleaving. Never must two threads be in the worker, or the task go on on two, or in a siding
// that is free; and it must end.
type standInModel struct {
	// Memory.
	user   uint8
	claim  bool
	locked bool
	aside  bool // l.w is the siding
	home   bool // the task is in its worker's list of those that go on
	comes  bool // the stand-in has been started

	task    uint8 // its place: see the constants
	calls   uint8 // calls of the scheduler made
	pending uint8 // stores of user in the buffer
	mine    bool  // of the task: it goes on in the siding; read in G3
	early   bool  // of the task, in a variant: mine as read before G2
	inW     [3]bool

	look  uint8 // the lookout's place
	tries uint8
	seen  uint8

	stand  uint8 // the stand-in's place
	parked bool  // the task's coroutine has been switched away from
	twice  bool  // the task has been resumed while it was running
}

type standInVariant struct {
	locked      bool // G1 is a locked instruction (not an error without fence)
	noFence     bool // no H2
	looksFirst  bool // H3 comes before H1
	looksNever  bool // no H3
	heedless    bool // no G2
	impatient   bool // G2 does not wait
	pointerOnce bool // G3 comes before G2
	homeEarly   bool // B2 comes before B1
	backFreely  bool // K1 takes no mutex
	backBlindly bool // no K2
	backLate    bool // K3 clears the claim before it sets the worker
}

// Those who may be in the worker.
const (
	byTask = iota
	byLookout
	byStandIn
)

// Places of the task: its own code; the steps of a call; the way home.
const (
	ownCode = iota
	tClaim
	tWait
	tPointer
	tUse
	tLeave
	tAway   // B1: it gives its thread up
	tHand   // B2, B3: that thread hands it over
	tGone   // until its worker resumes it
	tFinish // it has gone on at its worker
)

const standInCalls = 2

func (m standInModel) steps(v standInVariant) (next []standInModel) {
	add := func(f func(*standInModel) bool) {
		n := m
		if f(&n) {
			next = append(next, n)
		}
	}
	add(func(n *standInModel) bool { // the processor
		if n.pending == 0 {
			return false
		}
		n.pending--
		n.user++
		return true
	})
	add(func(n *standInModel) bool { return n.stepTask(v) })
	add(func(n *standInModel) bool { return n.stepLookout(v) })
	add(func(n *standInModel) bool { return n.stepStandIn() })
	add(func(n *standInModel) bool { return n.stepBack(v) })
	return next
}

func (m *standInModel) stepTask(v standInVariant) bool {
	switch m.task {
	case ownCode: // G1
		if m.early = m.aside; v.locked {
			m.user += m.pending + 1
			m.pending = 0
		} else {
			m.pending++
		}
		m.task = tClaim
	case tClaim: // G2
		if m.task = tPointer; m.claim && !v.heedless && !v.impatient {
			m.task = tWait
		}
	case tWait:
		if m.locked {
			return false
		}
		m.user += m.pending // as the mutex is taken
		m.pending = 0
		m.task = tPointer
	case tPointer: // G3
		if m.mine = m.aside; v.pointerOnce {
			m.mine = m.early
		}
		m.calls++
		if m.task = tUse; m.mine && m.calls > standInCalls {
			m.task = tAway
		}
	case tUse:
		m.inW[byTask] = !m.mine
		m.task = tLeave
	case tLeave:
		m.inW[byTask] = false
		m.pending++
		if m.task = ownCode; m.calls > standInCalls {
			m.task = tFinish // it waits at its worker as any other
		}
	case tAway:
		m.goHome(v.homeEarly)
		m.task = tHand
	case tHand:
		m.goHome(!v.homeEarly)
		m.task = tGone
	default:
		return false
	}
	return true
}

// goHome is one half of the way home: the worker is told, or the coroutine is switched away from.
func (m *standInModel) goHome(tell bool) {
	if !tell {
		m.parked = true
		return
	}
	m.aside, m.claim, m.home = false, false, true
}

func (m *standInModel) stepLookout(v standInVariant) bool {
	switch m.look {
	case 0: // a look that finds the task's own code
		if m.tries == 2 || m.user%2 == 0 || m.aside {
			return false
		}
		m.tries++
		m.seen, m.locked, m.look = m.user, true, 1
		if v.looksFirst {
			m.look = 4
		}
	case 1: // H1
		m.claim, m.look = true, 2
		if v.looksFirst {
			m.look = 3
		}
	case 2: // H2
		if !v.noFence {
			m.user += m.pending
			m.pending = 0
		}
		m.look = 4
	case 4: // H3
		switch {
		case m.user != m.seen && !v.looksNever:
			m.claim, m.locked, m.look = false, false, 0
		case v.looksFirst:
			m.look = 1
		default:
			m.look = 3
		}
	case 3: // H4: first it looks what waits there
		m.inW[byLookout] = true
		m.look = 5
	case 5:
		m.inW[byLookout] = false
		m.aside, m.comes, m.look = true, true, 6
	case 6:
		m.locked, m.look = false, 7
	default:
		return false
	}
	return true
}

func (m *standInModel) stepStandIn() bool {
	switch m.stand {
	case 0:
		if !m.comes {
			return false
		}
		m.inW[byStandIn], m.stand = true, 1
	case 1:
		m.inW[byStandIn], m.stand = false, 2
	case 2, kStays: // it resumes who is in the list
		if !m.home {
			return false
		}
		m.twice = !m.parked
		m.home, m.stand, m.task = false, 3, tFinish
	default:
		return false
	}
	return true
}

// Places of the stand-in that gives the worker back.
const (
	kLook = iota + 4
	kUse
	kFirst
	kSecond
	kUnlock
	kStays // the task is not where it could be given its worker
)

// stepBack is the way back, for a stand-in that has used the worker and found nothing else to do.
func (m *standInModel) stepBack(v standInVariant) bool {
	switch m.stand {
	case 2: // K1
		if m.home || m.locked && !v.backFreely {
			return false
		}
		m.locked, m.stand = true, kLook
	case kLook: // K2
		if m.stand = kUse; (m.user%2 == 0 || !m.aside) && !v.backBlindly {
			m.locked, m.stand = false, kStays
		}
	case kUse: // K3
		m.inW[byStandIn], m.stand = true, kFirst
	case kFirst:
		if m.stand = kSecond; v.backLate {
			m.claim = false
		} else {
			m.aside = false
		}
		m.inW[byStandIn] = false
	case kSecond:
		m.aside, m.claim, m.comes, m.stand = false, false, false, kUnlock
	case kUnlock:
		m.locked, m.stand, m.look = false, 0, 0
	default:
		return false
	}
	return true
}

// bad reports whether something has happened that must not.
func (m *standInModel) bad() bool {
	in := 0
	for _, is := range m.inW {
		if is {
			in++
		}
	}
	lost := m.task == tUse && m.mine && !m.aside // the task uses a siding that is free
	return in > 1 || m.twice || lost
}

// exploreStandIns returns the number of states, how many of them have a stand-in, and whether one
// is bad or leads nowhere.
func exploreStandIns(v standInVariant) (states, stoodIn int, broken bool) {
	start := standInModel{user: 1}
	seen := map[standInModel]bool{start: true}
	for work := []standInModel{start}; len(work) > 0; {
		m := work[len(work)-1]
		work = work[:len(work)-1]
		next := m.steps(v)
		if m.bad() || len(next) == 0 && m.task != tFinish {
			return len(seen), stoodIn, true
		}
		if m.comes {
			stoodIn++
		}
		for _, n := range next {
			if !seen[n] {
				seen[n] = true
				work = append(work, n)
			}
		}
	}
	return len(seen), stoodIn, false
}

func TestStandInModel(t *testing.T) {
	for name, v := range map[string]standInVariant{
		"a fence on all":       {},
		"a locked instruction": {locked: true, noFence: true},
		"both":                 {locked: true},
	} {
		states, stoodIn, broken := exploreStandIns(v)
		t.Logf("%s: %d states, %d with a stand-in", name, states, stoodIn)
		if broken || stoodIn == 0 {
			t.Errorf("%s: broken: %v", name, broken)
		}
	}
	for name, v := range map[string]standInVariant{
		"no fence":                          {noFence: true},
		"look before the claim":             {looksFirst: true},
		"look before the claim, locked":     {looksFirst: true, locked: true},
		"no second look":                    {looksNever: true},
		"the claim is not heeded":           {heedless: true},
		"the claim is not waited for":       {impatient: true},
		"the worker is read before":         {pointerOnce: true},
		"home before the thread is let go":  {homeEarly: true},
		"given back without the mutex":      {backFreely: true},
		"given back in the midst of a call": {backBlindly: true},
		"the claim is cleared too early":    {backLate: true},
	} {
		if _, _, broken := exploreStandIns(v); !broken {
			t.Errorf("%s: not caught", name)
		}
	}
}
