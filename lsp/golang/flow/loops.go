package flow

import (
	"go/ast"
	"go/token"
)

// loop marks the keyword of a loop and what leaves or continues it.
func (m *marks) loop(loop ast.Node, label string) {
	m.add(loop.Pos(), loop.Pos()+token.Pos(len("for")))
	m.branches(loop, label, func(b *ast.BranchStmt, nested nesting) bool {
		switch {
		case b.Label != nil:
			return b.Label.Name == label
		case b.Tok == token.BREAK:
			return nested == 0
		}
		return b.Tok == token.CONTINUE && nested&insideLoop == 0
	})
}

// choice marks the keyword of a switch or select and what leaves it.
func (m *marks) choice(n ast.Node, word, label string) {
	m.add(n.Pos(), n.Pos()+token.Pos(len(word)))
	m.branches(n, label, func(b *ast.BranchStmt, nested nesting) bool {
		if b.Label != nil {
			return b.Tok == token.BREAK && b.Label.Name == label
		}
		return b.Tok == token.BREAK && nested == 0
	})
}

// nesting says what a branch statement lies in, inside of the statement that is looked at.
type nesting uint8

const (
	insideLoop nesting = 1 << iota
	insideChoice
)

// branches marks those branch statements of a statement that are about it.
func (m *marks) branches(of ast.Node, label string, about func(*ast.BranchStmt, nesting) bool) {
	var stack []nesting
	ast.Inspect(of, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		var nested nesting
		if len(stack) > 0 {
			nested = stack[len(stack)-1]
		}
		switch _, isSelect := n.(*ast.SelectStmt); {
		case isFunction(n):
			return false
		case n == of:
		case isLoop(n):
			nested |= insideLoop
		case isSelect || isSwitch(n):
			nested |= insideChoice
		}
		if b, ok := n.(*ast.BranchStmt); ok && about(b, nested) && (b.Label == nil || label != "") {
			m.node(b)
		}
		stack = append(stack, nested)
		return true
	})
}
