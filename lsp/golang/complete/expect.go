package complete

import (
	"go/ast"
	"go/token"
	"go/types"
	"go/version"
	"slices"
)

// A want is what fits at a place.
type want struct {
	typ      types.Type            // that a value must be assignable to; nil: any or not known
	results  *types.Tuple          // values that one call may give; a type may be nil
	rest     bool                  // further results may follow, of the type of the last one
	within   []modifier            // what is done to the value where it stands, in order
	variadic types.Type            // the slice that can be given with dots
	pred     func(types.Type) bool // what else a type must be; nil: anything
	name     string                // of the parameter or field that the value is for

	isType     bool // a type is wanted, not a value
	typePred   func(types.Type) bool
	pointers   bool           // a pointer to the type will do, too
	literal    bool           // the type is that of a literal
	exact      bool           // typ is what a type argument says
	inject     []types.Type   // types without names that fit
	convert    types.Type     // what the value is converted to
	assignable bool           // a variable is wanted
	compared   bool           // the value is compared for equality
	constants  bool           // constants are rather wanted
	called     bool           // what is wanted is called where it stands
	callWanted bool           // a call is wanted, such as behind go and defer
	statement  bool           // the place is the start of a statement
	taken      []types.Object // values that are there already, as in other cases of a switch
	loose      bool           // the type is a guess
	orType     *want          // a type will do, too, of those that this says
	open       types.Type     // what the value must be, with type parameters that are not known
}

// expect finds out what fits in the place of an expression, from the nodes around it, innermost
// first.
func (c *completer) expect(expr ast.Expr, around []ast.Node) want {
	if len(around) == 0 {
		return want{}
	}
	is := func(e ast.Expr) bool { return e == expr }
	in := func(list []ast.Expr) int { return slices.IndexFunc(list, is) }
	typeOf := func(e ast.Expr) types.Type { return c.typeOf(e) }
	switch n := around[0].(type) {
	case *ast.ParenExpr:
		return c.expect(n, around[1:])
	case *ast.ExprStmt:
		if len(around) > 1 {
			switch around[1].(type) { // a header that is not whole is taken for its first statement
			case *ast.IfStmt:
				return want{typ: types.Typ[types.Bool]}
			case *ast.ForStmt, *ast.SwitchStmt:
				return want{}
			case *ast.CommClause:
				return want{pred: isChan}
			}
		}
		return want{statement: true}
	case *ast.LabeledStmt:
		return want{statement: true}
	case *ast.AssignStmt:
		return c.expectAssigned(n, expr)
	case *ast.ReturnStmt:
		sig := c.signatureAround(around)
		if sig == nil {
			return want{}
		}
		i := in(n.Results)
		if i < 0 || i >= sig.Results().Len() {
			return want{}
		}
		w := want{typ: sig.Results().At(i).Type(), name: sig.Results().At(i).Name()}
		if len(n.Results) == 1 && sig.Results().Len() > 1 {
			w.results = sig.Results()
		}
		return w
	case *ast.CallExpr:
		if is(n.Fun) {
			if len(around) > 1 {
				switch around[1].(type) {
				case *ast.GoStmt, *ast.DeferStmt:
					return want{called: true, callWanted: true}
				case *ast.ExprStmt:
					return want{called: true, statement: true}
				}
			}
			w := c.expect(n, around[1:])
			w.called = true
			return w
		}
		if i := in(n.Args); i >= 0 {
			return c.expectArgument(n, i, around[1:])
		}
	case *ast.BinaryExpr:
		return c.expectOperand(n, expr, around[1:])
	case *ast.UnaryExpr:
		switch n.Op {
		case token.AND:
			return c.expect(n, around[1:]).inside(addressed)
		case token.NOT:
			return want{typ: types.Typ[types.Bool]}
		case token.ARROW:
			if _, ok := nodeAt[*ast.CommClause](around, 2); ok {
				return want{pred: isChan}
			}
			return c.expect(n, around[1:]).inside(received)
		case token.TILDE:
			return want{isType: true}
		default:
			w := c.expect(n, around[1:])
			if w.typ == nil {
				w.pred = isNumeric
			}
			return w
		}
	case *ast.StarExpr:
		w := c.expect(n, around[1:])
		if !w.isType {
			return w.inside(pointed)
		}
		out := want{isType: true, taken: w.taken}
		if w.typePred != nil {
			out.typePred = func(t types.Type) bool { return w.typePred(types.NewPointer(t)) }
		}
		return out
	case *ast.IndexExpr:
		if is(n.Index) {
			return c.expectIndex(n, n.X, 0, around)
		}
		if len(around) > 1 {
			if _, ok := around[1].(*ast.Field); ok {
				return want{isType: true}
			}
		}
		return want{pred: isIndexable}
	case *ast.IndexListExpr:
		if i := in(n.Indices); i >= 0 {
			return c.expectIndex(n, n.X, i, around)
		}
	case *ast.SliceExpr:
		if is(n.X) {
			return want{pred: isIndexable}
		}
		return want{pred: isInteger}
	case *ast.CompositeLit:
		if is(n.Type) {
			w := c.expect(n, around[1:])
			if w.typ != nil {
				out := want{isType: true, typePred: fitsAs(w.typ), pointers: true, literal: true}
				for _, m := range w.within {
					if m == addressed {
						out.typePred = func(t types.Type) bool { return fitsAs(w.typ)(types.NewPointer(t)) }
						out.pointers = false
					}
				}
				return out
			}
			return want{isType: true}
		}
		return c.expectElement(n, in(n.Elts))
	case *ast.KeyValueExpr:
		lit, ok := nodeAt[*ast.CompositeLit](around, 1)
		if !ok {
			return want{}
		}
		if is(n.Key) {
			if m, ok := under(typeOf(lit)).(*types.Map); ok {
				return want{typ: m.Key()}
			}
			if t := deref(typeOf(lit)); isSlice(t) || isArray(t) {
				return want{pred: isInteger}
			}
			return want{}
		}
		return c.expectValue(lit, n.Key)
	case *ast.ValueSpec:
		if is(n.Type) {
			return want{isType: true}
		}
		i := in(n.Values)
		if n.Type != nil {
			return want{typ: typeOf(n.Type), name: nameAt(n.Names, i)}
		}
		return want{name: nameAt(n.Names, i)}
	case *ast.SendStmt:
		if is(n.Value) {
			if ch, ok := under(typeOf(n.Chan)).(*types.Chan); ok {
				return want{typ: ch.Elem()}
			}
			return want{}
		}
		return want{pred: isChan}
	case *ast.IfStmt:
		if is(n.Cond) {
			return want{typ: types.Typ[types.Bool]}
		}
	case *ast.ForStmt:
		if is(n.Cond) {
			return want{typ: types.Typ[types.Bool]}
		}
	case *ast.IncDecStmt:
		return want{pred: isNumeric, assignable: true}
	case *ast.RangeStmt:
		if is(n.X) {
			vars := 0
			for _, v := range []ast.Expr{n.Key, n.Value} {
				if v != nil {
					vars++
				}
			}
			return want{pred: isRangeable(vars)}
		}
		return want{assignable: true}
	case *ast.CaseClause:
		return c.expectCase(around)
	case *ast.TypeAssertExpr:
		if is(n.Type) {
			return c.expectAsserted(n.X)
		}
		return want{pred: func(t types.Type) bool { return types.IsInterface(t) }}
	case *ast.GoStmt, *ast.DeferStmt:
		return want{callWanted: true}
	case *ast.Field:
		if is(n.Type) {
			if len(around) > 2 {
				if s, ok := around[2].(*ast.InterfaceType); ok && len(n.Names) == 0 && s != nil {
					return want{isType: true, typePred: func(t types.Type) bool { return types.IsInterface(t) }}
				}
				if f, ok := around[2].(*ast.FuncDecl); ok && around[1] == ast.Node(f.Recv) {
					return want{isType: true, typePred: c.isOwn}
				}
			}
			return want{isType: true}
		}
	case *ast.TypeSpec:
		return want{isType: true}
	case *ast.ArrayType:
		if is(n.Len) {
			return want{typ: types.Typ[types.Int], constants: true}
		}
		return c.expectPartOfType(n, around, func(t types.Type) types.Type {
			switch t := t.Underlying().(type) {
			case *types.Slice:
				return t.Elem()
			case *types.Array:
				return t.Elem()
			}
			return nil
		}, false)
	case *ast.MapType:
		return c.expectPartOfType(n, around, func(t types.Type) types.Type {
			if m, ok := t.Underlying().(*types.Map); ok {
				if is(n.Key) {
					return m.Key()
				}
				return m.Elem()
			}
			return nil
		}, is(n.Key))
	case *ast.ChanType, *ast.Ellipsis:
		return want{isType: true}
	}
	return want{}
}

// inside is what is wanted of a value that an operator is applied to.
func (w want) inside(m modifier) want {
	w.within = append([]modifier{m}, w.within...)
	w.results, w.pointers, w.statement = nil, false, false
	return w
}

// unknown reports whether nothing is known of what a value must be.
func (w *want) unknown() bool {
	return w.typ == nil && w.pred == nil && w.convert == nil && len(w.within) == 0
}

// expectPartOfType is for a part of a type that is written where a value of a known type belongs.
func (c *completer) expectPartOfType(n ast.Expr, around []ast.Node, part func(types.Type) types.Type, key bool) want {
	w := c.expect(n, around[1:])
	out := want{isType: true}
	if w.typ != nil {
		if t := part(w.typ); t != nil {
			out.typePred = sameType(t)
			return out
		}
	}
	if key {
		out.typePred, out.pointers = types.Comparable, true
	}
	return out
}

func (c *completer) expectAssigned(n *ast.AssignStmt, expr ast.Expr) want {
	if i := slices.Index(n.Rhs, expr); i >= 0 {
		if n.Tok == token.SHL_ASSIGN || n.Tok == token.SHR_ASSIGN {
			return want{pred: isInteger}
		}
		if i < len(n.Lhs) {
			w := want{}
			if id, ok := n.Lhs[i].(*ast.Ident); ok {
				w.name = id.Name
			}
			if n.Tok != token.DEFINE {
				w.typ = c.typeOf(n.Lhs[i])
				if s, ok := n.Lhs[i].(*ast.SelectorExpr); ok {
					w.name = s.Sel.Name
				}
			} else if id, ok := n.Lhs[i].(*ast.Ident); ok && c.s.Info.Defs[id] == nil {
				w.typ = c.typeOf(id)
			}
			if len(n.Rhs) == 1 {
				var vars []*types.Var
				for _, l := range n.Lhs {
					var t types.Type
					if id, ok := l.(*ast.Ident); !ok || c.s.Info.Defs[id] == nil {
						t = c.typeOf(l)
					}
					vars = append(vars, types.NewVar(0, nil, "", t))
				}
				w.results = types.NewTuple(vars...)
			} else {
				w.results = types.NewTuple(types.NewVar(0, nil, "", w.typ))
			}
			return w
		}
		return want{}
	}
	w := want{assignable: true}
	if i := slices.Index(n.Lhs, expr); i >= 0 && len(n.Lhs) == len(n.Rhs) && n.Tok == token.ASSIGN {
		t := c.typeOf(n.Rhs[i])
		if t != nil {
			w.pred = func(v types.Type) bool { return types.AssignableTo(types.Default(t), v) }
		}
	}
	if n.Tok == token.ADD_ASSIGN || n.Tok == token.SUB_ASSIGN {
		w.pred = func(t types.Type) bool { return isNumeric(t) || isString(t) }
	}
	return w
}

// expectArgument is what an argument of a call must be.
func (c *completer) expectArgument(call *ast.CallExpr, i int, around []ast.Node) want {
	fun := ast.Unparen(call.Fun)
	tv := c.s.Info.Types[fun]
	_, isBuiltin := c.objectOf(fun).(*types.Builtin)
	switch {
	case isBuiltin:
		return c.expectBuiltin(fun, call, i, around)
	case tv.IsType():
		return want{convert: tv.Type}
	}
	sig, ok := under(tv.Type).(*types.Signature)
	if !ok {
		return want{}
	}
	if w, ok := c.expectVerb(call, sig, i); ok {
		return w
	}
	sig, exact := c.instantiated(call, sig, around)
	n := sig.Params().Len()
	if n == 0 {
		return want{}
	}
	w := want{exact: exact}
	at := min(i, n-1)
	p := sig.Params().At(at)
	w.name, w.typ = p.Name(), p.Type()
	if sig.Variadic() && at == n-1 && !call.Ellipsis.IsValid() {
		if s, ok := p.Type().Underlying().(*types.Slice); ok {
			w.typ = s.Elem()
			if i == n-1 && len(call.Args) <= n {
				w.variadic = s
			}
		}
	} else if i >= n {
		return want{}
	}
	w.open = w.typ
	if t, ok := w.typ.(*types.TypeParam); ok {
		if !c.inScope(t) {
			w.typ = nil
			if ct := coreOf(t); ct != nil {
				w.typ = ct
			} else {
				w.pred = satisfies(t)
			}
		}
	} else if hasTypeParam(w.typ, 0) && !c.knowsParams(w.typ) {
		shape := w.typ
		w.typ, w.pred = nil, func(t types.Type) bool { return sameShape(shape, t) }
	}
	if i == 0 && len(call.Args) <= 1 {
		w.results, w.rest = sig.Params(), sig.Variadic()
	}
	return w
}

// instantiated puts what is expected of its results, and the types of the other arguments, into the
// signature of a generic function. exact is true if the former said something.
func (c *completer) instantiated(call *ast.CallExpr, sig *types.Signature, around []ast.Node) (inst *types.Signature, exact bool) {
	tps := sig.TypeParams()
	if tps.Len() == 0 {
		return sig, false
	}
	bound := c.boundByResults(call, sig, around)
	exact = len(bound) > 0
	for i, arg := range call.Args {
		t := c.typeOf(arg)
		if t == nil || i >= sig.Params().Len() {
			continue
		}
		p := sig.Params().At(i).Type()
		if sig.Variadic() && i == sig.Params().Len()-1 {
			if s, ok := p.Underlying().(*types.Slice); ok {
				p = s.Elem()
			}
		}
		bind(p, types.Default(t), bound, 0)
	}
	args := make([]types.Type, tps.Len())
	for i := range args {
		if args[i] = bound[tps.At(i)]; args[i] == nil {
			args[i] = tps.At(i)
		}
	}
	t, err := types.Instantiate(nil, sig, args, false)
	if err != nil {
		return sig, false
	}
	return t.(*types.Signature), exact
}

// boundByResults are type parameters of a function as what is expected of a call says.
func (c *completer) boundByResults(call *ast.CallExpr, sig *types.Signature, around []ast.Node) map[*types.TypeParam]types.Type {
	bound := map[*types.TypeParam]types.Type{}
	n := sig.Results().Len()
	if n == 0 {
		return bound
	}
	w := c.expect(call, around)
	switch {
	case w.results != nil && w.results.Len() == n && n > 1:
		for i := range n {
			if t := w.results.At(i).Type(); t != nil && t != types.Typ[types.Invalid] {
				bind(sig.Results().At(i).Type(), t, bound, 0)
			}
		}
	case n == 1 && w.typ != nil && len(w.within) == 0 && !isEmptyInterface(w.typ) && !isUntyped(w.typ):
		bind(sig.Results().At(0).Type(), w.typ, bound, 0)
	}
	for p, t := range bound {
		iface, ok := p.Constraint().Underlying().(*types.Interface)
		if !ok || !types.Satisfies(t, iface) {
			return map[*types.TypeParam]types.Type{}
		}
	}
	return bound
}

// bind notes what type parameters in a type stand for in another one.
func bind(p, t types.Type, bound map[*types.TypeParam]types.Type, depth int) {
	if depth > 10 || t == nil {
		return
	}
	switch p := types.Unalias(p).(type) {
	case *types.TypeParam:
		if bound[p] == nil {
			bound[p] = t
		}
		if core := coreOf(p); core != nil {
			bind(core, t, bound, depth+1)
		}
	case *types.Slice:
		if t, ok := t.Underlying().(*types.Slice); ok {
			bind(p.Elem(), t.Elem(), bound, depth+1)
		}
	case *types.Array:
		if t, ok := t.Underlying().(*types.Array); ok {
			bind(p.Elem(), t.Elem(), bound, depth+1)
		}
	case *types.Pointer:
		if t, ok := t.Underlying().(*types.Pointer); ok {
			bind(p.Elem(), t.Elem(), bound, depth+1)
		}
	case *types.Chan:
		if t, ok := t.Underlying().(*types.Chan); ok {
			bind(p.Elem(), t.Elem(), bound, depth+1)
		}
	case *types.Map:
		if t, ok := t.Underlying().(*types.Map); ok {
			bind(p.Key(), t.Key(), bound, depth+1)
			bind(p.Elem(), t.Elem(), bound, depth+1)
		}
	case *types.Signature:
		if t, ok := t.Underlying().(*types.Signature); ok && t.Params().Len() == p.Params().Len() && t.Results().Len() == p.Results().Len() {
			for i := range p.Params().Len() {
				bind(p.Params().At(i).Type(), t.Params().At(i).Type(), bound, depth+1)
			}
			for i := range p.Results().Len() {
				bind(p.Results().At(i).Type(), t.Results().At(i).Type(), bound, depth+1)
			}
		}
	case *types.Named:
		if t, ok := types.Unalias(t).(*types.Named); ok && t.Origin() == p.Origin() && t.TypeArgs().Len() == p.TypeArgs().Len() {
			for i := range p.TypeArgs().Len() {
				bind(p.TypeArgs().At(i), t.TypeArgs().At(i), bound, depth+1)
			}
		}
	}
}

func (c *completer) expectBuiltin(fun ast.Expr, call *ast.CallExpr, i int, around []ast.Node) want {
	id, ok := fun.(*ast.Ident)
	if !ok {
		return want{} // of package unsafe
	}
	first := func() types.Type {
		if i == 0 || len(call.Args) == 0 {
			return nil
		}
		return c.typeOf(call.Args[0])
	}
	switch id.Name {
	case "append":
		if i == 0 {
			w := c.expect(call, around)
			switch {
			case w.variadic != nil:
				return want{typ: w.variadic}
			case w.typ != nil && isSlice(w.typ):
				return want{typ: w.typ}
			}
			return want{pred: isSlice}
		}
		of := first()
		if of == nil {
			of = c.expect(call, around).typ
		}
		if s, ok := under(of).(*types.Slice); ok {
			w := want{typ: s.Elem()}
			if i == 1 && len(call.Args) <= 2 && !call.Ellipsis.IsValid() {
				w.variadic = s
			}
			if call.Ellipsis.IsValid() {
				w.typ = s
			}
			if obj := c.objectOf(call.Args[0]); obj != nil {
				w.taken = append(w.taken, obj)
			}
			return w
		}
	case "copy":
		t := first()
		if i == 0 && len(call.Args) > 1 {
			t = c.typeOf(call.Args[1])
		}
		if t != nil && !isUntyped(t) {
			return want{typ: t}
		}
		return want{pred: isSlice}
	case "len":
		return want{pred: func(t types.Type) bool { return isIndexable(t) || isChan(t) }}
	case "cap":
		return want{pred: func(t types.Type) bool { return isSlice(t) || isChan(t) || isArray(t) }}
	case "close":
		return want{pred: isChan}
	case "clear":
		return want{pred: func(t types.Type) bool { return isMap(t) || isSlice(t) }}
	case "delete":
		if m, ok := under(first()).(*types.Map); ok {
			return want{typ: m.Key()}
		}
		return want{pred: isMap}
	case "make":
		if i > 0 {
			return want{pred: isInteger}
		}
		w := c.expect(call, around)
		if w.typ != nil && (isMap(w.typ) || isSlice(w.typ) || isChan(w.typ)) {
			return want{isType: true, typePred: fitsAs(w.typ), inject: []types.Type{w.typ}}
		}
		return want{isType: true, typePred: func(t types.Type) bool { return isMap(t) || isSlice(t) || isChan(t) }}
	case "new":
		w := c.expect(call, around)
		out, value := want{isType: true}, want{}
		if p, ok := under(w.typ).(*types.Pointer); ok {
			out.typePred, out.inject = fitsAs(p.Elem()), []types.Type{p.Elem()}
			value.typ, value.inject = p.Elem(), out.inject
		}
		if v := c.v.Meta.GoVersion; v != "" && version.Compare(v, "go1.26") < 0 {
			return out
		}
		value.orType = &out
		return value
	case "min", "max":
		if i > 0 {
			return want{typ: first()}
		}
		return c.expect(call, around)
	case "complex", "real", "imag":
		return want{pred: isNumeric}
	}
	return want{}
}

// expectOperand is what one side of a binary operator must be.
func (c *completer) expectOperand(n *ast.BinaryExpr, expr ast.Expr, around []ast.Node) want {
	other := n.X
	if expr == n.X {
		other = n.Y
	}
	t := c.typeOf(other)
	switch n.Op {
	case token.LAND, token.LOR:
		return want{typ: types.Typ[types.Bool]}
	case token.SHL, token.SHR:
		if expr == n.Y {
			return want{pred: isInteger}
		}
		return c.expect(n, around)
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
		if t == nil || t == types.Typ[types.UntypedNil] {
			if t != nil {
				return want{pred: isNillable}
			}
			return want{}
		}
		return want{typ: t, constants: c.hasConstants(t), compared: n.Op == token.EQL || n.Op == token.NEQ}
	}
	if t != nil && !isUntyped(t) {
		return want{typ: t}
	}
	w := c.expect(n, around)
	if w.statement {
		w = want{}
	}
	if w.typ == nil && t != nil {
		w.typ = t
	}
	if w.typ != nil && types.IsInterface(w.typ) {
		w.typ = nil
	}
	return w
}

// expectIndex is what an index of an expression must be, or a type argument.
func (c *completer) expectIndex(n, x ast.Expr, i int, around []ast.Node) want {
	if params, sig := c.typeParamsOf(x); params != nil {
		if i >= params.Len() {
			return want{isType: true}
		}
		p := params.At(i)
		w := want{isType: true, typePred: satisfies(p), inject: c.termsOf(p)}
		if call, ok := nodeAt[*ast.CallExpr](around, 1); ok && sig != nil && call.Fun == n {
			if t := c.boundByResults(call, sig, around[2:])[p]; t != nil {
				w.typePred, w.inject = sameType(t), []types.Type{t}
			}
		}
		return w
	}
	t := c.typeOf(x)
	if t == nil {
		return want{}
	}
	if m, ok := under(t).(*types.Map); ok {
		return want{typ: m.Key()}
	}
	return want{pred: isInteger}
}

// typeParamsOf are the type parameters of a generic type or function that is not instantiated; sig
// is the function.
func (c *completer) typeParamsOf(x ast.Expr) (params *types.TypeParamList, sig *types.Signature) {
	obj := c.objectOf(x)
	if obj == nil || obj.Type() == nil {
		return nil, nil
	}
	switch obj := obj.(type) {
	case *types.TypeName:
		if t, ok := obj.Type().(interface{ TypeParams() *types.TypeParamList }); ok && t.TypeParams().Len() > 0 {
			return t.TypeParams(), nil
		}
	case *types.Func:
		if sig := obj.Signature(); sig.TypeParams().Len() > 0 {
			return sig.TypeParams(), sig
		}
	}
	return nil, nil
}

// termsOf are the types without a name that a constraint lists.
func (c *completer) termsOf(p *types.TypeParam) (list []types.Type) {
	iface, ok := p.Constraint().Underlying().(*types.Interface)
	if !ok {
		return nil
	}
	for e := range iface.EmbeddedTypes() {
		if u, ok := types.Unalias(e).(*types.Union); ok {
			for term := range u.Terms() {
				list = append(list, term.Type())
			}
		}
	}
	return list
}

// expectElement is what an element of a literal must be that has no key.
func (c *completer) expectElement(lit *ast.CompositeLit, i int) want {
	switch u := under(deref(c.typeOf(lit))).(type) {
	case *types.Slice:
		return want{typ: u.Elem()}
	case *types.Array:
		return want{typ: u.Elem()}
	case *types.Map:
		return want{typ: u.Key()}
	case *types.Struct:
		if 0 <= i && i < u.NumFields() {
			return want{typ: u.Field(i).Type(), name: u.Field(i).Name()}
		}
	}
	return want{}
}

// expectValue is what the value of a key in a literal must be.
func (c *completer) expectValue(lit *ast.CompositeLit, key ast.Expr) want {
	switch u := under(deref(c.typeOf(lit))).(type) {
	case *types.Slice:
		return want{typ: u.Elem()}
	case *types.Array:
		return want{typ: u.Elem()}
	case *types.Map:
		return want{typ: u.Elem()}
	case *types.Struct:
		if id, ok := key.(*ast.Ident); ok {
			for f := range u.Fields() {
				if f.Name() == id.Name {
					return want{typ: f.Type(), name: f.Name()}
				}
			}
		}
	}
	return want{}
}

// expectCase is what a case of a switch must be. The first node around it is the clause.
func (c *completer) expectCase(around []ast.Node) want {
	for _, n := range around {
		switch n := n.(type) {
		case *ast.TypeSwitchStmt:
			w := want{isType: true}
			if x := switched(n); x != nil {
				w = c.expectAsserted(x)
			}
			c.takenIn(n.Body, &w)
			return w
		case *ast.SwitchStmt:
			if n.Tag == nil {
				return want{typ: types.Typ[types.Bool]}
			}
			w := want{typ: c.typeOf(n.Tag), constants: true}
			c.takenIn(n.Body, &w)
			return w
		case *ast.FuncLit, *ast.FuncDecl:
			return want{}
		}
	}
	return want{}
}

// takenIn notes what other cases have.
func (c *completer) takenIn(body *ast.BlockStmt, w *want) {
	for _, s := range body.List {
		clause, ok := s.(*ast.CaseClause)
		if !ok {
			continue
		}
		for _, e := range clause.List {
			if star, ok := e.(*ast.StarExpr); ok {
				e = star.X
			}
			if obj := c.objectOf(e); obj != nil {
				w.taken = append(w.taken, obj)
			}
		}
	}
}

// switched is the value that a type switch is about.
func switched(s *ast.TypeSwitchStmt) ast.Expr {
	var x ast.Expr
	switch a := s.Assign.(type) {
	case *ast.ExprStmt:
		x = a.X
	case *ast.AssignStmt:
		if len(a.Rhs) == 1 {
			x = a.Rhs[0]
		}
	}
	if t, ok := ast.Unparen(x).(*ast.TypeAssertExpr); ok {
		return t.X
	}
	return nil
}

// expectAsserted is what type a value can be asserted to have.
func (c *completer) expectAsserted(x ast.Expr) want {
	w := want{isType: true}
	from := c.typeOf(x)
	iface, ok := under(from).(*types.Interface)
	if ok && !isTypeParam(from) {
		w.pointers = true
		w.typePred = func(t types.Type) bool {
			return !isTypeParam(t) && !types.Identical(t, from) && types.AssertableTo(iface, t)
		}
	}
	return w
}

// signatureAround is that of the innermost function.
func (c *completer) signatureAround(around []ast.Node) *types.Signature {
	for _, n := range around {
		switch n := n.(type) {
		case *ast.FuncLit:
			sig, _ := c.typeOf(n).(*types.Signature)
			if sig == nil {
				sig, _ = c.s.Info.Types[n.Type].Type.(*types.Signature)
			}
			return sig
		case *ast.FuncDecl:
			if obj, ok := c.s.Info.Defs[n.Name].(*types.Func); ok {
				return obj.Signature()
			}
			return nil
		}
	}
	return nil
}

func nameAt(names []*ast.Ident, i int) string {
	if 0 <= i && i < len(names) {
		return names[i].Name
	}
	return ""
}

func nodeAt[T ast.Node](path []ast.Node, i int) (n T, ok bool) {
	if i < len(path) {
		n, ok = path[i].(T)
	}
	return n, ok
}
