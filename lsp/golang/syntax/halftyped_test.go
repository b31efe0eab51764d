package syntax

import (
	"bytes"
	"go/ast"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/internal/edits"
	"github.com/cytisus/cytisus/lsp/golang/internal/goroot"
)

// TestHalfTypedSpoilsOneDeclaration: without one token, or cut off behind one in a line, a function
// does not take along what is declared below it.
func TestHalfTypedSpoilsOneDeclaration(t *testing.T) {
	const most = 400
	lost, tried := 0, 0
	for _, name := range []string{"fmt/print.go", "net/http/server.go", "go/types/stmt.go", "sort/sort.go"} {
		text, err := os.ReadFile(filepath.Join(goroot.Src(t), filepath.FromSlash(name)))
		if err != nil {
			t.Skip("needs the sources of the standard library:", err)
		}
		whole := Parse("file:///"+name, text)
		list := sections(text)
		rng := rand.New(rand.NewPCG(1, uint64(len(text))))
		for range most {
			s := list[1+rng.IntN(len(list)-1)] // without a package clause there is no file
			spoilt := edits.Spoil(rng, text, s.start, s.end)
			if spoilt == nil {
				continue
			}
			tried++
			half := Parse("file:///"+name, spoilt)
			if len(half.Source) != len(spoilt) || bytes.Count(half.Source, []byte("\n")) > bytes.Count(spoilt, []byte("\n"))+2 {
				t.Fatalf("%s: a repair moved the text", name)
			}
			there := map[string]bool{}
			for _, fn := range functions(half, 0, len(spoilt)) {
				there[fn] = true
			}
			for _, fn := range functions(whole, s.end, len(text)) {
				if !there[fn] {
					lost++
					t.Logf("%s: %s is lost by\n%s", name, fn, spoilt[s.start:min(s.end, len(spoilt))])
					break
				}
			}
		}
	}
	if lost > 0 || tried < most {
		t.Errorf("%d of %d edits lost a declaration", lost, tried)
	}
}

// functions are the names of those that are declared in a range of a file.
func functions(t *Tree, from, to int) (names []string) {
	for _, decl := range t.AST.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok {
			if at := t.Offset(fn.Pos()); at >= from && at < to {
				name := fn.Name.Name
				if fn.Recv != nil && len(fn.Recv.List) == 1 {
					name = receiverName(t, fn.Recv.List[0].Type) + "." + name
				}
				names = append(names, name)
			}
		}
	}
	return names
}

// What the scanner calls a token may be longer or shorter than what stands in the text.
func TestHalfTypedOddBytes(t *testing.T) {
	for _, text := range []string{
		"(\x87", "package p\nfunc f() {\n\tg(\x87", "package p\nfunc f() {\n\tg(`a\r\r\r\r\n`",
		"package p\nfunc f() {\n\tg(`a\r\nfunc h() { }\r\n`.\n}\n\nfunc i() { }\n", "package p\nvar x = (`\r",
	} {
		Parse("file:///a.go", []byte(text))
	}
	tree := Parse("file:///a.go", []byte("package p\nfunc f() {\n\tg(`a\r\r\r\r\r\r\n`  \n}\n\nfunc i() { }\n"))
	if n := len(tree.AST.Decls); n != 2 {
		t.Errorf("%d declarations", n)
	}
}

// What a literal or a call lacks between its parts costs nothing that stands in the function behind
// it.
func TestHalfTypedLiterals(t *testing.T) {
	for _, broken := range []string{
		"_ = T{\n\t\tA: \n\t}", "_ = T{\n\t\tA: // is\n\t}", "_ = T{A: }", "_ = T{\n\t\tA: 1\n\t\tB: \n\t}",
		"_ = T{\n\t\tA: 1 // is\n\t\tB: \n\t}", "f(1, , 2)", "_ = []int{1, \n\t\t, 2}", "_ = m[ ]",
	} {
		text := "package p\n\nfunc f() {\n\tbefore()\n\t" + broken + "\n\tbehind()\n}\n\nfunc g() {}\n"
		tree := Parse("file:///a.go", []byte(text))
		found := map[string]bool{}
		ast.Inspect(tree.AST, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				found[id.Name] = true
			}
			return true
		})
		if len(tree.Errors) == 0 || !found["before"] || !found["behind"] || !found["g"] {
			t.Errorf("%q: %d errors, found %v", broken, len(tree.Errors), found)
		}
	}
}
