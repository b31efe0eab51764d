package server

import (
	"context"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// references answers textDocument/references.
func (s *session) references(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.ReferenceParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	q, work, err := s.atPosition(r, p.TextDocumentPositionParams, lane.RPC3, func(q *question, at int) (any, error) {
		list, err := q.root.ws.References(q.t, q.uri, at, p.Context.IncludeDeclaration)
		if err != nil {
			return nil, err
		}
		return inParts(s, p.PartialResultToken, q.locations(list), func(part []protocol.Location) any { return protocol.LocationSlice(part) }), nil
	})
	if err != nil {
		return dispatch.Done, err
	}
	return dispatch.Later(s.withProgress(p.WorkDoneToken, "References", q.root, work)), nil
}
