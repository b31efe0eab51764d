package memo

import (
	"context"
	"sync/atomic"

	"github.com/cytisus/cytisus/runtime/sched"
)

// A wants counts the strands that wait for flights that one strand evaluates. It does not matter
// for which: all that are on the stack need what runs on top of it. While the outermost run of the
// strand is shielded, the task is cancelled only at a moment when it is cancelled beyond the shield
// and the count is 0 (M5).
type wants struct{ n atomic.Int32 }

// Wanted implements sched.Wanted. Whoever comes after it has said no finds the flight abandoned,
// and tries again.
func (w *wants) Wanted() bool { return w.n.Load() > 0 }

// InQuery reports whether ctx is the context of a task that runs a query function, or was made from
// it: the query's own goroutine has it, and those that it was given to, also after the query has
// returned.
func InQuery(ctx context.Context) bool { return sched.Shielded(ctx) }

// whileWanted calls fn. Until it returns, a cancellation of the task is put off while other strands
// wait for what it computes. It is not called inside itself.
func (s *Strand) whileWanted(fn func() error) {
	s.shielded = true
	defer func() { s.shielded = false }()
	_ = s.Task.Shield(&s.shield, &s.wants, fn) // what fn has to say it leaves with its caller
}

// joined is called when a strand is about to wait for one of s's flights.
func (s *Strand) joined() { s.wants.n.Add(1) }

// left is called when it does not any more.
func (s *Strand) left() {
	if s.wants.n.Add(-1) == 0 {
		s.shield.Look()
	}
}
