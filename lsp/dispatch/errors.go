package dispatch

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

// Codes of the protocol that the libraries have no name for.
const (
	// RequestFailed: the request was understood and could not be carried out.
	RequestFailed jsonrpc2.Code = -32803
	// ServerCancelled: the server gave the request up.
	ServerCancelled jsonrpc2.Code = -32802
)

var (
	// ErrClosed: the connection has ended, or is ending.
	ErrClosed = errors.New("dispatch: connection closed")

	// ErrCancelled: the client cancelled the request. It is the cause of the request's
	// context.
	ErrCancelled = errors.New("dispatch: cancelled by the client")

	// ErrExit: the client asked the server to exit.
	ErrExit = errors.New("dispatch: exit requested")

	// ErrFraming: the input is not framed as the protocol says, and what follows cannot
	// be understood any more.
	ErrFraming = errors.New("dispatch: malformed framing")

	// ErrTooLong: a message is longer than Options.MaxMessageBytes.
	ErrTooLong = errors.New("dispatch: message too long")

	// ErrSlowClient: the client does not read what is written for it.
	ErrSlowClient = errors.New("dispatch: the client does not read")

	// ErrInTurn: a handler called the client from its turn (T2).
	ErrInTurn = errors.New("dispatch: a turn must not wait for the client")
)

// A PanicError is what became of a handler that panicked.
type PanicError struct {
	Method string
	Value  any
	Stack  []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("%s panicked: %v", e.Method, e.Value) }

// Unwrap returns the panic's value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// errorTextMax is how much of an error's text a client is sent: some quote what it sent.
const errorTextMax = 8 << 10

// wireError returns the error object for a failed request. Errors that carry a code
// keep it, with the whole message.
func wireError(ctx context.Context, err error) *jsonrpc2.Error {
	wire := coded(ctx, err)
	text := wire.Message
	if len(text) > errorTextMax {
		text = text[:errorTextMax] + "…"
	}
	if text = strings.ToValidUTF8(text, "\uFFFD"); text != wire.Message {
		return &jsonrpc2.Error{Code: wire.Code, Message: text, Data: wire.Data}
	}
	return wire
}

func coded(ctx context.Context, err error) *jsonrpc2.Error {
	if coded, ok := errors.AsType[*jsonrpc2.Error](err); ok {
		if coded.Message == err.Error() {
			return coded
		}
		return &jsonrpc2.Error{Code: coded.Code, Message: err.Error(), Data: coded.Data}
	}
	switch {
	case errors.Is(err, ErrCancelled), errors.Is(err, context.Canceled) && errors.Is(context.Cause(ctx), ErrCancelled):
		return jsonrpc2.NewError(protocol.CodeRequestCancelled, "cancelled by the client")
	case errors.Is(err, context.Canceled), errors.Is(err, ErrClosed), errors.Is(err, ErrExit):
		return jsonrpc2.NewError(ServerCancelled, err.Error())
	}
	if p, ok := errors.AsType[*PanicError](err); ok {
		return jsonrpc2.NewError(jsonrpc2.InternalError, p.Error())
	}
	return jsonrpc2.NewError(RequestFailed, err.Error())
}
