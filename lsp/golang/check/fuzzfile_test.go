package check_test

import (
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

func FuzzFile(f *testing.F) {
	f.Add([]byte("package p\n\ntype T[P any] struct{ next *T[P] }\n\nfunc (t *T[P]) Next() *T[P] { return t.next }\n"))
	f.Add([]byte("package p\nfunc f( {"))
	f.Add([]byte("packag"))
	f.Fuzz(func(t *testing.T, text []byte) {
		syntax.HeaderText(text)
		file := syntax.Parse("file:///f.go", text)
		syntax.Outline(file)
		syntax.FaceText(file)
		p := &metadata.Package{ID: "p", Path: "p", Arch: "amd64", Files: []string{file.URI}}
		c, err := check.Package(p, []*syntax.Tree{file}, nil, purebuild.NoDoubt, true)
		if err != nil {
			return // a panic of the checker, caught
		}
		x, err := index.Open(c.Index)
		if err != nil {
			t.Fatal(err)
		}
		for i := range x.FileCount() {
			x.Occurrences(i, func(o index.Occurrence) bool {
				x.OccurrencesAt(i, o.Span.Start)
				return true
			})
		}
		for _, d := range c.Diagnostics {
			if s := d.Diag.Span; s.Start < 0 || s.Start > s.End || s.End > len(text) {
				t.Errorf("%q at %v of %d bytes", d.Diag.Message, s, len(text))
			}
		}
	})
}
