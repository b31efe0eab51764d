package complete

import "go/types"

// A form is how a candidate is written so that it fits.
type form uint8

const (
	asIs form = iota
	asCall
	asAddress
	asValue // of a pointer
	asConversion
	asVariadic
)

// Factors of what fits.
const (
	fits     = 10.0
	neutral  = 1.0
	misfit   = 0.35
	hardly   = 0.1
	unusable = 0.0
)

// fit says how well a candidate fits what is wanted, and how it is to be written.
func (c *completer) fit(cand *candidate) (factor float64, as form) {
	w := &c.want
	switch obj := cand.obj.(type) {
	case *types.PkgName:
		if len(c.path) > 0 {
			if name, ok := c.selectedFromHere(); ok {
				if m := obj.Imported().Scope().Lookup(name); m != nil && m.Exported() {
					return fits, asIs
				}
				return hardly, asIs
			}
		}
		if w.isType && w.typePred != nil {
			return neutral * 2, asIs
		}
		return neutral * 2, asIs
	case *types.TypeName:
		return c.fitType(obj)
	case *types.Nil:
		switch {
		case w.isType || w.called || w.statement || w.assignable:
			return unusable, asIs
		case w.typ != nil && isNillable(w.typ):
			return fits * 0.9, asIs
		case w.typ == nil && w.pred == nil && w.convert == nil:
			return neutral, asIs
		}
		return hardly, asIs
	case *types.Builtin:
		return c.fitBuiltin(obj)
	case *types.Label:
		return unusable, asIs
	}
	if w.isType {
		return unusable, asIs
	}
	t := cand.obj.Type()
	if t == nil || t == types.Typ[types.Invalid] {
		if _, ok := cand.obj.(*types.Var); ok {
			return neutral * 0.8, asIs
		}
		return hardly, asIs
	}
	for _, taken := range w.taken {
		if taken == cand.obj {
			return hardly, asIs
		}
	}
	factor, as = c.fitValue(cand, t)
	_, isConst := cand.obj.(*types.Const)
	if w.constants {
		switch {
		case isConst && factor >= fits:
			factor *= 2.5
		case !isConst:
			factor *= 0.8
		}
	}
	if (w.assignable || w.statement) && isConst {
		factor = min(factor, hardly)
	}
	if w.assignable && !cand.addressable && !isMap(t) {
		factor = min(factor, misfit)
	}
	return factor, as
}

// selectedFromHere is the name behind the dot that stands behind the place.
func (c *completer) selectedFromHere() (name string, ok bool) {
	s, ok := selectorOf(c.path, c.expr)
	if !ok {
		return "", false
	}
	return s.Sel.Name, true
}

func (c *completer) fitValue(cand *candidate, t types.Type) (factor float64, as form) {
	w := &c.want
	sig, isSig := under(t).(*types.Signature)
	_, isFunc := cand.obj.(*types.Func)
	if w.called {
		if isSig && w.pred == nil {
			return c.fitCall(sig, fits)
		}
		if w.pred != nil && w.typ == nil {
			if w.pred(t) {
				return fits, asIs
			}
			return misfit, asIs
		}
		return misfit, asIs
	}
	if w.callWanted {
		if isSig {
			return fits, asCall
		}
		return neutral, asIs
	}
	if w.variadic != nil && types.AssignableTo(t, w.variadic) && !types.IsInterface(w.typ) {
		return fits * 0.9, asVariadic
	}
	if f, as := c.fitPlain(cand, t); f > 0 {
		return f, as
	}
	if isSig {
		f, _ := c.fitCall(sig, fits)
		if f >= fits || isFunc {
			return f * 0.9, asCall
		}
		return f, asIs
	}
	switch {
	case w.typ == nil && w.pred == nil && w.convert == nil:
		return neutral, asIs
	case w.typ == nil:
		return misfit, asIs
	}
	if cand.addressable && types.AssignableTo(types.NewPointer(t), w.typ) && !types.IsInterface(w.typ) {
		return fits * 0.85, asAddress
	}
	if p, ok := under(t).(*types.Pointer); ok && types.AssignableTo(p.Elem(), w.typ) && !types.IsInterface(w.typ) {
		return fits * 0.6, asValue
	}
	if cand.addressable && types.IsInterface(w.typ) && types.AssignableTo(types.NewPointer(t), w.typ) {
		return fits * 0.8, asAddress
	}
	if !w.loose && convertsNumber(t, w.typ) && cand.depth == 0 {
		return neutral * 2, asConversion
	}
	return misfit, asIs
}

// fitPlain says how well a value fits as it is; 0 if it does not.
func (c *completer) fitPlain(cand *candidate, t types.Type) (float64, form) {
	w := &c.want
	_, isFunc := cand.obj.(*types.Func)
	switch {
	case w.convert != nil:
		if types.ConvertibleTo(t, w.convert) && !isFunc {
			if types.Identical(t, w.convert) {
				return neutral, asIs
			}
			return fits, asIs
		}
	case w.statement:
		if isFunc {
			return 0, asIs
		}
		return neutral * 2, asIs
	case w.typ != nil:
		if isEmptyInterface(w.typ) {
			if isFunc {
				return 0, asIs
			}
			return neutral * 2, asIs
		}
		if types.AssignableTo(t, w.typ) || w.loose && types.AssignableTo(types.Default(t), w.typ) {
			if w.pred != nil && !w.pred(t) {
				return 0, asIs
			}
			return fits, asIs
		}
		if w.pred != nil && w.pred(t) {
			return fits * 0.8, asIs
		}
		if isUntyped(w.typ) && types.AssignableTo(w.typ, t) {
			return fits, asIs
		}
	case w.pred != nil:
		if w.pred(t) && !isFunc {
			return fits, asIs
		}
	}
	return 0, asIs
}

func isEmptyInterface(t types.Type) bool {
	i, ok := t.Underlying().(*types.Interface)
	return ok && i.Empty()
}

// fitCall says how well what a call gives fits.
func (c *completer) fitCall(sig *types.Signature, best float64) (float64, form) {
	w := &c.want
	n := sig.Results().Len()
	switch {
	case w.statement:
		return neutral * 2, asCall
	case w.results != nil && n == w.results.Len():
		for i := range n {
			to := w.results.At(i).Type()
			if to != nil && !types.AssignableTo(sig.Results().At(i).Type(), to) {
				return misfit, asCall
			}
		}
		return best * 0.9, asCall
	case n == 0:
		if w.typ == nil && w.pred == nil && w.convert == nil && w.results == nil {
			return neutral * 0.5, asCall
		}
		return hardly, asCall
	case w.results != nil && w.typ == nil && n != w.results.Len():
		return misfit, asCall
	case n > 1:
		if w.typ == nil && w.pred == nil && w.convert == nil {
			return neutral * 0.8, asCall
		}
		return misfit, asCall
	}
	r := sig.Results().At(0).Type()
	switch {
	case w.typ != nil && isEmptyInterface(w.typ):
		return neutral * 1.5, asCall
	case w.typ != nil && types.AssignableTo(r, w.typ):
		return best, asCall
	case w.typ != nil && sig.TypeParams().Len() > 0 && sameShape(r, w.typ):
		return best * 0.5, asCall
	case w.typ == nil && w.convert != nil && types.ConvertibleTo(r, w.convert):
		return best * 0.8, asCall
	case w.typ == nil && w.pred != nil && w.pred(r):
		return best * 0.9, asCall
	case w.typ == nil && w.pred == nil && w.convert == nil:
		return neutral, asCall
	}
	return misfit, asCall
}

// fitType says how well a type fits.
func (c *completer) fitType(obj *types.TypeName) (float64, form) {
	w := &c.want
	t := obj.Type()
	if w.isType {
		for _, taken := range w.taken {
			if taken == obj {
				return hardly, asIs
			}
		}
		switch {
		case w.typePred == nil:
			return fits, asIs
		case w.typePred(t):
			if w.address {
				return fits, asAddress
			}
			return fits, asIs
		}
		return misfit, asIs
	}
	if name, ok := c.selectedFromHere(); ok {
		if c.hasMember(t, name) {
			return misfit, asIs // a method expression
		}
		return hardly, asIs
	}
	switch {
	case w.assignable:
		return hardly, asIs
	case w.statement:
		return misfit, asIs
	case w.pred != nil && w.pred(t):
		return neutral, asIs
	case w.typ == nil && w.pred == nil && w.convert == nil:
		return neutral * 0.8, asIs
	case w.typ != nil && (types.AssignableTo(t, w.typ) || types.AssignableTo(types.NewPointer(t), w.typ)) && !isEmptyInterface(w.typ):
		if types.IsInterface(t) {
			return neutral, asIs
		}
		return fits * 0.5, asIs
	}
	return misfit, asIs
}

// fitBuiltin says how well a builtin function fits.
func (c *completer) fitBuiltin(obj *types.Builtin) (float64, form) {
	w := &c.want
	var gives func(types.Type) bool
	switch obj.Name() {
	case "len", "cap", "copy":
		gives = func(t types.Type) bool { return types.Identical(t, types.Typ[types.Int]) }
	case "append":
		gives = isSlice
	case "make":
		gives = func(t types.Type) bool { return isSlice(t) || isMap(t) || isChan(t) }
	case "new":
		gives = isPointer
	case "min", "max":
		gives = func(t types.Type) bool { return isNumeric(t) || isString(t) }
	case "recover":
		gives = isEmptyInterface
	case "complex", "real", "imag":
		gives = func(t types.Type) bool { return basic(t, types.IsComplex|types.IsFloat) }
	case "panic", "close", "delete", "clear", "print", "println":
		if w.statement || w.callWanted {
			return neutral, asCall
		}
		return hardly, asCall
	}
	switch {
	case w.isType || w.assignable:
		return unusable, asIs
	case w.statement:
		if obj.Name() == "copy" || obj.Name() == "recover" {
			return neutral, asCall
		}
		return hardly, asCall
	case gives == nil:
		return hardly, asCall
	case w.typ != nil && gives(w.typ):
		return fits, asCall
	case w.typ == nil && w.pred == nil && w.convert == nil:
		return neutral, asCall
	case w.typ == nil && (obj.Name() == "len" || obj.Name() == "cap"):
		if w.pred != nil && w.pred(types.Typ[types.Int]) || w.convert != nil && isNumeric(w.convert) {
			return fits * 0.9, asCall
		}
	}
	return misfit, asCall
}

func convertsNumber(from, to types.Type) bool {
	a, ok1 := from.Underlying().(*types.Basic)
	b, ok2 := to.Underlying().(*types.Basic)
	if !ok1 || !ok2 || a.Info()&types.IsUntyped != 0 || b.Info()&types.IsUntyped != 0 {
		return false
	}
	if a.Info()&types.IsNumeric != 0 && b.Info()&types.IsNumeric != 0 {
		return (a.Info()^b.Info())&types.IsComplex == 0
	}
	return a.Info()&types.IsString != 0 && b.Info()&types.IsString != 0
}
