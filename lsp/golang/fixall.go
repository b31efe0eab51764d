package golang

import (
	"errors"
	"go/ast"
	"slices"
	"strconv"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/lint"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/refactor"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// fixAllKind is the kind of the action that makes all safe fixes of a file. It is offered to who
// asks for it by name: analyzers have to be run.
const fixAllKind = "source.fixAll"

// fixAll makes the fixes of a file that analyzers propose and that are safe: the only ones of what
// they mend, within the file, and with them the packages of the file have no error that they do not
// have. Of two that change the same place the first is made. Imports that nothing uses afterwards
// go away.
func (w *workspace) fixAll(t *runtime.Task, uri string) (e *lsp.WorkspaceEdit, err error) {
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) error {
		src := taskSource{t, root}
		text, err := src.text(uri)
		if err != nil {
			return err
		}
		owners, err := ownersOf(src, uri)
		if err != nil || len(owners) == 0 || !owners[0].Workspace || metadata.IsSyntaxOnly(owners[0]) {
			return err
		}
		found, err := lints.Get(t, lintKey{root, owners[0].ID, w.set().Settings.Key()})
		if err != nil {
			return err
		}
		f := fixing{w: w, src: src, uri: uri, text: text}
		edits, err := f.all(safeFixes(found.Found, syntax.Trees.Get(uri, text)))
		if err != nil || len(edits) == 0 {
			return err
		}
		e = &lsp.WorkspaceEdit{Files: []lsp.FileEdit{{URI: uri, Edits: edits}}}
		return nil
	})
	return e, err
}

// safeFixes are the edits of those fixes of a file that are the only ones of their findings, and
// change nothing else. What is declared stays: that nothing uses a function yet is no reason to
// lose it.
func safeFixes(found []lint.Finding, t *syntax.Tree) (list [][]lsp.TextEdit) {
	uri := t.URI
	var declared []int
	for _, d := range t.AST.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			declared = append(declared, t.Offset(d.Name.Pos()))
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					declared = append(declared, t.Offset(spec.Name.Pos()))
				case *ast.ValueSpec:
					for _, id := range spec.Names {
						declared = append(declared, t.Offset(id.Pos()))
					}
				}
			}
		}
	}
	takes := func(e lsp.TextEdit) bool {
		return slices.ContainsFunc(declared, func(at int) bool { return e.Span.Start <= at && at < e.Span.End })
	}
	for _, f := range found {
		if f.URI != uri || len(f.Fixes) != 1 || len(f.Fixes[0].Edits) != 1 {
			continue
		}
		if e := f.Fixes[0].Edits[0]; e.URI == uri && len(e.Edits) > 0 && !slices.ContainsFunc(e.Edits, takes) {
			list = append(list, e.Edits)
		}
	}
	return list
}

// A fixing puts the fixes of a file together.
type fixing struct {
	w    *workspace
	src  taskSource
	uri  string
	text []byte
}

// all are the edits of all fixes that can be made together. If they cannot all, each is tried on
// top of those before it.
func (f *fixing) all(fixes [][]lsp.TextEdit) ([]lsp.TextEdit, error) {
	var merged []lsp.TextEdit
	for _, fix := range fixes {
		if more, ok := withEdits(merged, fix); ok {
			merged = more
		}
	}
	if edits, ok, err := f.try(merged); ok || err != nil {
		return edits, err
	}
	var kept, edits []lsp.TextEdit
	for _, fix := range fixes {
		more, ok := withEdits(kept, fix)
		if !ok {
			continue
		}
		tried, ok, err := f.try(more)
		if err != nil {
			return nil, err
		}
		if ok {
			kept, edits = more, tried
		}
	}
	return edits, nil
}

// withEdits adds the edits of a fix to others. It is not ok if they overlap. What both do alike,
// such as to import something, is done once.
func withEdits(edits, fix []lsp.TextEdit) (all []lsp.TextEdit, ok bool) {
	all = slices.Clone(edits)
	for _, e := range fix {
		if !slices.Contains(all, e) {
			all = append(all, e)
		}
	}
	return all, lsp.SortEdits(all) == nil
}

// try makes edits in memory. It is ok if nothing is wrong then that was not; what is imported for
// nothing is taken out first.
func (f *fixing) try(edits []lsp.TextEdit) (_ []lsp.TextEdit, ok bool, err error) {
	if len(edits) == 0 {
		return nil, true, nil
	}
	wrong, err := f.errors(edits)
	if err != nil {
		return nil, false, err
	}
	idle := func(d check.FileDiagnostic) bool { return d.Diag.Code == "UnusedImport" && d.URI == f.uri }
	if slices.ContainsFunc(wrong, idle) {
		after, err := lsp.Apply(f.text, edits)
		if err != nil {
			return nil, false, err
		}
		var drop []lsp.TextEdit
		tree := syntax.Parse(f.uri, after)
		for _, d := range wrong {
			if edit, ok := refactor.RemoveImport(tree, d.Diag.Span); ok && idle(d) && !slices.Contains(drop, edit) {
				drop = append(drop, edit)
			}
		}
		if err := lsp.SortEdits(drop); err != nil {
			return nil, false, err
		}
		edits = lsp.Then(len(f.text), edits, drop)
		if wrong, err = f.errors(edits); err != nil {
			return nil, false, err
		}
	}
	return edits, len(wrong) == 0, nil
}

// importing is a package with what a text of its file imports that it did not import before, as far
// as the build has that.
func (f *fixing) importing(p *metadata.Package, text []byte) (*metadata.Package, error) {
	m, err := f.src.metadata()
	if err != nil {
		return nil, err
	}
	more := *p
	more.Imports = slices.Clone(p.Imports)
	for _, spec := range syntax.Parse(f.uri, text).AST.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil || m.Find(path) == nil || slices.ContainsFunc(more.Imports, func(e metadata.Edge) bool { return e.Import == path }) {
			continue
		}
		more.Imports = append(more.Imports, metadata.Edge{Import: path, ID: path})
	}
	slices.SortFunc(more.Imports, func(a, b metadata.Edge) int { return strings.Compare(a.Import, b.Import) })
	return &more, nil
}

// errors are what is wrong with edits made that is not without them.
func (f *fixing) errors(edits []lsp.TextEdit) (list []check.FileDiagnostic, err error) {
	after, err := lsp.Apply(f.text, edits)
	if err != nil {
		return nil, err
	}
	if len(syntax.Parse(f.uri, after).Errors) > len(syntax.Parse(f.uri, f.text).Errors) {
		return nil, errors.New("golang: the fixes of analyzers do not go together")
	}
	r := f.w.newRenaming(f.src)
	r.edits[f.uri] = edits
	err = r.verifyAs(func(v *verification) error {
		packages, err := v.concerned()
		if err != nil {
			return err
		}
		for _, p := range packages {
			if p, err = f.importing(p, after); err != nil {
				return err
			}
			c, err := v.check(p)
			if err != nil {
				return err
			}
			more, err := v.newErrors(p, c.Diagnostics)
			if err != nil {
				return err
			}
			list = append(list, more...)
		}
		return nil
	})
	return list, err
}
