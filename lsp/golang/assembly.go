package golang

import (
	"path/filepath"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
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
