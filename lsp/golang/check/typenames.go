package check

import "go/types"

// TypeNamesAt are the declared types that what stands at an offset of a view's file has: its own, or
// the one that it points to or consists of. Of a function they are the types of its results, but for
// error.
func TypeNamesAt(v *View, offset int) (names []Name) {
	for _, obj := range typeNamesAt(v, offset) {
		if name, ok := v.NameOf(obj); ok {
			names = append(names, name)
		}
	}
	return names
}

func typeNamesAt(v *View, offset int) []*types.TypeName {
	id := v.IdentAt(offset)
	if id == nil {
		return nil
	}
	obj := v.Info.ObjectOf(id)
	if obj == nil {
		obj = v.implicitAt(id.Pos())
	}
	if obj == nil || obj.Type() == nil {
		return nil
	}
	if fn, ok := obj.Type().(*types.Signature); ok {
		var names []*types.TypeName
		for r := range fn.Results().Variables() {
			if name := typeNameOf(r.Type()); name != nil && name != types.Universe.Lookup("error") {
				names = append(names, name)
			}
		}
		return names
	}
	if name := typeNameOf(obj.Type()); name != nil {
		return []*types.TypeName{name}
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
