package describe

import (
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A Declared is a place at which something is declared.
type Declared struct {
	Package *metadata.Package
	Tree    *syntax.Tree
	Offset  int // of the name
}

// A Module is what a package is published in. The zero value is a package that is in none, such as
// one of the standard library.
type Module struct {
	Path    string
	Version string // "" for a module that is being worked on
}

// A Library says what a view does not have.
type Library interface {
	// Declared is where what has a name is declared. It is not ok if that is not known.
	Declared(name check.Name) (d Declared, ok bool, err error)
	// Package finds a package that another one imports by a path; nil if it is not known.
	Package(from *metadata.Package, path string) (*metadata.Package, error)
	// Documented is the package clause of a package with its documentation; it is not ok if it has
	// none.
	Documented(p *metadata.Package) (d Declared, ok bool, err error)
	// Link is the URL of what a doc link in a file of a package names; "" if it names nothing.
	Link(p *metadata.Package, t *syntax.Tree, name string) (string, error)
	// Module is what a file is published in.
	Module(uri string) (Module, error)
	// Since is the version of Go that a symbol of the standard library came with, as "go1.21"; ""
	// if that is not known or there was none before. A method or field goes by its type: T.M.
	Since(path, symbol string) string
	// IsPrivate reports whether a package is not published, by what the user says of its path.
	IsPrivate(path string) bool
}
