package queue

import (
	"errors"
	"fmt"
	"testing"
)

// ringState models MPMC with capacity 2 and 8-bit counters, so that they wrap on the way. Producer
// p pushes the items 16*p+1, 16*p+2, …; consumers pop for ever. Claims are steps of their own; what
// an owner stores may linger in its thread's store buffer.
type ringState struct {
	tail, head uint8
	turn, val  [2]uint8
	th         [4]ringThread
	last       [2]uint8 // newest item of each producer that was claimed by a consumer, in claim order
	bad        string
}

// A ringStore is a store to a cell that has not become visible yet.
type ringStore struct {
	turn bool // else to val
	cell uint8
	v    uint8
}

type ringThread struct {
	pc     uint8
	ticket uint8
	n      uint8 // size of the run that PushN saw
	next   uint8 // producers: number of the next item
	got    uint8 // consumers: the item read from the claimed cell
	lazy   [4]ringStore
	lazies uint8
}

// store puts a store into the thread's buffer, if stores are lazy, or else into memory.
func (s *ringState) store(i int, lazy bool, st ringStore) {
	if th := &s.th[i]; lazy {
		th.lazy[th.lazies] = st
		th.lazies++
	} else {
		s.land(st)
	}
}

// land makes a store visible.
func (s *ringState) land(st ringStore) {
	switch {
	case st.turn:
		s.turn[st.cell] = st.v
	case st.v != 0 && s.val[st.cell] != 0:
		s.bad = "a producer overwrites an item"
	default:
		s.val[st.cell] = st.v
	}
}

// flush makes one of the buffered stores of thread i visible.
func (s ringState) flush(i int, which uint8) ringState {
	th := &s.th[i]
	st := th.lazy[which]
	copy(th.lazy[which:], th.lazy[which+1:])
	th.lazies--
	th.lazy[th.lazies] = ringStore{}
	s.land(st)
	return s
}

// look loads the turn of a cell, or what the thread itself has stored there last.
func (s *ringState) look(i int, cell uint8) uint8 {
	th := &s.th[i]
	for k := int(th.lazies) - 1; k >= 0; k-- {
		if st := th.lazy[k]; st.turn && st.cell == cell {
			return st.v
		}
	}
	return s.turn[cell]
}

// ringVariant says what the ring is like, and what is wrong with it.
type ringVariant struct {
	batch    bool // producers push two at a time if they can, consumers pop two at a time if they can
	single   bool // the consumer is the only one and claims without comparing (TryPopSC)
	lazy     bool // stores to cells become visible late, in their order (turn_tso.go)
	anyOrder bool // wrong: late and in any order, as on processors for which turn_tso.go is not meant
	early    bool // wrong: turn is stored before val
	lateHead bool // wrong: a single consumer frees the cell before it moves the head
}

// ringProtocol has the given producers, of items each, and consumers.
func ringProtocol(producers, items, consumers int, v ringVariant) protocol[ringState] {
	const start = 254
	init := ringState{tail: start, head: start}
	for i := range uint8(2) {
		t := uint8(start) + i
		init.turn[t&1] = t &^ 1
	}
	for p := range producers {
		init.th[p].next = 1
	}
	lazy := v.lazy || v.anyOrder
	claimed := func(s *ringState, at uint8) {
		x := s.val[at&1]
		p := x / 16
		if x == 0 {
			s.bad = "a consumer claims an empty cell"
		} else if x%16 != s.last[p]+1 {
			s.bad = fmt.Sprintf("item %d of producer %d after %d", x%16, p, s.last[p])
		}
		s.last[p] = x % 16
	}
	produce := func(s ringState, i int) []ringState {
		th := &s.th[i]
		switch th.pc {
		case 0: // load tail
			if int(th.next) > items {
				return nil
			}
			th.ticket, th.n, th.pc = s.tail, 0, 1
		case 1: // load the turn of the next cell of the run
			at := th.ticket + th.n
			if s.look(i, at&1) != at&^1 {
				th.pc = 3 // the run ends here
				if th.n == 0 {
					th.pc = 0
				}
				break
			}
			if th.n++; !v.batch || th.n == 2 || int(th.next+th.n) > items {
				th.pc = 3
			}
		case 3: // compare and swap tail
			if th.lazies > 0 {
				return nil // a locked instruction waits for the buffer
			}
			if s.tail != th.ticket {
				th.pc = 0
				break
			}
			s.tail += th.n
			th.pc = 4
		case 4, 5: // store val, then turn, of the last cell of the run that is left
			at := th.ticket + th.n - 1
			if (th.pc == 4) != v.early {
				s.store(i, lazy, ringStore{cell: at & 1, v: uint8(16*i) + th.next + th.n - 1})
			} else {
				s.store(i, lazy, ringStore{turn: true, cell: at & 1, v: at&^1 + 1})
			}
			th.pc++
		case 6: // the cell before, or done: got counts the cells behind
			th.got++
			th.n--
			if th.pc = 4; th.n == 0 {
				th.next += th.got
				th.pc, th.got, th.ticket = 0, 0, 0
			}
		}
		return []ringState{s}
	}
	consume := func(s ringState, i int) []ringState {
		th := &s.th[i]
		at := th.ticket + th.n - 1 // the cell in hand, from pc 3 on
		switch th.pc {
		case 0: // load head
			th.ticket, th.n, th.pc = s.head, 0, 1
		case 1: // load the turn of the next cell of the run
			next := th.ticket + th.n
			if s.look(i, next&1) != next&^1+1 {
				th.pc = 2
				if th.n == 0 {
					th.pc, th.ticket = 0, 0
				}
				break
			}
			if th.n++; !v.batch || th.n == 2 {
				th.pc = 2
			}
		case 2: // compare and swap head, or store it
			if th.lazies > 0 {
				return nil // a locked instruction waits for the buffer
			}
			if v.single && v.lateHead {
				claimed(&s, th.ticket)
				th.pc = 3
				break
			}
			if s.head != th.ticket && !v.single {
				th.pc, th.ticket, th.n = 0, 0, 0
				break
			}
			for k := range th.n {
				claimed(&s, th.ticket+k)
			}
			s.head = th.ticket + th.n
			th.pc = 3
		case 3: // load val
			th.got = s.val[at&1]
			if th.got == 0 {
				s.bad = "a consumer reads an empty cell"
			}
			th.pc = 4
		case 4: // clear val
			s.store(i, lazy, ringStore{cell: at & 1})
			th.pc = 5
		case 5: // store turn
			s.store(i, lazy, ringStore{turn: true, cell: at & 1, v: at&^1 + 2})
			th.pc, th.got = 6, 0
		case 6: // the cell before, or done
			th.n--
			if th.pc = 3; th.n == 0 {
				if v.single && v.lateHead {
					s.head = th.ticket + 1
				}
				th.pc, th.ticket = 0, 0
			}
		}
		return []ringState{s}
	}
	return protocol[ringState]{
		init:    init,
		threads: producers + consumers,
		step: func(s ringState, i int) (next []ringState) {
			for k := range s.th[i].lazies {
				if k == 0 || v.anyOrder {
					next = append(next, s.flush(i, k))
				}
			}
			if i < producers {
				return append(next, produce(s, i)...)
			}
			if s.th[i].pc == 0 {
				done := true
				for p := range producers {
					done = done && int(s.last[p]) == items
				}
				if done {
					return next
				}
			}
			return append(next, consume(s, i)...)
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
	const items = 3
	for _, lazy := range []bool{false, true} {
		name := map[bool]string{false: "at once", true: "lazy"}[lazy]
		t.Run("2P1C "+name, func(t *testing.T) { holds(t, ringProtocol(2, items, 1, ringVariant{lazy: lazy})) })
		t.Run("1P2C "+name, func(t *testing.T) { holds(t, ringProtocol(1, 5, 2, ringVariant{lazy: lazy})) })
		t.Run("2P1C single "+name, func(t *testing.T) { holds(t, ringProtocol(2, items, 1, ringVariant{lazy: lazy, single: true})) })
		t.Run("2P1C batches "+name, func(t *testing.T) { holds(t, ringProtocol(2, items+1, 1, ringVariant{lazy: lazy, batch: true})) })
		t.Run("1P2C batches "+name, func(t *testing.T) { holds(t, ringProtocol(1, 5, 2, ringVariant{lazy: lazy, batch: true})) })
	}
	t.Run("2P2C", func(t *testing.T) { holds(t, ringProtocol(2, 2, 2, ringVariant{})) })
	t.Run("turn before val", func(t *testing.T) { breaks(t, ringProtocol(1, 2, 1, ringVariant{early: true})) })
	t.Run("lazy in any order", func(t *testing.T) { breaks(t, ringProtocol(1, 3, 1, ringVariant{anyOrder: true})) })
	t.Run("two single consumers", func(t *testing.T) { breaks(t, ringProtocol(1, 3, 2, ringVariant{single: true})) })
	t.Run("head after the release", func(t *testing.T) { breaks(t, ringProtocol(1, 3, 1, ringVariant{single: true, lateHead: true})) })
}
