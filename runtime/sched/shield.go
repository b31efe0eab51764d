package sched

import (
	"context"
	"sync"
)

// A Shield is what [Task.Shield] needs. It serves one task, for one call after the other. The zero
// Shield is ready for use; it must not be copied.
//
// It is open during the call, and gives in at most once in each: then the task is cancelled for the
// rest of the call. Until something asks for a context it has none.
type Shield struct {
	view contextView

	mu     sync.Mutex
	task   *Task           // guarded by mu; not to be used unless open
	by     Wanted          // guarded by mu
	open   bool            // guarded by mu
	gaveIn error           // guarded by mu: why; nil: it has not
	made   *shieldContexts // guarded by mu; nil: nothing has asked for a context
}

// A Wanted knows whether a shielded task is wanted.
type Wanted interface {
	// Wanted reports whether others want the task to go on. Any goroutine calls it, with a lock
	// held: it must be quick, and must not call the scheduler.
	Wanted() bool
}

// shieldContexts are the contexts of an open shield.
type shieldContexts struct {
	base    context.Context // of children: it ends when the shield gives in
	giveIn  context.CancelCauseFunc
	ctx     context.Context // the task's: it ends with the call, too
	end     context.CancelCauseFunc
	unwatch func() bool // nil if the context that the task was submitted with does not end
}

// shieldKey is the key under which the contexts of a shield, and those made from them, have it.
type shieldKey struct{}

// Shielded reports whether ctx is what [Task.Context] has given during [Task.Shield], or was made
// from that.
func Shielded(ctx context.Context) bool { return ctx.Value(shieldKey{}) != nil }

// Shield calls fn and returns its error. Meanwhile a cancellation of the task, of an ancestor or of
// its client, the end of its context, and its deadline are put off as long as others want the task
// to go on, as by says. So a task can compute something that others wait for, too, and go on when
// it is no longer wanted itself. The closing of the pool is not put off. What was put off when fn
// returns is in force then.
//
// Whether to give in is decided when the task looks ([Task.Err]), when it is cancelled, and by
// [Shield.Look], which has to be called when others do not want the task any more.
//
// During fn, [Task.Err] and [Task.Context] tell about the shield, and a wait returns when it gives
// in; the context ends with fn. Children that fn spawns belong to the shield as well, also after fn
// has returned, and to no ancestor; they inherit lane and client, but cancelling the client does
// not cancel them. Shields nest; the innermost decides.
func (t *Task) Shield(s *Shield, by Wanted, fn func() error) error {
	s.mu.Lock()
	s.view.shield = s
	s.task, s.by, s.open, s.gaveIn, s.made = t, by, true, nil, nil
	s.mu.Unlock()
	outer := t.view.Swap(&s.view)
	defer s.close(t, outer)
	return fn()
}

// close ends a call of Shield.
func (s *Shield) close(t *Task, outer *contextView) {
	t.view.Store(outer)
	s.mu.Lock()
	made := s.made
	s.open, s.gaveIn, s.made = false, nil, nil
	s.mu.Unlock()
	if made != nil {
		if made.unwatch != nil {
			made.unwatch()
		}
		made.end(nil)
		t.loop.waited = true // it is enlisted
		t.kept = true        // the contexts have it
	}
	if outer == nil {
		return
	}
	if why := t.Err(); why != nil { // it could not be told meanwhile
		outer.tell(why)
	}
}

// Look has the shield find out whether the task is wanted. Any goroutine may call it at any time,
// also when the task has ended.
func (s *Shield) Look() {
	if t, why := s.decide(); why != nil {
		t.wake()
	}
}

// decide gives in if the shield must, and returns the task and why if it has. One that is closed
// has not.
func (s *Shield) decide() (t *Task, why error) {
	s.mu.Lock()
	t, made, why := s.task, s.made, s.look()
	s.mu.Unlock()
	if why != nil && made != nil {
		made.giveIn(why)
	}
	return t, why
}

// look is decide without telling the contexts. The caller holds mu.
func (s *Shield) look() error {
	if !s.open || s.gaveIn != nil {
		return s.gaveIn
	}
	if c := s.task.pool.killed.Load(); c != nil {
		s.gaveIn = c.err
	} else if !s.by.Wanted() {
		s.gaveIn = s.task.Cancelled()
	}
	return s.gaveIn
}

// shieldErr is Task.Err during Shield.
func (t *Task) shieldErr(s *Shield) error {
	if t.Cancelled() == nil {
		return nil
	}
	_, why := s.decide()
	return why
}

// contexts returns the contexts of the shield, and makes them. If it is closed they have ended.
func (s *Shield) contexts() *shieldContexts {
	s.mu.Lock()
	made := s.made
	isNew := made == nil
	if isNew {
		made = s.newContexts()
	}
	open := s.open
	if open && isNew {
		s.made = made
		s.task.enlist()
	}
	why := s.look() // only now do those who cancel find the contexts
	s.mu.Unlock()
	switch {
	case why != nil:
		made.giveIn(why)
	case !open:
		made.end(nil)
	}
	return made
}

// newContexts makes contexts. The caller holds mu.
func (s *Shield) newContexts() *shieldContexts {
	made, t := &shieldContexts{}, s.task
	made.base, made.giveIn = context.WithCancelCause(context.WithValue(context.WithoutCancel(t.base), shieldKey{}, s))
	made.ctx, made.end = context.WithCancelCause(&taskContext{made.base, t})
	if s.open && t.traits.has(mortal) {
		made.unwatch = context.AfterFunc(t.base, s.Look)
	}
	return made
}
