package complete

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/cytisus/cytisus/lsp/golang/check"
)

func selectorOf(path []ast.Node, expr ast.Expr) (*ast.SelectorExpr, bool) {
	s, ok := nodeAt[*ast.SelectorExpr](path, 0)
	if ok && s.X == expr {
		return s, true
	}
	return nil, false
}

// members adds what can stand behind a dot.
func (c *completer) members(sel *ast.SelectorExpr) error {
	x := ast.Unparen(sel.X)
	if id, ok := x.(*ast.Ident); ok {
		if name, ok := c.s.Info.Uses[id].(*types.PkgName); ok {
			c.packageMembers(name.Imported())
			return nil
		}
	}
	tv, ok := c.s.Info.Types[sel.X]
	if !ok || tv.Type == nil || tv.Type == types.Typ[types.Invalid] {
		return c.unimportedMembers(x)
	}
	list := c.membersOf(tv.Type, tv.Addressable(), tv.IsType())
	for _, m := range list {
		c.add(m)
	}
	if !tv.IsType() {
		c.deepen(slices.Clone(list))
		if on(c.o.Postfix) {
			c.postfix(sel, tv.Type)
		}
		c.statements()
	}
	return nil
}

// packageMembers adds what a package exports.
func (c *completer) packageMembers(pkg *types.Package) {
	for _, name := range pkg.Scope().Names() {
		obj := pkg.Scope().Lookup(name)
		if !check.IsWritten(obj) || !obj.Exported() && pkg != c.v.Package {
			continue
		}
		c.add(candidate{obj: obj, factor: 1, addressable: isVariable(obj)})
	}
}

// A membersKey is what the members of a value depend on.
type membersKey struct {
	t                   types.Type
	addressable, isType bool
}

// membersOf are the fields and methods of a type. Those further away in embedded structs come
// later. The list belongs to the completer.
func (c *completer) membersOf(t types.Type, addressable, isType bool) []candidate {
	key := membersKey{t, addressable, isType}
	list, ok := c.membersSeen[key]
	if !ok {
		list = c.listMembers(t, addressable, isType)
		if c.membersSeen == nil {
			c.membersSeen = map[membersKey][]candidate{}
		}
		c.membersSeen[key] = list
	}
	return list
}

func (c *completer) listMembers(t types.Type, addressable, isType bool) (list []candidate) {
	visible := func(obj types.Object) bool { return obj.Exported() || obj.Pkg() == c.v.Package }
	seen := map[string]bool{}
	of := t
	if addressable && !types.IsInterface(t) && !isPointer(t) || isType && !types.IsInterface(t) && !isPointer(t) {
		of = types.NewPointer(t)
	}
	isPtr := isPointer(t)
	if !isType {
		type level struct {
			t     types.Type
			depth int
		}
		done := map[types.Type]bool{}
		for queue := []level{{t, 0}}; len(queue) > 0; queue = queue[1:] {
			l := queue[0]
			s, ok := under(deref(l.t)).(*types.Struct)
			if !ok || done[deref(l.t)] || l.depth > 8 {
				continue
			}
			done[deref(l.t)] = true
			for f := range s.Fields() {
				if f.Embedded() {
					queue = append(queue, level{f.Type(), l.depth + 1})
				}
				if seen[f.Name()] || f.Name() == "_" || !visible(f) {
					continue
				}
				if l.depth > 0 {
					if obj, _, _ := types.LookupFieldOrMethod(of, true, c.v.Package, f.Name()); obj != f {
						continue // ambiguous, or hidden by a method
					}
				}
				seen[f.Name()] = true
				list = append(list, candidate{obj: f, factor: depthFactor(l.depth), addressable: addressable || isPtr || l.depth > 0})
			}
		}
	}
	set := types.NewMethodSet(of)
	for i := range set.Len() {
		m := set.At(i)
		if obj := m.Obj(); visible(obj) && !seen[obj.Name()] {
			seen[obj.Name()] = true
			list = append(list, candidate{obj: obj, factor: depthFactor(len(m.Index()) - 1)})
		}
	}
	return list
}

func depthFactor(depth int) float64 {
	factor := 1.0
	for range min(depth, 5) {
		factor *= 0.85
	}
	return factor
}

// fields adds those of a struct literal that it does not have yet. It reports whether nothing else
// can stand at the place.
func (c *completer) fields() (only bool) {
	lit, ok := nodeAt[*ast.CompositeLit](c.path, 0)
	inKey := false
	if !ok {
		kv, isPair := nodeAt[*ast.KeyValueExpr](c.path, 0)
		if !isPair || kv.Key != c.expr {
			return false
		}
		if lit, ok = nodeAt[*ast.CompositeLit](c.path, 1); !ok {
			return false
		}
		inKey = true
	}
	if lit.Type == c.expr {
		return false
	}
	t := deref(c.typeOf(lit))
	s, ok := under(t).(*types.Struct)
	if !ok {
		return false
	}
	used := map[string]bool{}
	keyed := inKey
	for _, e := range lit.Elts {
		switch kv, ok := e.(*ast.KeyValueExpr); {
		case ok:
			keyed = true
			if id, ok := kv.Key.(*ast.Ident); ok && id != c.d.Name {
				used[id.Name] = true
			}
		case e != c.expr:
			return false // by position
		}
	}
	c.want = want{typ: c.want.typ, name: c.want.name}
	for i := range s.NumFields() {
		f := s.Field(i)
		if used[f.Name()] || !f.Exported() && f.Pkg() != c.v.Package {
			continue
		}
		c.addField(f, inKey, 1-float64(i)*0.001)
	}
	return keyed
}

// keyFirst is how much a key of a literal comes before values.
const keyFirst = 2.4

func (c *completer) addField(f *types.Var, inKey bool, factor float64) {
	score, ok := c.match.score(f.Name())
	if !ok {
		return
	}
	cand := candidate{obj: f, label: f.Name(), factor: factor}
	item := c.item(&cand, asIs)
	if !inKey && c.d.Cursor.After != ':' {
		comma := ""
		if c.d.Cursor.After == '\n' || c.d.Cursor.After == 0 {
			comma = ","
		}
		if c.o.Snippets {
			item.Text, item.Snippet = f.Name()+": "+c.hole(1, escape(c.typeText(f.Type())))+comma, true
		} else {
			item.Text = f.Name() + ": "
		}
	}
	item.score = score * factor * fits * keyFirst * c.usage(&cand)
	c.items = append(c.items, item)
}
