package queue

import (
	"errors"
	"fmt"
	"math/bits"
	"testing"
)

// idleState models Idle over one lane with its occupancy bit. Workers come first: each looks for
// work, runs what it finds, and rests. Then pushers of shared work, one item each, and one pusher
// of work that only worker 0 may take.
type idleState struct {
	items     uint8 // in the lane
	bit       bool  // of the lane
	own       uint8 // for worker 0
	idle      uint8 // bit per worker
	searching int8
	th        [5]idleThread
	ran       uint8
	bad       string
}

type idleThread struct {
	pc        idlePC
	searching bool // a worker counts as a searcher
	token     bool // a worker has a token
	claimed   uint8
}

type idlePC uint8

const (
	atLoop      idlePC = iota // worker: load the lane's bit
	atTake                    // take an item
	atClear                   // O3
	atSecond                  // O4
	atAgain                   // set the bit again
	atOwn                     // take own work
	atFound                   // Found: leave the count
	atMore                    // endSearch: more shared work?
	atRun                     // run the task
	atCount                   // Rest: become a searcher
	atPublish                 // set the idle bit
	atLeave                   // leave the count
	atLook                    // look for shared work
	atLookOwn                 // look for own work
	atCancel                  // clear my idle bit
	atPark                    // park
	atToken                   // claimed: the token will come
	atNotify                  // Notify: is anybody idle?
	atSearchers               // is anybody searching?
	atCAS                     // 0 -> 1
	atClaim                   // clear an idle bit
	atPost                    // post the token
	atNobody                  // nobody to wake: leave the count
	atPush                    // pusher: add an item
	atBit                     // O2
	atPushOwn                 // pusher of own work
	atWake                    // Wake: clear the idle bit of worker 0
	atWakeCount               // count it
	atEnd
)

// idleVariant says what to get wrong, and which tasks there are.
type idleVariant struct {
	long     bool // tasks never end (not an error): each worker runs at most one
	deadline bool // workers may wake up at any time of themselves (not an error)

	leaveFirst   bool // I1: leave the count before the idle bit is set (wasteful, not an error)
	lookFirst    bool // I1: look for work before leaving the count, not after
	unclaimed    bool // I2: Wake posts a token without clearing the idle bit
	noChain      bool // I3: the last searcher does not notify again
	noNewCount   bool // I3: a worker that sees work in its last look does not count as a searcher
	nobodyLeaves bool // I4: Notify that found nobody does not look again
	wordOnly     bool // O6: the last look trusts the occupancy word
}

func idleProtocol(workers, pushers int, ownPush bool, v idleVariant) protocol[idleState] {
	threads := workers + pushers
	init := idleState{bit: true} // out of date, as it may be
	for i := workers; i < threads; i++ {
		init.th[i].pc = atPush
	}
	total := pushers
	if ownPush {
		init.th[threads].pc = atPushOwn
		threads++
		total++
	}
	worker := func(s idleState, i int) (next []idleState) {
		th := &s.th[i]
		me := uint8(1) << i
		work := func() bool {
			if v.wordOnly {
				return s.bit
			}
			return s.bit || s.items > 0
		}
		switch th.pc {
		case atLoop:
			if th.pc = atOwn; s.bit {
				th.pc = atTake
			}
		case atTake:
			if th.pc = atClear; s.items > 0 {
				s.items--
				th.pc = atFound
			}
		case atClear:
			s.bit = false
			th.pc = atSecond
		case atSecond:
			if th.pc = atOwn; s.items > 0 {
				th.pc = atAgain
			}
		case atAgain:
			s.bit = true
			th.pc = atTake
		case atOwn:
			if th.pc = atCount; i == 0 && s.own > 0 {
				s.own--
				th.pc = atFound
			}
		case atFound:
			if th.pc = atRun; th.searching {
				th.searching = false
				if s.searching--; s.searching == 0 && !v.noChain {
					th.pc = atMore
				}
			}
		case atMore:
			if th.pc = atRun; work() {
				th.pc = atNotify
			}
		case atRun:
			s.ran++
			if th.pc = atLoop; v.long {
				th.pc = atEnd
			}
		case atCount:
			th.pc = atPublish
			if !th.searching && int(s.searching) < max(workers/2, 1) {
				th.searching = true
				s.searching++
			}
			if work() || i == 0 && s.own > 0 {
				th.pc = atLoop
			} else if v.leaveFirst {
				th.pc = atLeave
			}
		case atPublish:
			s.idle |= me
			th.pc = atLeave
			if v.leaveFirst || v.lookFirst {
				th.pc = atLook
			}
		case atLeave:
			if th.searching {
				th.searching = false
				s.searching--
			}
			th.pc = atLook
			if v.leaveFirst {
				th.pc = atPublish
			} else if v.lookFirst {
				th.pc = atPark
			}
		case atLook:
			if th.pc = atLookOwn; work() {
				th.pc = atCancel
			}
		case atLookOwn:
			if th.pc = atPark; i == 0 && s.own > 0 {
				th.pc = atCancel
			} else if v.lookFirst {
				th.pc = atLeave
			}
		case atCancel:
			if s.idle&me == 0 {
				th.pc = atToken
				break
			}
			s.idle &^= me
			th.pc = atLoop
			if !v.noNewCount && !th.searching {
				th.searching = true
				s.searching++
			}
		case atPark:
			if !th.token {
				if !v.deadline {
					return nil
				}
				// The deadline: claim oneself, or wait for whoever did. Like atCancel without work.
				if s.idle&me == 0 {
					th.pc = atToken
				} else {
					s.idle &^= me
					th.pc = atLoop
				}
				break
			}
			fallthrough
		case atToken:
			if !th.token {
				return nil
			}
			th.token = false
			if th.searching {
				s.bad = "a worker counts twice"
			}
			th.searching = true
			th.pc = atLoop
		default:
			return nil
		}
		return append(next, s)
	}
	// notify runs Notify for a thread and then continues at then.
	notify := func(s idleState, i int, then idlePC) []idleState {
		th := &s.th[i]
		switch th.pc {
		case atNotify:
			if th.pc = atSearchers; s.idle == 0 {
				th.pc = then
			}
		case atSearchers:
			if th.pc = atCAS; s.searching != 0 {
				th.pc = then
			}
		case atCAS:
			if th.pc = then; s.searching == 0 {
				s.searching = 1
				th.pc = atClaim
			}
		case atClaim:
			if th.pc = atNobody; s.idle != 0 {
				w := bits.TrailingZeros8(s.idle)
				s.idle &^= 1 << w
				th.claimed, th.pc = uint8(w), atPost
			}
		case atPost:
			if s.th[th.claimed].token {
				s.bad = "I2: two tokens"
			}
			s.th[th.claimed].token = true
			th.claimed, th.pc = 0, then
		case atNobody:
			s.searching--
			if th.pc = atNotify; v.nobodyLeaves {
				th.pc = then
			}
		}
		return []idleState{s}
	}
	pusher := func(s idleState, i int) []idleState {
		th := &s.th[i]
		switch th.pc {
		case atPush:
			s.items++
			th.pc = atBit
		case atBit: // the load and the Or in one: the crossing has its own model
			s.bit = true
			th.pc = atNotify
		case atPushOwn:
			s.own++
			th.pc = atWake
		case atWake:
			switch {
			case v.unclaimed:
				th.pc = atPost
			case s.idle&1 == 0:
				th.pc = atEnd
			default:
				s.idle &^= 1
				th.pc = atWakeCount
			}
		case atWakeCount:
			s.searching++
			th.pc = atPost
		default:
			return nil
		}
		return []idleState{s}
	}
	return protocol[idleState]{
		init:    init,
		threads: threads,
		step: func(s idleState, i int) []idleState {
			if s.bad != "" {
				return nil
			}
			notifying := s.th[i].pc >= atNotify && s.th[i].pc <= atNobody
			switch {
			case notifying && i < workers:
				return notify(s, i, atRun)
			case notifying:
				return notify(s, i, atEnd)
			case i < workers:
				if v.deadline && s.th[i].pc == atPark && !s.th[i].token && int(s.ran) == total {
					return nil // nothing more will happen
				}
				return worker(s, i)
			}
			return pusher(s, i)
		},
		always: func(s idleState) error {
			if s.bad != "" {
				return errors.New(s.bad)
			}
			if s.searching < 0 {
				return errors.New("the count of searchers is negative")
			}
			return nil
		},
		atEnd: func(s idleState) error {
			asleep := 0
			for w := range workers {
				if s.th[w].pc == atPark {
					asleep++
				}
				if s.th[w].token {
					return fmt.Errorf("I2: worker %d is left with a token", w)
				}
			}
			if asleep > 0 && s.items > 0 || s.th[0].pc == atPark && s.own > 0 {
				return fmt.Errorf("%d items and %d own ones wait while %d workers sleep", s.items, s.own, asleep)
			}
			if s.searching != 0 {
				return fmt.Errorf("%d searchers are left", s.searching)
			}
			if bits.OnesCount8(s.idle) != asleep {
				return fmt.Errorf("%d idle bits for %d sleepers", bits.OnesCount8(s.idle), asleep)
			}
			return nil
		},
	}
}

func TestExploreIdle(t *testing.T) {
	short, long := idleVariant{}, idleVariant{long: true}
	t.Run("1 worker 2 pushers", func(t *testing.T) { holds(t, idleProtocol(1, 2, false, short)) })
	t.Run("2 workers 2 pushers", func(t *testing.T) { holds(t, idleProtocol(2, 2, false, short)) })
	t.Run("2 workers 1 pusher and own", func(t *testing.T) { holds(t, idleProtocol(2, 1, true, short)) })
	t.Run("2 workers 2 pushers, long tasks", func(t *testing.T) { holds(t, idleProtocol(2, 2, false, long)) })
	t.Run("2 workers 1 pusher and own, long tasks", func(t *testing.T) { holds(t, idleProtocol(2, 1, true, long)) })
	t.Run("2 workers 2 pushers, deadlines", func(t *testing.T) {
		holds(t, idleProtocol(2, 2, false, idleVariant{deadline: true}))
	})
	t.Run("2 workers 2 pushers, count before bit", func(t *testing.T) {
		holds(t, idleProtocol(2, 2, false, idleVariant{leaveFirst: true}))
	})
	for name, v := range map[string]idleVariant{
		"I1 look before count": {lookFirst: true},
		"I3 no chain":          {noChain: true, long: true},
		"I3 no new count":      {noNewCount: true, long: true},
		"I4 nobody to wake":    {nobodyLeaves: true},
		"O6 word alone":        {wordOnly: true, long: true},
	} {
		t.Run(name, func(t *testing.T) { breaks(t, idleProtocol(2, 2, false, v)) })
	}
	t.Run("I2 token without claim", func(t *testing.T) { breaks(t, idleProtocol(2, 1, true, idleVariant{unclaimed: true})) })
}
