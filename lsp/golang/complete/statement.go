package complete

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// statements adds whole statements that follow from the code before the place.
func (c *completer) statements() {
	if !c.o.Snippets {
		return
	}
	c.checkError()
	c.appendTo()
	c.returnZero()
}

// returnZero adds a return statement with zero values.
func (c *completer) returnZero() {
	sig := c.signatureAround(c.path)
	if !c.o.Placeholders || !c.want.statement || sig == nil || sig.Results().Len() == 0 || c.match.typed == "" {
		return
	}
	score, ok := c.match.score("return")
	if !ok {
		return
	}
	var shown, holes []string
	for i := range sig.Results().Len() {
		zero := c.zero(sig.Results().At(i).Type())
		shown, holes = append(shown, zero), append(holes, fmt.Sprintf("${%d:%s}", i+1, escape(zero)))
	}
	c.items = append(c.items, Item{
		Completion: lsp.Completion{
			Label: "return " + strings.Join(shown, ", "), Kind: lsp.CompletionSnippet, Text: "return " + strings.Join(holes, ", "),
			Snippet: true, Filter: "return",
		},
		score: score * neutral * 1.2,
	})
}

// checkError adds a test of the error that the statement before the place gives.
func (c *completer) checkError() {
	head := "if "
	path := c.path
	if i, ok := nodeAt[*ast.IfStmt](path, 0); ok && i.Cond == c.expr {
		head, path = "", path[1:]
	} else if _, ok := nodeAt[*ast.ExprStmt](path, 0); ok {
		if _, ok := nodeAt[*ast.IfStmt](path, 1); ok {
			head, path = "", path[2:]
		} else {
			path = path[1:]
		}
	} else {
		return
	}
	block, ok := nodeAt[*ast.BlockStmt](path, 0)
	if !ok {
		return
	}
	var before *ast.AssignStmt
	for _, s := range block.List {
		if s.End() > c.pos {
			break
		}
		before, _ = s.(*ast.AssignStmt)
	}
	if before == nil || len(before.Lhs) == 0 {
		return
	}
	last := before.Lhs[len(before.Lhs)-1]
	t := c.typeOf(last)
	if id, ok := last.(*ast.Ident); ok && t == nil {
		if obj := c.s.Info.ObjectOf(id); obj != nil {
			t = obj.Type()
		}
	}
	if id, ok := last.(*ast.Ident); t == nil || !isError(t) || ok && id.Name == "_" {
		return
	}
	err := c.d.Text(last)
	label, text := "", ""
	sig := c.signatureAround(c.path)
	if sig == nil {
		return
	}
	if n := sig.Results().Len(); n > 0 && isError(sig.Results().At(n-1).Type()) {
		label, text = "return "+err, c.returning(escape, "${1:"+err+"}")
	} else if name, fatal := c.testing(sig); name != "" {
		label = name + "." + fatal + "(" + err + ")"
		text = label
	} else {
		return
	}
	typed := c.match.typed
	if head == "" {
		if _, ok := c.match.score(err); typed != "" && !ok {
			return
		}
	} else if typed != "" && !strings.HasPrefix("if", typed) {
		if _, ok := c.match.score(err); !ok {
			return
		}
	}
	c.items = append(c.items, Item{
		Completion: lsp.Completion{
			Label: head + err + " != nil { " + label + " }", Kind: lsp.CompletionSnippet,
			Text: head + err + " != nil {\n\t" + text + "\n" + `\}`, Snippet: true, Filter: head + err + " != nil",
		},
		score: fits * 2.2,
	})
}

// testing is the parameter of a test, and its method that ends it with an error; "" if the function
// is none.
func (c *completer) testing(sig *types.Signature) (name, method string) {
	if sig.Results().Len() > 0 || sig.Params().Len() == 0 {
		return "", ""
	}
	p := sig.Params().At(0)
	ptr, ok := p.Type().(*types.Pointer)
	if !ok || p.Name() == "" || p.Name() == "_" {
		return "", ""
	}
	n, ok := ptr.Elem().(*types.Named)
	if !ok || n.Obj().Pkg() == nil || n.Obj().Pkg().Path() != "testing" {
		return "", ""
	}
	return p.Name(), "Fatal"
}

// appendTo adds an append to the slice that is assigned to, or that what was typed means.
func (c *completer) appendTo() {
	if _, ok := nodeAt[*ast.ExprStmt](c.path, 0); ok {
		c.appendAssigned()
		return
	}
	a, ok := nodeAt[*ast.AssignStmt](c.path, 0)
	if !ok || a.Tok != token.ASSIGN || len(a.Lhs) != 1 || len(a.Rhs) != 1 || a.Rhs[0] != c.expr || !isSlice(c.typeOf(a.Lhs[0])) {
		return
	}
	to := c.d.Text(a.Lhs[0])
	score, ok := c.match.score("append")
	if !ok {
		return
	}
	c.items = append(c.items, Item{
		Completion: lsp.Completion{
			Label: "append(" + to + ", )", Kind: lsp.CompletionFunction, Text: "append(" + escape(to) + ", ${1:})", Snippet: true, Filter: "append",
		},
		score: score * fits * 0.95,
	})
}

// appendAssigned adds an assignment of an append to what was typed, if one slice fits that better
// than all else does.
func (c *completer) appendAssigned() {
	if c.match.typed == "" {
		return
	}
	var first, second *Item
	for i := range c.items {
		switch it := &c.items[i]; {
		case first == nil || it.score > first.score:
			first, second = it, first
		case second == nil || it.score > second.score:
			second = it
		}
	}
	if first == nil || second != nil && second.score == first.score || first.Object == nil {
		return
	}
	if v, ok := first.Object.(*types.Var); !ok || !isSlice(v.Type()) {
		return
	}
	to := first.Label
	if sel, ok := c.expr.(*ast.SelectorExpr); ok {
		to = c.d.Text(sel.X) + "." + to
	}
	c.items = append(c.items, Item{
		Completion: lsp.Completion{
			Label: first.Label + " = append(" + to + ", )", Kind: lsp.CompletionFunction, Snippet: true, Filter: first.Label,
			Text: escape(first.Label) + " = append(" + escape(to) + ", ${1:})",
		},
		score: first.score * 0.99,
	})
}
