package queue

import (
	"errors"
	"testing"
)

// spscState models SPSC with capacity 2 and 8-bit counters that wrap on the way. Thread 0 pushes 1,
// 2, …, one or two at a time; thread 1 pops them, one or two at a time.
type spscState struct {
	tail, head         uint8
	vals               [2]uint8
	headSeen, tailSeen uint8
	pc                 [2]uint8
	n                  [2]uint8 // size of the batch in hand
	at                 [2]uint8 // next place of the batch
	next, want         uint8
	bad                string
}

// spscVariant says what to get wrong.
type spscVariant struct {
	early   bool // S1: the counter is stored before the places are done
	noLooks bool // S2: nobody looks again at the other's counter
}

func spscProtocol(items int, batch uint8, v spscVariant) protocol[spscState] {
	const capacity, start = 2, 254
	step := func(s spscState, i int) []spscState {
		push := i == 0
		mine, other, seen := &s.head, &s.tail, &s.tailSeen
		if push {
			mine, other, seen = &s.tail, &s.head, &s.headSeen
		}
		places := func() uint8 { // what the side may use, as far as it knows
			if push {
				return capacity - (*mine - *seen)
			}
			return *seen - *mine
		}
		switch s.pc[i] {
		case 0:
			if push && int(s.next) > items || !push && int(s.want) > items {
				return nil
			}
			if s.pc[i] = 2; places() < batch {
				s.pc[i] = 1
			}
		case 1: // look at the other's counter
			if s.pc[i] = 2; !v.noLooks {
				*seen = *other
			}
		case 2:
			if s.n[i] = min(places(), batch); s.n[i] == 0 {
				s.pc[i] = 0
				if v.noLooks {
					return nil
				}
				break
			}
			if push {
				s.n[i] = min(s.n[i], uint8(items)+1-s.next)
			}
			s.at[i], s.pc[i] = *mine, 3
			if v.early {
				*mine += s.n[i]
			}
		case 3: // one place
			p := &s.vals[s.at[i]%capacity]
			if push {
				if *p != 0 {
					s.bad = "the producer overwrites an item"
				}
				*p = s.next
				s.next++
			} else {
				if *p != s.want {
					s.bad = "the consumer finds another item than the next"
				}
				*p = 0
				s.want++
			}
			s.at[i]++
			s.n[i]--
			if s.n[i] == 0 {
				s.pc[i] = 4
			}
		case 4: // hand over
			*mine = s.at[i]
			s.pc[i], s.at[i] = 0, 0
		}
		return []spscState{s}
	}
	return protocol[spscState]{
		init:    spscState{tail: start, head: start, headSeen: start, tailSeen: start, next: 1, want: 1},
		threads: 2,
		step:    step,
		always: func(s spscState) error {
			if s.bad != "" {
				return errors.New(s.bad)
			}
			return nil
		},
		atEnd: func(s spscState) error {
			if int(s.want) != items+1 {
				return errors.New("items stayed behind")
			}
			return nil
		},
	}
}

func TestExploreSPSC(t *testing.T) {
	t.Run("single", func(t *testing.T) { holds(t, spscProtocol(8, 1, spscVariant{})) })
	t.Run("batches", func(t *testing.T) { holds(t, spscProtocol(9, 2, spscVariant{})) })
	t.Run("S1 counter before the place", func(t *testing.T) { breaks(t, spscProtocol(8, 1, spscVariant{early: true})) })
	t.Run("S2 never looked again", func(t *testing.T) { breaks(t, spscProtocol(8, 1, spscVariant{noLooks: true})) })
}
