package memo

import (
	"context"
	"sync"
)

// A want is how long a run is wanted: the context of the shield under which the outermost run of a strand goes on. It ends, once
// and for good, when the task is cancelled while no other strand waits for a flight that the strand evaluates. It does not matter for
// which: all that are on the stack need what runs on top of it.
//
// Whether it ends is decided in Err, which is called when the scheduler tells the task that it may be cancelled, when the task
// looks, when the context that the task was submitted with ends, and when the last waiter leaves.
type want struct {
	context.Context // the values of the task's own; its end is the want's
	end             context.CancelCauseFunc
	strand          *Strand

	mu   sync.Mutex
	over bool // guarded by mu: the run has returned, its task must not be looked at any more
}

// wantKey is the key under which the context of a want, and those made from it, have the want.
type wantKey struct{}

// Value is part of context.Context.
func (w *want) Value(key any) any {
	if key == (wantKey{}) {
		return w
	}
	return w.Context.Value(key)
}

// InQuery reports whether ctx is the context of a task that runs a query function, or was made from
// it: the query's own goroutine has it, and those that it was given to, also after the query has
// returned.
func InQuery(ctx context.Context) bool {
	_, in := ctx.Value(wantKey{}).(*want)
	return in
}

// shield calls fn. Until it returns, a cancellation of the task is put off while other strands wait for what it computes.
func (s *Strand) shield(fn func()) {
	outer := s.Task.Context()
	w := &want{strand: s}
	w.Context, w.end = context.WithCancelCause(context.WithoutCancel(outer))
	s.want.Store(w)
	unwatch := context.AfterFunc(outer, func() { w.Err() })
	defer func() {
		unwatch()
		s.want.Store(nil)
		w.mu.Lock()
		w.over = true
		w.mu.Unlock()
	}()
	_ = s.Task.Shield(w, func() error { fn(); return nil }) // what fn has to say it leaves with its caller
}

// shielded reports whether the strand is inside shield. The strand asks.
func (s *Strand) shielded() bool { return s.want.Load() != nil }

// left is called when a strand that waited for one of s's flights does not any more.
func (s *Strand) left() {
	if s.waiters.Add(-1) == 0 {
		if w := s.want.Load(); w != nil {
			w.Err()
		}
	}
}

// Err decides whether the want ends. Any goroutine may call it.
func (w *want) Err() error {
	if err := w.Context.Err(); err != nil {
		return err
	}
	if w.strand.waiters.Load() > 0 {
		return nil // whoever comes from now on finds the flight abandoned, and tries again
	}
	w.mu.Lock()
	var why error
	if !w.over {
		why = w.strand.Task.Cancelled()
	}
	w.mu.Unlock()
	if why == nil {
		return nil
	}
	w.end(why)
	return w.Context.Err()
}
