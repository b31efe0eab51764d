package server

import (
	"context"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

const MethodExplain = "cytisus/explain"

// An Explainer is what a workspace may be besides a lsp.Workspace: it says, for the queries
// that an answer about a file rests on, why each was last computed or reused.
type Explainer interface {
	Explain(t *runtime.Task, uri string) ([]runtime.Explanation, error)
}

// explainParams are the parameters of cytisus/explain.
type explainParams struct {
	TextDocument protocol.TextDocumentIdentifier `json:"textDocument"`
}

// explain answers cytisus/explain.
func (s *session) explain(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p explainParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	q, err := s.about(p.TextDocument.URI)
	if err != nil {
		return dispatch.Done, err
	}
	ws, ok := q.root.ws.(Explainer)
	if !ok {
		return dispatch.Done, jsonrpc2.Errorf(dispatch.RequestFailed, "the language %q does not explain its answers", s.host.lang.ID())
	}
	return dispatch.Later(s.answer(r, q, lane.RPC3, func(q *question) (any, error) {
		list, err := ws.Explain(q.t, q.uri)
		if err != nil {
			return nil, err
		}
		return plainJSON(list)
	})), nil
}
