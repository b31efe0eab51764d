package flow

import (
	"go/ast"
	"go/token"
)

// exits marks what leaves the function around the path. Of a keyword, func or return, that is all
// of it: the word func and every return. Of one result, whether declared or returned, it is that
// result everywhere. Arguments of calls and values of composite literals are neither.
func (m *marks) exits(p path) {
	var (
		typ  *ast.FuncType
		body *ast.BlockStmt
		from *ast.ReturnStmt
	)
	for i := len(p) - 1; i >= 0 && typ == nil; i-- {
		switch n := p[i].(type) {
		case *ast.KeyValueExpr:
			return
		case *ast.FuncLit:
			typ, body = n.Type, n.Body
			continue
		case *ast.FuncDecl:
			typ, body = n.Type, n.Body
			continue
		case *ast.ReturnStmt:
			from = n
		}
		if i > 0 && isArgument(p[i-1], p[i]) {
			return
		}
	}
	if typ == nil {
		return
	}
	at := p.last().Pos()
	word := typ.Func + token.Pos(len("func"))
	if from != nil && p.last() == ast.Node(from) || typ.Func <= at && at < word {
		m.add(typ.Func, word)
		returns(body, func(r *ast.ReturnStmt) { m.node(r) })
		return
	}
	chosen := map[int]bool{}
	switch {
	case from != nil:
		for i, x := range from.Results {
			if within(x, at) {
				chosen[i] = true
			}
		}
	case typ.Results == nil || !within(typ.Results, at):
		return
	}
	m.results(typ.Results, at, chosen)
	returns(body, func(r *ast.ReturnStmt) {
		for i, x := range r.Results {
			if chosen[i] {
				m.node(x)
			}
		}
	})
}

// results marks the declared result that is chosen, or that a position lies in, which is chosen
// then. A position in a field that declares several, but in no name, chooses all of them.
func (m *marks) results(list *ast.FieldList, at token.Pos, chosen map[int]bool) {
	if list == nil {
		return
	}
	n := 0
	for _, f := range list.List {
		for i, name := range f.Names {
			if within(name, at) || chosen[n+i] {
				chosen[n+i] = true
				m.node(name)
				return
			}
		}
		if within(f, at) || chosen[n] {
			chosen[n] = true
			for i := range f.Names {
				chosen[n+i] = true
			}
			m.node(f)
			return
		}
		n += max(1, len(f.Names))
	}
}

func within(n ast.Node, pos token.Pos) bool { return n.Pos() <= pos && pos < n.End() }

func isArgument(call, n ast.Node) bool {
	c, ok := call.(*ast.CallExpr)
	return ok && ast.Node(c.Fun) != n
}

// returns calls fn for the return statements of a function body.
func returns(body *ast.BlockStmt, fn func(*ast.ReturnStmt)) {
	if body == nil {
		return
	}
	ast.Inspect(body, func(n ast.Node) bool {
		if r, ok := n.(*ast.ReturnStmt); ok {
			fn(r)
			return false
		}
		return !isFunction(n)
	})
}
