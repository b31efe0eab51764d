package check

import (
	"go/ast"
	"go/types"
)

// declareSwitches makes the name in the header of each type switch a declaration with the type of
// what is switched on. The checker has no object for it: each clause declares a variable of its own
// at that place, which uses the name with the type of the clause.
func (b *partBuilder) declareSwitches() {
	b.unit.Inspect(func(n ast.Node) bool {
		s, ok := n.(*ast.TypeSwitchStmt)
		if !ok {
			return true
		}
		if id, x := switchHeader(s); id != nil {
			if typ := b.typeOf(s, x); typ != nil {
				b.declareObject(types.NewVar(id.Pos(), b.pkg, id.Name, typ), id.Pos(), id.End())
			}
		}
		return true
	})
}

// switchHeader is the name that a type switch declares and the expression that it switches on; nil
// for one that declares none.
func switchHeader(s *ast.TypeSwitchStmt) (*ast.Ident, ast.Expr) {
	assign, ok := s.Assign.(*ast.AssignStmt)
	if !ok || len(assign.Lhs) != 1 || len(assign.Rhs) != 1 {
		return nil, nil
	}
	id, ok := assign.Lhs[0].(*ast.Ident)
	if !ok {
		return nil, nil
	}
	x, ok := assign.Rhs[0].(*ast.TypeAssertExpr)
	if !ok {
		return nil, nil
	}
	return id, ast.Unparen(x.X)
}

// typeOf is the type of what a type switch switches on; nil if it is not known. The checker is not
// told to keep the types of all expressions, which are many and needed nowhere else.
func (b *partBuilder) typeOf(s *ast.TypeSwitchStmt, x ast.Expr) types.Type {
	switch x := x.(type) {
	case *ast.Ident:
		if obj := b.unit.Facts.Info.Uses[x]; obj != nil {
			return known(obj.Type())
		}
		return nil
	case *ast.SelectorExpr:
		if v, ok := b.unit.Facts.Info.Uses[x.Sel].(*types.Var); ok {
			return known(v.Type())
		}
		return nil
	}
	for _, clause := range s.Body.List {
		// Without a single type to narrow it down, a clause has what is switched on.
		if clause, ok := clause.(*ast.CaseClause); ok && len(clause.List) != 1 {
			if v, ok := b.unit.Facts.Info.Implicits[clause].(*types.Var); ok {
				return known(v.Type())
			}
		}
	}
	if types := b.unit.Types; types != nil {
		return known(types[x].Type)
	}
	info := types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	if err := types.CheckExpr(b.unit.Positions, b.pkg, x.Pos(), x, &info); err != nil {
		return nil
	}
	return known(info.Types[x].Type)
}

// known is a type, nil if it is invalid.
func known(t types.Type) types.Type {
	if t == nil || t == types.Typ[types.Invalid] {
		return nil
	}
	return t
}
