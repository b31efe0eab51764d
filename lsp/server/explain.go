package server

import (
	"context"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

const (
	MethodExplain = "cytisus/explain"
	MethodGraph   = "cytisus/graph" // answered with a runtime.Graph
)

// An Explainer is what a workspace may be besides a lsp.Workspace: it says, for the queries
// that an answer about a file rests on, why each was last computed or reused.
type Explainer interface {
	Explain(t *runtime.Task, uri string) ([]runtime.Explanation, error)
}

// An ExplainParams are the parameters of cytisus/explain.
type ExplainParams struct {
	TextDocument protocol.TextDocumentIdentifier `json:"textDocument"`
	Prove        bool                            `json:"prove,omitempty"` // say which changes each run is due to
}

// A GraphParams are the parameters of cytisus/graph: how many steps below and above the queries
// that an answer about a file rests on, and how many nodes at most.
type GraphParams struct {
	TextDocument protocol.TextDocumentIdentifier `json:"textDocument"`
	Depth        int                             `json:"depth,omitempty"` // 0: 2
	Nodes        int                             `json:"nodes,omitempty"` // 0: 200
}

// Bounds of a graph that is asked for.
const (
	graphDepth, graphDepthMax = 2, 32
	graphNodes, graphNodesMax = 200, 20_000
)

// fill puts in defaults and bounds.
func (p *GraphParams) fill() {
	if p.Depth <= 0 {
		p.Depth = graphDepth
	}
	if p.Nodes <= 0 {
		p.Nodes = graphNodes
	}
	p.Depth, p.Nodes = min(p.Depth, graphDepthMax), min(p.Nodes, graphNodesMax)
}

// explain answers cytisus/explain.
func (s *session) explain(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p ExplainParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	return s.explained(r, p.TextDocument.URI, func(t *runtime.Task, ws Explainer, uri string) (any, error) {
		return Explained(t, ws, uri, p.Prove)
	})
}

// graph answers cytisus/graph.
func (s *session) graph(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p GraphParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	return s.explained(r, p.TextDocument.URI, func(t *runtime.Task, ws Explainer, uri string) (any, error) {
		return GraphAbout(t, ws, uri, p)
	})
}

// explained answers a request about a file that an Explainer is needed for.
func (s *session) explained(
	r *dispatch.Request, about uri.URI, fn func(t *runtime.Task, ws Explainer, uri string) (any, error),
) (dispatch.Outcome, error) {
	q, err := s.about(about)
	if err != nil {
		return dispatch.Done, err
	}
	ws, ok := q.root.ws.(Explainer)
	if !ok {
		return dispatch.Done, jsonrpc2.Errorf(dispatch.RequestFailed, "the language %q does not explain its answers", s.host.lang.ID())
	}
	return dispatch.Later(s.answer(r, q, lane.RPC3, func(q *question) (any, error) {
		out, err := fn(q.t, ws, q.uri)
		if err != nil {
			return nil, err
		}
		return plainJSON(out)
	})), nil
}

// Explained explains what answers about a file rest on, with proofs if they are asked for.
func Explained(t *runtime.Task, ws Explainer, uri string, prove bool) ([]runtime.Explanation, error) {
	list, err := ws.Explain(t, uri)
	if err != nil || !prove {
		return list, err
	}
	for i := range list {
		p, err := runtime.Prove(t, list[i])
		if err != nil {
			return nil, err
		}
		list[i].Proof = &p
	}
	return list, nil
}

// GraphAbout returns the graph around what answers about a file rest on.
func GraphAbout(t *runtime.Task, ws Explainer, uri string, p GraphParams) (runtime.Graph, error) {
	list, err := ws.Explain(t, uri)
	if err != nil {
		return runtime.Graph{}, err
	}
	p.fill()
	return runtime.GraphAround(t.Engine(), p.Depth, p.Nodes, list...)
}
