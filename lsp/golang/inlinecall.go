package golang

import (
	"errors"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/refactor"
	"github.com/cytisus/cytisus/runtime"
)

// inlineCall puts the body of a function in the place of a call in a file. It looks at the package
// that declares the function, and then again at the one of the call.
func (w *workspace) inlineCall(t *runtime.Task, uri string, c *refactor.CallInlining) (e *lsp.WorkspaceEdit, err error) {
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) error {
		src := taskSource{t, root}
		bodies := check.Sight{URI: uri, Bodies: check.BodiesOfFile}
		var declared found
		err := viewFile(src, bodies, func(v *view) error {
			f, ok, err := v.declaration(c.Callee)
			if err == nil && !ok {
				err = refuse("the function that is called has no declaration")
			}
			declared = f
			return err
		})
		if err != nil {
			return err
		}
		var callee *refactor.Inlinee
		at := declared.location()
		err = viewPackage(src, declared.pkg.ID, check.Sight{URI: at.URI, Bodies: check.BodiesOfFile}, func(v *view) (err error) {
			callee, err = refactor.NewInlinee(v.View, at.Span.Start)
			return err
		})
		if errors.Is(err, check.ErrUnfit) {
			return refuse("the function that is called is in a file that is not type-checked")
		}
		if err != nil {
			return err
		}
		return viewFile(src, bodies, func(v *view) (err error) {
			e, err = c.Make(&refactor.Request{View: v.View, Local: w.set().Local}, callee)
			return err
		})
	})
	return e, err
}
