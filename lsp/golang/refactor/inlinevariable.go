package refactor

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// inlineVariable puts the value of a local variable in the place of its use, if the variable is
// assigned but once and the value is the same at the use.
func inlineVariable(r *Request) []Change {
	id := r.IdentAt(r.Start)
	if id == nil {
		return nil
	}
	v, ok := r.Info.Uses[id].(*types.Var)
	if !ok || v.IsField() || v.Parent() == nil || v.Parent() == r.Package.Scope() || v.Pkg() != r.Package {
		return nil
	}
	value, ok := r.onlyValue(v)
	path := r.Enclosing(r.File.Offset(id.Pos()), r.File.Offset(id.End()))
	if !ok || len(path) < 2 || r.needsAddress(id, path[1:]) {
		return nil
	}
	uses := 0
	var declared *ast.Ident
	for use, obj := range r.Info.Uses {
		if obj == v && use.Pos().IsValid() {
			uses++
		}
	}
	for at, obj := range r.Info.Defs {
		if obj == v {
			declared = at
		}
	}
	return []Change{{Title: fmt.Sprintf("Inline variable %q", v.Name()), Make: func() (*lsp.WorkspaceEdit, error) {
		if why := r.notTheSameAt(value, id.Pos()); why != "" {
			return nil, fmt.Errorf("%s cannot be inlined: %s", v.Name(), why)
		}
		text := r.textOf(value)
		if !strings.Contains(text, "`") {
			text = strings.ReplaceAll(text, "\n"+r.indent(value.Pos()), "\n"+r.indent(id.Pos()))
		}
		if needsParens(value) && r.bindsCloser(id, value) {
			text = "(" + text + ")"
		}
		edits := []lsp.TextEdit{r.replace(id.Pos(), id.End(), text)}
		if uses == 1 {
			gone, ok := r.removeDeclaration(declared, value)
			if !ok {
				return nil, fmt.Errorf("%s cannot be inlined: nothing would use it then", v.Name())
			}
			edits = append(edits, gone)
		}
		return r.edit(edits...)
	}}}
}

// removeDeclaration takes the statement away that declares a variable alone; its value has been
// moved.
func (r *Request) removeDeclaration(name *ast.Ident, value ast.Expr) (lsp.TextEdit, bool) {
	path := r.Enclosing(r.File.Offset(name.Pos()), r.File.Offset(name.End()))
	for i, n := range path {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if len(n.Lhs) != 1 || r.isInit(path[i-1:], n) {
				return lsp.TextEdit{}, false
			}
			return r.removeStatement(n), true
		case *ast.DeclStmt:
			if g, ok := n.Decl.(*ast.GenDecl); !ok || len(g.Specs) != 1 || len(g.Specs[0].(*ast.ValueSpec).Names) != 1 {
				return lsp.TextEdit{}, false
			}
			return r.removeStatement(n), true
		case *ast.BlockStmt:
			return lsp.TextEdit{}, false
		}
	}
	return lsp.TextEdit{}, false
}

// onlyValue is what a variable is declared with; not ok if it is assigned again, or its address is
// taken.
func (r *Request) onlyValue(v *types.Var) (value ast.Expr, ok bool) {
	fine := true
	isV := func(x ast.Expr) bool {
		for {
			switch y := ast.Unparen(x).(type) {
			case *ast.Ident:
				return r.Info.Uses[y] == v || r.Info.Defs[y] == v
			case *ast.SelectorExpr:
				x = y.X
			case *ast.IndexExpr:
				x = y.X
			default:
				return false
			}
		}
	}
	ast.Inspect(r.File.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, l := range n.Lhs {
				if !isV(l) {
					continue
				}
				if id, ok := l.(*ast.Ident); ok && r.Info.Defs[id] == v && len(n.Lhs) == len(n.Rhs) {
					value = n.Rhs[i]
				} else {
					fine = false
				}
			}
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if r.Info.Defs[name] == v {
					if len(n.Values) == len(n.Names) && (n.Type == nil || r.hasType(n.Values[i], v.Type())) {
						value = n.Values[i]
					} else {
						fine = false
					}
				}
			}
		case *ast.IncDecStmt:
			fine = fine && !isV(n.X)
		case *ast.UnaryExpr:
			fine = fine && !(n.Op == token.AND && isV(n.X))
		case *ast.RangeStmt:
			fine = fine && !(n.Key != nil && isV(n.Key)) && !(n.Value != nil && isV(n.Value))
		}
		return fine
	})
	return value, fine && value != nil
}

// hasType reports whether an expression is of a type without a place that asks for it.
func (r *Request) hasType(x ast.Expr, t types.Type) bool {
	tv := r.Info.Types[x]
	if tv.Type == nil || tv.Value != nil || tv.IsNil() || !types.Identical(tv.Type, t) {
		return false
	}
	switch x := ast.Unparen(x).(type) {
	case *ast.BinaryExpr:
		return false // a comparison or a shift takes the type that is asked for
	case *ast.UnaryExpr:
		return x.Op == token.AND || x.Op == token.ARROW
	}
	return true
}

// notTheSameAt says why an expression may mean something else at another place; "" if it does not.
func (r *Request) notTheSameAt(x ast.Expr, at token.Pos) (why string) {
	ast.Inspect(x, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || why != "" {
			return why == ""
		}
		obj := r.Info.Uses[id]
		_, isPackage := obj.(*types.PkgName)
		if obj == nil || obj.Parent() == nil || !isPackage && obj.Pkg() != r.Package && obj.Pkg() != nil ||
			x.Pos() <= obj.Pos() && obj.Pos() < x.End() && obj.Pkg() == r.Package {
			return true
		}
		if _, found := r.scopeAt(at).LookupParent(id.Name, at); found != obj {
			why = fmt.Sprintf("its value refers to %q, which is not the one there", id.Name)
			if found != nil && found.Pos().IsValid() {
				why = fmt.Sprintf("its value refers to %q, which is shadowed by the declaration at line %d", id.Name, r.line(found.Pos()))
			}
		}
		return true
	})
	return why
}

// needsParens reports whether an expression is one that an operator beside it would take apart.
func needsParens(x ast.Expr) bool {
	switch x.(type) {
	case *ast.BinaryExpr, *ast.UnaryExpr, *ast.StarExpr, *ast.FuncLit, *ast.CompositeLit:
		return true
	}
	return false
}

// bindsCloser reports whether what is around an expression would take an operator apart that took
// its place.
func (r *Request) bindsCloser(id *ast.Ident, value ast.Expr) bool {
	path := r.Enclosing(r.File.Offset(id.Pos()), r.File.Offset(id.End()))
	if len(path) < 2 {
		return false
	}
	switch p := path[1].(type) {
	case *ast.BinaryExpr:
		x, ok := value.(*ast.BinaryExpr)
		if !ok {
			return false // what has one operand binds closest
		}
		return x.Op.Precedence() < p.Op.Precedence() || x.Op.Precedence() == p.Op.Precedence() && p.Y == ast.Expr(id)
	case *ast.UnaryExpr, *ast.StarExpr, *ast.SelectorExpr, *ast.TypeAssertExpr:
		return true
	case *ast.IndexExpr:
		return p.X == id
	case *ast.SliceExpr:
		return p.X == id
	case *ast.CallExpr:
		return p.Fun == id
	case *ast.IfStmt, *ast.ForStmt, *ast.SwitchStmt, *ast.RangeStmt:
		return true // a composite literal would be taken for a block
	}
	return false
}
