package server

import (
	"context"
	"errors"
	"fmt"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/document"
)

// didOpen takes a document from the client: its text on disk does not count until it is
// closed.
func (s *session) didOpen(ctx context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.DidOpenTextDocumentParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	name, err := s.canonical(p.TextDocument.URI)
	if err != nil {
		return dispatch.Done, err
	}
	a := s.agreed.Load()
	d, replaced, err := a.docs.Open(name, string(p.TextDocument.LanguageID), p.TextDocument.Version, p.TextDocument.Text)
	if err != nil {
		if replaced {
			err = errors.Join(err, s.host.overlays.clear(ctx, s.id, name))
		}
		s.tell(protocol.MessageTypeWarning, true, fmt.Sprintf("%s: %v; its content on disk is used", s.host.o.Name, err))
		return dispatch.Done, err
	}
	if replaced {
		s.log.Warn("server: a document was opened twice", "uri", name)
	}
	if err := s.putOverlay(ctx, d); err != nil {
		return dispatch.Done, err
	}
	s.pub.opened(name)
	return dispatch.Done, nil
}

// didChange applies changes to a document. What it refers to is found in the order of the
// stream (V0); one that is not open, or does not fit, changes nothing.
func (s *session) didChange(ctx context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	edit, err := document.DecodeEdit(r.Params)
	if err != nil {
		return dispatch.Done, s.wireError(ctx, r.Method, err)
	}
	if edit.URI, err = s.canonical(protocolURI(edit.URI)); err != nil {
		return dispatch.Done, err
	}
	d, err := s.agreed.Load().docs.Change(edit)
	if err != nil {
		return dispatch.Done, err
	}
	if err := s.putOverlay(ctx, d); err != nil {
		return dispatch.Done, err
	}
	s.pub.edited(d.URI())
	return dispatch.Done, nil
}

// putOverlay gives the workspace a document's text, if the language wants it.
func (s *session) putOverlay(ctx context.Context, d *document.Document) error {
	root := s.rootOf(d.URI())
	if root == nil || !s.host.lang.Handles(d.URI()) {
		return nil
	}
	err := s.host.overlays.set(ctx, s.id, root, d.URI(), d.Text())
	if errors.Is(err, lsp.ErrUnknownFile) {
		s.log.Info("server: the language does not take a document", "uri", d.URI(), "err", err)
		return nil // untitled: and the like; questions about it say so
	}
	return err
}

// didSave has the file looked at: the overlay stays, but the disk has changed.
func (s *session) didSave(ctx context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.DidSaveTextDocumentParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	name, err := s.canonical(p.TextDocument.URI)
	if err != nil {
		return dispatch.Done, err
	}
	if _, ok := s.agreed.Load().docs.Get(name); !ok {
		s.log.Info("server: a document was saved that is not open", "uri", name)
	}
	if root := s.rootOf(name); root != nil && s.host.lang.Handles(name) {
		root.filesChanged([]string{name})
	}
	return dispatch.Done, nil
}

// didClose gives a document back to the disk.
func (s *session) didClose(ctx context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.DidCloseTextDocumentParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	name, err := s.canonical(p.TextDocument.URI)
	if err != nil {
		return dispatch.Done, err
	}
	if _, err := s.agreed.Load().docs.Close(name); err != nil {
		return dispatch.Done, err
	}
	if err := s.host.overlays.clear(ctx, s.id, name); err != nil {
		return dispatch.Done, err
	}
	s.pub.closed(name)
	return dispatch.Done, nil
}

// openDocument returns a document that the client has open, nil if it has not, and an
// error if its text is not known any more.
func (s *session) openDocument(name string) (*document.Document, error) {
	d, ok := s.agreed.Load().docs.Get(name)
	if !ok {
		return nil, nil
	}
	if err := d.Err(); err != nil {
		return nil, jsonrpc2.NewError(dispatch.RequestFailed, err.Error())
	}
	return d, nil
}
