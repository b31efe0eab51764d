package syntax

import (
	"errors"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
)

// HeaderText is everything in a file that can change what go list says about its package, as one
// string: two texts of one file with equal headers need no new listing. It holds the package name,
// the imports in order, build constraints, and the directives that go list reads (//go:embed,
// //go:debug, #cgo lines). Whether a file is a program of its own matters where there is no module.
// A //go:build line that cannot be read is marked: the go command would give up the file for it,
// and sometimes its package (Header.Malformed).
func HeaderText(text []byte) string {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", text, parser.ImportsOnly|parser.ParseComments)
	var b strings.Builder
	if err != nil {
		// go list reports the error with its position and leaves the file out.
		b.WriteString("error ")
		b.WriteString(oneLine(err.Error()))
		b.WriteByte('\n')
	}
	if file == nil {
		return b.String()
	}
	for _, c := range constraintsOf(file) {
		if c.problem != "" {
			b.WriteString(malformed)
		}
		b.WriteString(c.text)
		b.WriteByte('\n')
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
			b.WriteString(oneLine(spec.Path.Value))
			b.WriteByte('\n')
			if spec.Path.Value == `"C"` {
				writeCgoLines(&b, gen.Doc)
				writeCgoLines(&b, spec.Doc)
			}
		}
	}
	// The parser stopped behind the imports; directives further down are found by line. A line
	// inside a raw string that looks like one costs a listing, nothing else.
	for line := range strings.Lines(string(text)) {
		if file.Name.Name == "main" && strings.HasPrefix(line, "func main()") {
			b.WriteString("main\n")
		}
		if i := strings.Index(line, EmbedDirective); i >= 0 { // in a group it is indented
			line = line[i:]
		} else if !strings.HasPrefix(line, "//go:debug") {
			continue
		}
		b.WriteString(strings.TrimSpace(line))
		b.WriteByte('\n')
	}
	return b.String()
}

// A parser error quotes what it found, which may contain line breaks; one line per fact is what
// ParseHeader relies on.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func isConstraint(comment string) bool {
	return constraint.IsGoBuild(comment) || strings.HasPrefix(comment, "// +build") || strings.HasPrefix(comment, "//+build")
}

// A constraintLine is a build constraint above the package clause.
type constraintLine struct {
	pos     token.Pos
	text    string
	problem string // of a //go:build line: why it is none
}

// constraintsOf lists the build constraints of a file.
func constraintsOf(file *ast.File) (list []constraintLine) {
	single := false
	for _, group := range file.Comments {
		if group.Pos() > file.Package && file.Package.IsValid() {
			break
		}
		for _, c := range group.List {
			if !isConstraint(c.Text) {
				continue
			}
			line := constraintLine{pos: c.Pos(), text: c.Text}
			if constraint.IsGoBuild(c.Text) {
				if _, err := constraint.Parse(c.Text); err != nil {
					line.problem = err.Error()
					var at *constraint.SyntaxError
					if errors.As(err, &at) {
						line.problem = at.Err
					}
				} else if single {
					line.problem = "multiple //go:build comments"
				}
				single = true
			}
			list = append(list, line)
		}
	}
	return list
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

// A Header is a header taken apart again.
type Header struct {
	Constraints []string
	Name        string // of the package
	Imports     []string
	Broken      bool // the text has a syntax error in its header
	Malformed   bool // it has a //go:build line that is none, which is not among the constraints
	Program     bool // it declares func main of a package main
}

// IsMalformed reports whether a header has a //go:build line that cannot be read.
func IsMalformed(h string) bool {
	return strings.HasPrefix(h, malformed) || strings.Contains(h, "\n"+malformed)
}

// malformed marks, in a header, a //go:build line that cannot be read.
const malformed = "malformed "

// ParseHeader takes a header text apart.
func ParseHeader(h string) Header {
	var p Header
	for line := range strings.Lines(h) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, malformed):
			p.Malformed = true
		case isConstraint(line):
			p.Constraints = append(p.Constraints, line)
		case line == "main":
			p.Program = true
		case strings.HasPrefix(line, "error "):
			p.Broken = true
		case strings.HasPrefix(line, "package "):
			p.Name = strings.TrimPrefix(line, "package ")
		case strings.HasPrefix(line, "import "):
			if path, err := strconv.Unquote(strings.TrimPrefix(line, "import ")); err == nil {
				p.Imports = append(p.Imports, path)
			}
		}
	}
	return p
}

// ImportAt is the import that stands in a line of source, counted from 1; "" if none does.
func (p *Header) ImportAt(line int) string {
	const before = 3 // an empty line, the package clause, and counting from 1
	if i := line - len(p.Constraints) - before; i >= 0 && i < len(p.Imports) {
		return p.Imports[i]
	}
	return ""
}

// Source is a smallest file with this header, for tools that read headers only.
func (p *Header) Source() []byte {
	var b strings.Builder
	for _, c := range p.Constraints {
		b.WriteString(c)
		b.WriteByte('\n')
	}
	b.WriteString("\npackage " + p.Name + "\n")
	for _, path := range p.Imports {
		b.WriteString("import _ " + strconv.Quote(path) + "\n")
	}
	return []byte(b.String())
}
