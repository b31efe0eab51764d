package complete

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// A want is what fits at a place.
type want struct {
	typ      types.Type // that a value must be assignable to; nil: any or not known
	results  *types.Tuple
	variadic types.Type            // the slice that can be given with dots
	pred     func(types.Type) bool // what else a type must be; nil: anything
	name     string                // of the parameter or field that the value is for

	isType      bool // a type is wanted, not a value
	typePred    func(types.Type) bool
	address     bool           // of a literal of the type
	convert     types.Type     // what the value is converted to
	assignable  bool           // a variable is wanted
	constants   bool           // constants are rather wanted
	called      bool           // what is wanted is called where it stands
	callWanted  bool           // a call is wanted, such as behind go and defer
	statement   bool           // the place is the start of a statement
	taken       []types.Object // values that are there already, as in other cases of a switch
	dereference bool
	loose       bool // the type is a guess
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
			w := c.expect(n, around[1:])
			if w.typ != nil {
				if p, ok := w.typ.Underlying().(*types.Pointer); ok {
					return want{typ: p.Elem(), name: w.name}
				}
				if types.IsInterface(w.typ) {
					return want{pred: func(t types.Type) bool { return types.AssignableTo(types.NewPointer(t), w.typ) }}
				}
			}
			return want{}
		case token.NOT:
			return want{typ: types.Typ[types.Bool]}
		case token.ARROW:
			w := c.expect(n, around[1:])
			if w.typ != nil {
				return want{typ: types.NewChan(types.SendRecv, w.typ)}
			}
			return want{pred: isChan}
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
		switch {
		case w.isType:
			return want{isType: true, typePred: w.typePred}
		case w.typ != nil:
			return want{typ: types.NewPointer(w.typ), name: w.name}
		}
		return want{pred: isPointer, dereference: true}
	case *ast.IndexExpr:
		if is(n.Index) {
			return c.expectIndex(n.X)
		}
		if len(around) > 1 {
			if _, ok := around[1].(*ast.Field); ok {
				return want{isType: true}
			}
		}
		return want{pred: isIndexable}
	case *ast.IndexListExpr:
		if in(n.Indices) >= 0 {
			return want{isType: true}
		}
	case *ast.SliceExpr:
		if is(n.X) {
			return want{pred: isIndexable}
		}
		return want{typ: types.Typ[types.Int]}
	case *ast.CompositeLit:
		if is(n.Type) {
			w := c.expect(n, around[1:])
			if w.typ != nil {
				if p, ok := w.typ.Underlying().(*types.Pointer); ok {
					return want{isType: true, typePred: sameType(p.Elem()), address: true}
				}
				return want{isType: true, typePred: sameType(w.typ)}
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
			return want{pred: isRangeable}
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
		})
	case *ast.MapType:
		return c.expectPartOfType(n, around, func(t types.Type) types.Type {
			if m, ok := t.Underlying().(*types.Map); ok {
				if is(n.Key) {
					return m.Key()
				}
				return m.Elem()
			}
			return nil
		})
	case *ast.ChanType, *ast.Ellipsis:
		return want{isType: true}
	}
	return want{}
}

// expectPartOfType is for a part of a type that is written where a value of a known type belongs.
func (c *completer) expectPartOfType(n ast.Expr, around []ast.Node, part func(types.Type) types.Type) want {
	w := c.expect(n, around[1:])
	if w.typ != nil {
		if t := part(w.typ); t != nil {
			return want{isType: true, typePred: sameType(t)}
		}
	}
	return want{isType: true}
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
			if len(n.Rhs) == 1 && len(n.Lhs) > 1 {
				var vars []*types.Var
				for _, l := range n.Lhs {
					var t types.Type
					if id, ok := l.(*ast.Ident); !ok || c.s.Info.Defs[id] == nil {
						t = c.typeOf(l)
					}
					vars = append(vars, types.NewVar(0, nil, "", t))
				}
				w.results = types.NewTuple(vars...)
			}
			return w
		}
		return want{}
	}
	w := want{assignable: true}
	if i := slices.Index(n.Lhs, expr); i >= 0 && len(n.Lhs) == len(n.Rhs) {
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
	switch {
	case tv.IsBuiltin():
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
	sig = c.instantiated(call, sig)
	n := sig.Params().Len()
	if n == 0 {
		return want{}
	}
	w := want{}
	at := min(i, n-1)
	p := sig.Params().At(at)
	w.name, w.typ = p.Name(), p.Type()
	if sig.Variadic() && at == n-1 {
		if s, ok := p.Type().Underlying().(*types.Slice); ok {
			w.typ = s.Elem()
			if i == n-1 {
				w.variadic = s
			}
		}
	} else if i >= n {
		return want{}
	}
	if t, ok := w.typ.(*types.TypeParam); ok {
		w.typ = nil
		if ct := coreOf(t); ct != nil {
			w.typ = ct
		} else {
			w.pred = satisfies(t)
		}
	} else if hasTypeParam(w.typ, 0) {
		shape := w.typ
		w.typ, w.pred = nil, func(t types.Type) bool { return sameShape(shape, t) }
	}
	if i == 0 && len(call.Args) == 1 && n > 1 {
		w.results = sig.Params()
	}
	return w
}

// instantiated puts the types of the other arguments into the signature of a generic function.
func (c *completer) instantiated(call *ast.CallExpr, sig *types.Signature) *types.Signature {
	tps := sig.TypeParams()
	if tps.Len() == 0 {
		return sig
	}
	bound := map[*types.TypeParam]types.Type{}
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
		return sig
	}
	return t.(*types.Signature)
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
			if w.typ != nil {
				if _, ok := w.typ.Underlying().(*types.Slice); ok {
					return want{typ: w.typ}
				}
			}
			return want{pred: isSlice}
		}
		if s, ok := under(first()).(*types.Slice); ok {
			w := want{typ: s.Elem()}
			if i == 1 {
				w.variadic = s
			}
			return w
		}
	case "copy":
		if t := first(); t != nil {
			return want{typ: t}
		}
		return want{pred: isSlice}
	case "len":
		return want{pred: func(t types.Type) bool { return isIndexable(t) || isChan(t) }}
	case "cap":
		return want{pred: func(t types.Type) bool { return isSlice(t) || isChan(t) }}
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
			return want{typ: types.Typ[types.Int]}
		}
		w := c.expect(call, around)
		if w.typ != nil {
			return want{isType: true, typePred: sameType(w.typ)}
		}
		return want{isType: true, typePred: func(t types.Type) bool { return isMap(t) || isSlice(t) || isChan(t) }}
	case "new":
		w := c.expect(call, around)
		if p, ok := under(w.typ).(*types.Pointer); ok {
			return want{isType: true, typePred: sameType(p.Elem())}
		}
		return want{isType: true}
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
		return want{typ: t, constants: c.hasConstants(t), loose: isUntyped(t)}
	}
	if t != nil && !isUntyped(t) {
		return want{typ: t}
	}
	w := c.expect(n, around)
	if w.typ == nil && t != nil {
		w.typ = types.Default(t)
		w.loose = true
	}
	if w.typ != nil && types.IsInterface(w.typ) {
		w.typ = nil
	}
	return w
}

func (c *completer) expectIndex(x ast.Expr) want {
	t := c.typeOf(x)
	if t == nil {
		return want{}
	}
	if c.s.Info.Types[x].IsType() {
		return want{isType: true}
	}
	switch u := t.Underlying().(type) {
	case *types.Map:
		return want{typ: u.Key()}
	case *types.Signature:
		return want{isType: true}
	}
	return want{typ: types.Typ[types.Int], pred: isInteger}
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
	iface, ok := under(c.typeOf(x)).(*types.Interface)
	if ok && !iface.Empty() {
		w.typePred = func(t types.Type) bool {
			if _, ok := t.(*types.TypeParam); ok {
				return false
			}
			return types.Implements(t, iface) || types.IsInterface(t) || types.Implements(types.NewPointer(t), iface)
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
