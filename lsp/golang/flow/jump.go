package flow

import (
	"go/ast"
	"go/token"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// Jump is where the keyword at an offset leads: return to the results of its function, break to the
// end of what it leaves, continue to the start of its loop, goto to its label. It is not ok for
// other places, and where a keyword leads nowhere.
func Jump(t *syntax.Tree, offset int) (to lsp.Span, ok bool) {
	p := path(Path(t, offset))
	if len(p) == 0 {
		return to, false
	}
	switch n := p.last().(type) {
	case *ast.ReturnStmt:
		if typ, _ := p.function(); typ != nil && typ.Results != nil {
			return t.Span(typ.Results.Pos(), typ.Results.End()), true
		}
	case *ast.BranchStmt:
		return branch(t, p, n)
	}
	return to, false
}

func branch(t *syntax.Tree, p path, from *ast.BranchStmt) (to lsp.Span, ok bool) {
	label := ""
	if from.Label != nil {
		label = from.Label.Name
	}
	if from.Tok == token.GOTO {
		_, body := p.function()
		if l := labelled(body, label); l != nil {
			return t.Span(l.Label.Pos(), l.Label.End()), true
		}
		return to, false
	}
	if from.Tok != token.BREAK && from.Tok != token.CONTINUE {
		return to, false
	}
	i := p.left(from.Tok, label)
	if i < 0 && label != "" {
		i = p.left(from.Tok, "") // the label is none of a statement around it
	}
	switch {
	case i < 0:
		return to, false
	case from.Tok == token.CONTINUE:
		return keyword(t, p[i], "for"), true
	}
	end := t.Offset(p[i].End())
	if end == 0 || t.Text[end-1] != '}' { // half-typed
		return to, false
	}
	return lsp.Span{Start: end - 1, End: end}, true
}

// left is the number of the statement that a break or continue in the path is about, the innermost
// one or that with a label; -1 if there is none in the function.
func (p path) left(tok token.Token, label string) int {
	for i := len(p) - 1; i >= 0 && !isFunction(p[i]); i-- {
		if label != "" && p.labelOf(i) != label {
			continue
		}
		if isLoop(p[i]) {
			return i
		}
		if _, ok := p[i].(*ast.SelectStmt); tok == token.BREAK && (ok || isSwitch(p[i])) {
			return i
		}
	}
	return -1
}

// labelled is the statement of a function body that has a label; nil if there is none.
func labelled(body *ast.BlockStmt, label string) (found *ast.LabeledStmt) {
	if body == nil {
		return nil
	}
	ast.Inspect(body, func(n ast.Node) bool {
		if l, ok := n.(*ast.LabeledStmt); ok && l.Label.Name == label && found == nil {
			found = l
		}
		return !isFunction(n)
	})
	return found
}
