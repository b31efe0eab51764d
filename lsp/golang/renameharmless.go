package golang

import (
	"bytes"
	"errors"
	"go/ast"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// harmless reports whether the change can be seen to be one of names alone, without a check of what
// it leads to.
//
// A name that is written nowhere in a text names nothing there. So after the change those places of
// the text have it that had the old one, and all of them name the same declaration, which is in
// scope where it was: nothing is shadowed, and nothing is declared twice. What is left are names
// that nothing writes, and each of them is excluded here:
//
//   - fields and methods, which types have through those that they embed, from other packages too;
//   - imports, whose names are those of other packages;
//   - for a declaration of a package, what a file gets by an import into its own scope, and all
//     files of the package are read, since each of them declares names of the package.
//
// The places are those of the index, which knows all of them where a package is free of errors.
func (r *renaming) harmless() (bool, error) {
	local := true
	for _, f := range r.declared {
		switch f.Kind {
		case lsp.KindField, lsp.KindMethod, lsp.KindPackage:
			return false, nil
		}
		local = local && f.Flags&index.Local != 0
	}
	for _, src := range r.sources {
		for uri := range r.edits {
			if free, err := r.unwritten(src, uri, local); !free || err != nil {
				return false, err
			}
			owners, err := ownersOf(src, uri)
			if err != nil {
				return false, err
			}
			for _, p := range owners {
				if free, err := r.unwrittenIn(src, p, local); !free || err != nil {
					return false, err
				}
			}
		}
	}
	return true, nil
}

// unwrittenIn reports whether the new name is written nowhere in a package without errors. Of a
// package in which only local names change the files with edits count, which the caller looks at.
func (r *renaming) unwrittenIn(src taskSource, p *metadata.Package, local bool) (bool, error) {
	c, err := checks.Get(src.t, pkgKey{src.root, p.ID})
	if err != nil || slices.ContainsFunc(c.Diagnostics, func(d check.FileDiagnostic) bool {
		return d.Diag.Severity == lsp.SeverityError
	}) {
		return false, err
	}
	if local {
		return true, nil
	}
	for _, uri := range p.Files {
		if free, err := r.unwritten(src, uri, local); !free || err != nil {
			return false, err
		}
	}
	return true, nil
}

// unwritten reports whether the new name is written nowhere in a file that can be read whole, and
// no import gives the file names that are not written either.
func (r *renaming) unwritten(src taskSource, uri string, local bool) (bool, error) {
	text, err := src.text(uri)
	if errors.Is(err, lsp.ErrUnknownFile) {
		return true, nil
	}
	if err != nil || bytes.Contains(text, []byte(r.to)) {
		return false, err
	}
	t := syntax.Trees.Get(uri, text)
	if t.Unfit || len(t.Errors) > 0 {
		return false, nil
	}
	return local || !slices.ContainsFunc(t.AST.Imports, func(spec *ast.ImportSpec) bool {
		return spec.Name != nil && spec.Name.Name == "."
	}), nil
}
