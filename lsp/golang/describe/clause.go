package describe

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
)

// ofReturn are the types of the results that a return statement gives; nil if there are none.
func ofReturn(v *check.View, around []ast.Node) *lsp.Hover {
	at := around[len(around)-1]
	for i := len(around) - 1; i >= 0; i-- {
		var typ *ast.FuncType
		switch n := around[i].(type) {
		case *ast.FuncLit:
			typ = n.Type
		case *ast.FuncDecl:
			typ = n.Type
		default:
			continue
		}
		if typ.Results == nil {
			return nil
		}
		var list []string
		for _, f := range typ.Results.List {
			list = append(list, source(v.File, f.Type))
		}
		return &lsp.Hover{
			Span: v.File.Span(at.Pos(), at.End()), Language: "go", Signature: "returns (" + strings.Join(list, ", ") + ")",
		}
	}
	return nil
}

// ofTypeCase says which types a clause of a type switch matches that none before it does, of those
// that the package of the interface declares; nil for clauses that name what they match.
func ofTypeCase(v *check.View, s *ast.TypeSwitchStmt, clause *ast.CaseClause) *lsp.Hover {
	iface, matched, ok := typesOfCase(v, s, clause)
	if !ok {
		return nil
	}
	named := func(x ast.Expr) bool { t := v.Info.TypeOf(x); return t == nil || !types.IsInterface(t) }
	if len(clause.List) > 0 && len(matched) > 0 {
		all := true
		for _, x := range clause.List {
			all = all && named(x)
		}
		if all {
			return nil
		}
	}
	sealed := false
	for m := range types.NewMethodSet(iface.Type()).Methods() {
		sealed = sealed || !m.Obj().Exported()
	}
	var names []string
	for _, t := range matched {
		if t == types.Typ[types.UntypedNil] {
			names = append(names, "nil")
		} else {
			names = append(names, types.TypeString(t, func(*types.Package) string { return "" }))
		}
	}
	path := iface.Pkg().Path()
	var short, long string
	switch least := "at least "; {
	case len(names) == 0 && sealed:
		short, long = "matches no types", "Matches no types."
	case len(names) == 0:
		short, long = "matches no types from "+path, "Matches no types from package "+path+"."
	default:
		if sealed {
			least = ""
		}
		const shown = 3
		short = "matches " + least + strings.Join(names[:min(shown, len(names))], ", ")
		if more := len(names) - shown; more > 0 {
			short += fmt.Sprintf(" + %d more", more)
		}
		long = fmt.Sprintf("Matches %sthese %d types from package %s:\n\n", least, len(names), path)
		for _, name := range names {
			long += "\t- " + name + "\n"
		}
	}
	return &lsp.Hover{
		Span: v.File.Span(clause.Pos(), clause.Colon+1), Language: "go",
		Signature: short, Doc: strings.TrimSpace(long), DocMarkdown: markdown(long),
	}
}

// typesOfCase are the declared type that a type switch is on and those types, nil first, that a
// clause of it matches and none before it does.
func typesOfCase(v *check.View, s *ast.TypeSwitchStmt, clause *ast.CaseClause) (iface *types.TypeName, matched []types.Type, ok bool) {
	var x *ast.TypeAssertExpr
	switch a := s.Assign.(type) {
	case *ast.AssignStmt:
		if len(a.Rhs) == 1 {
			x, _ = a.Rhs[0].(*ast.TypeAssertExpr)
		}
	case *ast.ExprStmt:
		x, _ = a.X.(*ast.TypeAssertExpr)
	}
	if x == nil {
		return nil, nil, false
	}
	on := v.Info.TypeOf(x.X)
	if on == nil || !types.IsInterface(on) {
		return nil, nil, false
	}
	switch t := on.(type) {
	case *types.Named:
		iface = t.Obj()
	case *types.Alias:
		iface = t.Obj()
	default:
		return nil, nil, false
	}
	if iface.Pkg() == nil {
		return nil, nil, false
	}
	left := candidates(v, on, iface.Pkg())
	for _, stmt := range s.Body.List {
		c, ok := stmt.(*ast.CaseClause)
		if !ok {
			continue
		}
		var taken, rest []types.Type
		for _, t := range left {
			if len(c.List) == 0 && c == clause || matches(v, c.List, t) {
				taken = append(taken, t)
			} else {
				rest = append(rest, t)
			}
		}
		if c == clause {
			return iface, taken, true
		}
		if left = rest; len(c.List) == 0 {
			left = nil
		}
	}
	return nil, nil, false
}

// candidates are nil and the types of a package, or pointers to them, that have the methods of an
// interface.
func candidates(v *check.View, iface types.Type, pkg *types.Package) []types.Type {
	list := []types.Type{types.Typ[types.UntypedNil]}
	for _, name := range pkg.Scope().Names() {
		obj, ok := pkg.Scope().Lookup(name).(*types.TypeName)
		if !ok || obj.IsAlias() || types.IsInterface(obj.Type()) || !accessible(obj, v.Package) {
			continue
		}
		if types.AssignableTo(obj.Type(), iface) {
			list = append(list, obj.Type())
		} else if p := types.NewPointer(obj.Type()); types.AssignableTo(p, iface) {
			list = append(list, p)
		}
	}
	return list
}

// matches reports whether one of the types of a clause matches a value of a type.
func matches(v *check.View, clause []ast.Expr, t types.Type) bool {
	null := types.Typ[types.UntypedNil]
	for _, x := range clause {
		of := v.Info.TypeOf(x)
		switch {
		case of == nil:
		case t == null || types.Identical(of, null):
			if t == null && types.Identical(of, null) {
				return true
			}
		case types.IsInterface(of):
			if types.AssignableTo(t, of) {
				return true
			}
		case types.Identical(t, of):
			return true
		}
	}
	return false
}
