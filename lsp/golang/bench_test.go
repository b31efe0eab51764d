package golang

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

// chainArchive is a module of so many packages, each of which uses the one before.
func chainArchive(packages int) string {
	var s strings.Builder
	s.WriteString("-- go.mod --\nmodule m\n\ngo 1.26\n-- p0/a.go --\npackage p0\n\n// F adds one.\nfunc /*@declared*/F(n int) int { return n + 1 }\n")
	for i := 1; i < packages; i++ {
		mark := ""
		if i == packages-1 {
			mark = "/*@used*/"
		}
		fmt.Fprintf(&s, "-- p%d/a.go --\npackage p%d\n\nimport (\n\t\"m/p0\"\n\tbefore \"m/p%d\"\n)\n\n", i, i, i-1)
		fmt.Fprintf(&s, "func F(n int) int { return p0.%sF(n) + before.F(n) }\n", mark)
	}
	return s.String()
}

// BenchmarkAnswer asks a workspace that is indexed, without a server and a client between. An edit
// is of one body, and ends with the diagnostics of its file.
func BenchmarkAnswer(b *testing.B) {
	for _, packages := range []int{2, 50} {
		f := newFixture(b, chainArchive(packages), lsp.WorkspaceOptions{})
		f.index()
		use, declared := f.Marks["used"], f.Marks["declared"]
		name := fmt.Sprintf("p%d/a.go", packages-1)
		text, typed := f.read(name), 0
		for _, c := range []struct {
			ask string
			do  func() error
		}{
			{"hover", func() error { _, err := f.hover(use.URI, use.Span.Start); return err }},
			{"definition", func() error { _, err := f.definition(use.URI, use.Span.Start); return err }},
			{"references", func() error {
				list, err := f.references(declared.URI, declared.Span.Start, true)
				if err == nil && len(list) < packages {
					return fmt.Errorf("%d references in %d packages", len(list), packages)
				}
				return err
			}},
			{"diagnostics-of-edit", func() error {
				typed++
				edited := strings.Replace(text, "return ", fmt.Sprintf("n += %d; return ", typed), 1)
				if err := f.w.SetOverlay(f.ctx, use.URI, []byte(edited)); err != nil {
					return err
				}
				if list := f.diagnostics(name); len(list) > 0 {
					return fmt.Errorf("%v", list)
				}
				return nil
			}},
		} {
			b.Run(fmt.Sprintf("packages=%d/ask=%s", packages, c.ask), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := c.do(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		f.close()
	}
}
