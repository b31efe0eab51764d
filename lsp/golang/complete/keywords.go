package complete

import (
	"bytes"
	"go/ast"
	"go/token"
	"go/types"

	"github.com/cytisus/cytisus/lsp"
)

// keywords adds those that can stand at the place.
func (c *completer) keywords() {
	cur := &c.d.Cursor
	add := func(factor float64, list ...token.Token) {
		for _, k := range list {
			c.keyword(k.String(), factor)
		}
	}
	switch {
	case cur.Before == token.PERIOD:
	case cur.Depth == 0:
		if cur.NewLine && cur.Before != token.IMPORT {
			add(5, token.FUNC, token.TYPE, token.VAR, token.CONST, token.IMPORT)
		} else {
			c.typeKeywords()
		}
	case cur.Before == token.RBRACE && !cur.NewLine:
		add(5, token.ELSE)
	case cur.Before == token.ELSE:
		add(5, token.IF)
	case cur.NewLine && cur.Bracket == '{' && cur.Opener != token.STRUCT && cur.Opener != token.INTERFACE:
		if !continued(c.d.Source[c.d.Word.End:]) {
			c.statementKeywords()
		}
	case cur.First == token.FOR && (cur.Before == token.DEFINE || cur.Before == token.ASSIGN || cur.Before == token.FOR):
		add(5, token.RANGE)
	default:
		c.typeKeywords()
	}
}

// continued reports whether a text goes on with an expression or a list of names that the word
// before it is part of: the word is selected from, indexed, assigned to, an operand, or one of
// several. It is no keyword then. What can begin an expression, as a minus, says nothing.
func continued(text []byte) bool {
	switch {
	case bytes.HasPrefix(text, []byte("...")):
		return false
	case bytes.HasPrefix(text, []byte(".")), bytes.HasPrefix(text, []byte("[")):
		return true
	}
	text = bytes.TrimLeft(text, " \t")
	operator := len(text) - len(bytes.TrimLeft(text, "=:+-*/%&|^<>!,"))
	switch string(text[:operator]) {
	case ",", "=", ":=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", "&^=",
		"==", "!=", "<", "<=", ">", ">=", "&&", "||", "/", "%", "|", "<<", ">>", "&^":
		return true
	}
	return false
}

func (c *completer) keyword(word string, factor float64) {
	if score, ok := c.match.score(word); ok {
		factor *= boost(max(0, c.usedWord(word)-c.chance()) / 4)
		c.items = append(c.items, Item{
			Completion: lsp.Completion{Label: word, Kind: lsp.CompletionKeyword, Text: word},
			score:      score * factor,
		})
	}
}

func (c *completer) chance() float64 {
	if c.used == nil {
		return 0
	}
	return c.used.chance
}

func (c *completer) usedWord(word string) float64 {
	if c.used == nil {
		return 0
	}
	return c.used.names[word]
}

// typeKeywords adds those that begin a type, or a function as a value.
func (c *completer) typeKeywords() {
	if c.s.Path == nil || c.d.Cursor.Bracket == '{' && c.d.Cursor.NewLine {
		return
	}
	path := c.s.Path[1:]
	w := c.expect(c.d.Name, path)
	switch {
	case w.isType && w.typePred == nil:
		inner, rest := 1.0, 10.0
		if _, ok := nodeAt[*ast.TypeSpec](path, 0); ok {
			inner, rest = rest, inner
		}
		for _, k := range []token.Token{token.STRUCT, token.INTERFACE} {
			c.keyword(k.String(), inner)
		}
		for _, k := range []token.Token{token.FUNC, token.CHAN, token.MAP} {
			c.keyword(k.String(), rest)
		}
	case w.callWanted || isFunction(w.typ):
		c.keyword(token.FUNC.String(), 3)
	}
}

func isFunction(t types.Type) bool { return is[*types.Signature](t) }

// statementKeywords adds those that begin a statement.
func (c *completer) statementKeywords() {
	cur := &c.d.Cursor
	if cur.Opener == token.SWITCH || cur.Opener == token.SELECT {
		c.keyword("case", 10)
		if !c.hasDefault() {
			c.keyword("default", 10)
		}
		if cur.Before == token.LBRACE {
			return // nothing else comes first
		}
	}
	if c.s.Path == nil {
		return
	}
	path := c.s.Path[1:]
	if len(path) > 0 {
		switch path[0].(type) {
		case *ast.ExprStmt, *ast.LabeledStmt, *ast.BlockStmt, *ast.SelectorExpr, *ast.BinaryExpr, *ast.CallExpr, *ast.AssignStmt, *ast.IndexExpr:
		default:
			return
		}
	}
	for _, k := range []token.Token{
		token.IF, token.ELSE, token.FOR, token.VAR, token.SWITCH, token.DEFER, token.GO, token.SELECT, token.CONST, token.TYPE, token.GOTO,
	} {
		if k != token.ELSE || c.match.typed != "" {
			c.keyword(k.String(), 1)
		}
	}
	c.returnKeyword()
	loop, leave, fall := false, false, false
	var clause *ast.CaseClause
nodes:
	for _, n := range path {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.FuncDecl:
			break nodes
		case *ast.ForStmt, *ast.RangeStmt:
			loop, leave = true, true
		case *ast.SelectStmt, *ast.TypeSwitchStmt:
			leave = true
		case *ast.CaseClause:
			clause = n
		case *ast.SwitchStmt:
			leave = true
			fall = fall || clause != nil
			clause = nil
		}
	}
	if leave {
		c.keyword("break", 1)
	}
	if loop {
		c.keyword("continue", 1)
	}
	if fall {
		c.keyword("fallthrough", 1)
	}
}

// returnKeyword adds return, with a space if values must follow.
func (c *completer) returnKeyword() {
	word := token.RETURN.String()
	if sig := c.signatureAround(c.s.Path[1:]); sig != nil && sig.Results().Len() > 0 && !hasNames(sig.Results()) {
		word += " "
	}
	had := len(c.items)
	c.keyword(word, 1)
	for i := had; i < len(c.items); i++ {
		c.items[i].Filter = token.RETURN.String()
	}
}

// hasNames reports whether results have names that a return without values gives.
func hasNames(results *types.Tuple) bool {
	for v := range results.Variables() {
		if v.Name() != "" && v.Name() != "_" {
			return true
		}
	}
	return false
}

// hasDefault reports whether the innermost statement with cases has a default one.
func (c *completer) hasDefault() bool {
	if c.s.Path == nil {
		return false
	}
	for _, n := range c.s.Path {
		var body *ast.BlockStmt
		switch n := n.(type) {
		case *ast.SwitchStmt:
			body = n.Body
		case *ast.TypeSwitchStmt:
			body = n.Body
		case *ast.SelectStmt:
			body = n.Body
		case *ast.FuncDecl, *ast.FuncLit:
			return false
		default:
			continue
		}
		for _, s := range body.List {
			switch s := s.(type) {
			case *ast.CaseClause:
				if s.List == nil {
					return true
				}
			case *ast.CommClause:
				if s.Comm == nil {
					return true
				}
			}
		}
		return false
	}
	return false
}
