package queue

import (
	"errors"
	"fmt"
	"testing"
)

// ringState models MPMC with capacity 2 and 8-bit counters, so that they wrap on the way. Producer p pushes the items
// 16*p+1, 16*p+2, …; consumers pop for ever.
type ringState struct {
	tail, head uint8
	turn, val  [2]uint8
	th         [4]ringThread
	last       [2]uint8 // newest item of each producer that was claimed by a consumer, in claim order
	bad        string
}

type ringThread struct {
	pc     uint8
	ticket uint8
	n      uint8 // size of the run that PushN saw
	next   uint8 // producers: number of the next item
}

// ringProtocol has the given producers, of items each, and consumers. A batching producer uses PushN for two. The ring
// is broken on purpose by early: turn is stored before val.
func ringProtocol(producers, items, consumers int, batch, early bool) protocol[ringState] {
	const start = 254
	init := ringState{tail: start, head: start}
	for i := range uint8(2) {
		t := uint8(start) + i
		init.turn[t&1] = t &^ 1
	}
	for p := range producers {
		init.th[p].next = 1
	}
	produce := func(s ringState, i int) []ringState {
		th := &s.th[i]
		cell := th.ticket & 1
		switch th.pc {
		case 0: // load tail
			if int(th.next) > items {
				return nil
			}
			th.ticket, th.n, th.pc = s.tail, 0, 1
		case 1: // load the turn of the next cell of the run
			at := th.ticket + th.n
			if s.turn[at&1] != at&^1 {
				th.pc = 3 // the run ends here
				if th.n == 0 {
					th.pc = 0
				}
				break
			}
			if th.n++; !batch || th.n == 2 || int(th.next+th.n) > items {
				th.pc = 3
			}
		case 3: // compare and swap tail
			if s.tail != th.ticket {
				th.pc = 0
				break
			}
			s.tail += th.n
			th.pc = 4
		case 4, 5: // store val, then turn
			if (th.pc == 4) != early {
				if s.val[cell] != 0 {
					s.bad = "a producer overwrites an item"
				}
				s.val[cell] = uint8(16*i) + th.next
			} else {
				s.turn[cell] = th.ticket&^1 + 1
			}
			th.pc++
		case 6: // next cell of the run, or done
			th.next++
			th.ticket++
			th.n--
			if th.pc = 4; th.n == 0 {
				*th = ringThread{next: th.next}
			}
		}
		return []ringState{s}
	}
	consume := func(s ringState, i int) []ringState {
		th := &s.th[i]
		cell := th.ticket & 1
		switch th.pc {
		case 0: // load head
			th.ticket, th.pc = s.head, 1
		case 1: // load turn
			if th.pc = 2; s.turn[cell] != th.ticket&^1+1 {
				th.pc = 0
			}
		case 2: // compare and swap head
			if s.head != th.ticket {
				th.pc = 0
				break
			}
			s.head++
			th.pc = 3
			v := s.val[cell]
			p := v / 16
			if v == 0 {
				s.bad = "a consumer claims an empty cell"
			} else if v%16 != s.last[p]+1 {
				s.bad = fmt.Sprintf("item %d of producer %d after %d", v%16, p, s.last[p])
			}
			s.last[p] = v % 16
		case 3: // load and clear val
			s.val[cell] = 0
			th.pc = 4
		case 4: // store turn
			s.turn[cell] = th.ticket&^1 + 2
			*th = ringThread{}
		}
		return []ringState{s}
	}
	return protocol[ringState]{
		init:    init,
		threads: producers + consumers,
		step: func(s ringState, i int) []ringState {
			if i < producers {
				return produce(s, i)
			}
			if s.th[i].pc == 0 {
				done := true
				for p := range producers {
					done = done && int(s.last[p]) == items
				}
				if done {
					return nil
				}
			}
			return consume(s, i)
		},
		always: func(s ringState) error {
			if s.bad != "" {
				return errors.New(s.bad)
			}
			if d := s.tail - s.head; d > 2 {
				return fmt.Errorf("R1: tail-head = %d", int8(d))
			}
			return nil
		},
		atEnd: func(s ringState) error {
			for p := range producers {
				if int(s.last[p]) != items {
					return fmt.Errorf("producer %d: %d of %d items came out", p, s.last[p], items)
				}
			}
			return nil
		},
	}
}

func TestExploreRing(t *testing.T) {
	t.Run("2P1C", func(t *testing.T) { holds(t, ringProtocol(2, 3, 1, false, false)) })
	t.Run("1P2C", func(t *testing.T) { holds(t, ringProtocol(1, 5, 2, false, false)) })
	t.Run("2P2C", func(t *testing.T) { holds(t, ringProtocol(2, 2, 2, false, false)) })
	t.Run("2P1C batches", func(t *testing.T) { holds(t, ringProtocol(2, 4, 1, true, false)) })
	t.Run("1P2C batches", func(t *testing.T) { holds(t, ringProtocol(1, 5, 2, true, false)) })
	t.Run("turn before val", func(t *testing.T) { breaks(t, ringProtocol(1, 2, 1, false, true)) })
}
