package server

import (
	"context"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// links is textDocument/documentLink.
var links = feature{
	offered: offers[lsp.Linker],
	announce: func(out *protocol.ServerCapabilities, _ lsp.Workspace, _ capabilities) {
		out.DocumentLinkProvider = &protocol.DocumentLinkOptions{}
	},
	handlers: func(s *session) map[string]dispatch.Handler {
		return map[string]dispatch.Handler{
			protocol.MethodTextDocumentDocumentLink: func(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
				var p protocol.DocumentLinkParams
				if err := r.Decode(&p); err != nil {
					return dispatch.Done, err
				}
				return s.aboutFile(r, p.TextDocument, lane.RPC3, documentLinks)
			},
		}
	},
}

func documentLinks(q *question) (any, error) {
	list, err := q.root.ws.(lsp.Linker).Links(q.t, q.uri)
	if err != nil {
		return nil, err
	}
	out := make([]protocol.DocumentLink, len(list))
	for i, l := range list {
		r, err := q.rangeOf(q.uri, l.Span)
		if err != nil {
			return nil, err
		}
		target := uri.URI(l.Target)
		out[i] = protocol.DocumentLink{Range: r, Target: &target}
	}
	return out, nil
}
