package check_test

import (
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/check/names"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// BenchmarkNames makes the tables of packages, and checks them and makes their faces beside it.
func BenchmarkNames(b *testing.B) {
	env, m := purebuild.Std()
	build := purebuild.New(b, env, m)
	for _, id := range []string{"fmt", "encoding/json", "crypto/tls", "go/types", "net/http", "runtime"} {
		p, of := build.Package(id), "package="+strings.ReplaceAll(id, "/", ".")
		face := build.Face(id)
		imports := build.Imports(p)
		var (
			files []*syntax.Tree
			texts [][]byte
		)
		for _, uri := range p.Files {
			files = append(files, syntax.Parse(uri, build.Text(uri)))
			texts = append(texts, syntax.FaceText(files[len(files)-1]))
		}
		b.Run("op=table/"+of, func(b *testing.B) {
			var t names.Table
			for b.Loop() {
				t = check.Names(p.Path, face)
			}
			b.ReportMetric(float64(len(t)), "rows")
		})
		b.Run("op=face/"+of, func(b *testing.B) {
			for b.Loop() {
				if _, err := check.Face(p, texts, imports, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("op=check/"+of, func(b *testing.B) {
			rows := 0
			for b.Loop() {
				c, err := check.Package(p, files, imports, purebuild.NoDoubt, true)
				if err != nil {
					b.Fatal(err)
				}
				rows = 0
				for _, of := range c.Looked {
					rows += len(of)
				}
			}
			b.ReportMetric(float64(rows), "rows")
		})
	}
}
