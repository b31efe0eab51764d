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
	q, err := s.aboutPosition(p.TextDocumentPositionParams)
	if err != nil {
		return dispatch.Done, err
	}
	return dispatch.Later(s.withProgress(p.WorkDoneToken, "References", q.root, s.answer(r, q, lane.RPC3, func(q *question) (any, error) {
		at, err := q.offset(p.Position)
		if nothing(q, err) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		list, err := q.root.ws.References(q.t, q.uri, at, p.Context.IncludeDeclaration)
		if nothing(q, err) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		return q.locations(list), nil
	}))), nil
}
