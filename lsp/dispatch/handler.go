package dispatch

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

// A Ticket is a message's place in the order of the wire.
type Ticket uint64

// A Request is a message of the other end that has a handler: a request, which is
// answered, or a notification, which is not. It owns its memory.
type Request struct {
	Method string
	Params []byte // raw JSON, nil if the message has none
	Ticket Ticket

	broken   error       // why the message was refused: a notification that its handler is told of
	id       jsonrpc2.ID // invalid for a notification
	size     int         // bytes of the message
	read     time.Time   // when the message was
	ctx      context.Context
	cancel   context.CancelCauseFunc
	answered atomic.Bool // who sets it answers the request (T3)
}

// IsCall reports whether the message wants an answer.
func (r *Request) IsCall() bool { return r.id.IsValid() }

// ID returns the request's id, which is not valid for a notification.
func (r *Request) ID() jsonrpc2.ID { return r.id }

// Decode reads the parameters into v, a type of the protocol library. Its errors carry
// the code that the client gets: ParseError for what is no JSON, else InvalidParams.
func (r *Request) Decode(v any) error {
	if r.broken != nil {
		return r.broken
	}
	if len(r.Params) == 0 {
		return jsonrpc2.Errorf(jsonrpc2.InvalidParams, "%s: params are missing", r.Method)
	}
	if err := protocol.Unmarshal(r.Params, v); err != nil {
		if !jsontext.Value(r.Params).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
			return jsonrpc2.Errorf(jsonrpc2.ParseError, "%s: params are no JSON: %v", r.Method, err)
		}
		return jsonrpc2.Errorf(jsonrpc2.InvalidParams, "%s: %v", r.Method, err)
	}
	return nil
}

// A Handler serves one method. It is called in its turn (T0), so it must be quick and
// must not wait for the client (T2). ctx ends with the request: when the client cancels
// it, or with the connection. An error, or a panic, is the request's answer; a
// notification's error is reported.
type Handler func(ctx context.Context, r *Request) (Outcome, error)

// A RunHandler serves notifications of one method that wait for their turn one right behind
// the other, in one turn. Nothing else comes between them, so that their sum may take effect
// at once. It returns an error for each that failed, at its index. ctx is the first one's.
type RunHandler func(ctx context.Context, run []*Request) []error

// An Outcome is what a handler hands back from its turn.
type Outcome struct {
	value any
	work  Work
}

// Work is the part of a request that may run beside everything else. It is called
// exactly once (T3), possibly with a context that has ended.
type Work func(ctx context.Context) (any, error)

// Done answers null, which is also the outcome of a notification.
var Done = Outcome{}

// Now answers with a value from the turn itself: no later message is looked at before
// the answer is queued.
func Now(value any) Outcome { return Outcome{value: value} }

// Later answers with what work returns.
func Later(work Work) Outcome { return Outcome{work: work} }

type inTurn struct{}

// inTurnOf reports whether ctx is that of a handler's turn.
func inTurnOf(ctx context.Context) bool { return ctx.Value(inTurn{}) != nil }
