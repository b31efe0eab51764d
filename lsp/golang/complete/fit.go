package complete

import (
	"go/types"
	"slices"
)

// A modifier is something done to a value so that it fits.
type modifier uint8

const (
	called    modifier = iota // x()
	addressed                 // &x
	pointed                   // *x
	received                  // <-x
	indexed                   // x[i]
	sliced                    // x[:], of an array
	spread                    // x..., as the last arguments of a call
)

// isBefore reports whether a modifier is written before the value. It is done behind all that are
// written behind the value.
func (m modifier) isBefore() bool { return m == addressed || m == pointed || m == received }

// isBehind reports whether a modifier is written behind the value, as part of an operand.
func (m modifier) isBehind() bool { return m == called || m == indexed || m == sliced }

// modifiersMost is how many are tried on one value.
const modifiersMost = 3

// A form is how a candidate is written so that it fits.
type form struct {
	done    []modifier // to it, in order
	convert types.Type // what the outcome is converted to; nil: nothing
}

func (f form) has(m modifier) bool { return slices.Contains(f.done, m) }

var (
	asIs   = form{}
	asCall = form{done: []modifier{called}}
)

// Factors of what fits. They are multiplied with that of how near something is declared.
const (
	fits     = 10.0
	leads    = 7.0 // a member of it fits
	callable = 3.0 // it can be called, where a call stands
	hinted   = 1.5 // there is something that speaks for it
	neutral  = 1.0
	misfit   = 0.8
	hardly   = 0.1
	unusable = 0.0
)

// Shares of the factor of what does not fit quite.
const (
	ifConverted = 0.5
	ifUntyped   = 0.75 // a constant that takes the type
	ifForeign   = 0.5  // such a constant of a package that is not named yet
	ifMethod    = 0.9  // that is called
	ifIndexed   = 0.9
	ifCounted   = 0.5 // it gives another number of values
	ifTaken     = 0.1
)

// fit says how well a candidate fits what is wanted, and how it is to be written.
func (c *completer) fit(cand *candidate) (factor float64, as form) {
	w := &c.want
	switch obj := cand.obj.(type) {
	case *types.PkgName:
		if name, ok := c.selectedFromHere(); ok {
			if m := obj.Imported().Scope().Lookup(name); m != nil && m.Exported() {
				return fits, asIs
			}
			return hardly, asIs
		}
		if c.leadsFrom(obj.Imported()) {
			return leads, asIs
		}
		return neutral, asIs
	case *types.TypeName:
		if w.orType == nil {
			return c.fitType(obj)
		}
		value := c.want
		c.want = *w.orType
		factor, as = c.fitType(obj)
		c.want = value
		return factor, as
	case *types.Nil:
		switch {
		case w.isType || w.called || w.statement || w.assignable:
			return unusable, asIs
		case w.typ != nil && isNillable(w.typ) && w.compared:
			return fits * 2, asIs // what else is a value like it compared with
		case w.typ != nil && isNillable(w.typ):
			return fits * 0.9, asIs
		}
		return neutral / 2, asIs
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
		return neutral, asIs
	}
	factor, as = c.fitValue(cand, t)
	_, isConst := cand.obj.(*types.Const)
	if slices.Contains(w.taken, cand.obj) {
		factor *= ifTaken
	}
	if w.constants {
		switch {
		case isConst && factor >= fits/2:
			factor *= 2.5
		case !isConst && factor > neutral:
			factor *= misfit
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

// leadsFrom reports whether something of a package is likely to fit: what is wanted is of a type of
// the package, of which it has the constants, or something that fits is in use nearby.
func (c *completer) leadsFrom(pkg *types.Package) bool {
	w := &c.want
	if w.isType || w.typ == nil || isEmptyInterface(w.typ) {
		return false
	}
	if n, ok := types.Unalias(w.typ).(*types.Named); ok && n.Obj().Pkg() == pkg && w.constants {
		return true
	}
	name := pkg.Name()
	for _, obj := range c.exports(pkg) {
		if c.used == nil || c.used.pairs[name+"."+obj.Name()] == 0 {
			continue
		}
		if _, isType := obj.(*types.TypeName); isType {
			continue
		}
		if fit, _ := c.fit(&candidate{obj: obj, label: obj.Name(), factor: 1}); fit >= fits*0.7 {
			return true
		}
	}
	return false
}

// selectedFromHere is the name behind the dot that stands behind the place.
func (c *completer) selectedFromHere() (name string, ok bool) {
	s, ok := selectorOf(c.path, c.expr)
	if !ok {
		return "", false
	}
	return s.Sel.Name, true
}

// fitValue says how well a value of a type fits. What does not fit is called if it is a function.
func (c *completer) fitValue(cand *candidate, t types.Type) (factor float64, as form) {
	w := &c.want
	sig, isSig := under(t).(*types.Signature)
	_, isFunc := cand.obj.(*types.Func)
	if w.called {
		switch {
		case w.pred != nil && w.typ == nil && w.pred(t):
			return fits, asIs
		case w.pred == nil && isSig:
			return c.fitCalled(sig), asCall
		}
		if f, _ := c.accept(cand, t, false); f > 0 && !isSig {
			return neutral, asIs // what is called may go away
		}
		return misfit, asIs
	}
	if w.callWanted && isSig {
		return fits, asCall
	}
	if factor, as = c.derive(cand, t, cand.addressable, nil); factor > 0 {
		if as.has(called) && isSig && sig.Recv() != nil {
			factor *= ifMethod
		}
		if as.has(indexed) {
			factor *= ifIndexed
		}
		return factor, as
	}
	factor = neutral
	if isSig && sig.Results().Len() != 1 {
		switch counted, all := c.gives(sig); {
		case all:
			return fits, asCall
		case !counted:
			factor = ifCounted
		}
	}
	switch {
	case isFunc:
		return factor, asCall
	case w.typ != nil && isEmptyInterface(w.typ):
		return factor * hinted, asIs // any value will do
	}
	return factor, asIs
}

// fitCalled says how well what a call gives fits, if the place is that of the function.
func (c *completer) fitCalled(sig *types.Signature) float64 {
	w := &c.want
	switch n := sig.Results().Len(); {
	case w.statement, w.callWanted:
		return callable
	case n == 1:
		r := sig.Results().At(0).Type()
		if f, _ := c.accept(&candidate{}, r, false); f > 0 {
			return f
		}
		if w.typ != nil && sig.TypeParams().Len() > 0 && sameShape(r, w.typ) {
			return fits / 2
		}
		return neutral
	case n == 0 && (!w.unknown() || w.results != nil):
		return hardly
	}
	switch counted, all := c.gives(sig); {
	case all:
		return fits
	case counted:
		return neutral
	}
	return neutral * ifCounted
}

// gives says whether a function with none or several results gives as many values as are wanted,
// and whether all of them fit.
func (c *completer) gives(sig *types.Signature) (counted, all bool) {
	w := &c.want
	if w.results == nil {
		return true, false
	}
	n, wanted := sig.Results().Len(), w.results.Len()
	last := func() types.Type {
		t := w.results.At(wanted - 1).Type()
		if s, ok := t.(*types.Slice); ok {
			return s.Elem()
		}
		return t
	}
	if w.rest {
		if wanted == 1 && isEmptyInterface(last()) {
			return true, false
		}
		counted = n >= wanted-1
	} else {
		counted = n == wanted
	}
	if !counted || n == 0 {
		return counted, false
	}
	for i := range n {
		var to types.Type
		if w.rest && i >= wanted-1 {
			to = last()
		} else {
			to = w.results.At(i).Type()
		}
		if to != nil && to != types.Typ[types.Invalid] {
			if all = canBe(sig.Results().At(i).Type(), to); !all {
				return true, false
			}
		}
	}
	return true, all
}

// derive looks for modifiers that make a value of a type fit.
func (c *completer) derive(cand *candidate, t types.Type, addressable bool, done []modifier) (float64, form) {
	if factor, as := c.accept(cand, t, addressable); factor > 0 {
		as.done = append(slices.Clone(done), as.done...)
		return factor, as
	}
	w := &c.want
	if len(done) == modifiersMost || w.statement || w.assignable || w.unknown() {
		return 0, asIs
	}
	try := func(t types.Type, addressable bool, m modifier) (float64, form) {
		if m.isBehind() && slices.ContainsFunc(done, modifier.isBefore) {
			return 0, asIs // it would be done first
		}
		return c.derive(cand, t, addressable, append(slices.Clone(done), m))
	}
	var factor float64
	var as form
	switch u := under(t).(type) {
	case *types.Signature:
		if u.Results().Len() == 1 && (len(done) == 0 || done[len(done)-1] != addressed) {
			r := u.Results().At(0).Type()
			if factor, as = try(r, false, called); factor > 0 {
				return factor, as
			}
			if w.typ != nil && u.TypeParams().Len() > 0 && sameShape(r, w.typ) {
				return fits / 2, form{done: append(slices.Clone(done), called)}
			}
		}
	case *types.Array:
		if factor, as = try(u.Elem(), true, indexed); factor > 0 {
			return factor, as
		}
		factor, as = try(types.NewSlice(u.Elem()), false, sliced)
	case *types.Pointer:
		factor, as = try(u.Elem(), false, pointed)
	case *types.Slice:
		factor, as = try(u.Elem(), true, indexed)
	case *types.Map:
		factor, as = try(u.Elem(), false, indexed)
	case *types.Chan:
		if u.Dir() != types.SendOnly {
			factor, as = try(u.Elem(), false, received)
		}
	}
	if factor == 0 && addressable && len(w.within) == 0 {
		factor, as = try(types.NewPointer(t), false, addressed)
	}
	return factor, as
}

// accept says how well a value of a type fits as it is, or converted; 0 if it does not.
func (c *completer) accept(cand *candidate, t types.Type, addressable bool) (float64, form) {
	w := &c.want
	for _, m := range w.within {
		if t = modified(t, m, addressable); t == nil {
			return 0, asIs
		}
		addressable = m == pointed
	}
	if w.convert != nil {
		switch {
		case !canConvert(t, w.convert):
			return 0, asIs
		case types.Identical(t, w.convert):
			return fits * ifConverted, asIs
		}
		return fits, asIs
	}
	if w.typ == nil || isEmptyInterface(w.typ) {
		if w.pred != nil && w.pred(t) || w.pred == nil && len(w.within) > 0 {
			return fits, asIs
		}
		return 0, asIs
	}
	switch {
	case w.pred != nil && w.pred(t):
		return fits, asIs
	case canBe(t, w.typ) || w.loose && types.AssignableTo(types.Default(t), w.typ):
		factor := fits
		if isUntyped(t) && !types.Identical(t, w.typ) && cand.obj != nil && cand.obj.Parent() != types.Universe {
			if factor *= ifUntyped; cand.foreign {
				factor = fits * ifForeign
			}
		}
		if w.exact && !types.Identical(t, w.typ) && !isUntyped(t) {
			return factor * 0.95, form{convert: w.typ}
		}
		return factor, asIs
	case w.variadic != nil && types.AssignableTo(t, w.variadic):
		return fits, form{done: []modifier{spread}}
	case w.loose && !isUntyped(w.typ) || cand.foreign || isTypeParam(t) || hasTypeParam(w.typ, 0) || !canConvert(t, w.typ):
		return 0, asIs
	case isInteger(t) && isString(w.typ):
		return 0, asIs // it would be a letter
	}
	return fits * ifConverted, form{convert: w.typ}
}

// modified is the type of a value that something is done to; nil if that cannot be.
func modified(t types.Type, m modifier, addressable bool) types.Type {
	switch m {
	case addressed:
		if addressable {
			return types.NewPointer(t)
		}
	case pointed:
		if p, ok := under(t).(*types.Pointer); ok {
			return p.Elem()
		}
	case received:
		if ch, ok := under(t).(*types.Chan); ok && ch.Dir() != types.SendOnly {
			return ch.Elem()
		}
	}
	return nil
}

// canBe reports whether a value of a type can stand where another one is wanted. Constants without
// a type can where their kind can.
func canBe(t, wanted types.Type) bool {
	a, ok1 := t.Underlying().(*types.Basic)
	b, ok2 := wanted.Underlying().(*types.Basic)
	if ok1 && ok2 {
		from, to := a.Info(), b.Info()
		if from&types.IsUntyped == 0 {
			from, to = to, from
		}
		if from&types.IsUntyped != 0 {
			if from&types.IsInteger != 0 && to&(types.IsFloat|types.IsComplex) != 0 {
				return true
			}
			if from&types.IsConstType == to&types.IsConstType {
				return true
			}
		}
	}
	return types.AssignableTo(t, wanted)
}

// canConvert is types.ConvertibleTo for types that may be half typed.
func canConvert(t, to types.Type) bool {
	return t != types.Typ[types.Invalid] && t != types.Typ[types.UntypedNil] && types.ConvertibleTo(t, to)
}

func isTypeParam(t types.Type) bool {
	_, ok := types.Unalias(t).(*types.TypeParam)
	return ok
}

func isEmptyInterface(t types.Type) bool {
	i, ok := t.Underlying().(*types.Interface)
	return ok && i.Empty() && !isTypeParam(t)
}

// fitType says how well a type fits.
func (c *completer) fitType(obj *types.TypeName) (float64, form) {
	w := &c.want
	t := obj.Type()
	if w.isType {
		switch {
		case slices.Contains(w.taken, types.Object(obj)):
			return neutral * misfit, asIs
		case w.typePred == nil:
			return fits, asIs
		case w.typePred(t):
			return fits, asIs
		case w.pointers && !types.IsInterface(t) && w.typePred(types.NewPointer(t)):
			if w.literal {
				return fits, form{done: []modifier{addressed}}
			}
			return fits, form{done: []modifier{pointed}}
		}
		return neutral, asIs
	}
	if name, ok := c.selectedFromHere(); ok {
		if c.hasMember(t, name) {
			return misfit, asIs // a method expression
		}
		return hardly, asIs
	}
	switch {
	case w.assignable, w.callWanted:
		return hardly, asIs
	case w.typ != nil && is[*types.Basic](t.Underlying()) && types.Identical(t, w.typ):
		return fits * ifConverted, asIs // a conversion will follow
	case w.called && w.typ != nil && !isEmptyInterface(w.typ) && types.AssignableTo(t, w.typ):
		return fits, asIs // a conversion
	}
	return neutral, asIs
}

// fitBuiltin says how well a builtin function fits.
func (c *completer) fitBuiltin(obj *types.Builtin) (float64, form) {
	w := &c.want
	var gives func(types.Type) bool
	switch obj.Name() {
	case "len", "cap", "copy":
		gives = func(t types.Type) bool {
			return types.Identical(t, types.Typ[types.Int]) || isUntyped(t) && isNumeric(t)
		}
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
		if w.called && w.statement {
			return callable, asCall
		}
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
	case w.typ == types.Typ[types.Bool] && obj.Name() == "len":
		return leads, asCall // a comparison may begin with it
	case w.typ == nil && (obj.Name() == "len" || obj.Name() == "cap"):
		if w.pred != nil && w.pred(types.Typ[types.Int]) || w.convert != nil && isNumeric(w.convert) {
			return fits * 0.9, asCall
		}
	}
	return misfit, asCall
}
