package dispatch

import (
	"context"
	"errors"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"go.lsp.dev/jsonrpc2"
)

// A phase is how far the other end has come in the protocol's lifecycle.
type phase uint8

const (
	fresh   phase = iota // initialize has not succeeded
	running              // between initialize and shutdown
	down                 // shutdown was served
)

// turns serves messages in order until there are no more. Work goes on in goroutines
// that work counts.
func (c *Conn) turns(work *sync.WaitGroup) {
	joins := func(first, next *Request) bool {
		return first.Method == next.Method && !first.IsCall() && !next.IsCall() && c.o.Runs[first.Method] != nil
	}
	var run []*Request
	for {
		run = c.in.take(run[:0], joins)
		switch {
		case len(run) == 0:
			return
		case c.o.Runs[run[0].Method] != nil && !run[0].IsCall():
			c.turnOfRun(run)
		default:
			c.turn(run[0], work)
		}
		clear(run)
	}
}

// turnOfRun serves notifications of one method that stand one behind the other.
func (c *Conn) turnOfRun(run []*Request) {
	first := run[0]
	if ok, err := c.phaseAllows(first); !ok || err != nil {
		for _, r := range run {
			c.finish(r, nil, err)
		}
		return
	}
	stuck := c.watch(first)
	var errs []error
	_, err := c.call(first, func() (Outcome, error) {
		errs = c.o.Runs[first.Method](context.WithValue(first.ctx, inTurn{}, true), run)
		return Done, nil
	})
	stuck.Stop()
	for i, r := range run {
		var each error
		if i < len(errs) {
			each = errs[i]
		}
		if i == 0 && err != nil {
			each = err
		}
		c.finish(r, nil, each)
	}
}

func (c *Conn) turn(r *Request, work *sync.WaitGroup) {
	if r.answered.Load() { // cancelled while it waited
		r.cancel(ErrCancelled)
		c.done(r)
		return
	}
	handler, err := c.gate(r)
	if err != nil || handler == nil {
		c.finish(r, nil, err)
		return
	}
	start := time.Now()
	stuck := c.watch(r)
	outcome, err := c.call(r, func() (Outcome, error) { return handler(context.WithValue(r.ctx, inTurn{}, true), r) })
	stuck.Stop()
	c.advance(r, err)
	if err != nil || outcome.work == nil {
		c.finishTraced(r, outcome.value, err, start)
		return
	}
	if !r.IsCall() {
		r.cancel(ErrClosed) // a notification has no answer: its work is to let go of what it holds
	}
	work.Go(func() {
		var value any
		_, err := c.call(r, func() (_ Outcome, err error) {
			value, err = outcome.work(r.ctx)
			return Done, err
		})
		c.finishTraced(r, value, err, start)
	})
}

// watch reports a turn that takes long, until it is stopped.
func (c *Conn) watch(r *Request) *time.Timer {
	return time.AfterFunc(c.o.StuckAfter, func() {
		c.o.Logger.Error("dispatch: a turn takes long; everything behind it waits", "method", r.Method, "ticket", uint64(r.Ticket), "for", c.o.StuckAfter)
	})
}

// phaseAllows applies the lifecycle. False without an error means that the message is
// dropped.
func (c *Conn) phaseAllows(r *Request) (bool, error) {
	if !r.IsCall() && (r.Method == methodInitialize || r.Method == methodShutdown) {
		c.o.Logger.Warn("dispatch: a request without an id dropped", "method", r.Method)
		return false, nil
	}
	if !c.o.Lifecycle {
		return true, nil
	}
	switch {
	case c.phase == fresh && r.Method != methodInitialize:
		if !r.IsCall() {
			c.o.Logger.Warn("dispatch: notification before initialize dropped", "method", r.Method)
			return false, nil
		}
		return false, jsonrpc2.Errorf(jsonrpc2.ServerNotInitialized, "%s came before initialize", r.Method)
	case c.phase != fresh && r.Method == methodInitialize:
		return false, jsonrpc2.NewError(jsonrpc2.InvalidRequest, "initialize came twice")
	case c.phase == down:
		if !r.IsCall() {
			return false, nil
		}
		return false, jsonrpc2.Errorf(jsonrpc2.InvalidRequest, "%s came after shutdown", r.Method)
	}
	return true, nil
}

// gate applies the lifecycle and finds the handler. Both results nil mean that the
// message is dropped.
func (c *Conn) gate(r *Request) (Handler, error) {
	if ok, err := c.phaseAllows(r); !ok {
		return nil, err
	}
	if h, ok := c.handlers[r.Method]; ok {
		return h, nil
	}
	if r.IsCall() {
		return nil, jsonrpc2.Errorf(jsonrpc2.MethodNotFound, "method %q is not supported", r.Method)
	}
	if !strings.HasPrefix(r.Method, "$/") { // those may be ignored silently
		c.o.Logger.Info("dispatch: unknown notification ignored", "method", r.Method)
	}
	return nil, nil
}

// advance moves the lifecycle on after a turn.
func (c *Conn) advance(r *Request, err error) {
	switch {
	case err != nil || !r.IsCall():
	case r.Method == methodInitialize:
		c.phase = running
	case r.Method == methodShutdown:
		c.phase = down
	}
}

// call runs a piece of a handler; its panic is an error (T4).
func (c *Conn) call(r *Request, fn func() (Outcome, error)) (o Outcome, err error) {
	defer func() {
		if v := recover(); v != nil {
			o, err = Done, &PanicError{Method: r.Method, Value: v, Stack: debug.Stack()}
		}
	}()
	return fn()
}

func (c *Conn) finishTraced(r *Request, value any, err error, start time.Time) {
	c.finish(r, value, err)
	c.traceEnd(r, err, time.Since(start))
}

// finish answers a request, or reports a notification's failure.
func (c *Conn) finish(r *Request, value any, err error) {
	c.done(r)
	if p, ok := errors.AsType[*PanicError](err); ok {
		c.counts.panicked.Add(1)
		c.o.Logger.Error("dispatch: handler panicked", "method", r.Method, "ticket", uint64(r.Ticket), "panic", p.Value, "stack", string(p.Stack))
		c.report(r, err)
	}
	if r.IsCall() {
		c.reply(r, value, err)
	} else if err != nil {
		c.counts.failed.Add(1)
		c.o.Logger.Warn("dispatch: notification failed", "method", r.Method, "err", err)
		if _, ok := errors.AsType[*PanicError](err); !ok {
			c.report(r, err)
		}
	}
	r.cancel(ErrClosed)
}

// done says that a message's turn and work have ended. Its place is free before the client is
// answered, who may send the next request at once.
func (c *Conn) done(r *Request) {
	if r.IsCall() {
		c.mu.Lock()
		c.busy--
		c.mu.Unlock()
	}
}

func (c *Conn) report(r *Request, err error) {
	if c.o.OnError != nil && !c.silent.Load() {
		c.o.OnError(r.Method, err)
	}
}
