package relations

import (
	"go/ast"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/internal/goroot"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// typesIn are the types that bodies of a file declare, by a walk of bodies.
func typesIn(bodies []*ast.BlockStmt) (list []*ast.TypeSpec) {
	for _, b := range bodies {
		ast.Inspect(b, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				list = append(list, spec)
			}
			return true
		})
	}
	return list
}

func allBodies(t *syntax.Tree) (list []*ast.BlockStmt) {
	for _, d := range t.AST.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
			list = append(list, fn.Body)
		}
	}
	return list
}

// No type that a body declares is missed, and no body is walked that only speaks of types.
func TestBodiesWithTypes(t *testing.T) {
	for _, c := range []struct {
		text   string
		bodies int
	}{
		{"", 0},
		{"type T int\n\nfunc f() {}\n", 0},
		{"func f() { type T int }\n", 1},
		{"func f() {type(T int)}\n", 1},
		{"func f() { g(func() {\n\ttype\tT int\n}) }\n\nfunc h() { type U int; type V int }\n", 2},
		{"// A type.\nfunc f() {\n\t// type T\n\ttypes := 1 /* type */\n\t_ = types\n}\n", 0},
		{"func f(x any) {\n\tswitch x.(type) {\n\t}\n}\n", 0},
		{"func f(x any) {\n\tswitch x.(type) {\n\t}\n\ttype T int\n}\n", 1},
		{"func f(x any) {\n\t// type\n\ttype T int // type\n}\n", 1},
		{"func f() { 1\n\nfunc g() { type T int }\n", 2}, // broken
	} {
		tree := syntax.Parse("file:///a.go", []byte("package p\n\n"+c.text))
		got := bodiesWithTypes(tree)
		if len(tree.Errors) == 0 && len(got) != c.bodies {
			t.Errorf("%q: %d bodies, want %d", c.text, len(got), c.bodies)
		}
		if !slices.Equal(typesIn(got), typesIn(allBodies(tree))) {
			t.Errorf("%q: a type is missed", c.text)
		}
	}
	walked, all := 0, 0
	for _, dir := range []string{"net/http", "go/types", "encoding/json", "reflect", "text/template"} {
		files, err := filepath.Glob(filepath.Join(goroot.Src(t), filepath.FromSlash(dir), "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files, %v", dir, err)
		}
		for _, path := range files {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			tree := syntax.Parse("file://"+filepath.ToSlash(path), text)
			got, every := bodiesWithTypes(tree), allBodies(tree)
			if !slices.Equal(typesIn(got), typesIn(every)) {
				t.Errorf("%s: a type is missed", path)
			}
			walked, all = walked+len(got), all+len(every)
		}
	}
	if t.Logf("%d of %d bodies are walked", walked, all); walked*10 > all {
		t.Errorf("%d of %d bodies are walked", walked, all)
	}
}
