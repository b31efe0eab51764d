package memo

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/cytisus/cytisus/runtime/sched"
)

// A flight is one computation: a key at one generation. Its state says who may touch the rest:
//
//	open     nobody evaluates it; claim moves it on
//	claimed  the claiming strand evaluates it and owns trace, vouch, err and cyclic, until it shares
//	         the flight with its question (unkept): then they are immutable
//	done     trace, vouch, err and cyclic are immutable; done has fired, if it is shared
//
// It is shared when it was open, or another strand, or another question of the same one, has found
// it in its entry. One that is not when it has left its entry is its owner's alone, which may use
// it again for another key (retire).
type flight struct {
	entry   *entry
	next    *flight // guarded by entry.mu: of entry.flights; or the owner's: of Strand.spare
	gen     uint64
	state   atomic.Int32
	running bool    // guarded by entry.mu: the query function has been called
	shared  bool    // guarded by entry.mu until it has left the entry, then immutable
	shown   shown   // what it has read
	owner   *Strand // set once: before it is in the entry, or guarded by Table.waitMu, by claim
	trace   *trace
	vouch   vouch // why trace holds
	err     error
	cyclic  bool              // the outcome rests on a CycleError
	given   map[KeyOf]*flight // the owner's: outcomes that f needs and only f may have; see descent
	done    sched.Event

	// The owner's; see "Fixpoints".
	index  uint64  // flights have ascending ones as the strand begins them
	low    uint64  // the lowest flight whose provisional value this one is known to rest on; 0: none
	member *member // nil: none
}

// abandoned reports whether a done flight has no outcome that others could use.
func (f *flight) abandoned() bool { return errors.Is(f.err, errAbandoned) }

const (
	flightOpen int32 = iota
	flightClaimed
	flightDone
)

// join returns the flight for gen, making one when there is none, which is for any strand to claim.
// It returns nil if the entry was evicted.
func (e *entry) join(gen uint64) *flight {
	e.touch()
	e.mu.Lock()
	defer e.mu.Unlock()
	f, evicted := e.flight(gen)
	if f == nil && !evicted {
		f = &flight{entry: e, gen: gen, shared: true, next: e.flights}
		e.flights = f
	}
	return f
}

// take is join for a strand that evaluates the flight if it is to be made: then it is claimed, and
// mine.
func (e *entry) take(s *Strand, gen uint64) (f *flight, mine bool) {
	e.touch()
	e.mu.Lock()
	defer e.mu.Unlock()
	f, evicted := e.flight(gen)
	if f == nil && !evicted {
		f, mine = s.newFlight(), true
		f.entry, f.gen, f.owner, f.next = e, gen, s, e.flights
		f.state.Store(flightClaimed)
		e.flights = f
	}
	return f, mine
}

// flight returns the flight for gen, and whether there can be none: the entry was evicted. The
// caller holds mu.
func (e *entry) flight(gen uint64) (f *flight, evicted bool) {
	for f := e.flights; f != nil; f = f.next {
		if f.gen == gen {
			f.shared = true
			return f, false
		}
	}
	return nil, e.dead
}

// newFlight returns an empty flight.
func (s *Strand) newFlight() *flight {
	f := s.spare
	if f == nil {
		return &flight{}
	}
	s.spare, f.next = f.next, nil
	return f
}

// retire takes back a flight that the strand has made and evaluated, when its outcome has been
// taken. What is not kept, or rests on a cycle, the question may still need.
func (s *Strand) retire(f *flight) {
	if f.shared || f.cyclic || f.member != nil || !f.kept() || s.fix != nil || s.descent != nil {
		return
	}
	*f = flight{next: s.spare}
	s.spare = f
}

// claim reports whether the caller is the one to evaluate f.
func (t *Table) claim(fr *Frame, f *flight) bool {
	if f.state.Load() != flightOpen {
		return false
	}
	t.waitMu.Lock()
	defer t.waitMu.Unlock()
	if !f.state.CompareAndSwap(flightOpen, flightClaimed) {
		return false
	}
	f.owner = fr.strand
	return true
}

// startRun marks f as running its query function and reports that it may. It may not when traces
// were added since the caller looked at them, unless that is to make no difference.
func (f *flight) startRun(tracesSeen uint32, inAnyCase bool) bool {
	e := f.entry
	e.mu.Lock()
	defer e.mu.Unlock()
	f.running = e.tracesAdded == tracesSeen || inAnyCase
	return f.running
}

// startFirst is startRun for a key that has no traces, and that no older generation runs: there is
// nothing to look at. The caller holds entry.mu.
func (f *flight) startFirst() bool {
	e := f.entry
	if e.traces != nil {
		return false
	}
	for o := e.flights; o != nil; o = o.next {
		if o.running && o.gen < f.gen {
			return false
		}
	}
	f.running = true
	return true
}

// abandon finishes a claimed flight without an outcome that others could use.
func (f *flight) abandon() { f.finish(nil, errAbandoned) }

// finish is publish of an outcome that was not shared.
func (f *flight) finish(tr *trace, err error) {
	f.trace, f.err = tr, err
	f.publish()
}

// publish makes a claimed flight done, whose trace and err are set, and wakes all who wait for it
// (M1). Others may have the outcome before, by share.
func (f *flight) publish() {
	e := f.entry
	e.mu.Lock()
	for at := &e.flights; *at != nil; at = &(*at).next {
		if *at == f {
			*at, f.next = f.next, nil
			break
		}
	}
	shared := f.shared
	e.mu.Unlock()
	if s := f.owner; s != nil && s.lone[e] == f {
		delete(s.lone, e)
		e.mu.Lock()
		e.addLone(-1)
		e.mu.Unlock()
	}
	f.state.Store(flightDone)
	if shared {
		f.done.Fire()
		f.shown.ended()
	}
	if t := e.query.table; t.traces() && f.abandoned() {
		t.happened(WasCancelled, e.query, e.key(), 0, givenUp(f.err))
	}
}

// givenUp says why a flight was abandoned.
func givenUp(err error) string {
	text := strings.TrimPrefix(err.Error(), errAbandoned.Error())
	if text = strings.TrimLeft(text, ": "); text == "" {
		return "the strand that evaluated it has ended"
	}
	return strings.ReplaceAll(text, "\n", "; ")
}

// usable reports whether a done flight has an outcome for s. One that rests on a cycle depends on
// what is on the stack, and is for the strand that has found it.
func (f *flight) usable(s *Strand) bool { return !f.abandoned() && (!f.cyclic || f.owner == s) }

// errOwn is returned by wait for a flight of the strand's own: what it evaluates needs itself.
var errOwn = errors.New("memo: the flight is the strand's own")

// errCloses is returned by wait for a flight that waits for one of the strand's own.
var errCloses = errors.New("memo: waiting would close a cycle")

// wait suspends the strand until f is done, unless it would wait for itself.
func (t *Table) wait(fr *Frame, f *flight) error { return t.waitUntil(fr, f, &f.done) }

// waitUntil is wait until an event, which fires when f is done at the latest.
func (t *Table) waitUntil(fr *Frame, f *flight, event *sched.Event) error {
	me := fr.strand
	t.waitMu.Lock()
	if f.state.Load() == flightDone {
		t.waitMu.Unlock()
		return nil
	}
	// A strand that was woken but has not run yet still shows the flight it waited for: one that is
	// done blocks nobody.
	for g := f; g != nil && g.owner != nil && g.state.Load() != flightDone; g = g.owner.waits {
		if g.owner == me {
			t.waitMu.Unlock()
			if g == f {
				return errOwn
			}
			return errCloses
		}
	}
	me.waits = f
	on, owner := uint64(0), f.owner
	if owner != nil {
		on = owner.Task.ID()
		owner.joined()
	}
	t.waitMu.Unlock()
	defer func() {
		t.waitMu.Lock()
		me.waits = nil
		t.waitMu.Unlock()
		if owner != nil {
			owner.left()
		}
	}()
	return me.Task.AwaitReason(event, sched.Reason{What: "query " + f.entry.query.show(f.entry.key()), On: on})
}

// closed is the error of a read of f, which is on the strand's stack or path.
func (fr *Frame) closed(f *flight) error {
	fr.cyclic = true
	path := []CycleStep{f.entry.step()}
	fr.strand.above(fr, func(e *entry) bool {
		path = append(path, e.step())
		return e != f.entry
	})
	slices.Reverse(path)
	return newCycleError(path)
}

func (e *entry) step() CycleStep {
	return CycleStep{Query: e.query.Name, Key: e.query.ShowKey(e.key()), Where: e.query.Where}
}

// alone makes a flight that is the strand's and that no other can find, of a key whose flight waits
// for the strand.
func (s *Strand) alone(e *entry, gen uint64) *flight {
	f := &flight{entry: e, gen: gen, owner: s}
	e.mu.Lock()
	e.addLone(1)
	e.mu.Unlock()
	f.state.Store(flightClaimed)
	if s.lone == nil {
		s.lone = map[*entry]*flight{}
	}
	s.lone[e] = f
	return f
}

// above calls fn for what is evaluated in a frame, what needs that, and so on, until fn returns
// false or the task's own frame is reached. The strand is the caller's, or stands still.
func (s *Strand) above(in *Frame, fn func(*entry) bool) {
	for x := in; x != nil && x.entry != nil; x = x.parent {
		if !fn(x.entry) {
			return
		}
	}
	if s.descent == nil {
		return
	}
	for _, f := range slices.Backward(s.descent.path) {
		if !fn(f.entry) {
			return
		}
	}
}
