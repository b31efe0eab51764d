package queue

import (
	"errors"
	"testing"
)

// parkState models a parker whose owner parks until it has seen what every poster has written, with
// a kernel that sleeps and wakes. Thread 0 is the owner, the others post one token each.
type parkState struct {
	word    uint32
	inSleep bool // the owner is in the kernel's queue
	written uint8
	seen    uint8
	pc      [4]uint8
	tokens  uint8 // Unparks that found no token there
	taken   uint8
	bad     string
}

// parkVariant says what to get wrong.
type parkVariant struct {
	deadline   bool // the owner may give up at any time (not an error)
	blindSleep bool // the kernel sleeps without comparing the word
	blindWake  bool // the poster wakes before it changes the word
	storeOver  bool // the owner stores asleep without looking for a token
}

func parkProtocol(posters int, v parkVariant) protocol[parkState] {
	owner := func(s parkState) (next []parkState) {
		switch s.pc[0] {
		case 0: // look for what was written; park if it is not all there
			if s.seen = s.written; int(s.seen) == posters {
				s.pc[0] = 9
			} else {
				s.pc[0] = 1
			}
		case 1: // compare and swap running -> asleep
			switch {
			case s.word == running || v.storeOver:
				s.word, s.pc[0] = asleep, 2
			default:
				s.pc[0] = 5
			}
		case 2: // loop: still asleep?
			if s.word != asleep {
				s.pc[0] = 5
				break
			}
			if v.deadline {
				late := s
				late.pc[0] = 4
				next = append(next, late)
			}
			s.pc[0] = 3
		case 3: // the kernel compares and sleeps
			if s.pc[0] = 2; s.word == asleep || v.blindSleep {
				s.inSleep, s.pc[0] = true, 6
			}
		case 4: // deadline: compare and swap asleep -> running
			if s.word == asleep {
				s.word, s.pc[0] = running, 0
			} else {
				s.pc[0] = 5
			}
		case 5: // swap running in
			if s.word != token {
				s.bad = "P2: the owner takes a token that is not there"
			}
			s.word, s.pc[0] = running, 0
			s.taken++
		case 6: // sleeping
			if s.inSleep {
				if !v.deadline {
					return nil
				}
				s.inSleep = false // the timer of the kernel
			}
			s.pc[0] = 2
		default:
			return nil
		}
		return append(next, s)
	}
	poster := func(s parkState, i int) []parkState {
		wake := func() { s.inSleep = false }
		switch s.pc[i] {
		case 0:
			s.written++
			if s.pc[i] = 1; v.blindWake && s.word == asleep {
				wake()
			}
		case 1: // swap token in
			old := s.word
			s.word = token
			if old != token {
				s.tokens++
			}
			if s.pc[i] = 9; old == asleep && !v.blindWake {
				s.pc[i] = 2
			}
		case 2:
			wake()
			s.pc[i] = 9
		default:
			return nil
		}
		return []parkState{s}
	}
	return protocol[parkState]{
		threads: 1 + posters,
		step: func(s parkState, i int) []parkState {
			if i == 0 {
				return owner(s)
			}
			return poster(s, i)
		},
		always: func(s parkState) error {
			if s.bad != "" {
				return errors.New(s.bad)
			}
			if s.taken > s.tokens {
				return errors.New("P1: more tokens taken than posted")
			}
			return nil
		},
		atEnd: func(s parkState) error {
			if s.pc[0] != 9 {
				return errors.New("the owner sleeps for ever")
			}
			return nil
		},
	}
}

func TestExplorePark(t *testing.T) {
	t.Run("1 poster", func(t *testing.T) { holds(t, parkProtocol(1, parkVariant{})) })
	t.Run("3 posters", func(t *testing.T) { holds(t, parkProtocol(3, parkVariant{})) })
	t.Run("3 posters, deadline", func(t *testing.T) { holds(t, parkProtocol(3, parkVariant{deadline: true})) })
	t.Run("sleep without comparing", func(t *testing.T) { breaks(t, parkProtocol(1, parkVariant{blindSleep: true})) })
	t.Run("wake before the word", func(t *testing.T) { breaks(t, parkProtocol(1, parkVariant{blindWake: true})) })
	t.Run("token overwritten", func(t *testing.T) { breaks(t, parkProtocol(1, parkVariant{storeOver: true})) })
}
