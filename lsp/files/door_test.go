package files

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// openers are the ways of the standard library to a file's content, by package. Of parser.ParseFile
// only a call without a text is one.
var openers = map[string][]string{
	"os":                       {"ReadFile", "Open", "OpenFile", "OpenInRoot", "OpenRoot", "DirFS", "CopyFS"},
	"io/ioutil":                {"ReadFile"},
	"syscall":                  {"Open"},
	"go/parser":                {"ParseFile", "ParseDir"},
	"go/build":                 {"Import", "ImportDir"},
	"html/template":            {"ParseFiles", "ParseGlob"},
	"text/template":            {"ParseFiles", "ParseGlob"},
	"golang.org/x/tools/txtar": {"ParseFile"},
	"golang.org/x/sys/unix":    {"Open", "Openat", "Openat2"},
}

// methods are ways to a file's content that are methods, by name alone.
var methods = []string{"MatchFile", "ImportDir"}

// exceptions are files below lsp that may open files, with the reason.
var exceptions = map[string]string{
	"files/read.go":                    "the door",
	"cmd/cytisus/trace.go":             "what --trace writes is its own",
	"daemon/identity.go":               "a directory of the store, whose identity is asked",
	"golang/disk/embed.go":             "fs.Glob over os.DirFS, which lists directories and opens no file",
	"golang/disk/fallback.go":          "MatchFile with an OpenFile that opens nothing",
	"golang/load/match.go":             "MatchFile with an OpenFile that opens nothing",
	"golang/disk/standard.go":          "MatchFile of files of the Go tree, which are no files of a workspace",
	"golang/disk/standardfiles.go":     "ImportDir of a package of the Go tree, which is no file of a workspace",
	"lsptest/archive.go":               "for tests: the archives are its own",
	"lsptest/show.go":                  "for tests: what a place of an answer says",
	"lsptest/editor/document.go":       "for tests: what an editor opens",
	"golang/internal/fakego/fakego.go": "for tests: what a fake go command tells, and the states of processes",
}

// Every file of a workspace is read through this package: no other code below lsp opens files.
func TestOneDoor(t *testing.T) {
	used := map[string]bool{}
	fset := token.NewFileSet()
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == "testdata" {
			return err
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(filepath.ToSlash(name), "../")
		for _, at := range opens(file) {
			used[rel] = true
			if exceptions[rel] == "" {
				t.Errorf("%v opens a file; files.Read is the way", fset.Position(at))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range exceptions {
		if !used[name] {
			t.Errorf("%s is an exception and opens nothing", name)
		}
	}
}

// opens lists the places where a file uses one of the ways.
func opens(file *ast.File) (places []token.Pos) {
	imported := map[string]string{} // by local name
	for _, spec := range file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(p)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imported[name] = p
	}
	withText := map[ast.Expr]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if len(n.Args) == 4 { // parser.ParseFile: comes before its function
				if id, ok := n.Args[2].(*ast.Ident); !ok || id.Name != "nil" {
					withText[n.Fun] = true
				}
			}
		case *ast.SelectorExpr:
			if withText[n] && n.Sel.Name == "ParseFile" {
				return true
			}
			id, ok := n.X.(*ast.Ident)
			if ok && slices.Contains(openers[imported[id.Name]], n.Sel.Name) || slices.Contains(methods, n.Sel.Name) {
				places = append(places, n.Pos())
			}
		}
		return true
	})
	return places
}

// The test of the door sees what it should.
func TestOneDoorSees(t *testing.T) {
	const source = `package p
import ("os"; disk "os"; "go/parser")
var read = os.ReadFile
func f() {
	disk.Open("x")
	parser.ParseFile(nil, "x", nil, 0)
	parser.ParseFile(nil, "x", text, 0)
	ctx.MatchFile("d", "x")
	os.Stat("x")
}`
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := opens(file); len(got) != 4 {
		t.Errorf("%d places found, want 4", len(got))
	}
}
