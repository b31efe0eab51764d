package server

import (
	"context"
	"maps"
	"slices"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/dispatch"
)

// commands are what workspace/executeCommand runs: each is also a request of its own, with
// the command's first argument for parameters.
var commands = map[string]string{
	"cytisus.stats":   methodStats,
	"cytisus.explain": MethodExplain,
	"cytisus.reindex": MethodReindex,
	"cytisus.settle":  MethodSettle,
}

func commandNames() []string { return slices.Sorted(maps.Keys(commands)) }

// executeCommand answers workspace/executeCommand.
func (s *session) executeCommand(ctx context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.ExecuteCommandParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	method, ok := commands[p.Command]
	if !ok {
		return dispatch.Done, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "unknown command %q; there are %v", p.Command, commandNames())
	}
	inner := &dispatch.Request{Method: method, Ticket: r.Ticket}
	if len(p.Arguments) > 0 {
		inner.Params = p.Arguments[0]
	}
	return s.handlers()[method](ctx, inner)
}
