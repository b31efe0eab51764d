package queue

import (
	"errors"
	"testing"
)

// roomState models one full lane of two places, poppers that pop once each, and submitters that
// wait for room. A place that a pop has claimed is free for a push only after its release, which
// may become visible late (R5).
type roomState struct {
	size    uint8 // by the counters
	claimed uint8 // places that pops have claimed and not released
	crowd   uint8 // bit i: submitter i is in the crowd
	crowded bool
	locked  bool
	called  [4]bool
	pc      [4]uint8
	bad     string
}

// roomVariant says what to leave out.
type roomVariant struct {
	believe  bool // W2: a submitter sleeps when the push fails, whatever the counters say
	tryFirst bool // W2: a submitter tries once more before it joins instead of after
	lookLate bool // wrong in the pop: it looks at the crowded bit before it claims
	keepCall bool // W4: a submitter that was called and has pushed without the call keeps it
}

func roomProtocol(submitters, poppers int, v roomVariant) protocol[roomState] {
	const capacity = 2
	call := func(s *roomState, n int) {
		for i := range submitters {
			if n > 0 && s.crowd&(1<<i) != 0 {
				if s.called[i] {
					s.bad = "W1: a second call to one waiter"
				}
				s.crowd &^= 1 << i
				s.called[i] = true
				n--
			}
		}
		s.crowded = s.crowd != 0
	}
	submit := func(s roomState, i int) []roomState {
		switch s.pc[i] {
		case 0:
			if s.pc[i] = 1; v.tryFirst {
				s.pc[i] = 2
			}
		case 1: // join and set the bit, under the lock
			if s.locked {
				return nil
			}
			s.crowd |= 1 << i
			s.crowded = true
			if s.pc[i] = 2; v.tryFirst {
				s.pc[i] = 4
			}
		case 2: // try once more
			switch {
			case s.size+s.claimed < capacity:
				s.size++
				s.pc[i] = 5
			case v.tryFirst:
				s.pc[i] = 1
			case v.believe:
				s.pc[i] = 4
			default:
				s.pc[i] = 3
			}
		case 3: // full by the counters? If not, the item goes to the list
			if s.pc[i] = 4; s.size < capacity {
				s.size++
				s.pc[i] = 5
			}
		case 4: // sleep
			if !s.called[i] {
				return nil
			}
			s.called[i] = false
			s.pc[i] = 0
		case 5: // quit
			if s.locked {
				return nil
			}
			switch {
			case v.tryFirst && s.crowd&(1<<i) == 0: // never joined
			case s.crowd&(1<<i) != 0:
				s.crowd &^= 1 << i
				s.crowded = s.crowd != 0
			case !v.keepCall:
				s.called[i] = false
				call(&s, 1)
			}
			s.pc[i] = 99
		default:
			return nil
		}
		return []roomState{s}
	}
	pop := func(s roomState, i int) []roomState {
		const saw = 10 // added to pc by a pop that looked too early, and saw a crowd
		switch s.pc[i] {
		case 0:
			s.pc[i] = 1
			if v.lookLate && s.crowded {
				s.pc[i] += saw
			}
		case 1, 1 + saw: // claim
			if s.size == 0 {
				return nil // nothing to pop yet
			}
			s.size--
			s.claimed++
			s.pc[i]++
		case 2: // load the bit
			if s.pc[i] = 5; s.crowded && !v.lookLate {
				s.pc[i] = 3
			}
		case 2 + saw:
			s.pc[i] = 3
		case 3: // make room: lock, call
			if s.locked {
				return nil
			}
			s.locked = true
			s.pc[i] = 4
		case 4:
			if s.size <= capacity/2 {
				call(&s, capacity-int(s.size))
			}
			s.locked = false
			s.pc[i] = 5
		case 5: // the release becomes visible
			s.claimed--
			s.pc[i] = 99
		default:
			return nil
		}
		return []roomState{s}
	}
	return protocol[roomState]{
		init:    roomState{size: capacity},
		threads: submitters + poppers,
		step: func(s roomState, i int) []roomState {
			if i < submitters {
				return submit(s, i)
			}
			return pop(s, i)
		},
		always: func(s roomState) error {
			if s.bad != "" {
				return errors.New(s.bad)
			}
			return nil
		},
		// Poppers that have popped their one item stop, so a lane that is full again may keep
		// submitters waiting.
		atEnd: func(s roomState) error {
			for i := range submitters {
				if s.pc[i] != 99 && s.size <= capacity/2 {
					return errors.New("a submitter sleeps beside a lane with room")
				}
			}
			return nil
		},
	}
}

func TestExploreRoom(t *testing.T) {
	t.Run("1 submitter 1 pop", func(t *testing.T) { holds(t, roomProtocol(1, 1, roomVariant{})) })
	t.Run("1 submitter 3 pops", func(t *testing.T) { holds(t, roomProtocol(1, 3, roomVariant{})) })
	t.Run("2 submitters 2 pops", func(t *testing.T) { holds(t, roomProtocol(2, 2, roomVariant{})) })
	t.Run("W2 full is believed", func(t *testing.T) { breaks(t, roomProtocol(1, 1, roomVariant{believe: true})) })
	t.Run("W2 try before joining", func(t *testing.T) { breaks(t, roomProtocol(1, 1, roomVariant{tryFirst: true})) })
	t.Run("W3 look before the claim", func(t *testing.T) { breaks(t, roomProtocol(1, 1, roomVariant{lookLate: true})) })
	t.Run("W4 call kept", func(t *testing.T) { breaks(t, roomProtocol(2, 2, roomVariant{keepCall: true})) })
}
