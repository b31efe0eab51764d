package server

import (
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// typeDefinitions is textDocument/typeDefinition.
var typeDefinitions = feature{
	offered: offers[lsp.TypeDefiner],
	announce: func(out *protocol.ServerCapabilities, _ lsp.Workspace, _ capabilities) {
		out.TypeDefinitionProvider = protocol.Boolean(true)
	},
	handlers: func(s *session) map[string]dispatch.Handler {
		return map[string]dispatch.Handler{
			protocol.MethodTextDocumentTypeDefinition: positional(s, lane.RPC2,
				func(p *protocol.TypeDefinitionParams) protocol.TextDocumentPositionParams {
					return p.TextDocumentPositionParams
				},
				func(q *question, at int, _ *protocol.TypeDefinitionParams) (any, error) {
					list, err := q.root.ws.(lsp.TypeDefiner).TypeDefinition(q.t, q.uri, at)
					if err != nil {
						return nil, err
					}
					return q.targets(list, q.s.agreed.Load().caps.typeDefinitionLinks), nil
				}),
		}
	},
}

// declarations is textDocument/declaration.
var declarations = feature{
	offered: offers[lsp.Declarer],
	announce: func(out *protocol.ServerCapabilities, _ lsp.Workspace, _ capabilities) {
		out.DeclarationProvider = protocol.Boolean(true)
	},
	handlers: func(s *session) map[string]dispatch.Handler {
		return map[string]dispatch.Handler{
			protocol.MethodTextDocumentDeclaration: positional(s, lane.RPC2,
				func(p *protocol.DeclarationParams) protocol.TextDocumentPositionParams {
					return p.TextDocumentPositionParams
				},
				func(q *question, at int, _ *protocol.DeclarationParams) (any, error) {
					list, err := q.root.ws.(lsp.Declarer).Declaration(q.t, q.uri, at)
					if err != nil {
						return nil, err
					}
					return q.targets(list, q.s.agreed.Load().caps.declarationLinks), nil
				}),
		}
	},
}
