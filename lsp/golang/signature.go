package golang

import (
	"errors"
	"go/token"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/complete"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// SignatureTriggers implements lsp.SignatureHelper.
func (w *workspace) SignatureTriggers() (first, again []string) {
	return []string{"(", ","}, []string{")"}
}

// SignatureHelp implements lsp.SignatureHelper. Who types a string is not told unasked what takes
// it.
func (w *workspace) SignatureHelp(t *runtime.Task, uri string, offset int, unasked bool) (sig *lsp.Signature, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	none := &lsp.FileError{URI: uri, Offset: offset, Err: lsp.ErrNoSymbol}
	draft := func(text []byte) *syntax.Draft { return syntax.NewDraftAsIs(uri, text, offset) }
	err = w.withDraft(t, uri, offset, draft, func(v *view, d *syntax.Draft) error {
		if unasked && d.Cursor.Inside == token.STRING {
			return none
		}
		call, err := complete.CallAt(v.View, d)
		if err != nil {
			return err
		}
		if call == nil {
			return none
		}
		sig = &call.Signature
		if token := v.docToken(&complete.Item{Object: call.Object}); token != "" {
			// The view reads as of its own task, which ends with this function.
			sig.Doc, err = documented(v.taskSource, token)
		}
		return err
	})
	if errors.Is(err, check.ErrUnfit) {
		err = &lsp.FileError{URI: uri, Offset: offset, Err: lsp.ErrNoSymbol}
	}
	return sig, err
}
