package dispatch

import (
	"context"
	"fmt"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

// A response is the other end's answer to a call of ours.
type response struct {
	result []byte
	err    error
}

// A Pending is a call that has been sent and not yet answered.
type Pending struct {
	c      *Conn
	method string
	id     int64
	answer <-chan response
}

// Start sends a request and does not wait: calls started by one goroutine are in the
// stream in that order. The answer must be waited for.
func (c *Conn) Start(method string, params any) (*Pending, error) {
	raw, err := encode(params)
	if err != nil {
		return nil, fmt.Errorf("dispatch: encoding %s: %w", method, err)
	}
	answer := make(chan response, 1) // the reader never waits to deliver
	id, err := c.register(answer)
	if err != nil {
		return nil, fmt.Errorf("dispatch: calling %s: %w", method, err)
	}
	if err := c.send(jsonrpc2.AppendCall(nil, jsonrpc2.NewNumberID(id), method, raw), ""); err != nil {
		c.unregister(id)
		return nil, fmt.Errorf("dispatch: calling %s: %w", method, err)
	}
	return &Pending{c: c, method: method, id: id, answer: answer}, nil
}

// Wait waits for the answer, which is decoded into result unless that is nil. An error of
// the other end is a *jsonrpc2.Error. When ctx ends first, the other end is told to cancel.
// It must not be used in a handler's turn (T2), where it fails with [ErrInTurn].
func (p *Pending) Wait(ctx context.Context, result any) error {
	if inTurnOf(ctx) {
		p.giveUp()
		return fmt.Errorf("%w: %s", ErrInTurn, p.method)
	}
	select {
	case r := <-p.answer:
		if r.err != nil {
			return fmt.Errorf("dispatch: calling %s: %w", p.method, r.err)
		}
		if result == nil {
			return nil
		}
		if err := protocol.Unmarshal(r.result, result); err != nil {
			return fmt.Errorf("dispatch: decoding the result of %s: %w", p.method, err)
		}
		return nil
	case <-ctx.Done():
		p.giveUp()
		return fmt.Errorf("dispatch: calling %s: %w", p.method, context.Cause(ctx))
	}
}

func (p *Pending) giveUp() {
	if p.c.unregister(p.id) {
		// Best effort: without it the other end computes for nobody.
		_ = p.c.send(jsonrpc2.AppendNotification(nil, methodCancel, fmt.Appendf(nil, `{"id":%d}`, p.id)), "")
	}
}

// Call is [Conn.Start] and [Pending.Wait].
func (c *Conn) Call(ctx context.Context, method string, params, result any) error {
	if inTurnOf(ctx) {
		return fmt.Errorf("%w: %s", ErrInTurn, method)
	}
	p, err := c.Start(method, params)
	if err != nil {
		return err
	}
	return p.Wait(ctx, result)
}

func (c *Conn) register(answer chan<- response) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return 0, ErrClosed
	}
	c.callID++
	c.calls[c.callID] = answer
	return c.callID, nil
}

func (c *Conn) unregister(id int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.calls[id]
	delete(c.calls, id)
	return ok
}

// deliver hands an answer to its call. One that nobody waits for is dropped: its call
// was given up.
func (c *Conn) deliver(v *jsonrpc2.MessageView) {
	id, ok := v.ID.Number()
	if !ok {
		c.o.Logger.Warn("dispatch: a response without a known id", "id", string(v.IDRaw), "error", string(clip(v.ErrorRaw)))
		return
	}
	c.mu.Lock()
	answer, ok := c.calls[id]
	delete(c.calls, id)
	c.mu.Unlock()
	if !ok {
		c.o.Logger.Debug("dispatch: a response that nobody waits for", "id", id)
		return
	}
	if v.Kind == jsonrpc2.MessageViewResponseError {
		err, ok := v.Error.Owned()
		if !ok {
			err = jsonrpc2.Errorf(jsonrpc2.UnknownError, "error object %s", clip(v.ErrorRaw))
		}
		answer <- response{err: err}
		return
	}
	answer <- response{result: v.Result}
}

// endCalls fails every call that waits: no answer can come any more.
func (c *Conn) endCalls() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for id, answer := range c.calls {
		answer <- response{err: ErrClosed}
		delete(c.calls, id)
	}
}
