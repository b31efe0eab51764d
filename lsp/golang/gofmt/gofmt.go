package gofmt

import (
	"bytes"
	"fmt"
	"go/format"
	"go/token"

	"golang.org/x/mod/modfile"
	gofumpt "mvdan.cc/gofumpt/format"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A syntaxError is why a text cannot be laid out: its message is that of the parser alone, which
// begins with the place.
type syntaxError struct{ err error }

func (e *syntaxError) Error() string   { return e.err.Error() }
func (e *syntaxError) Unwrap() []error { return []error{lsp.ErrSyntax, e.err} }

// A Style is how Go files are laid out: as gofmt has it, unless it says otherwise.
type Style struct {
	Gofumpt   bool   // as gofumpt has it, which is stricter
	GoVersion string // of the language, as "go1.26"; "" for the first
	Module    string // what import paths of the module begin with
}

// strict lays a text out further that is laid out as gofmt has it.
func (s Style) strict(text []byte) ([]byte, error) {
	if !s.Gofumpt {
		return text, nil
	}
	out, err := gofumpt.Source(text, gofumpt.Options{LangVersion: s.GoVersion, ModulePath: s.Module})
	if err != nil {
		return nil, &syntaxError{err}
	}
	return out, nil
}

// Source is a text as it should be laid out, with the line ends that gofmt writes. The text itself
// is returned for a file that has no layout. It fails with lsp.ErrSyntax.
func Source(uri string, text []byte) ([]byte, error) {
	return source(uri, text, syntax.Trees.Get)
}

func source(uri string, text []byte, parse func(uri string, text []byte) *syntax.Tree) ([]byte, error) {
	switch name := files.BaseName(uri); {
	case syntax.IsGoFile(name):
		return goSource(parse(uri, text))
	case name == "go.mod":
		f, err := modfile.Parse(name, text, nil)
		if err != nil {
			return nil, &syntaxError{err}
		}
		return modfile.Format(f.Syntax), nil
	case name == "go.work":
		f, err := modfile.ParseWork(name, text, nil)
		if err != nil {
			return nil, &syntaxError{err}
		}
		return modfile.Format(f.Syntax), nil
	}
	return text, nil
}

func goSource(tree *syntax.Tree) ([]byte, error) {
	text := tree.Text
	if len(tree.Errors) > 0 || tree.Unfit {
		// What is no file may still be part of one. The message is that of the text: a tree is
		// repaired.
		out, err := format.Source(text)
		if err != nil {
			return nil, &syntaxError{err}
		}
		return out, nil
	}
	positions := token.NewFileSet()
	positions.AddExistingFiles(tree.Pos)
	var out bytes.Buffer
	out.Grow(len(text) + len(text)/16)
	if err := format.Node(&out, positions, tree.AST); err != nil {
		return nil, fmt.Errorf("laying out %s: %w", tree.URI, err)
	}
	return out.Bytes(), nil
}
