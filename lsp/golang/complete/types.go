package complete

import (
	"go/ast"
	"go/types"
)

// typeOf is the type of an expression; nil if it is not known.
func (c *completer) typeOf(e ast.Expr) types.Type {
	if e == nil {
		return nil
	}
	if t := c.s.Info.TypeOf(e); t != nil && t != types.Typ[types.Invalid] {
		return t
	}
	return nil
}

// objectOf is what a name or a selector stands for; nil if that is not known.
func (c *completer) objectOf(e ast.Expr) types.Object {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return c.s.Info.Uses[e]
	case *ast.SelectorExpr:
		return c.s.Info.Uses[e.Sel]
	}
	return nil
}

// under is the underlying type; of a type parameter the one that all its types share. It is nil for
// nil.
func under(t types.Type) types.Type {
	if t == nil {
		return nil
	}
	if p, ok := types.Unalias(t).(*types.TypeParam); ok {
		return coreOf(p)
	}
	return t.Underlying()
}

// coreOf is the underlying type that all types of a type parameter have; nil if there is none.
func coreOf(p *types.TypeParam) types.Type {
	iface, ok := p.Constraint().Underlying().(*types.Interface)
	if !ok {
		return nil
	}
	var core types.Type
	for e := range iface.EmbeddedTypes() {
		u, ok := types.Unalias(e).Underlying().(*types.Interface)
		if ok {
			_ = u
			continue
		}
		terms, ok := types.Unalias(e).(*types.Union)
		if !ok {
			core = e.Underlying()
			continue
		}
		for term := range terms.Terms() {
			switch tu := term.Type().Underlying(); {
			case core == nil:
				core = tu
			case !types.Identical(core, tu):
				return nil
			}
		}
	}
	return core
}

func satisfies(p *types.TypeParam) func(types.Type) bool {
	iface, ok := p.Constraint().Underlying().(*types.Interface)
	if !ok {
		return nil
	}
	return func(t types.Type) bool { return types.Satisfies(types.Default(t), iface) }
}

// hasTypeParam reports whether a type has a type parameter in it.
func hasTypeParam(t types.Type, depth int) bool {
	in := map[*types.TypeParam]bool{}
	typeParamsIn(t, in, depth)
	return len(in) > 0
}

// typeParamsIn notes the type parameters in a type, down to a few levels.
func typeParamsIn(t types.Type, in map[*types.TypeParam]bool, depth int) {
	if depth > 8 {
		return
	}
	visit := func(t types.Type) { typeParamsIn(t, in, depth+1) }
	switch t := types.Unalias(t).(type) {
	case *types.TypeParam:
		in[t] = true
	case *types.Named:
		for arg := range t.TypeArgs().Types() {
			visit(arg)
		}
	case *types.Pointer:
		visit(t.Elem())
	case *types.Slice:
		visit(t.Elem())
	case *types.Array:
		visit(t.Elem())
	case *types.Chan:
		visit(t.Elem())
	case *types.Map:
		visit(t.Key())
		visit(t.Elem())
	case *types.Tuple:
		for v := range t.Variables() {
			visit(v.Type())
		}
	case *types.Signature:
		visit(t.Params())
		visit(t.Results())
	case *types.Struct:
		for f := range t.Fields() {
			visit(f.Type())
		}
	case *types.Interface:
		for m := range t.ExplicitMethods() {
			visit(m.Type())
		}
		for e := range t.EmbeddedTypes() {
			visit(e)
		}
	case *types.Union:
		for term := range t.Terms() {
			visit(term.Type())
		}
	}
}

// sameShape reports whether a type could be another one with its type parameters replaced.
func sameShape(p, t types.Type) bool {
	switch p := types.Unalias(p).(type) {
	case *types.TypeParam:
		core := coreOf(p)
		return core == nil || sameShape(core, t)
	case *types.Named:
		n, ok := types.Unalias(t).(*types.Named)
		return ok && n.Origin() == p.Origin()
	case *types.Slice:
		u, ok := t.Underlying().(*types.Slice)
		return ok && sameShape(p.Elem(), u.Elem())
	case *types.Array:
		u, ok := t.Underlying().(*types.Array)
		return ok && sameShape(p.Elem(), u.Elem())
	case *types.Pointer:
		u, ok := t.Underlying().(*types.Pointer)
		return ok && sameShape(p.Elem(), u.Elem())
	case *types.Chan:
		u, ok := t.Underlying().(*types.Chan)
		return ok && sameShape(p.Elem(), u.Elem())
	case *types.Map:
		u, ok := t.Underlying().(*types.Map)
		return ok && sameShape(p.Key(), u.Key()) && sameShape(p.Elem(), u.Elem())
	case *types.Signature:
		u, ok := t.Underlying().(*types.Signature)
		return ok && u.Params().Len() == p.Params().Len() && u.Results().Len() == p.Results().Len()
	default:
		return types.Identical(p, t)
	}
}

func sameType(want types.Type) func(types.Type) bool {
	iface, isInterface := want.Underlying().(*types.Interface)
	return func(t types.Type) bool {
		if isInterface && !iface.Empty() {
			return types.Implements(t, iface) || types.Implements(types.NewPointer(t), iface)
		}
		if types.Identical(want, t) {
			return true
		}
		if n, ok := types.Unalias(want).(*types.Named); ok {
			m, ok := types.Unalias(t).(*types.Named)
			return ok && m.Origin() == n.Origin()
		}
		return false
	}
}

// fitsAs reports whether values of a type can stand where those of another are wanted.
func fitsAs(wanted types.Type) func(types.Type) bool {
	same := sameType(wanted)
	return func(t types.Type) bool {
		if g, ok := t.(interface{ TypeParams() *types.TypeParamList }); ok && g.TypeParams().Len() > 0 {
			return same(t)
		}
		return types.AssignableTo(t, wanted)
	}
}

func deref(t types.Type) types.Type {
	if t == nil {
		return nil
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}

func basic(t types.Type, info types.BasicInfo) bool {
	b, ok := under(t).(*types.Basic)
	return ok && b.Info()&info != 0
}

func isInteger(t types.Type) bool { return basic(t, types.IsInteger) }
func isNumeric(t types.Type) bool { return basic(t, types.IsNumeric) }
func isString(t types.Type) bool  { return basic(t, types.IsString) }
func isBoolean(t types.Type) bool { return basic(t, types.IsBoolean) }
func isUntyped(t types.Type) bool { return basic(t, types.IsUntyped) }

func is[T types.Type](t types.Type) bool {
	_, ok := under(t).(T)
	return ok
}

func isSlice(t types.Type) bool   { return is[*types.Slice](t) }
func isArray(t types.Type) bool   { return is[*types.Array](deref(t)) }
func isMap(t types.Type) bool     { return is[*types.Map](t) }
func isChan(t types.Type) bool    { return is[*types.Chan](t) }
func isPointer(t types.Type) bool { return is[*types.Pointer](t) }

func isIndexable(t types.Type) bool {
	switch u := under(t).(type) {
	case *types.Slice, *types.Map, *types.Array:
		return true
	case *types.Pointer:
		return is[*types.Array](u.Elem())
	}
	return isString(t)
}

func isNillable(t types.Type) bool {
	switch under(t).(type) {
	case *types.Slice, *types.Map, *types.Chan, *types.Pointer, *types.Signature, *types.Interface:
		return true
	}
	return false
}

// isRangeable reports whether a loop with so many variables can go over values of a type.
func isRangeable(vars int) func(types.Type) bool {
	return func(t types.Type) bool {
		switch u := under(t).(type) {
		case *types.Chan:
			return vars < 2 && u.Dir() != types.SendOnly
		case *types.Signature:
			if u.Results().Len() > 0 || u.Params().Len() != 1 {
				return false
			}
			yield, ok := under(u.Params().At(0).Type()).(*types.Signature)
			return ok && yield.Results().Len() == 1 && isBoolean(yield.Results().At(0).Type()) &&
				vars <= yield.Params().Len() && yield.Params().Len() <= 2
		}
		return isIndexable(t)
	}
}

// isOwn reports whether a type is a defined one of the package.
func (c *completer) isOwn(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Pkg() == c.v.Package && n.Obj().Parent() == c.v.Package.Scope()
}

// hasConstants reports whether the package of a defined type has constants of it.
func (c *completer) hasConstants(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || n.Obj().Pkg() == nil {
		return false
	}
	_, ok = n.Underlying().(*types.Basic)
	if !ok {
		return false
	}
	scope := n.Obj().Pkg().Scope()
	for _, name := range scope.Names() {
		if k, ok := scope.Lookup(name).(*types.Const); ok && types.Identical(k.Type(), t) {
			return true
		}
	}
	return false
}
