package syntax

import (
	"bytes"
	"go/ast"
	"slices"

	"github.com/cytisus/cytisus/lsp"
)

// Outline is the outline of a text. If it differs from the text of the file's tree in the body of
// one function, that function is parsed and nothing else: the outline of the rest has moved at
// most. Else the text is parsed, and its tree is there for Get.
func (c *Cache) Outline(uri string, text []byte) []lsp.Symbol {
	c.mu.Lock()
	var had *Tree
	if e := c.byURI[uri]; e != nil {
		had = e.Value.(*Tree)
	}
	c.mu.Unlock()
	if had != nil {
		if list, ok := outlineBehind(had, text); ok {
			return list
		}
	}
	return Outline(c.Get(uri, text))
}

// outlineBehind is the outline of a text that differs from that of a tree without errors in the
// body of one function; not ok if it differs in more, or the function is not a whole one any more.
func outlineBehind(t *Tree, text []byte) (list []lsp.Symbol, ok bool) {
	if t.Unfit || len(t.Errors) > 0 || bytes.IndexByte(text, 0) >= 0 {
		return nil, false
	}
	before, after := commonEnds(t.Text, text)
	if before == len(text) && before == len(t.Text) {
		return Outline(t), true
	}
	from, to := before, len(t.Text)-after // what differs of the old text
	i, _ := slices.BinarySearchFunc(t.AST.Decls, from, func(d ast.Decl, at int) int { return t.Offset(d.End()) - at })
	if i == len(t.AST.Decls) {
		return nil, false
	}
	fn, ok := t.AST.Decls[i].(*ast.FuncDecl)
	if !ok || fn.Body == nil || from <= t.Offset(fn.Body.Lbrace) || t.Offset(fn.Body.Rbrace) < to {
		return nil, false
	}
	moved := len(text) - len(t.Text)
	start, end := t.Offset(fn.Pos()), t.Offset(fn.End())
	if !isFunction(text[start : end+moved]) {
		return nil, false
	}
	list = Outline(t)
	moveSymbols(list, end, moved)
	return list, true
}

// commonEnds is how much of two texts is the same at their starts, and at their ends behind that.
func commonEnds(a, b []byte) (before, after int) {
	n := min(len(a), len(b))
	for before < n && a[before] == b[before] {
		before++
	}
	for after < n-before && a[len(a)-1-after] == b[len(b)-1-after] {
		after++
	}
	return before, after
}

// isFunction reports whether a text is the declaration of one function with a body, all of it.
func isFunction(text []byte) bool {
	const clause = "package p;"
	t := Parse("", slices.Concat([]byte(clause), text))
	if t.Unfit || len(t.Errors) > 0 || len(t.AST.Decls) != 1 {
		return false
	}
	fn, ok := t.AST.Decls[0].(*ast.FuncDecl)
	return ok && fn.Body != nil && t.Offset(fn.Pos()) == len(clause) && t.Offset(fn.End()) == len(t.Text)
}

// moveSymbols moves what stands from an offset on, which is the end of one of them or between two.
func moveSymbols(list []lsp.Symbol, from, by int) {
	for i := range list {
		s := &list[i]
		for _, at := range []*int{&s.Span.Start, &s.Span.End, &s.NameSpan.Start, &s.NameSpan.End} {
			if *at >= from {
				*at += by
			}
		}
		moveSymbols(s.Children, from, by)
	}
}
