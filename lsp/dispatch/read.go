package dispatch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

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

const (
	idMax     = 1 << 10 // bytes of an id as it is written: it is kept, and sent back
	methodMax = 256     // bytes of a method's name: error messages quote it

	// requestOverhead is about what a message that waits for its turn costs beside its bytes.
	requestOverhead = 512
)

// read takes messages from the wire until it ends: nil for the end of the input,
// ErrExit, or what broke it.
func (c *Conn) read(ctx context.Context) error {
	frames := newFrameReader(c.rw, c.o.MaxMessageBytes)
	paused := func() {
		if c.counts.paused.Add(1) == 1 {
			c.o.Logger.Warn("dispatch: the client does not read its answers; nothing is read from it until it does", "bytes", c.o.FullOutboundBytes)
		}
	}
	for {
		c.out.waitForRoom(paused)
		body, err := frames.next()
		if bad, ok := errors.AsType[*frameError](err); ok {
			c.refuse(jsonrpc2.NewError(jsonrpc2.ParseError, bad.reason))
			continue
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, ErrFraming), errors.Is(err, ErrTooLong):
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
	id, ok := view.ID.ID()
	switch {
	case len(view.IDRaw) > idMax:
		c.refuse(jsonrpc2.Errorf(jsonrpc2.InvalidRequest, "id has %d bytes, at most %d are taken", len(view.IDRaw), idMax))
		return false
	case string(view.IDRaw) == "null":
		// JSON-RPC has such requests and the language server protocol has none; it is no
		// notification in either.
		c.refuse(jsonrpc2.Errorf(jsonrpc2.InvalidRequest, "the id of a request must be a number or a string, not null: %q", clip(body)))
		return false
	case !ok || !utf8.Valid(view.IDRaw):
		c.refuse(jsonrpc2.Errorf(jsonrpc2.InvalidRequest, "id is no string: %q", clip(view.IDRaw)))
		return false
	}
	method, ok := view.MethodString()
	var broken *jsonrpc2.Error
	switch {
	case !ok:
		broken = jsonrpc2.Errorf(jsonrpc2.InvalidRequest, "method is no string: %q", clip(view.MethodRaw))
	case len(method) > methodMax:
		broken = jsonrpc2.Errorf(jsonrpc2.InvalidRequest, "method has %d bytes, at most %d are taken", len(method), methodMax)
	case !utf8.Valid(body):
		broken = jsonrpc2.Errorf(jsonrpc2.ParseError, "message is not valid UTF-8: %q", clip(body))
	}
	if broken != nil {
		c.refuseID(id, broken)
		if id.IsValid() || broken.Code != jsonrpc2.ParseError || !utf8.ValidString(method) {
			return false
		}
		// What the client has said has happened all the same: its handler must know.
	}
	c.ticket++
	r := &Request{Method: method, Params: view.Params, Ticket: c.ticket, id: id, size: len(body) + requestOverhead, read: time.Now()}
	if broken != nil {
		r.broken = broken
	}
	switch {
	case method == methodCancel && !r.IsCall():
		c.cancelCall(r.Params)
		return false
	case method == methodExit && !r.IsCall():
		return true
	case method == methodShutdown && r.IsCall():
		c.shutdown.Store(true)
	}
	if !r.IsCall() {
		r.ctx, r.cancel = context.WithCancelCause(ctx)
	} else if !c.admit(ctx, r) {
		return false
	}
	c.in.put(r)
	return false
}

// admit enters a request into the table of open ones, or answers it with a refusal.
func (c *Conn) admit(ctx context.Context, r *Request) bool {
	c.mu.Lock()
	_, used := c.open[r.id]
	if !used && c.busy < c.o.MaxRequests {
		r.ctx, r.cancel = context.WithCancelCause(ctx)
		c.busy++
		c.open[r.id] = r
		c.mu.Unlock()
		return true
	}
	c.mu.Unlock()
	c.counts.refused.Add(1)
	if used {
		c.answer(r.id, nil, jsonrpc2.Errorf(jsonrpc2.InvalidRequest, "id %v is in use by a request that is not answered yet", r.id))
	} else {
		c.answer(r.id, nil, jsonrpc2.Errorf(RequestFailed, "%s: too many requests are open: at most %d; this one was dropped and may be sent again when others are answered",
			r.Method, c.o.MaxRequests))
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
func (c *Conn) refuse(err *jsonrpc2.Error) { c.refuseID(jsonrpc2.ID{}, err) }

// refuseID answers a message that is malformed but for its id, if it has one.
func (c *Conn) refuseID(id jsonrpc2.ID, err *jsonrpc2.Error) {
	c.counts.malformed.Add(1)
	c.o.Logger.Warn("dispatch: malformed message", "code", int(err.Code), "err", err.Message)
	c.answer(id, nil, err)
}
