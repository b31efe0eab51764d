package refactor

import (
	"errors"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/check"
)

// A Request is a place in a file that changes are asked for.
type Request struct {
	*check.View
	Start, End int  // offsets of what is selected; equal for a caret
	Automatic  bool // nobody asked

	// Local is what the paths of imports begin with that come behind all others, as in goimports.
	Local string

	// Importable lists packages that a file of the package could import, by the name in their
	// package clauses. Nil knows none.
	Importable func(name string) ([]Package, error)

	// Text is the text of another file, by URI. It fails with lsp.ErrUnknownFile if there is no
	// file, and otherwise if there is one that cannot be read. Nil has changes left out that need
	// it.
	Text func(uri string) ([]byte, error)

	// TestFiles lists the files of tests of the package and of its external test package, by URI.
	// Nil knows none.
	TestFiles func() ([]string, error)

	path []ast.Node // around the selection, innermost first
}

// A Package is one that could be imported.
type Package struct {
	Path, Name string

	// Declares reports whether the package has all these exported names.
	Declares func(names []string) (bool, error)
}

// A Change is one that fits at a place.
type Change struct {
	Title     string // in the imperative; unique among those of a kind
	Kind      string
	Preferred bool
	Mends     []types.Error // that go away with it

	// Make makes it, while the view is there. It is nil of a change that takes the views of other
	// packages.
	Make      func() (*lsp.WorkspaceEdit, error)
	Signature *SignatureChange
	Inlining  *CallInlining
}

// A provider finds changes of one kind.
type provider struct {
	kind string
	find func(r *Request) []Change

	// always is set if what it finds is worth showing to somebody who has only moved the caret.
	always bool
}

// providers are those of all kinds; what mends comes first.
var providers = []provider{
	{"quickfix", mends, true},
	{"source.organizeImports", organizeImports, true},
	{"source.addTest", addTest, false},
	{"refactor.extract.variable", extractVariable, false},
	{"refactor.extract.constant", extractConstant, false},
	{"refactor.extract.variable-all", extractVariableAll, false},
	{"refactor.extract.constant-all", extractConstantAll, false},
	{"refactor.extract.function", extractFunction, false},
	{"refactor.extract.method", extractMethod, false},
	{"refactor.extract.toNewFile", extractToFile, false},
	{"refactor.inline.call", inlineCall, false},
	{"refactor.inline.variable", inlineVariable, false},
	{"refactor.rewrite.fillStruct", fillStruct, true},
	{"refactor.rewrite.fillSwitch", fillSwitch, true},
	{"refactor.rewrite.invertIf", invertIf, true},
	{"refactor.rewrite.joinLines", joinLines, true},
	{"refactor.rewrite.splitLines", splitLines, true},
	{"refactor.rewrite.changeQuote", changeQuote, false},
	{"refactor.rewrite.addTags", addTags, false},
	{"refactor.rewrite.removeTags", removeTags, false},
	{"refactor.rewrite.eliminateDotImport", eliminateDotImport, false},
	{"refactor.rewrite.removeUnusedParam", removeUnusedParam, true},
	{"refactor.rewrite.moveParamLeft", moveParamLeft, false},
	{"refactor.rewrite.moveParamRight", moveParamRight, false},
}

// Kinds are the kinds of changes that there are.
func Kinds() []string {
	var all []string
	for _, p := range providers {
		all = append(all, p.kind)
	}
	return all
}

// Changes finds the changes of the wanted kinds.
func Changes(r *Request, only []string) []Change {
	r.path = r.Enclosing(r.Start, r.End)
	var all []Change
	for _, p := range providers {
		if !lsp.WantsKind(only, p.kind) || r.Automatic && !p.always && len(only) == 0 {
			continue
		}
		for _, c := range p.find(r) {
			c.Kind = p.kind
			all = append(all, c)
		}
	}
	return all
}

// errGone is returned by changes that do not fit where they seemed to.
var errGone = errors.New("the change does not fit here")

// text is what stands between two positions of the file.
func (r *Request) text(from, to token.Pos) string {
	s := r.File.Span(from, to)
	return string(r.File.Text[s.Start:s.End])
}

// textOf is the text of a node of the file.
func (r *Request) textOf(n ast.Node) string { return r.text(n.Pos(), n.End()) }

// replace is an edit of the text between two positions of the file.
func (r *Request) replace(from, to token.Pos, text string) lsp.TextEdit {
	return lsp.TextEdit{Span: r.File.Span(from, to), NewText: text}
}

// edit changes the file.
func (r *Request) edit(edits ...lsp.TextEdit) (*lsp.WorkspaceEdit, error) {
	if len(edits) == 0 {
		return nil, nil
	}
	if err := lsp.SortEdits(edits); err != nil {
		return nil, err
	}
	return &lsp.WorkspaceEdit{Files: []lsp.FileEdit{{URI: r.File.URI, Edits: edits}}}, nil
}

// sibling is the URI of a file in the directory of the one asked about.
func (r *Request) sibling(name string) string {
	dir, ok := files.Path(r.File.URI)
	if !ok {
		return r.File.URI[:strings.LastIndexByte(r.File.URI, '/')+1] + name
	}
	return files.URI(filepath.Join(filepath.Dir(dir), name))
}

// indent is the space that the line of a position begins with.
func (r *Request) indent(pos token.Pos) string {
	text := r.File.Text[:r.File.Offset(pos)]
	line := string(r.File.Text[strings.LastIndexByte(string(text), '\n')+1:])
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}

// lineStart is where the line of a position begins.
func (r *Request) lineStart(pos token.Pos) token.Pos {
	at := r.File.Offset(pos)
	return r.Pos(strings.LastIndexByte(string(r.File.Text[:at]), '\n') + 1)
}

// lineEnd is where the line of a position ends, behind the line feed.
func (r *Request) lineEnd(pos token.Pos) token.Pos {
	at := r.File.Offset(pos)
	if n := strings.IndexByte(string(r.File.Text[at:]), '\n'); n >= 0 {
		return r.Pos(at + n + 1)
	}
	return r.Pos(len(r.File.Text))
}

// line is the number of the line of a position, from 1.
func (r *Request) line(pos token.Pos) int { return r.File.Pos.Line(pos) }

// enclosing is the innermost node around the selection of a type, and those around it.
func enclosing[T ast.Node](r *Request) (node T, above []ast.Node, ok bool) {
	for i, n := range r.path {
		if node, ok = n.(T); ok {
			return node, r.path[i+1:], true
		}
	}
	return node, nil, false
}
