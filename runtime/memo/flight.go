package memo

import (
	"errors"
	"slices"
	"sync/atomic"

	"github.com/cytisus/cytisus/runtime/sched"
)

// A flight is one computation: a key at one generation. Its state says who may touch the rest:
//
//	open     nobody evaluates it; claim moves it on
//	claimed  the claiming strand evaluates it and owns trace, vouch, err and cyclic
//	done     trace, vouch, err and cyclic are immutable; done has fired
type flight struct {
	entry   *entry
	gen     uint64
	state   atomic.Int32
	running bool    // guarded by entry.mu: the query function has been called
	owner   *Strand // guarded by Table.waitMu; set once, by claim
	trace   *trace
	vouch   vouch // why trace holds
	check   bool  // what is found to hold is to be computed again; the owner's
	err     error
	cyclic  bool               // the outcome rests on a CycleError
	given   map[*entry]*flight // the owner's: outcomes that f needs and only f may have; see descent
	done    sched.Event
}

// abandoned reports whether a done flight has no outcome that others could use.
func (f *flight) abandoned() bool { return errors.Is(f.err, errAbandoned) }

const (
	flightOpen int32 = iota
	flightClaimed
	flightDone
)

// join returns the flight for gen, making one when there is none. It returns nil if the entry was evicted.
func (e *entry) join(gen uint64) *flight {
	e.touch()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dead {
		return nil
	}
	for _, f := range e.flights {
		if f.gen == gen {
			return f
		}
	}
	f := &flight{entry: e, gen: gen}
	e.flights = append(e.flights, f)
	return f
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

// startRun marks f as running its query function and reports that it may. It may not while a flight of the same key for another generation
// runs it: then that one is returned; nor when traces were added since the caller looked at them: then they are to be looked at again.
func (f *flight) startRun(tracesSeen uint64) (may bool, other *flight) {
	e := f.entry
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range e.flights {
		if o != f && o.running {
			return false, o
		}
	}
	if e.tracesAdded != tracesSeen {
		return false, nil
	}
	f.running = true
	return true, nil
}

// finish publishes the outcome of a claimed flight and wakes all who wait for it (M1).
func (f *flight) finish(tr *trace, err error) {
	e := f.entry
	e.mu.Lock()
	e.flights = slices.DeleteFunc(e.flights, func(o *flight) bool { return o == f })
	e.mu.Unlock()
	f.trace, f.err = tr, err
	f.state.Store(flightDone)
	f.done.Fire()
}

// wait suspends the strand until f is done; a wait that would close a cycle is a CycleError instead.
func (t *Table) wait(fr *Frame, f *flight) error {
	me := fr.strand
	t.waitMu.Lock()
	if f.state.Load() == flightDone {
		t.waitMu.Unlock()
		return nil
	}
	// A strand that was woken but has not run yet still shows the flight it waited for: one that is done blocks nobody.
	for g := f; g != nil && g.owner != nil && g.state.Load() != flightDone; g = g.owner.waits {
		if g.owner == me {
			path := cyclePath(fr, f)
			t.waitMu.Unlock()
			fr.cyclic = true
			return &CycleError{Path: path}
		}
	}
	me.waits, me.waitsIn = f, fr
	on, owner := uint64(0), f.owner
	if owner != nil {
		on = owner.Task.ID()
		owner.waiters.Add(1)
	}
	t.waitMu.Unlock()
	defer func() {
		t.waitMu.Lock()
		me.waits, me.waitsIn = nil, nil
		t.waitMu.Unlock()
		if owner != nil {
			owner.left()
		}
	}()
	return me.Task.AwaitReason(&f.done, sched.Reason{What: "query " + f.entry.query.show(f.entry.key), On: on})
}

// cyclePath names the queries of the cycle that fr would close by waiting for f: from f down to the frame in which its
// owner waits, on through the flight waited for, and so on until fr. The caller holds waitMu; every
// other strand on the way is waiting, so its frames stand still.
func cyclePath(fr *Frame, f *flight) []string {
	var path []string
	for g := f; ; g = g.owner.waits {
		in := g.owner.waitsIn
		if g.owner == fr.strand {
			in = fr
		}
		start := len(path)
		g.owner.above(in, func(e *entry) bool {
			path = append(path, e.query.show(e.key))
			return e != g.entry
		})
		slices.Reverse(path[start:])
		if g.owner == fr.strand {
			return append(path, f.entry.query.show(f.entry.key))
		}
	}
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
