package server

import (
	"context"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// textual is the handler of a request that a language answers from the text of a document alone.
func textual[T any](
	s *session, of func(*T) protocol.TextDocumentIdentifier, fn func(q *question, text []byte, p *T) (any, error),
) dispatch.Handler {
	return func(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
		var p T
		if err := r.Decode(&p); err != nil {
			return dispatch.Done, err
		}
		return s.aboutText(r, of(&p), func(q *question, text []byte) (any, error) { return fn(q, text, &p) })
	}
}

// aboutText answers a request from the text of a document alone. Of an open document that is the
// client's text. No task answers then, and the answer waits neither for workers, which may be
// checking the package that an edit has changed, nor for the first scan. Nothing to say is null.
func (s *session) aboutText(
	r *dispatch.Request, d protocol.TextDocumentIdentifier, fn func(q *question, text []byte) (any, error),
) (dispatch.Outcome, error) {
	q, err := s.about(d.URI)
	if err != nil {
		return dispatch.Done, err
	}
	if !s.host.handles(q.uri) {
		return dispatch.Later(func(context.Context) (any, error) { return nil, nil }), nil
	}
	if q.doc != nil {
		return dispatch.Later(func(ctx context.Context) (any, error) {
			q.remember(q.uri, q.doc.Mapper())
			value, err := fn(q, q.doc.Text())
			value, err = orNothing(q, value, err)
			return value, s.wireError(ctx, r.Method, err)
		}), nil
	}
	return dispatch.Later(s.answer(r, q, lane.RPC3, func(q *question) (any, error) {
		text, err := q.root.ws.Text(q.t, q.uri)
		if err != nil {
			return nil, err
		}
		value, err := fn(q, text)
		return orNothing(q, value, err)
	})), nil
}

// unchanged fails if the client has changed the document since it asked: edits of its text would
// damage what it has now.
func (q *question) unchanged() error {
	if q.doc == nil {
		return nil
	}
	if now, _ := q.s.agreed.Load().docs.Get(q.uri); now != q.doc {
		return errModified("the document changed while it was looked at")
	}
	return nil
}
