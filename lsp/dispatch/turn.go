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
	for r := c.in.take(); r != nil; r = c.in.take() {
		c.turn(r, work)
	}
}

func (c *Conn) turn(r *Request, work *sync.WaitGroup) {
	if r.answered.Load() { // cancelled while it waited
		r.cancel(ErrCancelled)
		return
	}
	handler, err := c.gate(r)
	if err != nil || handler == nil {
		c.finish(r, nil, err)
		return
	}
	start := time.Now()
	stuck := time.AfterFunc(c.o.StuckAfter, func() {
		c.o.Logger.Error("dispatch: a turn takes long; everything behind it waits", "method", r.Method, "ticket", uint64(r.Ticket), "for", c.o.StuckAfter)
	})
	outcome, err := c.call(r, func() (Outcome, error) { return handler(context.WithValue(r.ctx, inTurn{}, true), r) })
	stuck.Stop()
	c.advance(r, err)
	if err != nil || outcome.work == nil {
		c.finishTraced(r, outcome.value, err, start)
		return
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

// gate applies the lifecycle and finds the handler. Both results nil mean that the
// message is dropped.
func (c *Conn) gate(r *Request) (Handler, error) {
	if c.o.Lifecycle {
		switch {
		case c.phase == fresh && r.Method != methodInitialize:
			if !r.IsCall() {
				c.o.Logger.Warn("dispatch: notification before initialize dropped", "method", r.Method)
				return nil, nil
			}
			return nil, jsonrpc2.Errorf(jsonrpc2.ServerNotInitialized, "%s came before initialize", r.Method)
		case c.phase != fresh && r.Method == methodInitialize && r.IsCall():
			return nil, jsonrpc2.NewError(jsonrpc2.InvalidRequest, "initialize came twice")
		case c.phase == down:
			if !r.IsCall() {
				return nil, nil
			}
			return nil, jsonrpc2.Errorf(jsonrpc2.InvalidRequest, "%s came after shutdown", r.Method)
		}
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

func (c *Conn) report(r *Request, err error) {
	if c.o.OnError != nil {
		c.o.OnError(r.Method, err)
	}
}
