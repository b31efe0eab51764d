package golang

import (
	"errors"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A source is what answers are made from: one state of a workspace.
type source interface {
	metadata() (*metadata.Build, error)
	// find is the package of an ID, stray or not; nil if there is none.
	find(id string) (*metadata.Package, error)
	// strayOwner is the package that is made for a file that the build leaves out; nil if none can
	// be.
	strayOwner(uri string) (*metadata.Package, error)
	// text is the text of a file; lsp.ErrUnknownFile if there is none.
	text(uri string) ([]byte, error)
	// checked is the index of a package with its function bodies.
	checked(p *metadata.Package) (*index.Index, error)
	// names is what the index of a package has of one file: what stands in it, and what that names.
	names(p *metadata.Package, uri string) (*index.Index, error)
	// declared is an index of a package that may lack what only its function bodies name.
	declared(p *metadata.Package) (*index.Index, error)
	// types has fn look at a package with its types, until it returns. Fn looks at no other one.
	types(p *metadata.Package, s check.Sight, fn func(v *check.View) error) error
	// environment is what the build is made in.
	environment() (*disk.Environment, error)
}

// A place is a name in a file as a question finds it: what it stands for in one package that the
// file belongs to.
type place struct {
	pkg   *metadata.Package
	index *index.Index
	occs  []index.Occurrence // all at one span
}

// eachPlace finds what stands at an offset, in one package that the file is compiled in after the
// other, until fn is done. Open gives the index of a package, as far as it is needed.
func eachPlace(
	src source, uri string, offset int, open func(p *metadata.Package) (*index.Index, error),
	fn func(at place) (done bool, err error),
) error {
	fail := func(err error) error { return &lsp.FileError{URI: uri, Offset: offset, Err: err} }
	text, err := src.text(uri)
	if err != nil {
		return err
	}
	if offset < 0 || offset > len(text) {
		return fail(lsp.ErrOutOfRange)
	}
	owners, err := ownersOf(src, uri)
	if err != nil {
		return err
	}
	for _, p := range owners {
		x, err := open(p)
		if err != nil {
			return err
		}
		if occs := x.OccurrencesAt(x.File(uri), offset); len(occs) > 0 {
			if done, err := fn(place{p, x, occs}); done || err != nil {
				return err
			}
		}
	}
	return fail(lsp.ErrNoSymbol)
}

// ownersOf are the packages that a file is compiled in, or the one that is made for a file that the
// build leaves out.
func ownersOf(src source, uri string) ([]*metadata.Package, error) {
	m, err := src.metadata()
	if err != nil {
		return nil, err
	}
	owners := m.Owners(uri)
	if len(owners) == 0 {
		p, err := src.strayOwner(uri)
		if err != nil {
			return nil, err
		}
		if p != nil {
			owners = append(owners, p)
		}
	}
	return owners, nil
}

// placesAt finds what stands at an offset, once per package that the file is compiled in.
func placesAt(src source, uri string, offset int) (places []place, err error) {
	err = eachPlace(src, uri, offset, src.checked, func(at place) (bool, error) {
		places = append(places, at)
		return false, nil
	})
	if len(places) > 0 && errors.Is(err, lsp.ErrNoSymbol) {
		err = nil
	}
	return places, err
}

// A found declaration is a declaration together with the package that it was found in.
type found struct {
	pkg   *metadata.Package
	index *index.Index
	index.Declaration
}

func (f *found) location() lsp.Location {
	return lsp.Location{URI: f.index.URI(f.File), Span: f.Span}
}

// resolve finds the declaration that an occurrence refers to.
func resolve(src source, at place, o index.Occurrence) (found, bool, error) {
	if !o.IsExternal {
		d, ok := at.index.Declaration(o.Target)
		return found{at.pkg, at.index, d}, ok, nil
	}
	name, ok := at.index.ExternalAt(o.Target)
	if !ok {
		return found{}, false, nil
	}
	return declarationNamed(src, name, at.pkg)
}

// declarationNamed finds what a package calls by a name of another one.
func declarationNamed(src source, name index.External, from *metadata.Package) (found, bool, error) {
	if name.Path == "" {
		return found{}, false, nil
	}
	packages, err := named(src, name.Package, from)
	if err != nil {
		return found{}, false, err
	}
	for _, p := range packages {
		x, err := src.declared(p)
		if err != nil {
			return found{}, false, err
		}
		if d, ok := x.Declaration(x.DeclarationOf(name.Path)); ok {
			return found{p, x, d}, true, nil
		}
	}
	return found{}, false, nil
}

// named lists the packages of a path as seen from another package, the stray ones that it imports
// first.
func named(src source, path string, from *metadata.Package) ([]*metadata.Package, error) {
	m, err := src.metadata()
	if err != nil {
		return nil, err
	}
	var out []*metadata.Package
	for i := range from.Imports {
		if id := from.Imports[i].Checked(); metadata.PathOf(id) == path && isStray(id) {
			p, err := src.find(id)
			if err != nil {
				return nil, err
			}
			if p != nil {
				out = append(out, p)
			}
		}
	}
	return append(out, m.Named(path, from)...), nil
}

// namesIn is what opens the indexes of packages as far as one file needs them.
func namesIn(src source, uri string) func(p *metadata.Package) (*index.Index, error) {
	return func(p *metadata.Package) (*index.Index, error) { return src.names(p, uri) }
}

// behindImport is the declaration of the package that an import without a name of its own brings
// in; every other declaration is returned as it is. The documentation of an import is that of the
// package.
func behindImport(src source, at place, f found) (found, error) {
	if f.Kind != lsp.KindPackage || f.Path == index.PackagePath {
		return f, nil
	}
	for _, o := range f.index.OccurrencesAt(f.File, f.Span.Start) {
		if !o.IsExternal {
			continue
		}
		if pkg, ok, err := resolve(src, at, o); err != nil || ok {
			return pkg, err
		}
	}
	return f, nil
}

// treeOf is the syntax of the current text of a file.
func treeOf(src source, uri string) (*syntax.Tree, error) {
	text, err := src.text(uri)
	if err != nil {
		return nil, err
	}
	return syntax.Trees.Get(uri, text), nil
}

// clausesOf are the names of a package in all its files.
func clausesOf(src source, p *metadata.Package) (list []lsp.Location, err error) {
	for _, uri := range p.Files {
		t, err := treeOf(src, uri)
		if err != nil {
			return nil, err
		}
		list = append(list, lsp.Location{URI: uri, Span: t.Span(t.AST.Name.Pos(), t.AST.Name.End())})
	}
	slices.SortFunc(list, lsp.Location.Compare)
	return list, nil
}

func ignoreNoSymbol(err error) error {
	if errors.Is(err, lsp.ErrNoSymbol) {
		return nil
	}
	return err
}
