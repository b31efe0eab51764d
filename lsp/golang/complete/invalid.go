package complete

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// variableType is the type of a variable. One that is not known is told as it is written.
func (c *completer) variableType(v *types.Var) string {
	text := types.TypeString(v.Type(), c.qualify)
	if !strings.Contains(text, "invalid type") || v.Pkg() != c.v.Package {
		return text
	}
	if c.s.File != nil && c.d.Decl != nil && c.d.Decl.Pos() <= v.Pos() && v.Pos() <= c.d.Decl.End() {
		if e := typeWritten(c.d.Decl, v.Pos()); e != nil {
			return oneLine(c.d.Text(e))
		}
		return text
	}
	t, pos := c.v.Tree(v.Pos()), c.v.At(v.Pos())
	if t == nil {
		return text
	}
	for _, d := range t.AST.Decls {
		if d.Pos() <= pos && pos <= d.End() {
			if e := typeWritten(d, pos); e != nil {
				s := t.Span(e.Pos(), e.End())
				return oneLine(string(t.Text[s.Start:s.End]))
			}
		}
	}
	return text
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// typeWritten is the type in the declaration of the name at a position; nil if it has none.
func typeWritten(in ast.Node, name token.Pos) (found ast.Expr) {
	at := func(names []*ast.Ident, t ast.Expr) {
		for _, id := range names {
			if id.Pos() == name {
				found = t
			}
		}
	}
	ast.Inspect(in, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			at(n.Names, n.Type)
		case *ast.ValueSpec:
			at(n.Names, n.Type)
		}
		return found == nil
	})
	return found
}
