package refactor

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// signatureAround is that of the function around the innermost of some nodes.
func (r *Request) signatureAround(path []ast.Node) *types.Signature {
	for _, n := range path {
		switch n := n.(type) {
		case *ast.FuncLit:
			s, _ := types.Unalias(typeOr(r.Info.TypeOf(n))).(*types.Signature)
			return s
		case *ast.FuncDecl:
			if fn, ok := r.Info.Defs[n.Name].(*types.Func); ok {
				return fn.Signature()
			}
			return nil
		}
	}
	return nil
}

func returnAround(path []ast.Node) *ast.ReturnStmt {
	for _, n := range path {
		switch n := n.(type) {
		case *ast.ReturnStmt:
			return n
		case *ast.FuncLit, *ast.FuncDecl:
			return nil
		}
	}
	return nil
}

// fillReturn gives a return the values that it lacks: those that are there go where they fit, the
// others are variables in reach or zero values.
func fillReturn(r *Request, _ types.Error, path []ast.Node) []Change {
	ret, s := returnAround(path), r.signatureAround(path)
	if ret == nil || s == nil || s.Results().Len() == 0 {
		return nil
	}
	if len(ret.Results) == 1 {
		if _, ok := r.Info.TypeOf(ret.Results[0]).(*types.Tuple); ok {
			return nil
		}
	}
	i := r.importerAt(ret.Pos())
	used := make([]bool, len(ret.Results))
	fill := func() (values []string, fits bool) {
		for want := range s.Results().Variables() {
			value := ""
			for n, x := range ret.Results {
				if t := r.Info.TypeOf(x); !used[n] && t != nil && types.AssignableTo(t, want.Type()) {
					used[n], value = true, r.textOf(x)
					break
				}
			}
			if value == "" {
				value = r.returnable(want.Type(), ret)
			}
			if value == "" {
				value = i.zero(want.Type())
			}
			if value == "" {
				return nil, false
			}
			values = append(values, value)
		}
		for n, x := range ret.Results {
			if !used[n] && r.hasEffect(x) {
				return nil, false
			}
		}
		return values, true
	}
	values, fits := fill()
	if !fits {
		return nil
	}
	return []Change{{Title: "Fill in return values", Preferred: true, Make: func() (*lsp.WorkspaceEdit, error) {
		edits, err := i.imports()
		if err != nil {
			return nil, err
		}
		return r.edit(append(edits, r.replace(ret.Pos(), ret.End(), "return "+strings.Join(values, ", ")))...)
	}}}
}

// returnable is an error in reach that a return may have meant; "" if there is none.
func (r *Request) returnable(t types.Type, ret *ast.ReturnStmt) string {
	if !types.Identical(t, types.Universe.Lookup("error").Type()) {
		return ""
	}
	scope, obj := r.scopeAt(ret.Pos()).LookupParent("err", ret.Pos())
	if v, ok := obj.(*types.Var); ok && scope != r.Package.Scope() && types.AssignableTo(v.Type(), t) {
		return "err"
	}
	return ""
}

// deleteResults takes the values of a return away in a function that returns none.
func deleteResults(r *Request, _ types.Error, path []ast.Node) []Change {
	ret, s := returnAround(path), r.signatureAround(path)
	if ret == nil || s == nil || s.Results().Len() > 0 || len(ret.Results) == 0 {
		return nil
	}
	return []Change{{Title: "Delete return values", Preferred: true, Make: func() (*lsp.WorkspaceEdit, error) {
		return r.edit(r.replace(ret.Return, ret.End(), "return"))
	}}}
}

// addReturn ends a function with a return of zero values.
func addReturn(r *Request, _ types.Error, path []ast.Node) []Change {
	s := r.signatureAround(path)
	var body *ast.BlockStmt
	for _, n := range path {
		if b, ok := n.(*ast.BlockStmt); ok {
			body = b
			continue
		}
		switch n := n.(type) {
		case *ast.FuncLit:
			body = n.Body
		case *ast.FuncDecl:
			body = n.Body
		default:
			continue
		}
		break
	}
	if s == nil || body == nil || !body.Rbrace.IsValid() {
		return nil
	}
	i := r.importerAt(body.Rbrace)
	var values []string
	for v := range s.Results().Variables() {
		value := i.zero(v.Type())
		if value == "" {
			return nil
		}
		values = append(values, value)
	}
	return []Change{{Title: "Add return", Make: func() (*lsp.WorkspaceEdit, error) {
		edits, err := i.imports()
		if err != nil {
			return nil, err
		}
		text := "return " + strings.Join(values, ", ")
		indent := r.indent(body.Rbrace)
		at := r.lineStart(body.Rbrace)
		if r.line(body.Lbrace) == r.line(body.Rbrace) {
			return r.edit(append(edits, r.replace(body.Rbrace, body.Rbrace, "\n"+indent+"\t"+text+"\n"+indent))...)
		}
		return r.edit(append(edits, r.replace(at, at, indent+"\t"+text+"\n"))...)
	}}}
}

// wanted is the type that the place of an expression asks for; nil if that is not known. The path
// is what is around the expression.
func (r *Request) wanted(x ast.Expr, path []ast.Node) types.Type {
	if len(path) == 0 {
		return nil
	}
	switch p := path[0].(type) {
	case *ast.ParenExpr:
		return r.wanted(p, path[1:])
	case *ast.AssignStmt:
		for i, v := range p.Rhs {
			if v == x && len(p.Lhs) == len(p.Rhs) {
				return r.Info.TypeOf(p.Lhs[i])
			}
		}
		for i, v := range p.Lhs {
			if v == x && len(p.Lhs) == len(p.Rhs) {
				return r.Info.TypeOf(p.Rhs[i])
			}
			if v == x && len(p.Rhs) == 1 {
				if tuple, ok := r.Info.TypeOf(p.Rhs[0]).(*types.Tuple); ok && i < tuple.Len() {
					return tuple.At(i).Type()
				}
			}
		}
	case *ast.ValueSpec:
		if p.Type != nil {
			return r.Info.TypeOf(p.Type)
		}
	case *ast.ReturnStmt:
		s := r.signatureAround(path)
		for i, v := range p.Results {
			if v == x && s != nil && i < s.Results().Len() && len(p.Results) == s.Results().Len() {
				return s.Results().At(i).Type()
			}
		}
	case *ast.CallExpr:
		s, ok := types.Unalias(typeOr(r.Info.TypeOf(p.Fun))).(*types.Signature)
		if !ok {
			if tv, known := r.Info.Types[p.Fun]; known && tv.IsType() {
				return tv.Type
			}
			return nil
		}
		for i, v := range p.Args {
			if v != x {
				continue
			}
			last := s.Params().Len() - 1
			switch {
			case s.Variadic() && i >= last && !p.Ellipsis.IsValid():
				if slice, ok := s.Params().At(last).Type().(*types.Slice); ok {
					return slice.Elem()
				}
			case i <= last:
				return s.Params().At(i).Type()
			}
		}
	case *ast.BinaryExpr:
		other := p.X
		if other == x {
			other = p.Y
		}
		if t := r.Info.TypeOf(other); t != nil {
			return types.Default(t)
		}
	case *ast.IfStmt, *ast.ForStmt:
		return types.Typ[types.Bool]
	case *ast.UnaryExpr:
		return r.wanted(p, path[1:])
	case *ast.KeyValueExpr:
		if lit, ok := nodeAt[*ast.CompositeLit](path, 1); ok {
			switch t := typeOr(r.Info.TypeOf(lit)).Underlying().(type) {
			case *types.Struct:
				if id, ok := p.Key.(*ast.Ident); ok && p.Value == x {
					for f := range t.Fields() {
						if f.Name() == id.Name {
							return f.Type()
						}
					}
				}
			case *types.Map:
				if p.Value == x {
					return t.Elem()
				}
				return t.Key()
			case interface{ Elem() types.Type }:
				return t.Elem()
			}
		}
	case *ast.CompositeLit:
		switch t := typeOr(r.Info.TypeOf(p)).Underlying().(type) {
		case interface{ Elem() types.Type }:
			return t.Elem()
		case *types.Struct:
			for i, v := range p.Elts {
				if v == x && i < t.NumFields() {
					return t.Field(i).Type()
				}
			}
		}
	case *ast.SendStmt:
		if ch, ok := typeOr(r.Info.TypeOf(p.Chan)).Underlying().(*types.Chan); ok && p.Value == x {
			return ch.Elem()
		}
	case *ast.IndexExpr:
		if m, ok := typeOr(r.Info.TypeOf(p.X)).Underlying().(*types.Map); ok && p.Index == x {
			return m.Key()
		}
		if p.Index == x {
			return types.Typ[types.Int]
		}
	case *ast.CaseClause:
		for _, n := range path {
			if s, ok := n.(*ast.SwitchStmt); ok && s.Tag != nil {
				return r.Info.TypeOf(s.Tag)
			}
		}
	}
	return nil
}

func nodeAt[T ast.Node](path []ast.Node, i int) (n T, ok bool) {
	if i >= len(path) {
		return n, false
	}
	n, ok = path[i].(T)
	return n, ok
}
