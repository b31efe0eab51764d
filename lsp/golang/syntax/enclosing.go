package syntax

import (
	"go/ast"
	"go/token"

	"github.com/cytisus/cytisus/lsp"
)

// Enclosing lists what is around an offset, from the smallest to the whole: nodes, comments, and
// what stands between the quotes of a string.
func Enclosing(t *Tree, offset int) (spans []lsp.Span) {
	add := func(s lsp.Span) {
		if !s.Contains(offset) || s.Start == s.End {
			return
		}
		if n := len(spans); n > 0 && (s == spans[n-1] || s.Start > spans[n-1].Start || s.End < spans[n-1].End) {
			return // broken syntax may have nodes that are smaller than their parts
		}
		spans = append(spans, s)
	}
	whole := lsp.Span{End: len(t.Text)}
	if t.Unfit {
		add(whole)
		return spans
	}
	for _, group := range t.AST.Comments {
		for _, c := range group.List {
			add(t.CommentSpan(c))
		}
		add(lsp.Span{Start: t.Offset(group.Pos()), End: t.CommentSpan(group.List[len(group.List)-1]).End})
	}
	file := t.Span(t.AST.Pos(), t.AST.End())
	var path []ast.Node
	for n := ast.Node(t.AST); n != nil; n = childAt(t, n, offset) {
		path = append(path, n)
	}
	for i := len(path) - 1; i >= 0; i-- {
		n := path[i]
		s := t.Span(n.Pos(), n.End())
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s = t.LiteralSpan(lit); s.End-s.Start > 2 {
				add(lsp.Span{Start: s.Start + 1, End: s.End - 1})
			}
		}
		add(s)
	}
	if !file.Contains(offset) || len(spans) == 0 {
		add(whole)
	}
	return spans
}

// childAt is the child of a node that an offset lies in; nil if there is none. Of two that touch
// there it is the later one, but for a name; of one within the other the smaller.
func childAt(t *Tree, parent ast.Node, offset int) (found ast.Node) {
	var best lsp.Span
	bestEnds := false
	ast.Inspect(parent, func(n ast.Node) bool {
		if n == nil || n == parent {
			return n == parent
		}
		if _, comment := n.(*ast.CommentGroup); comment {
			return false
		}
		s := t.Span(n.Pos(), n.End())
		if !s.Contains(offset) || s.Start == s.End {
			return false
		}
		_, name := n.(*ast.Ident)
		ends := s.End == offset && !name
		if found == nil || bestEnds && !ends || bestEnds == ends && s.End-s.Start <= best.End-best.Start {
			found, best, bestEnds = n, s, ends
		}
		return false
	})
	return found
}
