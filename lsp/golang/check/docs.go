package check

import (
	"bytes"
	"go/ast"
	"go/token"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// collectDocs finds the doc comments of everything declared in a file outside functions, by the
// position of the declared name.
func collectDocs(t *syntax.Tree, docs map[token.Pos]lsp.Span) {
	note := func(names []*ast.Ident, groups ...*ast.CommentGroup) {
		for _, g := range groups {
			if g == nil {
				continue
			}
			for _, id := range names {
				docs[id.Pos()] = t.Span(g.Pos(), g.End())
			}
			return
		}
	}
	fields := func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok {
			note(fieldNames(f), f.Doc, f.Comment)
		}
		return true
	}
	for _, decl := range t.AST.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			note([]*ast.Ident{decl.Name}, decl.Doc)
		case *ast.GenDecl:
			groupDoc := decl.Doc
			if decl.Lparen.IsValid() && len(decl.Specs) > 1 {
				groupDoc = nil // it is about the group
			}
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.ValueSpec:
					note(spec.Names, spec.Doc, groupDoc, spec.Comment)
				case *ast.TypeSpec:
					note([]*ast.Ident{spec.Name}, spec.Doc, groupDoc, spec.Comment)
					ast.Inspect(spec.Type, fields)
				}
			}
		}
	}
}

// DocNear is where the doc comment is of what has a name and is declared outside of functions,
// nearest to an offset; an empty span if there is none.
func DocNear(t *syntax.Tree, name string, offset int) (near lsp.Span) {
	docs := map[token.Pos]lsp.Span{}
	collectDocs(t, docs)
	best := -1
	for pos, span := range docs {
		at := t.Offset(pos)
		if !bytes.HasPrefix(t.Text[at:], []byte(name)) || syntax.WordEnd(t.Text, at) != at+len(name) {
			continue
		}
		if distance := max(at-offset, offset-at); best < 0 || distance < best {
			best, near = distance, span
		}
	}
	return near
}
