package golang

import (
	"errors"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// RenameTarget implements lsp.Renamer.
func (w *workspace) RenameTarget(t *runtime.Task, uri string, offset int) (at lsp.Span, name string, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return at, name, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) error {
		src := taskSource{t, root}
		text, err := src.text(uri)
		if err != nil {
			return err
		}
		if _, ok := packageClauseAt(syntax.Trees.Get(uri, text), offset); ok {
			at, name, err = packageTarget(w, src, uri, text)
			return err
		}
		if s, ok := syntax.SignatureAt(syntax.Trees.Get(uri, text), offset); ok {
			at, name = s.Keyword, s.Text
			return nil
		}
		r := w.newRenaming(src)
		if at, err = r.begin(uri, offset); err != nil {
			return err
		}
		name = r.from
		return r.permitted()
	})
	return at, name, err
}

// Rename implements lsp.Renamer.
func (w *workspace) Rename(t *runtime.Task, uri string, offset int, name string) (e *lsp.WorkspaceEdit, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	signature := false
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) error {
		src := taskSource{t, root}
		text, err := src.text(uri)
		if err != nil {
			return err
		}
		if _, signature = syntax.SignatureAt(syntax.Trees.Get(uri, text), offset); signature {
			return nil
		}
		if _, ok := packageClauseAt(syntax.Trees.Get(uri, text), offset); ok {
			e, err = w.renamePackage(src, uri, name)
			return err
		}
		r := w.newRenaming(src)
		if _, err := r.begin(uri, offset); errors.Is(err, lsp.ErrNoSymbol) {
			return refuse("no identifier found")
		} else if err != nil {
			return err
		}
		e, err = r.rename(name)
		return err
	})
	if !signature || err != nil {
		return e, err
	}
	c, err := w.signatureChange(t, uri, offset, name)
	if err != nil || c == nil {
		return &lsp.WorkspaceEdit{}, err
	}
	return w.changeSignature(t, uri, "changing the signature to "+name, c)
}
