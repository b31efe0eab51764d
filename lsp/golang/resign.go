package golang

import (
	"errors"
	"maps"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/gofmt"
	"github.com/cytisus/cytisus/lsp/golang/refactor"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// changeSignature gives a function of a file other parameters. It finds the places like a renaming,
// changes the calls there, and checks all packages that can see the difference, with the edits
// made: nothing may be wrong that was not.
func (w *workspace) changeSignature(t *runtime.Task, uri, title string, c *refactor.SignatureChange) (e *lsp.WorkspaceEdit, err error) {
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) error {
		r := w.newRenaming(taskSource{t, root})
		if _, err := r.begin(uri, c.Offset); err != nil {
			return err
		}
		if err := r.ours(r.first); err != nil {
			return err
		}
		r.what = title
		r.otherBuilds()
		if err := r.add(r.first); err != nil {
			return err
		}
		calling, err := r.resign(uri, c)
		if err != nil {
			return err
		}
		if err := r.verifyErrors(); err != nil {
			return err
		}
		if err := r.layOut(calling); err != nil {
			return err
		}
		e = r.workspaceEdit()
		return nil
	})
	return e, err
}

// signatureChange is what makes the signature of the function whose keyword stands at an offset
// another one, with the parameters that it has; nil if that is no change.
func (w *workspace) signatureChange(t *runtime.Task, uri string, offset int, to string) (c *refactor.SignatureChange, err error) {
	err = w.withView(t, check.Sight{URI: uri, Offset: offset, Bodies: check.BodiesOfFile}, func(v *view) error {
		s, ok := syntax.SignatureAt(v.File, offset)
		if !ok {
			return &lsp.FileError{URI: uri, Offset: offset, Err: lsp.ErrNoSymbol}
		}
		order, err := s.Order(to)
		switch {
		case err != nil:
			return refuse("%v", err)
		case s.IsWhole(order):
			return nil
		case len(v.Errors) > 0 || len(v.File.Errors) > 0:
			return refuse("the package has errors, and calls could be missed")
		}
		c = (&refactor.Request{View: v.View}).Reorder(s.Func, order)
		return nil
	})
	return c, err
}

// layOut has files look as gofmt has them: other arguments move what is in line with them.
func (r *renaming) layOut(uris []string) error {
	for _, uri := range uris {
		edits := r.edits[uri]
		text, err := r.sources[0].text(uri)
		if err != nil {
			return err
		}
		after, err := lsp.Apply(text, edits)
		if err != nil {
			return err
		}
		if laid, err := gofmt.Edits(uri, after); err == nil {
			r.edits[uri] = lsp.Then(len(text), edits, laid)
		}
	}
	return nil
}

// resign makes the edits of the declaration and of all calls, and lists the files with calls.
func (r *renaming) resign(uri string, c *refactor.SignatureChange) (calling []string, err error) {
	at := map[string][]int{}
	for l := range r.at {
		at[l.URI] = append(at[l.URI], l.Span.Start)
	}
	for _, name := range slices.Sorted(maps.Keys(at)) {
		edited := func(v *view) error {
			request := &refactor.Request{View: v.View}
			edits, err := c.Calls(request, at[name])
			if err != nil {
				return err
			}
			if len(edits) > 0 {
				calling = append(calling, name)
			}
			if name == uri {
				edits = append(edits, c.Declaration...)
			}
			if edits = append(edits, refactor.Idle(request, edits)...); len(edits) > 0 {
				r.edits[name] = edits
			}
			return lsp.SortEdits(edits)
		}
		err := error(&lsp.FileError{URI: name, Offset: -1, Err: lsp.ErrNoSymbol})
		for _, src := range r.sources {
			err = viewFile(src, check.Sight{URI: name, Bodies: check.BodiesOfFile}, edited)
			if !errors.Is(err, lsp.ErrNoSymbol) && !errors.Is(err, lsp.ErrUnknownFile) {
				break // a build that compiles the file has said what there is to say
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return calling, nil
}
