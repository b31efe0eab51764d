package server

import (
	"context"

	"go.lsp.dev/protocol"

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
	q, err := s.aboutPosition(p.TextDocumentPositionParams)
	if err != nil {
		return dispatch.Done, err
	}
	return dispatch.Later(s.answer(r, q, lane.RPC2, func(q *question) (any, error) {
		at, err := q.offset(p.Position)
		if nothing(q, err) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		list, err := q.root.ws.Definition(q.t, q.uri, at)
		if nothing(q, err) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		q.s.jumpLikely(q.root, list)
		found := q.locations(list)
		if !s.agreed.Load().caps.definitionLinks {
			return found, nil
		}
		links := make(protocol.DefinitionLinkSlice, len(found))
		for i, l := range found {
			links[i] = protocol.DefinitionLink{TargetURI: l.URI, TargetRange: l.Range, TargetSelectionRange: l.Range}
		}
		return links, nil
	})), nil
}
