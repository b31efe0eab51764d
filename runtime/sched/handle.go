package sched

import (
	"context"
	"fmt"

	"github.com/cytisus/cytisus/runtime/lane"
)

// A Handle is a task seen from outside. All methods may be called by any goroutine, at any time.
type Handle Task

func (h *Handle) task() *Task { return (*Task)(h) }

// ID returns the task's number.
func (h *Handle) ID() uint64 { return h.id }

// Name returns the name it was submitted with.
func (h *Handle) Name() string { return h.name }

// Lane returns the task's lane.
func (h *Handle) Lane() lane.Lane { return h.task().Lane() }

// Client returns on whose behalf the task runs.
func (h *Handle) Client() uint64 { return h.task().Client() }

// Done returns a channel that is closed when the task has ended.
func (h *Handle) Done() <-chan struct{} { return h.task().done.Done() }

// Ended returns the event that fires when the task has ended, for tasks and callbacks that wait for
// it.
func (h *Handle) Ended() *Event { return &h.task().done }

// Err returns how the task ended: nil if it completed, what its function returned, the cause of
// cancellation if it never started, a [PanicError] or [ErrGoexit]. While the task has not ended it
// returns nil.
func (h *Handle) Err() error {
	if !h.task().done.Fired() {
		return nil
	}
	return h.err
}

// Wait waits for the task's end and returns its error. If ctx ends first, Wait returns ctx's cause,
// wrapped, and the task goes on. A task that calls it waits as in [Task.Join], without holding its
// worker.
func (h *Handle) Wait(ctx context.Context) error {
	t := h.task()
	if me := Current(); me != nil {
		return me.joinUntil(h, ctx)
	}
	if s := t.pool.sim; s != nil {
		s.wait(ctx, &t.done)
	}
	if t.done.Fired() {
		return t.err
	}
	select {
	case <-t.done.Done():
		return t.err
	case <-ctx.Done():
		return t.gaveUp(ctx)
	}
}

// gaveUp is the error of a wait for t that ended with ctx.
func (t *Task) gaveUp(ctx context.Context) error {
	return fmt.Errorf("sched: wait for task %d %q: %w", t.id, t.name, context.Cause(ctx))
}

// Cancel cancels the task and its descendants for the given cause, context.Canceled if it is nil. A
// queued task ends at once without having started; others notice at their next wait, or when they
// look. Cancelling a task that has ended or is cancelled does nothing. Cancel reports whether this
// call was the one that cancelled it.
func (h *Handle) Cancel(cause error) bool { return h.task().cancel(cause) }
