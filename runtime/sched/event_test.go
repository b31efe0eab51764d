package sched

import (
	"slices"
	"testing"
	"testing/synctest"
)

// The protocol of an event ("Events" in the package comment) as small steps: two waiters, one of
// which gives up if it is cancelled, and one who fires. A waiter that has left may use its place in
// a list again, so it must not be in one then.
type eventModel struct {
	state  uint8 // evNil, evWatched, evFired, or evTask plus the waiter
	lock   uint8 // 0, or 1 plus the holder
	list   [2]bool
	woken  [2]bool // has been told
	pc     [3]uint8
	seen   [3]uint8 // what was loaded
	cancel bool     // of waiter 0
	bad    bool
}

const (
	evNil = iota
	evWatched
	evFired
	evTask // plus the waiter
)

const evFirer = 2

type eventMistakes struct {
	leavesUnlocked bool // a waiter that finds watched goes without a look at the list
	linksLate      bool // who makes the event watched links the other waiter after the lock
	firesBlind     bool // firing stores, and wakes whom it had loaded
}

// Steps of a waiter.
const (
	wJoin = iota
	wLock
	wWatchLoad
	wWatchSwap
	wLink
	wUnlock
	wLateLink
	wWait
	wLeaveLoad
	wLeaveSwap
	wLeaveLock
	wLeft
)

func (m eventModel) steps(th int, v eventMistakes) (next []eventModel) {
	n := m
	to := func(pc uint8) { n.pc[th] = pc; next = append(next, n); n = m }
	if th == evFirer {
		return m.fire(v)
	}
	self := uint8(evTask + th)
	other := 1 - th
	switch m.pc[th] {
	case wJoin: // V1
		if m.state == evNil {
			n.state = self
			to(wWait)
		} else {
			to(wLock)
		}
	case wLock:
		if m.lock == 0 {
			n.lock = uint8(th) + 1
			to(wWatchLoad)
		}
	case wWatchLoad:
		n.seen[th] = m.state
		switch m.state {
		case evFired:
			n.lock = 0
			to(wLeft)
		case evWatched:
			to(wLink)
		default:
			to(wWatchSwap)
		}
	case wWatchSwap: // V6
		if m.state != m.seen[th] {
			to(wWatchLoad)
			break
		}
		n.state = evWatched
		if m.seen[th] != evNil && !v.linksLate {
			n.list[other] = true // one step, as it is under the lock
			n.bad = n.bad || m.pc[other] == wLeft
		}
		to(wLink)
	case wLink:
		n.list[th] = true
		to(wUnlock)
	case wUnlock:
		n.lock = 0
		if v.linksLate && m.seen[th] == uint8(evTask+other) {
			to(wLateLink)
		} else {
			to(wWait)
		}
	case wLateLink:
		n.list[other] = true
		n.bad = n.bad || m.pc[other] == wLeft
		to(wWait)
	case wWait:
		if m.state == evFired && m.woken[th] || th == 0 && m.cancel {
			to(wLeaveLoad)
		}
	case wLeaveLoad:
		n.seen[th] = m.state
		switch {
		case m.state == self:
			to(wLeaveSwap)
		case m.state == evFired && !m.list[th], v.leavesUnlocked: // V5
			n.bad = n.bad || m.list[th]
			to(wLeft)
		default:
			to(wLeaveLock)
		}
	case wLeaveSwap: // V4
		if m.state == self {
			n.state = evNil
			to(wLeft)
		} else {
			to(wLeaveLock)
		}
	case wLeaveLock:
		if m.lock == 0 {
			n.list[th] = false // one step, under the lock
			to(wLeft)
		}
	}
	return next
}

func (m eventModel) fire(v eventMistakes) (next []eventModel) {
	n := m
	to := func(pc uint8) { n.pc[evFirer] = pc; next = append(next, n); n = m }
	switch m.pc[evFirer] {
	case 0:
		n.seen[evFirer] = m.state
		if m.state == evWatched {
			to(2)
		} else {
			to(1)
		}
	case 1: // V2
		if m.state != m.seen[evFirer] && !v.firesBlind {
			to(0)
			break
		}
		n.state = evFired
		if s := m.seen[evFirer]; s >= evTask {
			n.woken[s-evTask] = true
		}
		to(9)
	case 2: // V3
		if m.lock == 0 {
			n.lock = evFirer + 1
			n.state = evFired
			to(3)
		}
	case 3: // one waiter after the other, with the lock given back between
		if i := slices.Index(m.list[:], true); i >= 0 {
			n.list[i] = false
			n.seen[evFirer] = uint8(evTask + i)
			n.lock = 0
			to(4)
		} else {
			n.lock = 0
			to(9)
		}
	case 4:
		n.woken[m.seen[evFirer]-evTask] = true
		to(5)
	case 5:
		if m.lock == 0 {
			n.lock = evFirer + 1
			to(3)
		}
	}
	return next
}

func exploreEvent(v eventMistakes) (states int, broken bool) {
	seen := map[eventModel]bool{}
	work := []eventModel{{}, {cancel: true}}
	for len(work) > 0 {
		m := work[len(work)-1]
		work = work[:len(work)-1]
		if seen[m] {
			continue
		}
		seen[m] = true
		moved := false
		for th := range m.pc {
			next := m.steps(th, v)
			moved = moved || len(next) > 0
			work = append(work, next...)
		}
		left := m.pc[0] == wLeft && m.pc[1] == wLeft
		if m.bad || !moved && (!left || m.list[0] || m.list[1]) {
			return len(seen), true
		}
	}
	return len(seen), false
}

func TestExploreEvent(t *testing.T) {
	states, broken := exploreEvent(eventMistakes{})
	if broken {
		t.Error("a waiter is not told, or is still in the list when it has left")
	}
	t.Logf("%d states", states)
	for name, v := range map[string]eventMistakes{
		"a waiter leaves without the lock":    {leavesUnlocked: true},
		"the first waiter is linked too late": {linksLate: true},
		"firing without comparing":            {firesBlind: true},
	} {
		if _, broken := exploreEvent(v); !broken {
			t.Errorf("%s: not caught", name)
		}
	}
}

// Whoever comes to an event is told in the order in which all came, whether the first of them was
// alone for a while or not.
func TestEventOrder(t *testing.T) {
	p := simulated(t, 1, Options{Workers: 1})
	for first := range 3 {
		var e Event
		var order []int
		for i := range 3 {
			if i == first {
				submit(t, p, Spec{}, func(task *Task) error {
					err := task.Await(&e)
					order = append(order, i)
					return err
				})
				p.Simulate(func() bool { return e.state.Load() != nil && (first == 0 || e.last.task != nil) })
				continue
			}
			e.OnFire(func() { order = append(order, i) })
		}
		e.Fire()
		p.Simulate(nil)
		// Callbacks run while the event fires, the task when its worker comes to it.
		want := slices.DeleteFunc([]int{0, 1, 2}, func(i int) bool { return i == first })
		if want = append(want, first); !slices.Equal(order, want) {
			t.Errorf("task came as number %d: told in order %v, want %v", first, order, want)
		}
	}
}

// A channel and a task at one event, in either order.
func TestEventChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e Event
		done := e.Done()
		var told bool
		e.OnFire(func() { told = true })
		go e.Fire()
		<-done
		synctest.Wait()
		if !told || !e.Fired() || e.Fire() {
			t.Errorf("told %v, fired %v", told, e.Fired())
		}
		<-e.Done()
	})
}
