package lenses

import (
	"cmp"
	"encoding/json"
	"go/ast"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/modfile"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// Kinds of lenses, as settings call them.
const (
	Generate = "generate"
	Test     = "test"
	Tidy     = "tidy"
	Upgrade  = "upgrade_dependency"
	Vendor   = "vendor"
)

// Default are the kinds that are shown if nobody sets anything. Tests are not: editors for Go show
// them by themselves.
var Default = map[string]bool{Generate: true, Tidy: true, Upgrade: true, Vendor: true}

// Commands of lenses. Each takes one Arguments.
const (
	RunGenerate = "go.generate"
	RunTest     = "go.test"
	RunTidy     = "go.tidy"
	RunUpgrade  = "go.upgrade"
	RunVendor   = "go.vendor"
)

// Commands are all of them.
var Commands = []string{RunGenerate, RunTest, RunTidy, RunUpgrade, RunVendor}

// Arguments say what a command runs.
type Arguments struct {
	URI        string   `json:"uri"`                  // of the file, in whose directory it runs
	Tests      []string `json:"tests,omitempty"`      // names of functions
	Benchmarks []string `json:"benchmarks,omitempty"` // names of functions
	Recursive  bool     `json:"recursive,omitempty"`  // in the directories below, too
	Modules    []string `json:"modules,omitempty"`    // to be upgraded; none: all that are depended on
}

func lens(span lsp.Span, title, command string, args Arguments) lsp.Lens {
	raw, err := json.Marshal(args)
	if err != nil {
		raw = []byte("{}") // cannot be: the arguments are strings
	}
	return lsp.Lens{Span: span, Title: title, Command: command, Arguments: [][]byte{raw}}
}

// Of lists the lenses of some kinds in a file.
func Of(uri string, text []byte, kinds map[string]bool) (list []lsp.Lens) {
	switch name := files.BaseName(uri); {
	case name == "go.mod":
		list = ofModule(uri, text, kinds)
	case syntax.IsGoFile(name):
		t := syntax.Trees.Get(uri, text)
		if kinds[Generate] {
			list = append(list, generators(t)...)
		}
		if kinds[Test] && strings.HasSuffix(name, "_test.go") {
			list = append(list, tests(t)...)
		}
	}
	slices.SortStableFunc(list, func(a, b lsp.Lens) int { return cmp.Or(a.Span.Start-b.Span.Start, strings.Compare(a.Title, b.Title)) })
	return list
}

// generators are the lenses of the first directive: the command runs all of a package.
func generators(t *syntax.Tree) []lsp.Lens {
	const directive = "//go:generate"
	for _, group := range t.AST.Comments {
		for _, c := range group.List {
			if rest, ok := strings.CutPrefix(c.Text, directive); !ok || rest == "" || rest[0] != ' ' && rest[0] != '\t' {
				continue
			}
			start := t.Offset(c.Pos())
			span := lsp.Span{Start: start, End: start + len(directive)}
			return []lsp.Lens{
				lens(span, "run go generate", RunGenerate, Arguments{URI: t.URI}),
				lens(span, "run go generate ./...", RunGenerate, Arguments{URI: t.URI, Recursive: true}),
			}
		}
	}
	return nil
}

// tests are the lenses of test functions, and of all benchmarks together.
func tests(t *syntax.Tree) (list []lsp.Lens) {
	var benchmarks []string
	for _, d := range t.AST.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Recv != nil {
			continue
		}
		at := t.Offset(fn.Pos())
		span := lsp.Span{Start: at, End: at}
		switch name := fn.Name.Name; {
		case isTest(name, "Test") && takes(t, fn, "T"), isTest(name, "Fuzz") && takes(t, fn, "F"):
			list = append(list, lens(span, "run test", RunTest, Arguments{URI: t.URI, Tests: []string{name}}))
		case isTest(name, "Benchmark") && takes(t, fn, "B"):
			benchmarks = append(benchmarks, name)
			list = append(list, lens(span, "run benchmark", RunTest, Arguments{URI: t.URI, Benchmarks: []string{name}}))
		}
	}
	if len(benchmarks) > 0 {
		at := t.Offset(t.AST.Package)
		list = append(list, lens(lsp.Span{Start: at, End: at}, "run file benchmarks", RunTest, Arguments{URI: t.URI, Benchmarks: benchmarks}))
	}
	return list
}

// isTest reports whether go test takes a function of a name for one of a kind: TestX or Test, but
// not Testable.
func isTest(name, kind string) bool {
	rest, ok := strings.CutPrefix(name, kind)
	r, _ := utf8.DecodeRuneInString(rest)
	return ok && (rest == "" || !unicode.IsLower(r))
}

// takes reports whether a function takes one argument, a pointer to a type of package testing. Go
// test looks at no more.
func takes(t *syntax.Tree, fn *ast.FuncDecl, name string) bool {
	params := fn.Type.Params.List
	if len(params) != 1 || len(params[0].Names) > 1 || fn.Type.TypeParams != nil {
		return false
	}
	star, ok := params[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	switch typ := star.X.(type) {
	case *ast.SelectorExpr:
		pkg, ok := typ.X.(*ast.Ident)
		return ok && typ.Sel.Name == name && pkg.Name == calls(t, "testing")
	case *ast.Ident:
		return typ.Name == name && calls(t, "testing") == "."
	}
	return false
}

// calls is the name that a file has for an import; "" if it does not import it.
func calls(t *syntax.Tree, imported string) string {
	for _, spec := range t.AST.Imports {
		if strings.Trim(spec.Path.Value, "\"`") == imported {
			if spec.Name != nil {
				return spec.Name.Name
			}
			return path.Base(imported)
		}
	}
	return ""
}

// ofModule are the lenses of a go.mod file; none if it cannot be parsed.
func ofModule(uri string, text []byte, kinds map[string]bool) (list []lsp.Lens) {
	f, err := modfile.Parse("go.mod", text, nil)
	if err != nil || f.Module == nil || f.Module.Syntax == nil {
		return nil
	}
	module := lsp.Span{Start: f.Module.Syntax.Start.Byte, End: f.Module.Syntax.End.Byte}
	if kinds[Tidy] {
		list = append(list, lens(module, "Run go mod tidy", RunTidy, Arguments{URI: uri}))
	}
	if len(f.Require) == 0 {
		return list
	}
	if kinds[Vendor] {
		list = append(list, lens(module, "Create vendor directory", RunVendor, Arguments{URI: uri}))
	}
	if kinds[Upgrade] {
		first := f.Require[0].Syntax
		span := lsp.Span{Start: first.Start.Byte, End: first.End.Byte}
		for _, stmt := range f.Syntax.Stmt {
			if start, end := stmt.Span(); start.Byte <= span.Start && span.End <= end.Byte {
				span = lsp.Span{Start: start.Byte, End: end.Byte}
			}
		}
		var direct []string
		for _, r := range f.Require {
			if !r.Indirect {
				direct = append(direct, r.Mod.Path)
			}
		}
		list = append(list, lens(span, "Upgrade transitive dependencies", RunUpgrade, Arguments{URI: uri}))
		if len(direct) > 0 {
			list = append(list, lens(span, "Upgrade direct dependencies", RunUpgrade, Arguments{URI: uri, Modules: direct}))
		}
	}
	return list
}
