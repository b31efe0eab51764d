package golang

import (
	"errors"
	"go/ast"
	"os"
	"path/filepath"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// assemblyAt finds what a name in a file of the assembler means: a label of the file, or something
// that the package of the directory declares, or another package. A symbol that Go does not declare
// is not found.
func assemblyAt(src source, uri string, offset int) (n syntax.AssemblyName, f found, err error) {
	fail := &lsp.FileError{URI: uri, Offset: offset, Err: lsp.ErrNoSymbol}
	text, err := src.text(uri)
	if err != nil {
		return n, f, err
	}
	n, ok := syntax.AssemblyNameAt(text, offset)
	if !ok {
		return n, f, fail
	}
	if n.Label.End > n.Label.Start {
		return n, f, nil
	}
	if n.Package != "" {
		f, ok, err = linknamed(src, n.Package, n.Name)
	} else {
		m, metaErr := src.metadata()
		if metaErr != nil {
			return n, f, metaErr
		}
		p := m.InDir(filepath.Dir(files.PathOf(uri)))
		if p == nil {
			return n, f, fail
		}
		f, ok, err = atPackageLevel(src, p, n.Name)
	}
	if err == nil && !ok {
		err = fail
	}
	return n, f, err
}

// assemblyDefinition is where a name in a file of the assembler is declared.
func assemblyDefinition(src source, uri string, offset int) ([]lsp.Location, error) {
	n, f, err := assemblyAt(src, uri, offset)
	switch {
	case err != nil:
		return nil, err
	case f.index == nil:
		return []lsp.Location{{URI: uri, Span: n.Label}}, nil
	}
	return []lsp.Location{f.location()}, nil
}

// assembled is where the assembler begins the function whose name stands at an offset, if Go only
// declares it there. Files of the assembler are no inputs: the disk is read at the time of the
// question, but for those that an editor holds.
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
	dir := filepath.Dir(files.PathOf(uri))
	find := func() error {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil // no directory, no function
		}
		for _, e := range entries {
			file := files.URI(filepath.Join(dir, e.Name()))
			if !syntax.IsAssembly(file) {
				continue
			}
			text, err := src.text(file)
			if errors.Is(err, lsp.ErrUnknownFile) {
				text, err = disk.ReadInput(filepath.Join(dir, e.Name()))
			}
			if err != nil {
				continue
			}
			if span, found := syntax.AssemblyFunction(text, name); found {
				at, ok = lsp.Location{URI: file, Span: span}, true
				return nil
			}
		}
		return nil
	}
	if s, is := src.(taskSource); is {
		err = s.t.Blocking(find)
	} else {
		err = find()
	}
	return at, ok, err
}
