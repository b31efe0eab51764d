package flow

import (
	"go/ast"
	"go/token"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A path are the nodes around a place, the innermost last.
type path []ast.Node

// Path lists the nodes around an offset, the innermost last. A node reaches to the place behind its
// last character; of two that touch there the first counts.
func Path(t *syntax.Tree, offset int) []ast.Node {
	return Around(t, lsp.Span{Start: offset, End: offset})
}

// Around lists the nodes around a span, the innermost last.
func Around(t *syntax.Tree, span lsp.Span) []ast.Node {
	if t.Unfit {
		return nil
	}
	start, end := token.Pos(t.Pos.Base()+span.Start), token.Pos(t.Pos.Base()+span.End)
	p := path{t.AST}
	for {
		next := child(p.last(), start, end)
		if next == nil {
			return p
		}
		p = append(p, next)
	}
}

// child is the first child of a node that some positions lie in; nil if there is none.
func child(of ast.Node, start, end token.Pos) (found ast.Node) {
	ast.Inspect(of, func(n ast.Node) bool {
		if n == of {
			return true
		}
		if n != nil && found == nil && n.Pos() <= start && end <= n.End() {
			found = n
		}
		return false
	})
	return found
}

func (p path) last() ast.Node { return p[len(p)-1] }

// up is the node that is so many levels above the innermost; nil if there is none.
func (p path) up(levels int) ast.Node {
	if levels >= len(p) {
		return nil
	}
	return p[len(p)-1-levels]
}

// function is the type and the body of the innermost function around the place; nil if there is
// none.
func (p path) function() (*ast.FuncType, *ast.BlockStmt) {
	for i := len(p) - 1; i >= 0; i-- {
		switch n := p[i].(type) {
		case *ast.FuncLit:
			return n.Type, n.Body
		case *ast.FuncDecl:
			return n.Type, n.Body
		}
	}
	return nil, nil
}

// labelOf is the label of node number i of the path; "" if it has none.
func (p path) labelOf(i int) string {
	if i > 0 {
		if l, ok := p[i-1].(*ast.LabeledStmt); ok {
			return l.Label.Name
		}
	}
	return ""
}

// isLoop reports whether a node is a statement that continue is about.
func isLoop(n ast.Node) bool {
	switch n.(type) {
	case *ast.ForStmt, *ast.RangeStmt:
		return true
	}
	return false
}

// isSwitch reports whether a node is a switch of either kind.
func isSwitch(n ast.Node) bool {
	switch n.(type) {
	case *ast.SwitchStmt, *ast.TypeSwitchStmt:
		return true
	}
	return false
}

// isFunction reports whether a node is a function with a body of its own.
func isFunction(n ast.Node) bool {
	switch n.(type) {
	case *ast.FuncDecl, *ast.FuncLit:
		return true
	}
	return false
}

// keyword is the place of a keyword that a node starts with.
func keyword(t *syntax.Tree, n ast.Node, word string) lsp.Span {
	return t.Span(n.Pos(), n.Pos()+token.Pos(len(word)))
}
