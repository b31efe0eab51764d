package syntax

import (
	"flag"
	"go/ast"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/internal/goroot"
)

var bodiesOf = flag.String("bodies.of", "", "a directory: WithoutBodies is tried on all Go files below it")

// sameWithoutBodies fails unless the text without bodies declares what the whole text does and has
// no bodies.
func sameWithoutBodies(t *testing.T, name string, text []byte) {
	t.Helper()
	cut := WithoutBodies(text)
	whole := Parse(files.URI(name), text)
	if len(whole.Errors) > 0 {
		return // broken: either is as good
	}
	tree := Parse(files.URI(name), cut)
	if len(tree.Errors) > 0 {
		t.Fatalf("%s: %v in\n%s", name, tree.Errors[0], cut)
	}
	if a, b := FaceText(whole), FaceText(tree); string(a) != string(b) {
		t.Fatalf("%s: face texts differ:\n%s\n%s", name, a, b)
	}
	for _, d := range tree.AST.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil && len(f.Body.List) > 0 {
			t.Errorf("%s: %s has a body", name, f.Name.Name)
		}
	}
}

func TestWithoutBodies(t *testing.T) {
	for _, text := range []string{
		"package p",
		"//go:build go1.21 && !x\n\n// Package p.\npackage p // behind\n\nimport \"fmt\" /* \n */; import `os`\n",
		"package p; func f() { return }; func g() { { } }",
		"package p\nfunc f(a struct{ x, y int }, b interface{ M() }) struct{ z int } { return struct{ z int }{} }\n",
		"package p\nfunc f() map[string]interface{} { s := \"}\"; r := '}'; q := `}\n`; /* } */ // }\n return nil }\nvar x = 1",
		"package p\nfunc f() func() struct{} { return nil }\n",
		"package p\nfunc f() interface{ ~int | string }\nfunc g() { }\n", // of assembly
		"package p\nfunc f()\nvar x = struct{ a int }{ 1 }\nfunc g() int { return 1 }\n",
		"package p\nvar f = func() { panic(1) }\nvar g =\n\tfunc() int { return 1 }()\nvar h int\n",
		"package p\nfunc\nf() chan\nint { return nil }\n",
		"package p\nfunc (r *T[K, V]) M[Q interface{ ~[]K }](q Q) (n int, err error) { r.x = '\\'' }\n",
		"package p\nfunc f() [len(x{1}.a)]int { return y }\ntype x struct{ a [2]int }\n",
		"package p\nvar t = [...]func(int) int{ 1: f }\nfunc f(int) int { return 2 }\n",
		"package p\nfunc é() { }\nvar ü = 'ü'\n",
		"package p\nfunc f() (\n\tint,\n) /* one\n two */ { return 0 }\n",
		"package p\nfunc f() int // here\nfunc g() int { return 1 } // there\n// the end",
		"package p\nconst s = \"\\\\\"\nfunc f() { _ = \"\\\"}\" }\nvar a int\n",
		"package p\ntype F func(int) struct {\n\ta int\n}\nfunc f() {}\n",
	} {
		sameWithoutBodies(t, "/p/a.go", []byte(text))
	}
	for _, broken := range []string{"package p\nfunc f() {", "package p\nvar x = \"", "package p\n}", "package p\n/*", "package p\nvar y = 'a\n'"} {
		if cut := WithoutBodies([]byte(broken)); string(cut) != broken {
			t.Errorf("%q became %q", broken, cut)
		}
	}
}

func TestWithoutBodiesOfFiles(t *testing.T) {
	dir := *bodiesOf
	if dir == "" {
		dir = filepath.Join(goroot.Src(t), "go")
	}
	n := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n++
		sameWithoutBodies(t, path, text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if t.Logf("%d files", n); n < 100 {
		t.Errorf("%d files in %s", n, dir)
	}
}

func FuzzWithoutBodies(f *testing.F) {
	f.Add("package p\nfunc f() struct{} { /* } */ return \"}\" }\nvar x = `\n`\n")
	f.Add("package p\nfunc f() int\nfunc g() interface{ M() } { '}' }\n")
	f.Add("(\x87")
	f.Fuzz(func(t *testing.T, text string) { sameWithoutBodies(t, "/p/a.go", []byte(text)) })
}

func BenchmarkWithoutBodies(b *testing.B) {
	text, err := os.ReadFile(filepath.Join(goroot.Src(b), "net", "http", "server.go"))
	if err != nil {
		b.Fatal(err)
	}
	for name, of := range map[string]func([]byte) []byte{
		"text=whole": func(text []byte) []byte { return text }, "text=cut": WithoutBodies,
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				Parse("file:///a.go", of(text))
			}
		})
	}
}
