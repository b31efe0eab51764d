package golang

import (
	"cmp"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// withDraft has fn look at what a package declares outside of a declaration that is being typed,
// until it returns. Make makes the draft of that. Fn takes no other view.
func (w *workspace) withDraft(
	t *runtime.Task, uri string, offset int, make func(text []byte) *syntax.Draft, fn func(v *view, d *syntax.Draft) error,
) error {
	return w.askAbout(t, uri, func(t *runtime.Task, root string) error {
		src := taskSource{t, root}
		text, err := src.text(uri)
		if err != nil {
			return err
		}
		if offset < 0 || offset > len(text) {
			return &lsp.FileError{URI: uri, Offset: offset, Err: lsp.ErrOutOfRange}
		}
		owners, err := ownersOf(src, uri)
		if err != nil {
			return err
		}
		if len(owners) == 0 {
			return &lsp.FileError{URI: uri, Offset: offset, Err: lsp.ErrNoSymbol}
		}
		return viewDraft(src, owners[0].ID, uri, make(text), fn)
	})
}

// viewDraft is withDraft within a question.
func viewDraft(src taskSource, id, uri string, d *syntax.Draft, fn func(v *view, d *syntax.Draft) error) error {
	t := src.t
	in, err := readPackage(t, pkgKey{src.root, id})
	if err != nil {
		return err
	}
	if in.p == nil || metadata.IsSyntaxOnly(in.p) {
		return &lsp.FileError{URI: uri, Offset: d.Word.Start, Err: lsp.ErrNoSymbol}
	}
	slot, err := takeSlot(t, &check.Views, id)
	if err != nil {
		return err
	}
	defer slot.Done()
	bytes := 0
	for _, text := range in.texts {
		bytes += len(text)
	}
	var v *check.View
	err = t.Piece(worldBytes+int64(bytes)*checkWeight, func(func(func())) (err error) {
		v, err = slot.Declarations(in.p, in.imports, in.uris, in.texts, uri, d.Section)
		return cmp.Or(in.exports.err, err)
	})
	if err != nil {
		return err
	}
	return fn(&view{v, src}, d)
}
