package golang

import (
	"errors"
	"go/ast"
	"path/filepath"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// assemblyAt finds what Go declares of a symbol that a file of the assembler names at an offset:
// something of the package of the directory, or of another one.
func assemblyAt(src source, uri string, offset int) (u syntax.AssemblyUse, f found, err error) {
	u, _, err = assemblyUseAt(src, uri, offset)
	if err != nil {
		return u, f, err
	}
	ok := false
	if u.Kind == syntax.AssemblySymbol && !u.Bare && !u.Static {
		f, ok, err = assemblyInGo(src, uri, &u)
	}
	if err == nil && !ok {
		err = &lsp.FileError{URI: uri, Offset: offset, Err: lsp.ErrNoSymbol}
	}
	return u, f, err
}

// assemblyInGo finds what Go declares of a symbol that a file of the assembler names.
func assemblyInGo(src source, uri string, u *syntax.AssemblyUse) (f found, ok bool, err error) {
	if u.Package != "" {
		return linknamed(src, u.Package, u.Name)
	}
	m, err := src.metadata()
	if err != nil {
		return f, false, err
	}
	p := m.InDir(filepath.Dir(files.PathOf(uri)))
	if p == nil {
		return f, false, nil
	}
	return atPackageLevel(src, p, u.Name)
}

// assemblyDefinition is where a name in a file of the assembler is declared: by Go, or else by the
// assembler.
func assemblyDefinition(src source, uri string, offset int) ([]lsp.Location, error) {
	u, f, err := assemblyAt(src, uri, offset)
	switch {
	case err == nil:
		return []lsp.Location{f.location()}, nil
	case !errors.Is(err, lsp.ErrNoSymbol) || u.Span.End == 0 || u.Kind == syntax.AssemblyRegister:
		return nil, err
	}
	list, listErr := assemblyKin(src, uri, &u, true)
	if listErr != nil {
		return nil, listErr
	}
	for _, at := range list {
		if at.declares {
			return []lsp.Location{at.Location}, nil
		}
	}
	return nil, err
}

// assembled is where the assembler begins the function whose name stands at an offset, if Go only
// declares it there.
func assembled(src source, uri string, offset int) (at lsp.Location, ok bool, err error) {
	t, err := treeOf(src, uri)
	if err != nil {
		return at, false, err
	}
	name := ""
	for _, d := range t.AST.Decls {
		if f, is := d.(*ast.FuncDecl); is && f.Body == nil && f.Recv == nil && t.Span(f.Name.Pos(), f.Name.End()).Contains(offset) {
			name = f.Name.Name
		}
	}
	if name == "" {
		return at, false, nil
	}
	all, err := assemblyIn(src, []string{filepath.Dir(files.PathOf(uri))}, "")
	if err != nil {
		return at, false, err
	}
	for _, file := range all {
		for i := range file.uses {
			u := &file.uses[i]
			if u.Declares && u.Kind == syntax.AssemblySymbol && !u.Bare && u.Package == "" && u.Name == name {
				span := lsp.Span{Start: u.Span.End - len(name), End: u.Span.End}
				return lsp.Location{URI: file.uri, Span: span}, true, nil
			}
		}
	}
	return at, false, nil
}
