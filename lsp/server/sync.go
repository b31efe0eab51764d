package server

import (
	"context"
	"errors"
	"slices"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/document"
)

// didOpen takes a document from the client: its text on disk does not count until it is
// closed.
func (s *session) didOpen(ctx context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	o, bad := document.DecodeOpening(r.Params)
	name, err := s.canonical(protocolURI(o.URI))
	if bad != nil {
		return dispatch.Done, s.lose(name, s.wireError(ctx, r.Method, bad))
	}
	if err != nil {
		return dispatch.Done, err
	}
	s.remember(name, protocolURI(o.URI))
	d, replaced, err := s.agreed.Load().docs.Open(name, o.Language, o.Version, o.Text)
	if replaced {
		s.log.Warn("server: a document was opened twice", "uri", name)
	}
	if err != nil {
		return dispatch.Done, s.tooLarge(ctx, d)
	}
	if err := s.putOverlay(ctx, d); err != nil {
		return dispatch.Done, err
	}
	s.pub.opened(name)
	return dispatch.Done, nil
}

// didChange applies changes to documents: of all the messages that wait, since what lies between
// them is seen by no request. What they refer to is found in the order of the stream (V0); a change
// of a document that is not open, or that does not fit, changes nothing.
func (s *session) didChange(ctx context.Context, run []*dispatch.Request) []error {
	errs := make([]error, len(run))
	edits := make([]document.Edit, len(run))
	for i, r := range run {
		edits[i], errs[i] = s.decodeEdit(ctx, r)
	}
	var changed []string
	for i := 0; i < len(run); {
		if errs[i] != nil {
			errs[i] = s.lose(edits[i].URI, errs[i])
			i++
			continue
		}
		n := s.together(edits[i:], errs[i:])
		s.applyEdits(edits[i:i+n], errs[i:])
		if name := edits[i].URI; !slices.Contains(changed, name) {
			changed = append(changed, name)
		}
		i += n
	}
	for _, name := range changed {
		if err := s.changed(ctx, name); err != nil {
			last := len(run) - 1
			errs[last] = errors.Join(errs[last], err)
		}
	}
	return errs
}

func (s *session) decodeEdit(ctx context.Context, r *dispatch.Request) (document.Edit, error) {
	edit, err := document.DecodeEdit(r.Params)
	if err != nil {
		edit.URI, _ = s.canonical(protocolURI(edit.URI)) // if there is one
		return edit, s.wireError(ctx, r.Method, err)
	}
	edit.URI, err = s.canonical(protocolURI(edit.URI))
	return edit, err
}

// lose puts a document out of sync that the client has changed in a way that cannot be understood,
// and returns the error to report.
func (s *session) lose(name string, cause error) error {
	if err := s.agreed.Load().docs.Lose(name, cause); err != nil {
		return err
	}
	return cause
}

// together returns how many of several edits, from the first on, change one document that is in
// sync, with versions that do not go back: together they are one edit. At least it is one.
func (s *session) together(edits []document.Edit, errs []error) int {
	first := edits[0]
	d, open := s.agreed.Load().docs.Get(first.URI)
	if !open || d.Err() != nil || first.Version == nil || *first.Version < d.Version() {
		return 1
	}
	n := 1
	for last := first; n < len(edits) && errs[n] == nil; n++ {
		next := edits[n]
		if next.URI != first.URI || next.Version == nil || *next.Version < *last.Version {
			break
		}
		last = next
	}
	return n
}

// applyEdits applies edits that together has found, at the cost of one. If they do not fit, each is
// applied by itself.
func (s *session) applyEdits(edits []document.Edit, errs []error) {
	docs := s.agreed.Load().docs
	if len(edits) > 1 {
		all := document.Edit{URI: edits[0].URI, Version: edits[len(edits)-1].Version}
		for _, e := range edits {
			all.Changes = append(all.Changes, e.Changes...)
		}
		old, _ := docs.Get(all.URI)
		if _, err := docs.Change(all); err == nil {
			return
		}
		_, _, _ = docs.Open(old.URI(), old.Language(), old.Version(), string(old.Text())) // it fitted before
	}
	for i, e := range edits {
		_, errs[i] = docs.Change(e)
	}
}

// changed gives the workspace a document's new text.
func (s *session) changed(ctx context.Context, name string) error {
	d, ok := s.agreed.Load().docs.Get(name)
	switch {
	case !ok:
		return nil // the changes were of none
	case errors.Is(d.Err(), document.ErrTooLarge):
		return s.tooLarge(ctx, d)
	}
	if err := s.putOverlay(ctx, d); err != nil {
		return err
	}
	s.pub.edited(name)
	return nil
}

// putOverlay gives the workspace a document's text, if the language wants it.
func (s *session) putOverlay(ctx context.Context, d *document.Document) error {
	root := s.rootOf(d.URI())
	if root == nil || errors.Is(d.Err(), document.ErrTooLarge) || !s.host.handles(d.URI()) {
		return nil
	}
	err := s.host.overlays.set(ctx, s.id, root, d)
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
	if root := s.rootOf(name); root != nil && s.host.handles(name) {
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
	s.told.forget(name)
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
