package dispatch

import (
	"errors"
	"fmt"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

// reply answers a request unless it is answered already (T3).
func (c *Conn) reply(r *Request, value any, err error) {
	if r.answered.Swap(true) || c.silent.Load() {
		return
	}
	c.mu.Lock()
	delete(c.open, r.id) // the id is free for use once the answer is out
	c.mu.Unlock()
	var raw []byte
	if err == nil {
		if raw, err = encode(value); err != nil {
			err = jsonrpc2.Errorf(jsonrpc2.InternalError, "encoding the result of %s: %v", r.Method, err)
		}
	}
	if c.o.OnAnswer != nil {
		c.o.OnAnswer(r.Method, time.Since(r.read))
	}
	if err != nil {
		wire := wireError(r.ctx, err)
		if wire.Code == protocol.CodeRequestCancelled {
			c.counts.cancelled.Add(1)
		} else {
			c.counts.failed.Add(1)
			c.o.Logger.Debug("dispatch: request failed", "method", r.Method, "code", int(wire.Code), "err", wire.Message)
		}
		c.answer(r.id, nil, wire)
		return
	}
	c.counts.answered.Add(1)
	c.answer(r.id, raw, nil)
}

// answer queues a response. A null id stands for a message whose id is not known.
func (c *Conn) answer(id jsonrpc2.ID, result []byte, wire *jsonrpc2.Error) {
	var err error
	if wire != nil {
		err = wire
	}
	if serr := c.send(jsonrpc2.AppendResponse(nil, id, result, err), ""); serr != nil && !errors.Is(serr, ErrClosed) {
		c.o.Logger.Warn("dispatch: response lost", "id", fmt.Sprint(id), "err", serr)
	}
}

// abandon answers what is still open when the connection ends.
func (c *Conn) abandon(reason error) {
	c.mu.Lock()
	left := make([]*Request, 0, len(c.open))
	for _, r := range c.open {
		left = append(left, r)
	}
	c.mu.Unlock()
	if reason == nil {
		reason = ErrClosed
	}
	for _, r := range left {
		c.reply(r, nil, jsonrpc2.Errorf(ServerCancelled, "%s: the connection ends: %v", r.Method, reason))
		r.cancel(ErrClosed)
	}
}

// A traceLevel says how much of the server's doing the client wants to be told.
type traceLevel int32

const (
	traceOff traceLevel = iota
	traceMessages
	traceVerbose
)

// SetTrace sets how much the other end is told with $/logTrace.
func (c *Conn) SetTrace(v protocol.TraceValue) {
	level := traceOff
	switch v {
	case protocol.TraceValueMessages:
		level = traceMessages
	case protocol.TraceValueVerbose:
		level = traceVerbose
	}
	c.trace.Store(int32(level))
}

func (c *Conn) traceEnd(r *Request, err error, took time.Duration) {
	level := traceLevel(c.trace.Load())
	if level == traceOff {
		return
	}
	p := &protocol.LogTraceParams{Message: fmt.Sprintf("%s (ticket %d, id %v) took %v", r.Method, r.Ticket, r.id, took.Round(time.Microsecond))}
	if level == traceVerbose {
		verbose := fmt.Sprintf("params: %d bytes", len(r.Params))
		if err != nil {
			verbose += fmt.Sprintf("; error: %v", err)
		}
		p.Verbose = &verbose
	}
	_ = c.Notify("$/logTrace", p) // fails only when the connection has ended
}
