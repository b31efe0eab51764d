package syntax

import (
	"bytes"
	"go/ast"
	"go/scanner"
	"go/token"
	"slices"
)

// FaceText is the part of a file that other packages can see the effect of, as text: without
// comments, white space, function bodies, and those initial values whose type does not depend on
// what is in them. Equal face texts declare the same things with the same types, so a package's
// export data is a function of the face texts of its files. The text is one that the parser reads;
// it is for nobody's eyes.
//
// Of comments only a language version in a build constraint matters to types. Directives such as
// //go:linkname and the preamble of import "C" do not: package C is opaque to the checker
// (types.Config.FakeImportC).
func FaceText(t *Tree) []byte {
	if t.Unfit {
		return []byte("package " + t.AST.Name.Name + "\n")
	}
	cut := cutText(t.Source, hidden(t))
	out := make([]byte, 0, len(cut)+64)
	if v := t.AST.GoVersion; v != "" {
		out = append(out, "//go:build "+v+"\n\n"...)
	}
	var s scanner.Scanner
	fset := token.NewFileSet()
	s.Init(fset.AddFile("", -1, len(cut)), cut, func(token.Position, string) {}, 0)
	for {
		_, tok, lit := s.Scan()
		switch {
		case tok == token.EOF:
			return append(out, '\n')
		case tok == token.SEMICOLON:
			out = append(out, ';')
		case lit != "":
			out = append(out, lit...)
		default:
			out = append(out, tok.String()...)
		}
		out = append(out, ' ')
	}
}

// hidden lists the ranges of text that no other package can see, in source order and disjoint.
func hidden(t *Tree) [][2]int {
	var cuts [][2]int
	add := func(start, end token.Pos) {
		if start.IsValid() && end.IsValid() && start < end {
			cuts = append(cuts, [2]int{t.Offset(start), t.Offset(end)})
		}
	}
	body := func(b *ast.BlockStmt) {
		if b != nil && b.Rbrace.IsValid() {
			add(b.Lbrace+1, b.Rbrace)
		}
	}
	inside := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			// Parameters may hold array lengths, never anything that could be cut.
			body(n.Body)
			return false
		case *ast.CompositeLit:
			if n.Type != nil && !isOpenArray(n.Type) && n.Rbrace.IsValid() {
				add(n.Lbrace+1, n.Rbrace) // the type is in front of the brace
				return false
			}
		}
		return true
	}
	for _, decl := range t.AST.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			body(decl.Body)
		case *ast.GenDecl:
			if decl.Tok != token.VAR {
				continue
			}
			for _, spec := range decl.Specs {
				spec, ok := spec.(*ast.ValueSpec)
				if !ok {
					continue
				}
				if spec.Type != nil && len(spec.Values) > 0 {
					add(spec.Type.End(), spec.Values[len(spec.Values)-1].End())
					continue
				}
				for _, v := range spec.Values {
					ast.Inspect(v, inside)
				}
			}
		}
	}
	slices.SortFunc(cuts, func(a, b [2]int) int { return a[0] - b[0] })
	return cuts
}

func isOpenArray(typ ast.Expr) bool {
	array, ok := typ.(*ast.ArrayType)
	if !ok {
		return false
	}
	_, ok = array.Len.(*ast.Ellipsis)
	return ok
}

// cutText is text without the given ranges. Broken syntax may make ranges overlap; what was cut
// stays cut.
func cutText(text []byte, cuts [][2]int) []byte {
	var b bytes.Buffer
	at := 0
	for _, c := range cuts {
		if c[1] <= at {
			continue
		}
		if c[0] > at {
			b.Write(text[at:c[0]])
		}
		at = c[1]
	}
	b.Write(text[at:])
	return b.Bytes()
}
