package flow

import (
	"cmp"
	"go/ast"
	"go/token"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A Use says how a file uses the name at some place.
type Use uint8

// The uses of names.
const (
	Read      Use = iota
	Write         // assigned to, counted up or down, sent to, or given a value where it is declared
	Key           // a key of a composite literal, which writes if it is a field
	Parameter     // a name in a list of parameters, results or fields
)

// Written says of the names at some places, in their order, that a file does not only read what it
// does with them, by the offset of the name.
func Written(t *syntax.Tree, places []lsp.Span) map[int]Use {
	uses := map[int]Use{}
	// next is the first place that starts at an offset or behind it.
	next := func(offset int) (start int, ok bool) {
		i, _ := slices.BinarySearchFunc(places, offset, func(s lsp.Span, offset int) int {
			return cmp.Compare(s.Start, offset)
		})
		if i == len(places) {
			return 0, false
		}
		return places[i].Start, true
	}
	note := func(id *ast.Ident, u Use) {
		at := t.Offset(id.Pos())
		if start, ok := next(at); ok && start == at {
			if _, ok := uses[at]; !ok {
				uses[at] = u
			}
		}
	}
	// What an assignment through a pointer or to a field writes is the name nearest to it; an
	// element of an array or a map is not told apart from the others.
	var assigned func(x ast.Expr)
	assigned = func(x ast.Expr) {
		switch x := x.(type) {
		case *ast.Ident:
			note(x, Write)
		case *ast.SelectorExpr:
			note(x.Sel, Write)
		case *ast.StarExpr:
			assigned(x.X)
		case *ast.ParenExpr:
			assigned(x.X)
		}
	}
	look := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, x := range n.Lhs {
				assigned(x)
			}
		case *ast.GenDecl:
			if n.Tok != token.CONST && n.Tok != token.VAR {
				break
			}
			for _, spec := range n.Specs {
				if spec, ok := spec.(*ast.ValueSpec); ok {
					for _, id := range spec.Names {
						note(id, Write)
					}
				}
			}
		case *ast.IncDecStmt:
			assigned(n.X)
		case *ast.SendStmt:
			assigned(n.Chan)
		case *ast.RangeStmt:
			assigned(n.Key)
			assigned(n.Value)
		case *ast.CompositeLit:
			for _, x := range n.Elts {
				if kv, ok := x.(*ast.KeyValueExpr); ok {
					if id, ok := kv.Key.(*ast.Ident); ok {
						note(id, Key)
					}
				}
			}
		case *ast.Field:
			for _, id := range n.Names {
				note(id, Parameter)
			}
		}
		return true
	}
	for _, d := range t.AST.Decls {
		// What is named in one function is most often named there alone.
		if start, ok := next(t.Offset(d.Pos())); ok && start < t.Offset(d.End()) {
			ast.Inspect(d, look)
		}
	}
	return uses
}
