package syntax

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
)

const (
	// MaxDepth is the nesting of syntax above which a file is not type-checked. go/types and every
	// walk over a tree recurse once or more per level and a goroutine's stack cannot be caught when
	// it runs out; the parser itself allows ten times as much.
	MaxDepth = 10_000

	// maxSyntaxErrors bounds the syntax errors kept of one file. The last of them is followed by
	// one that says so.
	maxSyntaxErrors = 100
)

// A Tree is a parsed file. It is immutable: go/types reads it from several goroutines at once.
type Tree struct {
	URI    string
	Text   []byte
	Source []byte           // what was parsed: text, or text with brackets that it lacks (repair)
	AST    *ast.File        // never nil, possibly incomplete
	Pos    *token.File      // of the positions in AST
	Errors []lsp.Diagnostic // syntax errors, in source order
	Unfit  bool             // too deep or binary: not to be type-checked

	Doubt    Doubt      // what syntax errors leave open
	Doubtful []lsp.Span // where the declarations are that it names
}

// parseMode is how files are parsed.
const parseMode = parser.ParseComments | parser.SkipObjectResolution | parser.AllErrors

// Offset turns a position into a byte offset of the text. Positions outside the file (which broken
// syntax can produce) are brought back to its ends.
func (t *Tree) Offset(pos token.Pos) int {
	if !pos.IsValid() {
		return 0
	}
	return min(max(int(pos)-t.Pos.Base(), 0), len(t.Text))
}

// Span turns a range of positions into offsets (lsp.L0).
func (t *Tree) Span(start, end token.Pos) lsp.Span {
	s := t.Offset(start)
	return lsp.Span{Start: s, End: max(s, t.Offset(end))}
}

// Clause is the tree without its declarations: the package clause, and the list of imports.
func (t *Tree) Clause() *Tree {
	from := t.AST
	out := *t
	out.AST = &ast.File{
		Doc: from.Doc, Package: from.Package, Name: from.Name, Imports: from.Imports, GoVersion: from.GoVersion,
		FileStart: from.FileStart, FileEnd: from.FileEnd,
	}
	return &out
}

// positions hands every parsed file a range of positions of its own, so that any set of trees can
// meet in one FileSet. Files are taken out again at once: the set must not grow with the life of
// the process.
var positions = token.NewFileSet()

// Parse parses one file. It never fails: what is wrong is in errors.
func Parse(uri string, text []byte) *Tree {
	t := &Tree{URI: uri, Text: text, Source: text}
	if i := bytes.IndexByte(text, 0); i >= 0 {
		t.empty()
		t.Errors = []lsp.Diagnostic{{
			Span:     lsp.Span{Start: i, End: i + 1},
			Severity: lsp.SeverityError,
			Code:     "binary",
			Source:   sourceSyntax,
			Message:  fmt.Sprintf("binary file: NUL byte at offset %d", i),
		}}
		return t
	}
	file, err := parser.ParseFile(positions, messageName(uri), text, parseMode)
	if file == nil || !file.FileStart.IsValid() {
		t.empty()
	} else {
		t.AST = file
		t.Pos = positions.File(file.FileStart)
		positions.RemoveFile(t.Pos)
	}
	if t.Errors = syntaxErrors(err, text); len(t.Errors) > 0 && !t.Unfit {
		t.repair()
	}
	t.Errors = append(constraintErrors(t), t.Errors...)
	if DeeperThan(t.AST, MaxDepth) {
		t.Unfit = true
		t.Errors = append(t.Errors, lsp.Diagnostic{
			Severity: lsp.SeverityError,
			Code:     "too-deep",
			Source:   sourceSyntax,
			Message:  fmt.Sprintf("syntax nested deeper than %d levels: the file is not type-checked", MaxDepth),
		})
	}
	t.boundErrors()
	return t
}

// boundErrors keeps some of very many errors, and says so.
func (t *Tree) boundErrors() {
	if len(t.Errors) <= maxSyntaxErrors {
		return
	}
	t.Errors = slices.Clip(t.Errors[:maxSyntaxErrors])
	t.Errors = append(t.Errors, lsp.Diagnostic{
		Span: t.Errors[maxSyntaxErrors-1].Span, Severity: lsp.SeverityInfo, Code: "too-many-errors", Source: sourceSyntax,
		Message: fmt.Sprintf("too many errors: this is the last of %d of the file that are told", maxSyntaxErrors),
	})
}

// messageName is what messages about other places call a file: what the compiler calls it when it
// is run in the directory of the package.
func messageName(uri string) string { return "./" + files.BaseName(uri) }

// empty makes the tree one of a file without content.
func (t *Tree) empty() {
	t.Unfit = true
	t.Pos = token.NewFileSet().AddFile(t.URI, -1, len(t.Text))
	pos := token.Pos(t.Pos.Base())
	t.AST = &ast.File{Package: pos, Name: &ast.Ident{NamePos: pos, Name: "_"}, FileStart: pos, FileEnd: pos}
}

func syntaxErrors(err error, text []byte) []lsp.Diagnostic {
	if err == nil {
		return nil
	}
	list, ok := err.(scanner.ErrorList)
	if !ok {
		list = scanner.ErrorList{{Msg: err.Error()}}
	}
	var out []lsp.Diagnostic
	for _, e := range list {
		start := min(max(e.Pos.Offset, 0), len(text))
		out = append(out, lsp.Diagnostic{
			Span:     lsp.Span{Start: start, End: WordEnd(text, start)},
			Severity: lsp.SeverityError,
			Code:     "syntax",
			Source:   sourceSyntax,
			Message:  e.Msg,
		})
	}
	return out
}

// constraintErrors are the //go:build lines that are none. What the file declares is not in doubt.
func constraintErrors(t *Tree) (list []lsp.Diagnostic) {
	for _, c := range constraintsOf(t.AST) {
		if c.problem != "" {
			list = append(list, lsp.Diagnostic{
				Span: t.Span(c.pos, c.pos+token.Pos(len(c.text))), Severity: lsp.SeverityError, Code: "syntax", Source: sourceSyntax,
				Message: "parsing //go:build line: " + c.problem,
			})
		}
	}
	return list
}

// levelsPerByte is more levels of syntax than a byte of text makes: a star before a type is one.
const levelsPerByte = 2

// DeeperThan reports whether a file nests deeper than a number of levels. A declaration whose text
// is too short for that is not walked.
func DeeperThan(file *ast.File, levels int) bool {
	for i, d := range file.Decls {
		end := file.FileEnd
		if i+1 < len(file.Decls) {
			end = file.Decls[i+1].Pos()
		}
		short := d.Pos().IsValid() && d.Pos() <= end && int(end-d.Pos()) < levels/levelsPerByte
		if !short && depth(d) >= levels {
			return true
		}
	}
	return false
}

// depth is how many levels of nodes there are.
func depth(root ast.Node) (deepest int) {
	at := 0
	ast.Inspect(root, func(n ast.Node) bool {
		if n == nil {
			at--
			return true
		}
		at++
		deepest = max(deepest, at)
		return true
	})
	return deepest
}

const sourceSyntax = "syntax"
