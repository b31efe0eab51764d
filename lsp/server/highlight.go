package server

import (
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// highlights is textDocument/documentHighlight.
var highlights = feature{
	offered: offers[lsp.Highlighter],
	announce: func(out *protocol.ServerCapabilities, _ lsp.Workspace, _ capabilities) {
		out.DocumentHighlightProvider = protocol.Boolean(true)
	},
	handlers: func(s *session) map[string]dispatch.Handler {
		return map[string]dispatch.Handler{
			protocol.MethodTextDocumentDocumentHighlight: positional(s, lane.RPC2,
				func(p *protocol.DocumentHighlightParams) protocol.TextDocumentPositionParams {
					return p.TextDocumentPositionParams
				}, highlight),
		}
	},
}

func highlight(q *question, at int, _ *protocol.DocumentHighlightParams) (any, error) {
	list, err := q.root.ws.(lsp.Highlighter).Highlight(q.t, q.uri, at)
	if err != nil {
		return nil, err
	}
	out := make([]protocol.DocumentHighlight, len(list))
	for i, h := range list {
		r, err := q.rangeOf(q.uri, h.Span)
		if err != nil {
			return nil, err
		}
		out[i] = protocol.DocumentHighlight{Range: r, Kind: protocol.DocumentHighlightKind(h.Kind)}
	}
	return out, nil
}
