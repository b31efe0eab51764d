package server

import (
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// implementations is textDocument/implementation.
var implementations = feature{
	offered: offers[lsp.Implementer],
	announce: func(out *protocol.ServerCapabilities, _ lsp.Workspace, _ capabilities) {
		out.ImplementationProvider = protocol.Boolean(true)
	},
	handlers: func(s *session) map[string]dispatch.Handler {
		return map[string]dispatch.Handler{
			protocol.MethodTextDocumentImplementation: positional(s, lane.RPC2,
				func(p *protocol.ImplementationParams) protocol.TextDocumentPositionParams {
					return p.TextDocumentPositionParams
				},
				func(q *question, at int, _ *protocol.ImplementationParams) (any, error) {
					list, err := q.root.ws.(lsp.Implementer).Implementation(q.t, q.uri, at)
					if err != nil {
						return nil, err
					}
					return q.targets(list, q.s.agreed.Load().caps.implementationLinks), nil
				}),
		}
	},
}
