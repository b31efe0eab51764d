package queue

import (
	"errors"
	"fmt"
	"testing"
)

// overtakeState models a lane whose stopped pushes are overtaken; see "Overtaking" in the package
// comment. Producers push single items 16*p+1, 16*p+2, …; consumers pop, and give up on tickets
// that are not filled, at any time: the grace is no part of the protocol. An item that was given up
// is pushed again like a new one; that this happens under the lock, and may lead to the list, is
// what overflowProtocol is about.
type overtakeState struct {
	tail, head uint8
	turn, val  [4]uint8
	alarm      int8
	locked     bool
	late       [4]uint8 // by cell, the ticket that was given up, plus 1
	given      uint8    // tickets that were given up
	th         [3]overtakeThread
	last       [2]uint8 // newest item of each producer that was claimed by a consumer
	bad        string
}

type overtakeThread struct {
	pc     uint8
	ticket uint8
	next   uint8 // producers: number of the next item
	saw    bool  // producers: an alarm
	again  bool  // producers: the item was given up
	lazy   [4]ringStore
	lazies uint8
}

// overtakeVariant says how stores become visible, and what is wrong.
type overtakeVariant struct {
	lazy       bool // turns are stored late, and the overtaker has all threads pass a fence (turn_tso.go)
	stopped    bool // producer 0 stops for ever in its first claim window
	none       bool // wrong: nothing is overtaken
	noFence    bool // wrong with lazy: no fence
	fenceFirst bool // wrong with lazy: the fence before the alarm
	deaf       bool // wrong: a push does not look at the alarm
	early      bool // wrong: a push looks at the alarm before it publishes
	unlocked   bool // wrong: a push looks without the lock whether its ticket was given up
	noLook     bool // wrong: the overtaker does not look at the turn after the alarm
	noTail     bool // wrong: the overtaker does not look whether the ticket is claimed
	stores     bool // wrong: the overtaker stores the head without comparing
	forgets    bool // wrong: the alarm ends although a push is late
}

func overtakeProtocol(producers, items, consumers int, capacity uint8, v overtakeVariant) protocol[overtakeState] {
	const start, upTo = 8, 2 // more give-ups than that would go on for ever
	mask := capacity - 1
	init := overtakeState{tail: start, head: start}
	for c := range capacity {
		init.turn[c] = start
	}
	for p := range producers {
		init.th[p].next = 1
	}
	land := func(s *overtakeState, st ringStore) {
		switch {
		case st.turn:
			s.turn[st.cell] = st.v
		case st.v != 0 && s.val[st.cell] != 0:
			s.bad = "a producer overwrites an item"
		default:
			s.val[st.cell] = st.v
		}
	}
	store := func(s *overtakeState, i int, st ringStore) {
		if th := &s.th[i]; v.lazy {
			th.lazy[th.lazies] = st
			th.lazies++
		} else {
			land(s, st)
		}
	}
	flush := func(s overtakeState, i int) overtakeState {
		th := &s.th[i]
		st := th.lazy[0]
		copy(th.lazy[:], th.lazy[1:])
		th.lazies--
		th.lazy[th.lazies] = ringStore{}
		land(&s, st)
		return s
	}
	fence := func(s *overtakeState) {
		for i := range s.th {
			for s.th[i].lazies > 0 {
				*s = flush(*s, i)
			}
		}
	}
	look := func(s *overtakeState, i int, cell uint8) uint8 {
		th := &s.th[i]
		for k := int(th.lazies) - 1; k >= 0; k-- {
			if st := th.lazy[k]; st.turn && st.cell == cell {
				return st.v
			}
		}
		return s.turn[cell]
	}
	pushed := func(s *overtakeState) bool {
		for p := range producers {
			if int(s.th[p].next) <= items {
				return false
			}
		}
		return true
	}
	out := func(s *overtakeState) bool {
		for p := range producers {
			if int(s.last[p]) != items && !(v.stopped && p == 0) {
				return false
			}
		}
		return true
	}
	produce := func(s overtakeState, i int) []overtakeState {
		th := &s.th[i]
		cell, lap := th.ticket&mask, th.ticket&^mask
		locks := th.pc == 2 || th.pc == 6 || th.pc == 10 || th.pc == 11
		if locks && th.lazies > 0 {
			return nil // a locked instruction waits for the buffer
		}
		switch th.pc {
		case 0: // load tail
			if int(th.next) > items {
				return nil
			}
			th.ticket, th.again, th.saw, th.pc = s.tail, false, false, 1
		case 1: // load the turn
			if look(&s, i, cell) == lap {
				th.pc = 2
			} else if s.tail != th.ticket {
				th.pc = 0
			} else {
				return nil // full
			}
		case 2: // claim
			if th.pc = 0; s.tail == th.ticket {
				s.tail++
				th.pc = 3
			}
		case 3: // T1: the value …
			if v.stopped && i == 0 {
				return nil
			}
			th.saw = s.alarm != 0 // of a push that looks too early
			store(&s, i, ringStore{cell: cell, v: uint8(16*i) + th.next})
			th.pc = 4
		case 4: // … and the turn
			store(&s, i, ringStore{turn: true, cell: cell, v: lap + 1})
			th.pc = 5
		case 5: // T2: the alarm
			if !v.early {
				th.saw = s.alarm != 0
			}
			if th.pc = 12; th.saw && !v.deaf {
				th.pc = 6
			}
		case 6: // T3: the lock
			if v.unlocked {
				th.pc = 7
				break
			}
			if s.locked {
				return nil
			}
			s.locked, th.pc = true, 7
		case 7: // given up?
			if th.pc = 11; s.late[cell] == th.ticket+1 {
				th.again, th.pc = true, 8
			}
		case 8: // take the value back
			store(&s, i, ringStore{cell: cell})
			th.pc = 9
		case 9: // free the cell for the next lap
			store(&s, i, ringStore{turn: true, cell: cell, v: lap + capacity})
			th.pc = 10
		case 10:
			s.late[cell] = 0
			s.alarm--
			th.pc = 11
		case 11:
			s.locked = s.locked && v.unlocked
			th.pc = 12
		case 12:
			if !th.again {
				th.next++
			}
			th.pc, th.ticket, th.saw, th.again = 0, 0, false, false
		}
		return []overtakeState{s}
	}
	consume := func(s overtakeState, i int) []overtakeState {
		th := &s.th[i]
		cell, lap := th.ticket&mask, th.ticket&^mask
		locks := th.pc == 2 || th.pc == 10 || th.pc == 12 || th.pc >= 15
		if locks && th.lazies > 0 {
			return nil // a locked instruction waits for the buffer
		}
		switch th.pc {
		case 0: // load head
			if out(&s) {
				return nil
			}
			th.ticket, th.pc = s.head, 1
		case 1: // load the turn
			switch {
			case look(&s, i, cell) == lap+1:
				th.pc = 2
			case s.head != th.ticket:
				th.pc = 0
			case v.none || s.head == s.tail && pushed(&s):
				return nil // denied, or empty for good
			case v.stopped && (s.th[0].pc != 3 || s.th[0].ticket != th.ticket) || s.given >= upTo:
				return nil
			case v.fenceFirst:
				th.pc = 11
			default:
				th.pc = 10
			}
		case 2: // claim
			if th.pc = 0; s.head != th.ticket {
				break
			}
			x := s.val[cell]
			if p := x / 16; x == 0 {
				s.bad = "a consumer claims an empty cell"
			} else if x%16 != s.last[p]+1 {
				s.bad = fmt.Sprintf("item %d of producer %d after %d", x%16, p, s.last[p])
			} else {
				s.last[p]++
			}
			s.head++
			th.pc = 3
		case 3: // take the value
			if s.val[cell] == 0 {
				s.bad = "a consumer reads an empty cell"
			}
			store(&s, i, ringStore{cell: cell})
			th.pc = 4
		case 4: // free the cell
			store(&s, i, ringStore{turn: true, cell: cell, v: lap + capacity})
			th.pc, th.ticket = 0, 0
		case 10: // T4: the alarm
			s.alarm++
			if th.pc = 11; v.fenceFirst {
				th.pc = 12
			}
		case 11: // T5: the fence
			if v.lazy && !v.noFence {
				fence(&s)
			}
			if th.pc = 12; v.fenceFirst {
				th.pc = 10
			}
		case 12: // T6: the lock
			if s.locked {
				return nil
			}
			s.locked, th.pc = true, 13
		case 13: // claimed?
			if th.pc = 14; s.tail == th.ticket && !v.noTail {
				th.pc = 17
			}
		case 14: // still not filled?
			if th.pc = 15; look(&s, i, cell) != lap && !v.noLook {
				th.pc = 17
			}
		case 15: // give up on it
			if th.pc = 17; s.head == th.ticket || v.stores {
				s.head = th.ticket + 1
				s.given++
				th.pc = 16
			}
		case 16:
			s.late[cell] = th.ticket + 1
			if th.pc = 18; v.forgets {
				th.pc = 17
			}
		case 17:
			s.alarm--
			th.pc = 18
		case 18:
			s.locked = false
			th.pc, th.ticket = 0, 0
		}
		return []overtakeState{s}
	}
	return protocol[overtakeState]{
		init:    init,
		threads: producers + consumers,
		step: func(s overtakeState, i int) (next []overtakeState) {
			if s.th[i].lazies > 0 {
				next = append(next, flush(s, i))
			}
			if i < producers {
				return append(next, produce(s, i)...)
			}
			return append(next, consume(s, i)...)
		},
		always: func(s overtakeState) error {
			if s.bad != "" {
				return errors.New(s.bad)
			}
			if d := s.tail - s.head; d > capacity {
				return fmt.Errorf("R1: tail-head = %d", int8(d))
			}
			return nil
		},
		atEnd: func(s overtakeState) error {
			if !out(&s) {
				return fmt.Errorf("%v of %d items came out", s.last, items)
			}
			if !v.stopped && (s.alarm != 0 || s.late != [4]uint8{}) {
				return fmt.Errorf("at rest, alarm %d, late %v", s.alarm, s.late)
			}
			return nil
		},
	}
}

func TestExploreOvertake(t *testing.T) {
	atomic, lazy := overtakeVariant{}, overtakeVariant{lazy: true}
	t.Run("1P1C", func(t *testing.T) { holds(t, overtakeProtocol(1, 4, 1, 2, atomic)) })
	t.Run("1P1C lazy", func(t *testing.T) { holds(t, overtakeProtocol(1, 4, 1, 2, lazy)) })
	t.Run("2P1C", func(t *testing.T) { holds(t, overtakeProtocol(2, 2, 1, 2, atomic)) })
	t.Run("2P1C lazy", func(t *testing.T) { holds(t, overtakeProtocol(2, 2, 1, 2, lazy)) })
	t.Run("1P2C", func(t *testing.T) { holds(t, overtakeProtocol(1, 3, 2, 2, atomic)) })
	t.Run("1P2C lazy", func(t *testing.T) { holds(t, overtakeProtocol(1, 2, 2, 2, lazy)) })
	t.Run("stopped", func(t *testing.T) { holds(t, overtakeProtocol(2, 3, 1, 4, overtakeVariant{stopped: true})) })
	t.Run("stopped lazy", func(t *testing.T) { holds(t, overtakeProtocol(2, 3, 1, 4, overtakeVariant{stopped: true, lazy: true})) })
	t.Run("stopped, not overtaken", func(t *testing.T) {
		breaks(t, overtakeProtocol(2, 3, 1, 4, overtakeVariant{stopped: true, none: true}))
	})
	for name, v := range map[string]overtakeVariant{
		"no fence":                {lazy: true, noFence: true},
		"fence before the alarm":  {lazy: true, fenceFirst: true},
		"push is deaf":            {deaf: true},
		"push looks too early":    {early: true},
		"push looks unlocked":     {unlocked: true},
		"no look after the alarm": {noLook: true},
		"not claimed":             {noTail: true},
		"head stored":             {stores: true},
		"alarm ends too early":    {forgets: true},
	} {
		consumers := 1
		if v.stores {
			consumers = 2
		}
		t.Run(name, func(t *testing.T) { breaks(t, overtakeProtocol(1, 2, consumers, 2, v)) })
	}
}
