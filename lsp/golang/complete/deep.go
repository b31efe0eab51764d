package complete

import (
	"cmp"
	"go/types"
	"slices"
	"strings"
)

// Bounds of the search for members of members.
const (
	deepLevels = 3    // dots that are not typed
	deepNodes  = 1500 // that are looked at
	deepMost   = 3    // that are told
)

// deepen adds members of candidates, and their members, that fit what is wanted. The best few are
// told.
func (c *completer) deepen(list []candidate) {
	if !on(c.o.Deep) {
		return
	}
	w := &c.want
	if w.isType || w.called || w.statement || w.assignable || w.typ == nil && w.pred == nil || w.typ != nil && isEmptyInterface(w.typ) {
		return
	}
	list = slices.DeleteFunc(list, func(from candidate) bool { return !c.mayDeepen(&from) })
	shallow := len(c.items)
	nodes := 0
	for level := 1; level <= deepLevels && len(list) > 0; level++ {
		var next []candidate
		for _, from := range list {
			for _, m := range c.below(&from) {
				if nodes++; nodes > deepNodes {
					break
				}
				m.depth = level
				m.factor *= from.factor * 0.7
				if f, as := c.fit(&m); f >= fits*0.5 && as != asConversion && as != asVariadic {
					c.add(m)
				}
				if level < deepLevels && from.factor > 0.6 {
					next = append(next, m)
				}
			}
		}
		list = next
	}
	deep := c.items[shallow:]
	slices.SortStableFunc(deep, func(a, b Item) int { return cmp.Compare(b.score, a.score) })
	c.items = c.items[:shallow+min(len(deep), deepMost)]
	// What they begin with comes right behind them at least.
	for _, d := range c.items[shallow:] {
		root, _, _ := strings.Cut(d.Label, ".")
		for i := range c.items[:shallow] {
			if at := &c.items[i]; at.Label == root && at.Object != nil {
				at.score = max(at.score, d.score*0.99)
			}
		}
	}
}

// mayDeepen reports whether members of a candidate are worth a look: what is far away must begin
// like what was typed.
func (c *completer) mayDeepen(from *candidate) bool {
	switch from.obj.(type) {
	case *types.Var, *types.PkgName, *types.Func:
	default:
		return false
	}
	name, typed := from.obj.Name(), c.match.typed
	if typed == "" {
		return from.factor > 0.8
	}
	return from.factor > 0.8 || strings.EqualFold(name[:1], typed[:1])
}

// below are the members of a candidate, named from the place.
func (c *completer) below(from *candidate) (list []candidate) {
	name, call := cmp.Or(from.label, from.obj.Name()), 1.0
	switch obj := from.obj.(type) {
	case *types.PkgName:
		if from.depth > 0 {
			return nil
		}
		scope := obj.Imported().Scope()
		for _, n := range scope.Names() {
			if m := scope.Lookup(n); m.Exported() {
				if _, isType := m.(*types.TypeName); !isType {
					list = append(list, candidate{obj: m, label: name + "." + n, factor: 0.7, addressable: isVariable(m)})
				}
			}
		}
		return list
	case *types.Var:
		list = c.membersOf(obj.Type(), from.addressable, false)
	case *types.Func:
		sig := obj.Signature()
		if sig.Params().Len() > 0 || sig.Results().Len() != 1 || sig.TypeParams().Len() > 0 {
			return nil
		}
		name += "()"
		call = 0.5
		list = c.membersOf(sig.Results().At(0).Type(), false, false)
	default:
		return nil
	}
	for i := range list {
		list[i].label = name + "." + list[i].obj.Name()
		list[i].factor *= call
	}
	return list
}
