package sched

import "testing"

// Two protocols rest on a fence after a plain store (tally_tso.go, "Counting" in the package
// comment). Here they are as small steps with a store buffer between the worker and memory, in all
// interleavings; without the fence each must break.

type tsoState struct {
	worker, other uint8 // program counters
	buffered      bool  // the worker's plain store is on its way
	stored        bool  // it has arrived
	word          bool  // what the other side writes, atomically: an observer is there; the pool is draining
	using         bool  // the observer uses the task
	outcome       bool  // the lot is used again; the pool is over
	bad           bool
}

// exploreTSO visits every state and reports whether one is bad, or is bad to end in.
func exploreTSO(moves func(s tsoState) []tsoState, badEnd func(tsoState) bool) bool {
	var start tsoState
	seen := map[tsoState]bool{start: true}
	for todo := []tsoState{start}; len(todo) > 0; {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		next := moves(s)
		if s.buffered { // the buffer drains whenever it likes
			d := s
			d.buffered, d.stored = false, true
			next = append(next, d)
		}
		if s.bad || len(next) == 0 && badEnd(s) {
			return true
		}
		for _, n := range next {
			if !seen[n] {
				seen[n] = true
				todo = append(todo, n)
			}
		}
	}
	return false
}

// recyclerMoves: B1 word, B2 seen; C1 store, C2 fence, C3 load of word.
func recyclerMoves(fence bool) func(tsoState) []tsoState {
	return func(s tsoState) (next []tsoState) {
		w, o := s, s
		w.worker++
		o.other++
		switch s.worker {
		case 0:
			w.buffered = true // C1
			next = append(next, w)
		case 1:
			if fence && s.buffered { // C2
				w.buffered, w.stored = false, true
			}
			next = append(next, w)
		case 2:
			if w.outcome = !s.word; w.outcome && s.using { // C3
				w.bad = true
			}
			next = append(next, w)
		}
		switch s.other {
		case 0:
			o.word = true // B1
			next = append(next, o)
		case 1:
			if o.using = !s.stored; o.using && s.outcome { // B2
				o.bad = true
			}
			next = append(next, o)
		case 2:
			o.using = false
			next = append(next, o)
		case 3:
			o.word = false
			next = append(next, o)
		}
		return next
	}
}

// drainMoves: the worker counts an end and looks at the phase, the closer sets the phase and looks
// at the count.
func drainMoves(fence bool) func(tsoState) []tsoState {
	return func(s tsoState) (next []tsoState) {
		w, o := s, s
		w.worker++
		o.other++
		switch s.worker {
		case 0:
			w.buffered = true
			next = append(next, w)
		case 1:
			if fence && s.buffered {
				w.buffered, w.stored = false, true
			}
			next = append(next, w)
		case 2:
			w.outcome = s.outcome || s.word // it sees its own count anyway
			next = append(next, w)
		}
		switch s.other {
		case 0:
			o.word = true
			next = append(next, o)
		case 1:
			o.outcome = s.outcome || s.stored
			next = append(next, o)
		}
		return next
	}
}

func TestFences(t *testing.T) {
	never := func(tsoState) bool { return false }
	if exploreTSO(recyclerMoves(true), never) {
		t.Error("a task is used again while an observer uses it")
	}
	if !exploreTSO(recyclerMoves(false), never) {
		t.Error("recycler without the fence: not caught")
	}
	notOver := func(s tsoState) bool { return !s.outcome }
	if exploreTSO(drainMoves(true), notOver) {
		t.Error("nobody notices that the pool is over")
	}
	if !exploreTSO(drainMoves(false), notOver) {
		t.Error("draining without the fence: not caught")
	}
}
