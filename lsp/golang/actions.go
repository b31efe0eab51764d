package golang

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/complete"
	"github.com/cytisus/cytisus/lsp/golang/refactor"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// ActionKinds implements lsp.Actor.
func (w *workspace) ActionKinds() []string {
	return append(refactor.Kinds(), actionTidy, actionRewrite, fixAllKind)
}

// Actions implements lsp.Actor.
func (w *workspace) Actions(t *runtime.Task, r lsp.ActionRequest) (list []lsp.Action, err error) {
	if r.URI, err = w.canonical(r.URI); err != nil {
		return nil, err
	}
	if !syntax.IsGoFile(r.URI) {
		return w.moduleActions(t, r)
	}
	err = w.changesAt(t, r, func(c refactor.Change, of *view) error {
		a := lsp.Action{Title: c.Title, Kind: c.Kind, Preferred: c.Preferred, Edit: func(t *runtime.Task) (edit *lsp.WorkspaceEdit, err error) {
			only := r
			only.Only, only.Automatic = []string{c.Kind}, false
			var wide refactor.Change // the views of other packages are taken when this one is free
			err = w.changesAt(t, only, func(again refactor.Change, _ *view) (err error) {
				if again.Title == c.Title && again.Kind == c.Kind {
					if again.Make != nil {
						edit, err = again.Make()
					} else {
						wide = again
					}
				}
				return err
			})
			switch {
			case err != nil:
				return nil, err
			case wide.Signature != nil:
				return w.changeSignature(t, r.URI, c.Title, wide.Signature)
			case wide.Inlining != nil:
				return w.inlineCall(t, r.URI, wide.Inlining)
			}
			return edit, nil
		}}
		for _, e := range c.Mends {
			_, span := of.Place(e)
			a.Mends = append(a.Mends, lsp.Diagnostic{Span: span, Message: e.Msg})
		}
		list = append(list, a)
		return nil
	})
	if err == nil && len(r.Only) > 0 && lsp.WantsKind(r.Only, fixAllKind) {
		list = append(list, lsp.Action{Title: "Fix all that is safe", Kind: fixAllKind, Edit: func(t *runtime.Task) (*lsp.WorkspaceEdit, error) {
			return w.fixAll(t, r.URI)
		}})
	}
	if err != nil || !lsp.WantsKind(r.Only, "quickfix") {
		return list, err
	}
	err = w.askAbout(t, r.URI, func(t *runtime.Task, root string) error {
		fixes, err := w.fixesAt(t, root, r)
		list = append(fixes, list...)
		return err
	})
	return list, err
}

// changesAt has fn look at the changes that fit, while the types of the package are there.
func (w *workspace) changesAt(t *runtime.Task, r lsp.ActionRequest, fn func(c refactor.Change, of *view) error) error {
	return w.withView(t, check.Sight{URI: r.URI, Offset: r.Span.Start, Bodies: check.BodiesOfFile}, func(v *view) error {
		request := &refactor.Request{
			View: v.View, Start: r.Span.Start, End: r.Span.End, Automatic: r.Automatic, Local: w.set().Local,
			Importable: v.importable, Text: v.textOrNone, TestFiles: v.testFiles,
		}
		if r.Span.End > len(v.File.Text) || r.Span.End < r.Span.Start {
			return &lsp.FileError{URI: r.URI, Offset: r.Span.End, Err: lsp.ErrOutOfRange}
		}
		for _, c := range refactor.Changes(request, r.Only) {
			if err := fn(c, v); err != nil {
				return err
			}
		}
		return nil
	})
}

// textOrNone is the text of a file. One that lies on the disk without being part of the workspace
// is an error of its own, not lsp.ErrUnknownFile.
func (v *view) textOrNone(uri string) ([]byte, error) {
	text, err := v.text(uri)
	if path, ok := files.Path(uri); ok && errors.Is(err, lsp.ErrUnknownFile) {
		if _, err := os.Lstat(path); err == nil {
			return nil, refuse("%s is not part of the workspace", path)
		}
	}
	return text, err
}

// testFiles lists the files of tests of the view's package.
func (v *view) testFiles() (list []string, err error) {
	m, err := v.metadata()
	if err != nil {
		return nil, err
	}
	for _, p := range m.Packages {
		if p.ForTest != v.Meta.Path {
			continue
		}
		for _, uri := range p.Files {
			if strings.HasSuffix(uri, "_test.go") && !slices.Contains(list, uri) {
				list = append(list, uri)
			}
		}
	}
	return list, nil
}

// importable lists the packages that a file of the view's package could import under a name.
func (v *view) importable(name string) (list []refactor.Package, err error) {
	from := newImportable(v.taskSource, v.Meta)
	err = from.Packages(func(p complete.Package) bool {
		if p.Name == name {
			list = append(list, refactor.Package{Path: p.Path, Name: name, Declares: func(names []string) (bool, error) {
				exported, err := from.Exported(p)
				return err == nil && declaresAll(exported, names), err
			}})
		}
		return true
	})
	return list, err
}

func declaresAll(exported []complete.Exported, names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool {
		return !slices.ContainsFunc(exported, func(e complete.Exported) bool { return e.Name == name })
	})
}
