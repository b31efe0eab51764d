package check

import (
	"go/types"
	"slices"
	"strconv"
)

// objectPaths names every object of a package that other packages can name or reach: "Client",
// "Client.Do", "Reader.Read", "DefaultOptions.Level". The names are the same whether the package
// was checked from source or decoded from export data, and do not depend on positions or on what
// else the package declares. (x/tools/objectpath numbers methods and fields, and searches the
// package anew for every object; all names at once cost as much as a few of its searches.)
//
// An object that two declarations share, such as a field of a struct type that two types are
// defined by, goes by the first in alphabetical order, exported declarations before others. Tags
// are those of the fields that have one.
func objectPaths(pkg *types.Package) (paths, tags map[types.Object]string) {
	w := pathWalk{pkg: pkg, paths: map[types.Object]string{}, tags: map[types.Object]string{}, seen: map[types.Type]bool{}}
	scope := pkg.Scope()
	var exported, hidden []types.Object
	for _, name := range scope.Names() { // sorted
		obj := scope.Lookup(name)
		_, isType := obj.(*types.TypeName)
		switch {
		case obj.Exported():
			exported = append(exported, obj)
		case isType:
			// Reachable through others, perhaps.
			hidden = append(hidden, obj)
		}
	}
	for _, obj := range slices.Concat(exported, hidden) {
		w.object(obj, obj.Name())
		if name, ok := obj.(*types.TypeName); ok {
			w.typeName(name)
		} else {
			w.typ(obj.Type(), obj.Name())
		}
	}
	return w.paths, w.tags
}

type pathWalk struct {
	pkg   *types.Package
	paths map[types.Object]string
	tags  map[types.Object]string
	seen  map[types.Type]bool
}

// object names obj unless it belongs to another package or has a name.
func (w *pathWalk) object(obj types.Object, path string) {
	if packageOf(obj) != w.pkg {
		return
	}
	if _, ok := w.paths[obj]; !ok {
		w.paths[obj] = path
	}
}

func (w *pathWalk) typeName(obj *types.TypeName) {
	path := obj.Name()
	switch t := obj.Type().(type) {
	case *types.Named:
		for i := range t.NumMethods() {
			m := t.Method(i)
			w.object(m, path+"."+m.Name())
			w.typ(m.Type(), path+"."+m.Name())
		}
		w.typ(t.Underlying(), path)
	case *types.Alias:
		w.typ(t.Rhs(), path)
	default:
		w.typ(t, path)
	}
}

// typ names what is declared inside a type. Defined types are left alone: they are declared
// elsewhere, under their own name.
func (w *pathWalk) typ(t types.Type, path string) {
	if t == nil || w.seen[t] {
		return
	}
	switch t := t.(type) {
	case *types.Pointer:
		w.typ(t.Elem(), path)
	case *types.Slice:
		w.typ(t.Elem(), path)
	case *types.Array:
		w.typ(t.Elem(), path)
	case *types.Chan:
		w.typ(t.Elem(), path)
	case *types.Map:
		w.typ(t.Key(), path+".key")
		w.typ(t.Elem(), path)
	case *types.Signature:
		w.seen[t] = true
		w.tuple(t.Params(), path+".in")
		w.tuple(t.Results(), path+".out")
	case *types.Struct:
		w.seen[t] = true
		for i := range t.NumFields() {
			f := t.Field(i)
			w.object(f, path+"."+f.Name())
			if tag := t.Tag(i); tag != "" {
				w.tags[f] = tag
			}
			w.typ(f.Type(), path+"."+f.Name())
		}
	case *types.Interface:
		w.seen[t] = true
		for i := range t.NumExplicitMethods() {
			m := t.ExplicitMethod(i)
			w.object(declared(m), path+"."+m.Name())
			w.object(m, path+"."+m.Name())
			w.typ(m.Type(), path+"."+m.Name())
		}
		for i := range t.NumEmbeddeds() {
			w.typ(t.EmbeddedType(i), path+".embeds"+strconv.Itoa(i))
		}
	case *types.Union:
		for i := range t.Len() {
			w.typ(t.Term(i).Type(), path+".term"+strconv.Itoa(i))
		}
	}
}

func (w *pathWalk) tuple(t *types.Tuple, path string) {
	for i := range t.Len() {
		w.typ(t.At(i).Type(), path+strconv.Itoa(i))
	}
}
