package golang

import (
	"go/ast"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// linkAt finds what a comment at an offset of a file names, in a doc link or in a //go:linkname
// directive, and where it does.
func linkAt(src source, t *syntax.Tree, offset int) (f found, at lsp.Span, ok bool, err error) {
	if path, name, at, ok := syntax.LinknameAt(t.Text, offset); ok {
		f, ok, err = linknamed(src, path, name)
		return f, at, ok, err
	}
	l, ok := syntax.DocLinkAt(t, offset)
	if !ok {
		return found{}, at, false, nil
	}
	owners, err := ownersOf(src, t.URI)
	if err != nil {
		return found{}, at, false, err
	}
	for _, p := range owners {
		if f, ok, err = linked(src, p, t, l.Name); ok || err != nil {
			break
		}
	}
	return f, l.Span, ok, err
}

// linknamed finds something of a package that need not be imported.
func linknamed(src source, path, name string) (found, bool, error) {
	packages, err := named(src, path, &metadata.Package{})
	if err != nil {
		return found{}, false, err
	}
	for _, p := range packages {
		if f, ok, err := atPackageLevel(src, p, name); ok || err != nil {
			return f, ok, err
		}
	}
	return found{}, false, nil
}

// atPackageLevel finds what a package declares: something by its name, or a method or field of a
// type.
func atPackageLevel(src source, p *metadata.Package, name string) (found, bool, error) {
	x, err := src.declared(p)
	if err != nil {
		return found{}, false, err
	}
	if d, ok := x.Declaration(x.DeclarationOf(name)); ok {
		return found{p, x, d}, true, nil
	}
	for _, i := range x.Named(name) {
		d, ok := x.Declaration(i)
		if !ok || d.Flags&index.Local != 0 {
			continue
		}
		switch d.Kind {
		case lsp.KindMethod, lsp.KindField, lsp.KindPackage, lsp.KindTypeParameter:
		default:
			return found{p, x, d}, true, nil
		}
	}
	return found{}, false, nil
}

// linked finds what a doc link in a file of a package names: something of the package itself, of
// one that the file imports, by the name that it has there or its own, or of the language.
func linked(src source, p *metadata.Package, t *syntax.Tree, name string) (found, bool, error) {
	first, rest, _ := strings.Cut(name[strings.LastIndexByte(name, '/')+1:], ".")
	prefix := name[:strings.LastIndexByte(name, '/')+1] + first
	spec, imported, err := importNamed(src, p, t, prefix)
	switch {
	case err != nil:
		return found{}, false, err
	case spec != nil && rest == "":
		return importDeclaration(src, p, t, spec)
	case spec != nil:
		return declarationNamed(src, index.External{Package: imported, Path: rest}, p)
	case strings.Contains(prefix, "/"):
		return linknamed(src, prefix, rest)
	case prefix == p.Name && rest != "":
		if f, ok, err := atPackageLevel(src, p, rest); ok || err != nil {
			return f, ok, err
		}
	}
	if f, ok, err := atPackageLevel(src, p, name); ok || err != nil {
		return f, ok, err
	}
	return declarationNamed(src, index.External{Package: metadata.Builtin, Path: name}, p)
}

// importNamed is the import of a file that goes by a name or a path, and the path of the package;
// nil if there is none.
func importNamed(src source, p *metadata.Package, t *syntax.Tree, name string) (spec *ast.ImportSpec, path string, err error) {
	var second *ast.ImportSpec
	secondPath := ""
	for _, spec := range t.AST.Imports {
		written := syntax.ImportPath(spec)
		path := written
		if e, ok := p.Edge(written); ok && e.Checked() != "" {
			path = metadata.PathOf(e.Checked())
		}
		if written == name || spec.Name != nil && spec.Name.Name == name {
			return spec, path, nil
		}
		own := written
		if e, ok := p.Edge(written); ok && e.Checked() != "" {
			q, err := src.find(e.Checked())
			if err != nil {
				return nil, "", err
			}
			if q != nil {
				own = q.Name
			}
		}
		switch {
		case own != name:
		case spec.Name == nil:
			return spec, path, nil
		case second == nil:
			second, secondPath = spec, path
		}
	}
	return second, secondPath, nil
}

// importDeclaration is the declaration of the name that an import brings in.
func importDeclaration(src source, p *metadata.Package, t *syntax.Tree, spec *ast.ImportSpec) (found, bool, error) {
	x, err := src.names(p, t.URI)
	if err != nil {
		return found{}, false, err
	}
	at := spec.Path.Pos()
	if spec.Name != nil {
		at = spec.Name.Pos()
	}
	d, ok := x.Declaration(x.DeclarationAt(x.File(t.URI), t.Offset(at)))
	return found{p, x, d}, ok, nil
}
