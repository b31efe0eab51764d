package sched

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrClosed says that the pool takes no more tasks. It is also the cause of cancellation of the
	// tasks that [Pool.Close] did not wait for.
	ErrClosed = errors.New("closed")

	// ErrInTask says that a task asks for what would wait for the task itself.
	ErrInTask = errors.New("not allowed inside a task")

	// ErrLane says that a task's lane is none of the 31.
	ErrLane = errors.New("sched: no such lane")

	// ErrNilFunc says that a task has no function.
	ErrNilFunc = errors.New("sched: task without a function")

	// ErrSuperseded is the cause of cancellation of a task when a newer one with the same key was
	// submitted.
	ErrSuperseded = errors.New("sched: superseded by a newer task")

	// ErrGoexit says that a task ended its goroutine with runtime.Goexit, as t.FailNow of package
	// testing does.
	ErrGoexit = errors.New("sched: task called runtime.Goexit")

	// ErrSelfJoin says that a task tried to wait for its own end.
	ErrSelfJoin = errors.New("sched: task joins itself")

	// ErrTimeout says that a wait with a limit took longer. It matches context.DeadlineExceeded.
	ErrTimeout error = timeoutError{}

	// ErrPending is what the function of a [Restartable] returns when it wants to be called again.
	ErrPending = errors.New("sched: pending")

	// ErrOptions says that the options of a pool contradict themselves.
	ErrOptions = errors.New("sched: bad options")
)

// A PanicError is the error of a task that panicked.
type PanicError struct {
	Value any    // what was passed to panic
	Stack []byte // the panicking goroutine's stack, as debug.Stack prints it
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("sched: task panicked: %v\n\n%s", e.Value, e.Stack)
}

// Caught returns the error of a panic that a task's function has recovered, for a function that
// makes errors of panics. The stack is the one of the goroutine, which while deferred functions run
// holds the frames that panicked. The panics by which a pool ends a task are not the function's to
// catch: they go on.
func Caught(r any) *PanicError {
	if _, locked := r.(lockedWait); locked || r == any(unwind) {
		panic(r)
	}
	return asPanicError(r)
}

// Unwrap returns the panic's value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// A CloseError says that a pool was closed before all its tasks had ended by themselves. It matches
// the cause of the context that ran out, and ErrClosed, with which the tasks were cancelled.
type CloseError struct {
	Cause error    // why Close did not wait longer
	Stuck []string // tasks that have not ended even after they were cancelled; the pool is not over while there are any
}

func (e *CloseError) Error() string {
	if len(e.Stuck) == 0 {
		return fmt.Sprintf("sched: closed before all tasks had ended: %v", e.Cause)
	}
	return fmt.Sprintf("sched: tasks do not end: %s: %v", strings.Join(e.Stuck, ", "), e.Cause)
}

// Unwrap returns what the error matches.
func (e *CloseError) Unwrap() []error { return []error{e.Cause, ErrClosed} }

type timeoutError struct{}

func (timeoutError) Error() string { return "sched: wait timed out" }

// Is makes ErrTimeout match context.DeadlineExceeded.
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// Timeout tells package net and others that it is a timeout.
func (timeoutError) Timeout() bool { return true }
