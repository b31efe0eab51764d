package dispatch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

const (
	methodCancel     = "$/cancelRequest"
	methodExit       = "exit"
	methodInitialize = "initialize"
	methodShutdown   = "shutdown"
)

// read takes messages from the wire until it ends: nil for the end of the input,
// ErrExit, or what broke it.
func (c *Conn) read(ctx context.Context) error {
	frames := newFrameReader(c.rw, c.o.MaxMessageBytes)
	for {
		body, err := frames.next()
		if bad, ok := errors.AsType[*frameError](err); ok {
			c.refuse(jsonrpc2.NewError(jsonrpc2.ParseError, bad.reason))
			continue
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, ErrFraming):
			c.refuse(jsonrpc2.NewError(jsonrpc2.ParseError, err.Error()))
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		default:
			return fmt.Errorf("dispatch: reading: %w", err)
		}
		c.counts.received.Add(1)
		if c.accept(ctx, body) {
			return ErrExit
		}
	}
}

// accept does what has to be done at once about a message, and reports whether it was
// exit. It keeps body.
func (c *Conn) accept(ctx context.Context, body []byte) (exit bool) {
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		c.refuse(jsonrpc2.NewError(jsonrpc2.InvalidRequest, "batches are not part of the language server protocol"))
		return false
	}
	view, err := jsonrpc2.ScanMessageView(body)
	if err != nil {
		c.refuse(jsonrpc2.Errorf(codeOf(err), "%v: %q", err, clip(body)))
		return false
	}
	switch view.Kind {
	case jsonrpc2.MessageViewResponseResult, jsonrpc2.MessageViewResponseError:
		c.deliver(&view)
		return false
	}
	method, ok := view.MethodString()
	if !ok {
		c.refuse(jsonrpc2.Errorf(jsonrpc2.InvalidRequest, "method is no string: %q", clip(view.MethodRaw)))
		return false
	}
	id, ok := view.ID.ID()
	if !ok {
		c.refuse(jsonrpc2.Errorf(jsonrpc2.InvalidRequest, "id is no string: %q", clip(view.IDRaw)))
		return false
	}
	c.ticket++
	r := &Request{Method: method, Params: view.Params, Ticket: c.ticket, id: id, size: len(body)}
	switch {
	case method == methodCancel && !r.IsCall():
		c.cancelCall(r.Params)
		return false
	case method == methodExit && !r.IsCall():
		return true
	case method == methodShutdown && r.IsCall():
		c.shutdown.Store(true)
	}
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	if r.IsCall() && !c.admit(r) {
		r.cancel(ErrClosed)
		return false
	}
	c.in.put(r)
	return false
}

// admit enters a request into the table of open ones, or answers it with a refusal.
func (c *Conn) admit(r *Request) bool {
	c.mu.Lock()
	_, used := c.open[r.id]
	n := len(c.open)
	if !used && n < c.o.MaxRequests {
		c.open[r.id] = r
		c.mu.Unlock()
		return true
	}
	c.mu.Unlock()
	c.counts.refused.Add(1)
	if used {
		c.answer(r.id, nil, jsonrpc2.Errorf(jsonrpc2.InvalidRequest, "id %v is in use by a request that is not answered yet", r.id))
	} else {
		c.answer(r.id, nil, jsonrpc2.Errorf(RequestFailed, "%s: %d requests are open already", r.Method, n))
	}
	return false
}

// cancelCall answers a request with RequestCancelled and ends its context. A request
// that is answered already, or unknown, is left alone, as the protocol says.
func (c *Conn) cancelCall(params []byte) {
	var wire struct {
		ID jsontext.Value `json:"id"`
	}
	err := protocol.Unmarshal(params, &wire)
	var id jsonrpc2.ID
	if err == nil {
		id, err = parseID(wire.ID)
	}
	if err != nil {
		c.o.Logger.Warn("dispatch: malformed $/cancelRequest", "params", string(clip(params)), "err", err)
		return
	}
	c.mu.Lock()
	r := c.open[id]
	c.mu.Unlock()
	if r == nil {
		return
	}
	r.cancel(ErrCancelled)
	c.reply(r, nil, ErrCancelled)
}

// parseID reads an id by way of a message that has it, which the library knows how to
// read.
func parseID(raw []byte) (jsonrpc2.ID, error) {
	if len(raw) == 0 {
		return jsonrpc2.ID{}, errors.New("no id")
	}
	view, err := jsonrpc2.ScanMessageView(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"result":null}`, raw))
	if err != nil {
		return jsonrpc2.ID{}, err
	}
	id, ok := view.ID.ID()
	if !ok || !id.IsValid() {
		return jsonrpc2.ID{}, fmt.Errorf("id %q", clip(raw))
	}
	return id, nil
}

// codeOf returns the code of one of the library's errors.
func codeOf(err error) jsonrpc2.Code {
	if e, ok := errors.AsType[*jsonrpc2.Error](err); ok {
		return e.Code
	}
	return jsonrpc2.InvalidRequest
}

// refuse answers a message whose id is not known.
func (c *Conn) refuse(err *jsonrpc2.Error) {
	c.counts.malformed.Add(1)
	c.o.Logger.Warn("dispatch: malformed message", "code", int(err.Code), "err", err.Message)
	c.answer(jsonrpc2.ID{}, nil, err)
}
