package bodies

import (
	"bytes"
	"go/importer"
	"go/token"
	"strings"
	"testing"
)

// BenchmarkCheck is the check of a package after an edit of one body, and a check of the whole.
func BenchmarkCheck(b *testing.B) {
	for _, c := range []struct{ path, file, from, to string }{
		{"go/types", "stmt.go", "usage(scope *Scope) {", "usage(scope *Scope) {\nvar unused int\n"},
		{"runtime", "proc.go", "schedinit() {", "schedinit() {\nvar unused int\n"},
	} {
		imports := importer.ForCompiler(token.NewFileSet(), "source", nil)
		p := loadStd(b, c.path, imports)
		edited := *p
		edited.files = append([]File(nil), p.files...)
		for i, name := range p.names {
			if name == c.file {
				text := bytes.Replace(p.texts[i], []byte(c.from), []byte(c.to), 1)
				if bytes.Equal(text, p.texts[i]) {
					b.Fatalf("%s is not in %s", c.from, name)
				}
				edited.files[i] = parse(b, name, text)
			}
		}
		states := [2][]File{p.files, edited.files}
		b.Run("package="+strings.ReplaceAll(c.path, "/", ".")+"/edit=body", func(b *testing.B) {
			pkg := New(func(*Checked) int { return 0 })
			pkg.Check(p.config, p.files)
			pkg.Check(p.config, edited.files) // makes the faces
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if r := pkg.Check(p.config, states[i%2]); r.Whole {
					b.Fatal("the package was checked as a whole")
				}
			}
		})
		b.Run("package="+strings.ReplaceAll(c.path, "/", ".")+"/edit=whole", func(b *testing.B) {
			pkg := New(func(*Checked) int { return 0 })
			b.ReportAllocs()
			for i := range b.N {
				pkg.Forget()
				pkg.Check(p.config, states[i%2])
			}
		})
	}
}
