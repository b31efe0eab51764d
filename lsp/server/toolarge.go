package server

import (
	"context"
	"errors"
	"fmt"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/document"
)

// tooLarge is what becomes of a document that is open and too large to be held: the workspace goes
// on with what is on disk, the client is told once, and its diagnostics say so.
func (s *session) tooLarge(ctx context.Context, d *document.Document) error {
	if err := s.host.overlays.clear(ctx, s.id, d.URI()); err != nil {
		return err
	}
	if s.pub.firstTime("size " + d.URI()) {
		s.tell(protocol.MessageTypeWarning, true, fmt.Sprintf("%s: %v; nothing is answered about it", s.host.o.Name, d.Err()))
	}
	s.pub.opened(d.URI())
	if s.pub.mode() == modePush {
		snap := s.host.eng.Snapshot()
		defer snap.Release()
		version := d.Version()
		q, list := s.sizeDiagnostics(d)
		s.pub.send(snap.Generation(), d.URI(), &version, q.diagnostics(list))
	}
	return nil
}

// sizeDiagnostics are the diagnostics of a document that is too large, with a question that
// converts them.
func (s *session) sizeDiagnostics(d *document.Document) (*question, []lsp.Diagnostic) {
	q := &question{s: s, uri: d.URI()}
	q.remember(d.URI(), d.Mapper())
	return q, []lsp.Diagnostic{{Severity: lsp.SeverityWarning, Code: "too-large", Source: s.host.o.Name, Message: d.Err().Error()}}
}

// openTooLarge returns a document that is open and too large.
func (s *session) openTooLarge(name string) (*document.Document, bool) {
	d, ok := s.agreed.Load().docs.Get(name)
	return d, ok && errors.Is(d.Err(), document.ErrTooLarge)
}
