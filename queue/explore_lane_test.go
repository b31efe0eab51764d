package queue

import (
	"errors"
	"fmt"
	"testing"
)

// occupancyState models one lane and its bit: pushers that push once each, and poppers that run
// until they see the bit clear after all pushers are done. The ring is its counters: a push claims,
// then fills; a pop takes the item at the head if it is filled.
type occupancyState struct {
	claimed, popped uint8
	filled          [4]bool
	bit             bool
	place           [4]uint8 // the place that pusher i fills
	pc              [4]uint8
}

// occupancyVariant says what to leave out.
type occupancyVariant struct {
	lateFill     bool // a push fills its cell after everything else, as a lazy store does (R5; not an error)
	noSecondLook bool // the popper clears the bit and believes its first look
	lookFirst    bool // the popper looks a second time before it clears
}

func occupancyProtocol(pushers, poppers int, v occupancyVariant) protocol[occupancyState] {
	push := func(s occupancyState, i int) []occupancyState {
		switch s.pc[i] {
		case 0: // O1: claim
			s.place[i] = s.claimed
			s.claimed++
			if s.pc[i] = 1; v.lateFill {
				s.pc[i] = 2
			}
		case 1: // fill
			s.filled[s.place[i]] = true
			if s.pc[i] = 2; v.lateFill {
				s.pc[i] = 99
			}
		case 2: // O2: load the bit
			s.pc[i] = 3
			if s.bit && v.lateFill {
				s.pc[i] = 1
			} else if s.bit {
				s.pc[i] = 99
			}
		case 3: // set the bit
			s.bit = true
			if s.pc[i] = 99; v.lateFill {
				s.pc[i] = 1
			}
		default:
			return nil
		}
		return []occupancyState{s}
	}
	pop := func(s occupancyState, i int) []occupancyState {
		take := func() bool {
			if s.popped < s.claimed && s.filled[s.popped] {
				s.popped++
				return true
			}
			return false
		}
		pushed := true
		for p := range pushers {
			pushed = pushed && s.pc[p] == 99
		}
		switch s.pc[i] {
		case 0: // load the word
			if !s.bit {
				if pushed {
					s.pc[i] = 99
				}
				break
			}
			s.pc[i] = 1
		case 1: // first look
			switch {
			case take():
				s.pc[i] = 0
			case v.lookFirst:
				s.pc[i] = 5
			default:
				s.pc[i] = 2
			}
		case 2: // O3: clear
			s.bit = false
			if s.pc[i] = 3; v.noSecondLook || v.lookFirst {
				s.pc[i] = 0
			}
		case 3: // O4: second look
			if s.pc[i] = 0; s.popped < s.claimed {
				s.pc[i] = 4
			}
		case 4: // set again
			s.bit = true
			s.pc[i] = 0 // pops on its next round
		case 5: // the misplaced second look
			if s.pc[i] = 2; s.popped < s.claimed {
				s.pc[i] = 0
			}
		default:
			return nil
		}
		return []occupancyState{s}
	}
	return protocol[occupancyState]{
		threads: pushers + poppers,
		step: func(s occupancyState, i int) []occupancyState {
			if i < pushers {
				return push(s, i)
			}
			return pop(s, i)
		},
		atEnd: func(s occupancyState) error {
			if int(s.popped) != pushers {
				return fmt.Errorf("%d of %d items came out", s.popped, pushers)
			}
			return nil
		},
	}
}

func TestExploreOccupancy(t *testing.T) {
	t.Run("1 push 1 pop", func(t *testing.T) { holds(t, occupancyProtocol(1, 1, occupancyVariant{})) })
	t.Run("3 pushes 1 pop", func(t *testing.T) { holds(t, occupancyProtocol(3, 1, occupancyVariant{})) })
	t.Run("2 pushes 2 pops", func(t *testing.T) { holds(t, occupancyProtocol(2, 2, occupancyVariant{})) })
	t.Run("2 late pushes 2 pops", func(t *testing.T) { holds(t, occupancyProtocol(2, 2, occupancyVariant{lateFill: true})) })
	t.Run("no second look", func(t *testing.T) { breaks(t, occupancyProtocol(2, 1, occupancyVariant{noSecondLook: true})) })
	t.Run("look before clear", func(t *testing.T) { breaks(t, occupancyProtocol(2, 1, occupancyVariant{lookFirst: true})) })
}

// overflowState models one lane with a ring of 2 and its list. Pusher p pushes items 8*p+1, 8*p+2,
// … one after the other.
type overflowState struct {
	head, tail uint8 // of the ring
	ring       [8]uint8
	filled     [8]bool
	list       [4]uint8
	listed     uint8 // length of list
	counter    uint8 // laneQueue.overflow
	locked     bool
	pc         [4]uint8
	next       [4]uint8 // pushers: next item
	place      [4]uint8 // pushers: the claimed ticket
	last       [2]uint8 // newest item of each pusher that was popped
	bad        string
}

// overflowVariant says what to get wrong.
type overflowVariant struct {
	hasty   bool // V2: take from the list when TryPop says false, although the ring is not empty
	earlier bool // V1: lower the counter before the item is in the ring
}

func overflowProtocol(pushers, items, poppers int, v overflowVariant) protocol[overflowState] {
	popped := func(s *overflowState, item uint8) {
		if p := item / 8; item%8 != s.last[p]+1 {
			s.bad = fmt.Sprintf("item %d of pusher %d after %d", item%8, p, s.last[p])
		} else {
			s.last[p] = item % 8
		}
	}
	done := func(s *overflowState) bool {
		for p := range pushers {
			if int(s.last[p]) != items {
				return false
			}
		}
		return true
	}
	push := func(s overflowState, i int) []overflowState {
		item := uint8(8*i) + s.next[i] + 1
		finish := func() { s.next[i]++; s.pc[i] = 0 }
		ring := func(full uint8) { // claim a ticket of the ring, or go on at full
			if s.tail-s.head == 2 {
				s.pc[i] = full
				return
			}
			s.place[i] = s.tail
			s.tail++
			s.pc[i]++
		}
		switch s.pc[i] {
		case 0: // read the counter
			if int(s.next[i]) == items {
				return nil
			}
			if s.pc[i] = 1; s.counter != 0 {
				s.pc[i] = 3
			}
		case 1:
			ring(3)
		case 2, 6: // fill
			s.ring[s.place[i]%8], s.filled[s.place[i]%8] = item, true
			if s.pc[i] == 6 {
				s.locked = false
			}
			finish()
		case 3: // lock
			if s.locked {
				return nil
			}
			s.locked = true
			s.pc[i] = 4
		case 4: // read the counter again
			if s.pc[i] = 5; s.counter != 0 {
				s.pc[i] = 7
			}
		case 5:
			ring(7)
		case 7: // append to the list
			s.list[s.listed] = item
			s.listed++
			s.pc[i] = 8
		case 8: // store the counter
			s.counter = s.listed
			s.pc[i] = 9
		case 9: // unlock
			s.locked = false
			finish()
		}
		return []overflowState{s}
	}
	pop := func(s overflowState, i int) []overflowState {
		tryPop := func() bool {
			at := s.head % 8
			if s.head == s.tail || !s.filled[at] {
				return false
			}
			popped(&s, s.ring[at])
			s.ring[at], s.filled[at] = 0, false
			s.head++
			return true
		}
		shift := func() (item uint8) {
			item = s.list[0]
			copy(s.list[:], s.list[1:])
			s.list[3] = 0
			s.listed--
			return item
		}
		switch s.pc[i] {
		case 0:
			if done(&s) {
				return nil
			}
			if !tryPop() {
				s.pc[i] = 1
			}
		case 1: // read the counter
			if s.pc[i] = 2; s.counter == 0 {
				s.pc[i] = 0
			}
		case 2: // lock
			if s.locked {
				return nil
			}
			s.locked = true
			s.pc[i] = 3
		case 3: // is the ring empty?
			if s.pc[i] = 4; s.head != s.tail && (!v.hasty || s.filled[s.head%8]) {
				s.pc[i] = 9
			}
		case 4: // take from the list
			if s.listed == 0 {
				s.pc[i] = 9
				break
			}
			popped(&s, shift())
			if s.pc[i] = 5; v.earlier {
				s.pc[i] = 7
			}
		case 5: // refill one: claim
			if s.listed == 0 || s.tail-s.head == 2 {
				s.pc[i] = 8
				break
			}
			s.place[i] = s.tail
			s.tail++
			s.pc[i] = 6
		case 6: // refill one: fill, and drop from the list
			s.ring[s.place[i]%8], s.filled[s.place[i]%8] = shift(), true
			s.pc[i] = 8
		case 7: // the counter lowered too early
			s.counter = s.listed
			if s.listed > 0 {
				s.counter--
			}
			s.pc[i] = 5
		case 8: // store the counter
			s.counter = s.listed
			s.pc[i] = 9
		case 9: // unlock
			s.locked = false
			s.pc[i] = 0
		}
		return []overflowState{s}
	}
	return protocol[overflowState]{
		threads: pushers + poppers,
		step: func(s overflowState, i int) []overflowState {
			if i < pushers {
				return push(s, i)
			}
			return pop(s, i)
		},
		always: func(s overflowState) error {
			if s.bad != "" {
				return errors.New(s.bad)
			}
			return nil
		},
		atEnd: func(s overflowState) error {
			if !done(&s) {
				return fmt.Errorf("items stayed behind: %v came out", s.last)
			}
			return nil
		},
	}
}

func TestExploreOverflow(t *testing.T) {
	t.Run("2 pushers 1 popper", func(t *testing.T) { holds(t, overflowProtocol(2, 3, 1, overflowVariant{})) })
	t.Run("1 pusher 2 poppers", func(t *testing.T) { holds(t, overflowProtocol(1, 5, 2, overflowVariant{})) })
	t.Run("hasty", func(t *testing.T) { breaks(t, overflowProtocol(2, 3, 1, overflowVariant{hasty: true})) })
	t.Run("counter before ring", func(t *testing.T) { breaks(t, overflowProtocol(1, 5, 1, overflowVariant{earlier: true})) })
}
