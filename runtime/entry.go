package runtime

import (
	"context"
	"errors"
	"fmt"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/memo"
	"github.com/cytisus/cytisus/runtime/sched"
)

// admit is asked by every call on an engine from outside: what it returns is what the call returns.
// See "Inside a query" in the package comment.
func (e *Engine) admit(what string) error {
	if err := notInQuery(what); err != nil {
		return err
	}
	if e.closing.Load() {
		return fmt.Errorf("runtime: %s: %w", what, ErrClosed)
	}
	return nil
}

// admitBy is admit for a call that is given a context.
func (e *Engine) admitBy(ctx context.Context, what string) error {
	if err := notInQueryBy(ctx, what); err != nil {
		return err
	}
	return e.admit(what)
}

// notInQuery is ErrInQuery if the calling goroutine works for a query.
func notInQuery(what string) error {
	if memo.AnyInQuery() {
		if root := callingTask(sched.Caller()); root != nil && root.strand.InQuery() {
			return fmt.Errorf("%w: %s", ErrInQuery, what)
		}
	}
	return nil
}

// notInQueryBy is notInQuery for a call that is given a context, which may be a query's. It must
// not be nil.
func notInQueryBy(ctx context.Context, what string) error {
	if ctx == nil {
		return fmt.Errorf("runtime: %s: %w", what, errNilContext)
	}
	if memo.InQuery(ctx) {
		return fmt.Errorf("%w: %s", ErrInQuery, what)
	}
	return notInQuery(what)
}

var errNilContext = errors.New("the context is nil")

// callingTask returns the engine's part of a task, nil if there is none.
func callingTask(t *sched.Task) *rootTask {
	if t == nil {
		return nil
	}
	root, _ := t.Local().(*rootTask)
	return root
}

// MayJoin implements sched.Guard: what a query needs it reads.
func (r *rootTask) MayJoin() error {
	if r.strand.InQuery() {
		return fmt.Errorf("%w: waiting for a task", ErrInQuery)
	}
	return nil
}

// notInQuery is ErrInQuery while the task runs a query function, whichever function t was given to.
func (t *Task) notInQuery(what string) error {
	if t.root.strand.InQuery() {
		return fmt.Errorf("%w: %s", ErrInQuery, what)
	}
	return nil
}

// records reports why what is read through t would not be recorded where it belongs.
func (t *Task) records() error {
	if t.frame.Current(t.turn) {
		return nil
	}
	return fmt.Errorf("%w: reading through a task that another function was given", ErrInQuery)
}

// public gives an error of the layers below the form that callers know: what says that one of them
// is closed matches ErrClosed.
func public(err error) error {
	if err == nil || errors.Is(err, ErrClosed) {
		return err
	}
	if errors.Is(err, db.ErrClosed) || errors.Is(err, mmapcas.ErrClosed) {
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return err
}
