package check_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// BenchmarkEdit edits the first body behind the middle of a package, parses the file, and asks what
// an editor wants behind a keystroke: the diagnostics, a hover. The index comes after those.
func BenchmarkEdit(b *testing.B) {
	env, m := purebuild.Std()
	build := purebuild.New(b, env, m)
	for _, id := range []string{"fmt", "net/http", "go/types", "runtime"} {
		p := build.Package(id)
		imports := build.Imports(p)
		var files []*syntax.Tree
		for _, uri := range p.Files {
			files = append(files, syntax.Parse(uri, build.Text(uri)))
		}
		edited, before, after := -1, []byte(nil), []byte(nil)
		for i := len(files) / 2; i < len(files) && edited < 0; i++ {
			for _, d := range files[i].AST.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
					at := files[i].Offset(fn.Body.Lbrace) + 1
					edited, before, after = i, files[i].Text[:at], files[i].Text[at:]
					break
				}
			}
		}
		if edited < 0 {
			b.Fatalf("%s has no function to edit", id)
		}
		uri := p.Files[edited]
		check.Sessions.Open(uri)
		ask := map[string]func() error{
			"diagnostics": func() error {
				_, _, err := check.Diagnostics(p, files, imports, purebuild.NoDoubt)
				return err
			},
			"file-index": func() error {
				_, _, err := check.FileIndex(p, uri, files, imports, purebuild.NoDoubt)
				return err
			},
			"index": func() error {
				_, err := check.Package(p, files, imports, purebuild.NoDoubt, true)
				return err
			},
		}
		if err := check.Prepare(p, files, imports, purebuild.NoDoubt); err != nil {
			b.Fatal(err)
		}
		n := 0
		for _, what := range []string{"diagnostics", "file-index", "index"} {
			b.Run("package="+strings.ReplaceAll(id, "/", ".")+"/ask="+what, func(b *testing.B) {
				for b.Loop() {
					n++
					statement := fmt.Appendf(nil, "var _ int = \"%d\"\n", n)
					files[edited] = syntax.Parse(uri, bytes.Join([][]byte{before, after}, statement))
					if err := ask[what](); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		check.Sessions.Close(uri)
	}
}
