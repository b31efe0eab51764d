package check

import (
	"go/ast"
	"go/types"
)

// TypeNamesAt are the declared types that what stands at an offset of a view's file has: its own,
// or the one that it points to or consists of. Of a function they are the types of its results.
func TypeNamesAt(v *View, offset int) (names []Name) {
	t := typeAt(v, offset)
	if t == nil {
		return nil
	}
	parts := []types.Type{t}
	switch t := t.(type) {
	case *types.Signature:
		parts = nil
		for r := range t.Results().Variables() {
			parts = append(parts, r.Type())
		}
	case *types.Tuple:
		parts = nil
		for r := range t.Variables() {
			parts = append(parts, r.Type())
		}
	}
	for _, t := range parts {
		if obj := typeNameOf(t); obj != nil {
			if name, ok := v.NameOf(obj); ok {
				names = append(names, name)
			}
		}
	}
	return names
}

// typeAt is the type of the innermost expression at an offset; nil if it has none.
func typeAt(v *View, offset int) types.Type {
	if id := v.IdentAt(offset); id != nil {
		if obj := v.Info.ObjectOf(id); obj != nil {
			if _, isPackage := obj.(*types.PkgName); isPackage {
				return nil
			}
			return obj.Type()
		}
		// What a type switch declares has a type in its clauses: before, it is what is switched on.
		for _, n := range v.Enclosing(v.File.Offset(id.Pos()), v.File.Offset(id.End())) {
			if s, ok := n.(*ast.TypeSwitchStmt); ok {
				if a, ok := s.Assign.(*ast.AssignStmt); ok && len(a.Rhs) == 1 {
					if assert, ok := a.Rhs[0].(*ast.TypeAssertExpr); ok {
						return v.Info.TypeOf(assert.X)
					}
				}
			}
		}
		return nil
	}
	for _, from := range []int{offset, offset - 1} {
		if from < 0 || from >= len(v.File.Text) {
			continue
		}
		path := v.Enclosing(from, from+1)
		for len(path) > 0 {
			if _, ok := path[0].(*ast.KeyValueExpr); !ok {
				break
			}
			path = path[1:] // it is the literal around it that has a type
		}
		if len(path) == 0 {
			continue
		}
		switch path[0].(type) {
		case *ast.CallExpr, *ast.CompositeLit, *ast.ParenExpr, *ast.IndexExpr, *ast.SliceExpr, *ast.StarExpr,
			*ast.TypeAssertExpr, *ast.UnaryExpr, *ast.BinaryExpr, *ast.SelectorExpr:
			if t := v.Info.TypeOf(path[0].(ast.Expr)); t != nil {
				return t
			}
		}
	}
	return nil
}

// typeNameOf is the declared type that a type is, points to, or consists of; nil if there is none.
func typeNameOf(t types.Type) *types.TypeName {
	for {
		switch u := t.(type) {
		case *types.Named:
			return u.Obj()
		case *types.Alias:
			return u.Obj()
		case *types.TypeParam:
			return u.Obj()
		case *types.Basic:
			name, _ := types.Universe.Lookup(u.Name()).(*types.TypeName)
			return name
		case interface{ Elem() types.Type }: // pointers, slices, arrays, maps, channels
			t = u.Elem()
		default:
			return nil
		}
	}
}
