package server

import (
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
)

// selections is textDocument/selectionRange.
var selections = feature{
	offered: offers[lsp.Selector],
	announce: func(out *protocol.ServerCapabilities, _ lsp.Workspace, _ capabilities) {
		out.SelectionRangeProvider = protocol.Boolean(true)
	},
	handlers: func(s *session) map[string]dispatch.Handler {
		return map[string]dispatch.Handler{
			protocol.MethodTextDocumentSelectionRange: textual(s,
				func(p *protocol.SelectionRangeParams) protocol.TextDocumentIdentifier { return p.TextDocument }, selectionRanges),
		}
	},
}

// selectionRanges answers with one range for each position: with an empty one where nothing is.
func selectionRanges(q *question, text []byte, p *protocol.SelectionRangeParams) (any, error) {
	out := make([]protocol.SelectionRange, len(p.Positions))
	for i, pos := range p.Positions {
		at, err := q.offset(pos)
		if err != nil {
			return nil, err
		}
		out[i].Range = protocol.Range{Start: pos, End: pos}
		in := &out[i]
		for j, span := range q.root.ws.(lsp.Selector).Enclosing(q.uri, text, at) {
			r, err := q.rangeOf(q.uri, span)
			if err != nil {
				return nil, err
			}
			if j > 0 {
				in.Parent = &protocol.SelectionRange{}
				in = in.Parent
			}
			in.Range = r
		}
	}
	return out, nil
}
