package golang

import (
	"errors"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/hints"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// Hints implements lsp.Hinter.
func (w *workspace) Hints(t *runtime.Task, uri string, within lsp.Span) (list []lsp.Hint, err error) {
	uri, err = w.canonical(uri)
	kinds := w.set().Hints
	if err != nil || !syntax.IsGoFile(uri) || len(kinds) == 0 {
		return nil, err
	}
	err = w.withView(t, check.Sight{URI: uri, Bodies: check.BodiesOfFile, Apart: true}, func(v *view) error {
		list = hints.Of(v.View, within, kinds)
		return nil
	})
	if errors.Is(err, check.ErrUnfit) {
		err = nil
	}
	return list, err
}
