package server

import (
	"context"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A feature is a part of the protocol that not every language has. The workspaces of a language
// that has it implement an interface of package lsp.
type feature struct {
	// offered reports whether workspaces like the prototype implement the interface.
	offered func(prototype lsp.Workspace) bool

	// announce says so in the answer to initialize.
	announce func(out *protocol.ServerCapabilities, prototype lsp.Workspace, c capabilities)

	// handlers are the requests of the feature.
	handlers func(s *session) map[string]dispatch.Handler
}

// features are all that the server knows of, each in a file of its own.
var features = []feature{
	implementations,
	callHierarchy,
	typeHierarchy,
	highlights,
	typeDefinitions,
	declarations,
	actions,
	formatting,
	fileRenames,
	renames,
	folds,
	selections,
	links,
	tokens,
	completions,
	signatures,
	hints,
	codeLenses,
}

// offers is offered for an interface.
func offers[T any](prototype lsp.Workspace) bool {
	_, ok := prototype.(T)
	return ok
}

// featureHandlers adds the requests of the features that the language has.
func (s *session) featureHandlers(table map[string]dispatch.Handler) {
	prototype := s.host.lang.Prototype()
	for _, f := range features {
		if f.offered(prototype) {
			for method, h := range f.handlers(s) {
				table[method] = h
			}
		}
	}
}

// announceFeatures says which features the language has.
func (s *session) announceFeatures(out *protocol.ServerCapabilities, c capabilities) {
	prototype := s.host.lang.Prototype()
	for _, f := range features {
		if f.offered(prototype) {
			f.announce(out, prototype, c)
		}
	}
}

// positional is the handler of a request that has a document, a position and nothing else.
func positional[T any](
	s *session, l lane.Lane, of func(*T) protocol.TextDocumentPositionParams, fn func(q *question, at int, p *T) (any, error),
) dispatch.Handler {
	return func(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
		var p T
		if err := r.Decode(&p); err != nil {
			return dispatch.Done, err
		}
		_, work, err := s.atPosition(r, of(&p), l, func(q *question, at int) (any, error) { return fn(q, at, &p) })
		if err != nil {
			return dispatch.Done, err
		}
		return dispatch.Later(work), nil
	}
}
