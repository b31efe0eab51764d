package server

import (
	"context"

	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp/dispatch"
)

// resumed takes up a session that another host had begun. What that was told of the disk may
// not have reached the store, so every folder is looked at; and what the client shows is
// compared with what is known here, so that nothing stays that does not hold any more.
func (s *session) resumed(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p dispatch.ResumedParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	var names []string
	for _, shown := range p.Shown {
		if name, err := s.canonical(uri.URI(shown)); err == nil {
			names = append(names, name)
		}
	}
	s.pub.resume(names)
	for _, root := range s.roots() {
		root.filesChanged([]string{string(uri.File(root.ws.Root()))})
	}
	return dispatch.Done, nil
}
