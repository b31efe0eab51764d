package server

import (
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
)

// codeLenses is textDocument/codeLens.
var codeLenses = feature{
	offered: offers[lsp.Lenser],
	announce: func(out *protocol.ServerCapabilities, _ lsp.Workspace, _ capabilities) {
		out.CodeLensProvider = &protocol.CodeLensOptions{}
	},
	handlers: func(s *session) map[string]dispatch.Handler {
		return map[string]dispatch.Handler{
			protocol.MethodTextDocumentCodeLens: textual(s,
				func(p *protocol.CodeLensParams) protocol.TextDocumentIdentifier { return p.TextDocument },
				func(q *question, text []byte, _ *protocol.CodeLensParams) (any, error) {
					list := q.root.ws.(lsp.Lenser).Lenses(q.uri, text)
					out := make([]protocol.CodeLens, len(list))
					for i, l := range list {
						r, err := q.rangeOf(q.uri, l.Span)
						if err != nil {
							return nil, err
						}
						out[i] = protocol.CodeLens{Range: r, Command: protocol.Command{Title: l.Title, Command: l.Command}}
						for _, a := range l.Arguments {
							out[i].Command.Arguments = append(out[i].Command.Arguments, a)
						}
					}
					return out, nil
				}),
		}
	},
}
