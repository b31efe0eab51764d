package server

import (
	"context"
	"errors"
	"fmt"
	"path"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/document"
	"github.com/cytisus/cytisus/lsp/position"
	"github.com/cytisus/cytisus/runtime"
)

// errModified: the text that the client asked about is not the one that could be answered
// about (V0).
func errModified(why string) error {
	return jsonrpc2.NewError(protocol.CodeContentModified, "content modified: "+why)
}

// refused is an error as it is; where something is not done because of places, these as people read
// them.
func (q *question) refused(err error) error {
	e, ok := errors.AsType[*lsp.RefusedError](err)
	if !ok {
		return err
	}
	return jsonrpc2.NewError(dispatch.RequestFailed, e.Text(func(l lsp.Location) string {
		r, err := q.rangeOf(l.URI, l.Span)
		if err != nil {
			return ""
		}
		dir, file := path.Split(l.URI)
		return fmt.Sprintf("%s:%d:%d", path.Join(path.Base(dir), file), r.Start.Line+1, r.Start.Character+1)
	}))
}

// A caughtPanic is a panic that a language has caught where it happened, so that it costs less than
// the question.
type caughtPanic interface {
	error
	Stack() []byte
}

// wireError gives the errors of the layers below the codes of the protocol. Errors that
// are not known here keep their text and become RequestFailed in package dispatch.
func (s *session) wireError(ctx context.Context, method string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*jsonrpc2.Error](err); ok {
		return err
	}
	if ctx.Err() != nil || s.hangUp(ctx, err) {
		return context.Cause(ctx)
	}
	if p, ok := errors.AsType[*runtime.PanicError](err); ok {
		s.log.Error("server: task panicked", "method", method, "panic", p.Value, "stack", string(p.Stack))
		return jsonrpc2.Errorf(jsonrpc2.InternalError, "%s panicked: %v", method, p.Value)
	}
	var caught caughtPanic
	if errors.As(err, &caught) {
		s.log.Error("server: a language panicked", "method", method, "error", err, "stack", string(caught.Stack()))
		return jsonrpc2.Errorf(jsonrpc2.InternalError, "%s: %v", method, err)
	}
	if refused, ok := errors.AsType[*lsp.RefusedError](err); ok {
		return jsonrpc2.NewError(dispatch.RequestFailed, refused.Error())
	}
	switch {
	case errors.Is(err, position.ErrOutOfRange), errors.Is(err, lsp.ErrOutOfRange):
		return jsonrpc2.Errorf(jsonrpc2.InvalidParams, "%s: %v", method, err)
	case errors.Is(err, document.ErrBadEdit):
		return jsonrpc2.Errorf(jsonrpc2.InvalidParams, "%s: %v", method, err)
	case errors.Is(err, lsp.ErrBehind):
		return errModified(err.Error())
	case errors.Is(err, lsp.ErrUnknownFile):
		return jsonrpc2.Errorf(UnknownFile, "%s: %v", method, err)
	case closed(err):
		return jsonrpc2.Errorf(dispatch.ServerCancelled, "%s: %v", method, err)
	}
	return err
}
