package server

import (
	"context"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/dispatch"
)

// refuseNotebook tells the user once that notebooks are not read. They are not announced, and a
// client that opens one nevertheless gets no other answer: it is a notification.
func (s *session) refuseNotebook(context.Context, *dispatch.Request) (dispatch.Outcome, error) {
	s.tell(protocol.MessageTypeWarning, s.pub.firstTime("notebook"), s.host.o.Name+": notebooks are not supported; open the files that they are made of")
	return dispatch.Done, nil
}
