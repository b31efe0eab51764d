package server

import (
	"context"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// hints is textDocument/inlayHint.
var hints = feature{
	offered: offers[lsp.Hinter],
	announce: func(out *protocol.ServerCapabilities, _ lsp.Workspace, _ capabilities) {
		out.InlayHintProvider = protocol.Boolean(true)
	},
	handlers: func(s *session) map[string]dispatch.Handler {
		return map[string]dispatch.Handler{
			protocol.MethodTextDocumentInlayHint: func(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
				var p protocol.InlayHintParams
				if err := r.Decode(&p); err != nil {
					return dispatch.Done, err
				}
				return s.aboutFile(r, p.TextDocument, lane.RPC3, func(q *question) (any, error) { return inlayHints(q, p.Range) })
			},
		}
	},
}

func inlayHints(q *question, within protocol.Range) (any, error) {
	span, err := q.spanOf(within)
	if err != nil {
		return nil, err
	}
	list, err := q.root.ws.(lsp.Hinter).Hints(q.t, q.uri, span)
	if err != nil {
		return nil, err
	}
	out := make([]protocol.InlayHint, len(list))
	yes := true
	for i, h := range list {
		at, err := q.rangeOf(q.uri, lsp.Span{Start: h.Offset, End: h.Offset})
		if err != nil {
			return nil, err
		}
		hint := protocol.InlayHint{Position: at.Start, Label: protocol.String(h.Label), Kind: protocol.InlayHintKind(h.Kind)}
		if h.Tooltip != "" {
			hint.Tooltip = protocol.String(h.Tooltip)
		}
		if h.PadLeft {
			hint.PaddingLeft = &yes
		}
		if h.PadRight {
			hint.PaddingRight = &yes
		}
		if len(h.Edits) > 0 {
			if hint.TextEdits, err = q.textEdits(q.uri, h.Edits); err != nil {
				return nil, err
			}
		}
		out[i] = hint
	}
	return out, nil
}
