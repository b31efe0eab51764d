package check_test

import (
	"fmt"
	"go/ast"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// wrongIn is a text with an error in its first function body.
func wrongIn(text []byte, wrong string) []byte {
	t := syntax.Parse("file:///wrong.go", text)
	for _, d := range t.AST.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
			at := t.Offset(fn.Body.Lbrace) + 1
			return slices.Concat(text[:at], []byte(wrong), text[at:])
		}
	}
	return text
}

// TestFileDiagnosticsAgree: of one file is found what the check of the package finds there, and of
// the others no body is looked at.
func TestFileDiagnosticsAgree(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	for _, id := range []string{"encoding/json", "text/template", "net/netip"} {
		p := b.Package(id)
		for i, uri := range p.Files {
			var trees []*syntax.Tree
			for n, other := range p.Files {
				text := b.Text(other)
				switch n {
				case i:
					text = wrongIn(text, " undefined1(); var unused int; ")
				case (i + 1) % len(p.Files):
					text = wrongIn(text, " undefined2(); ")
				}
				trees = append(trees, syntax.Parse(other, text))
			}
			whole, err := check.Package(p, trees, b.Imports(p), purebuild.NoDoubt, true)
			if err != nil {
				t.Fatal(err)
			}
			want := slices.DeleteFunc(whole.Diagnostics, func(d check.FileDiagnostic) bool { return d.URI != uri })
			got, looked, err := check.FileDiagnostics(p, uri, trees, b.Imports(p), purebuild.NoDoubt)
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s:\n%v, of the package\n%v", uri, got, want)
			}
			// No file of encoding/json has all that the bodies of the package name of strconv.
			all, own := whole.Looked["strconv"], looked["strconv"]
			if id == "encoding/json" && (len(own) >= len(all) || len(all) == 0) {
				t.Errorf("%s: looked for %v in strconv, the package for %v", uri, own, all)
			}
		}
	}
}
