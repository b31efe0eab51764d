package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"go.lsp.dev/protocol"
)

// A truth is what go/types says of a manuscript as it is now, computed from nothing.
type truth struct {
	m      *manuscript
	fset   *token.FileSet
	info   *types.Info
	pkg    *types.Package
	file   *ast.File // of the manuscript
	broken bool      // it has syntax errors
	errors []string  // "line:column message", sorted
}

// truth checks the package of a manuscript: the manuscript's text, and what is on the disk beside
// it.
func (m *manuscript) truth(e *editor) *truth {
	e.t.Helper()
	tr := &truth{m: m, fset: token.NewFileSet(), info: &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}}
	names, err := filepath.Glob(filepath.Join(filepath.Dir(m.path), "*.go"))
	if err != nil || !slices.Contains(names, m.path) {
		e.t.Fatalf("%s is not among %d files: %v", m.path, len(names), err)
	}
	var files []*ast.File
	for _, name := range names {
		var text any
		if name == m.path {
			text = m.text()
		}
		f, err := parser.ParseFile(tr.fset, name, text, parser.SkipObjectResolution|parser.AllErrors)
		if name == m.path {
			tr.file, tr.broken = f, err != nil
		} else if err != nil {
			e.t.Fatal(err)
		}
		files = append(files, f)
	}
	conf := types.Config{GoVersion: "go1.24", Error: func(err error) {
		te, ok := err.(types.Error)
		if at := tr.fset.Position(te.Pos); ok && at.Filename == m.path {
			tr.errors = append(tr.errors, fmt.Sprintf("%d:%d %s", at.Line-1, at.Column-1, te.Msg))
		}
	}}
	tr.pkg, _ = conf.Check("example.com/endure/"+filepath.Base(filepath.Dir(m.path)), tr.fset, files, tr.info)
	slices.Sort(tr.errors)
	return tr
}

// compare asks an editor about a manuscript and compares with go/types: its diagnostics, unless the
// text has syntax errors, what some names refer to, and what some functions are.
func (m *manuscript) compare(e *editor, rng *rand.Rand) {
	e.t.Helper()
	tr := m.truth(e)
	tr.compareDiagnostics(e)
	var used []*ast.Ident
	var functions []*ast.FuncDecl
	ast.Inspect(tr.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			// What is on the line that is typed is what half of a line means.
			if obj := tr.info.Uses[n]; obj != nil && obj.Pkg() == tr.pkg && tr.fset.Position(n.Pos()).Line-1 != m.at {
				used = append(used, n)
			}
		case *ast.FuncDecl:
			functions = append(functions, n)
		}
		return true
	})
	if len(used) == 0 || len(functions) == 0 {
		return // broken at its beginning
	}
	for range 2 {
		if id := used[rng.IntN(len(used))]; tr.certain(id.Pos()) {
			tr.compareDefinition(e, id)
		}
		if fn := functions[rng.IntN(len(functions))]; tr.certain(fn.Pos()) {
			at := tr.fset.Position(fn.Name.Pos())
			hover := e.must("textDocument/hover", placeOf(m.path, at.Line-1, at.Column-1))
			if want := types.ObjectString(tr.info.Defs[fn.Name], types.RelativeTo(tr.pkg)); !strings.Contains(hover, want) {
				e.t.Errorf("%s, with %q being typed: hover at %v says %s, go/types says %s", filepath.Base(m.path), m.typed, at, hover, want)
			}
		}
	}
}

// certain reports whether what go/types says of a place is what an editor should be told: what
// the parser of broken text makes of the rest is not.
func (tr *truth) certain(at token.Pos) bool {
	return !tr.broken || tr.fset.Position(at).Line-1 < tr.m.at-2
}

func (tr *truth) compareDefinition(e *editor, id *ast.Ident) {
	e.t.Helper()
	at, want := tr.fset.Position(id.Pos()), tr.fset.Position(tr.info.Uses[id].Pos())
	definition := e.must("textDocument/definition", placeOf(tr.m.path, at.Line-1, at.Column-1))
	var list []struct {
		URI   string
		Range struct{ Start struct{ Line, Character int } }
	}
	err := json.Unmarshal([]byte(definition), &list)
	if err != nil || len(list) != 1 || list[0].Range.Start.Line != want.Line-1 || list[0].Range.Start.Character != want.Column-1 ||
		filepath.Base(list[0].URI) != filepath.Base(want.Filename) {
		e.t.Errorf("%s, with %q being typed: definition of %s at %v says %s, go/types says %v", filepath.Base(tr.m.path), tr.m.typed, id.Name, at, definition, want)
	}
}

func (tr *truth) compareDiagnostics(e *editor) {
	e.t.Helper()
	answer := e.must("textDocument/diagnostic", map[string]any{"textDocument": placeOf(tr.m.path, 0, 0)["textDocument"]})
	var report struct {
		Items []struct {
			Range    struct{ Start struct{ Line, Character int } }
			Message  string
			Severity protocol.DiagnosticSeverity
		}
	}
	if err := json.Unmarshal([]byte(answer), &report); err != nil {
		e.t.Fatalf("%s: %v", answer, err)
	}
	var got []string
	for _, d := range report.Items {
		// What analyzers say of half a line, "unreachable code" for one, go/types does not say.
		if d.Severity == protocol.DiagnosticSeverityError {
			got = append(got, fmt.Sprintf("%d:%d %s", d.Range.Start.Line, d.Range.Start.Character, d.Message))
		}
	}
	slices.Sort(got)
	if tr.broken && len(got) == 0 || !tr.broken && !slices.Equal(got, tr.errors) {
		e.t.Errorf("%s, with %q being typed (syntax errors: %t): diagnostics are %q, those of go/types %q", filepath.Base(tr.m.path), tr.m.typed, tr.broken, got, tr.errors)
	}
}
