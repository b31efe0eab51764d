package golang

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

// header is everything in a file that can change what go list says about its package, as one string: two texts of one file
// with equal headers need no new listing. It holds the package name, the imports in order, build constraints, and the
// directives that go list reads (//go:embed, //go:debug, #cgo lines).
func header(text []byte) string {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", text, parser.ImportsOnly|parser.ParseComments)
	var b strings.Builder
	if err != nil {
		// go list reports the error with its position and leaves the file out.
		b.WriteString("error ")
		b.WriteString(err.Error())
		b.WriteByte('\n')
	}
	if file == nil {
		return b.String()
	}
	for _, group := range file.Comments {
		if group.Pos() > file.Package && file.Package.IsValid() {
			break
		}
		for _, c := range group.List {
			if isConstraint(c.Text) {
				b.WriteString(c.Text)
				b.WriteByte('\n')
			}
		}
	}
	b.WriteString("package ")
	b.WriteString(file.Name.Name)
	b.WriteByte('\n')
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.IMPORT {
			continue
		}
		for _, spec := range gen.Specs {
			spec, ok := spec.(*ast.ImportSpec)
			if !ok || spec.Path == nil {
				continue
			}
			b.WriteString("import ")
			b.WriteString(spec.Path.Value)
			b.WriteByte('\n')
			if spec.Path.Value == `"C"` {
				writeCgoLines(&b, gen.Doc)
				writeCgoLines(&b, spec.Doc)
			}
		}
	}
	// The parser stopped behind the imports; directives further down are found by line. A line inside a raw string that looks
	// like one costs a listing, nothing else.
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "//go:embed") || strings.HasPrefix(line, "//go:debug") {
			b.WriteString(strings.TrimSpace(line))
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func isConstraint(comment string) bool {
	return strings.HasPrefix(comment, "//go:build ") || strings.HasPrefix(comment, "// +build") || strings.HasPrefix(comment, "//+build")
}

func writeCgoLines(b *strings.Builder, doc *ast.CommentGroup) {
	if doc == nil {
		return
	}
	for _, c := range doc.List {
		for line := range strings.Lines(c.Text) {
			line = strings.TrimSpace(strings.TrimPrefix(line, "//"))
			if strings.HasPrefix(line, "#cgo") {
				b.WriteString(line)
				b.WriteByte('\n')
			}
		}
	}
}
