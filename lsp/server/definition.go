package server

import (
	"context"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// definition answers textDocument/definition: links if the client takes them, else
// locations, and null where there is nothing.
func (s *session) definition(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.DefinitionParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	_, work, err := s.atPosition(r, p.TextDocumentPositionParams, lane.RPC2, func(q *question, at int) (any, error) {
		list, err := q.root.ws.Definition(q.t, q.uri, at)
		if err != nil {
			return nil, err
		}
		q.s.jumpLikely(q.root, list)
		return q.targets(list, s.agreed.Load().caps.definitionLinks), nil
	})
	if err != nil {
		return dispatch.Done, err
	}
	return dispatch.Later(work), nil
}

// targets are places to jump to: links if the client takes them, else locations.
func (q *question) targets(list []lsp.Location, links bool) any {
	found := q.locations(list)
	if !links {
		return found
	}
	out := make(protocol.DefinitionLinkSlice, len(found))
	for i, l := range found {
		out[i] = protocol.DefinitionLink{TargetURI: l.URI, TargetRange: l.Range, TargetSelectionRange: l.Range}
	}
	return out
}
