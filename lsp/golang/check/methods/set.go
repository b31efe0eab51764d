package methods

import (
	"go/token"
	"go/types"
	"hash/fnv"
	"slices"
	"strings"
)

// A Set is the methods of a type; of one that is no interface, those of a pointer to it. Generic
// methods are left out: they implement nothing.
type Set struct {
	Name      string // of the type in its package; "" if it has none
	File      int    // number of the file that declares the type; -1 if it is not known
	Interface bool
	Methods   []Method // sorted by ID

	mask uint64
}

// A Method is a method of a set.
type Method struct {
	ID      string // its name; of one that is not exported, behind the path of its package and a dot
	Package string // path of the package that declares it; "" for the universe
	Path    string // what it is called there, as in "T.M"; "" if there is no telling
	File    int    // number of the file that declares it, if that is one of the type's package; else -1

	signature string // a term
}

// Name is the name of the method.
func (m *Method) Name() string { return m.ID[strings.LastIndexByte(m.ID, '.')+1:] }

// Method is the method of an ID; nil if the set has none.
func (s *Set) Method(id string) *Method {
	i, ok := slices.BinarySearchFunc(s.Methods, id, func(m Method, id string) int { return strings.Compare(m.ID, id) })
	if !ok {
		return nil
	}
	return &s.Methods[i]
}

// A Namer says what a set cannot know of the objects in it.
type Namer struct {
	Path func(types.Object) string // what a method of an unnamed interface is called in its package, or ""
	File func(token.Pos) int       // number of the file of a position in the package, or -1
}

// OfType is the set of a type as a package sees it.
func OfType(t types.Type, pkg *types.Package, namer Namer) Set {
	t = types.Unalias(t)
	s := Set{File: -1, Interface: types.IsInterface(t)}
	if p, ok := t.(*types.TypeParam); ok {
		t = p.Constraint()
	}
	if named, ok := t.(*types.Named); ok {
		s.Name = named.Obj().Name()
		if named.Obj().Pkg() == pkg {
			s.File = namer.File(named.Obj().Pos())
		}
		if !s.Interface {
			t = types.NewPointer(t)
		}
	}
	for sel := range types.NewMethodSet(t).Methods() {
		fn, ok := sel.Obj().(*types.Func)
		if !ok || fn.Signature().TypeParams().Len() > 0 {
			continue
		}
		m := Method{ID: fn.Id(), File: -1, signature: termOf(fn.Type())}
		origin := fn.Origin()
		if from := origin.Pkg(); from != nil {
			m.Package = from.Path()
			if from == pkg {
				m.File = namer.File(origin.Pos())
			}
			if owner := ownerOf(origin); owner != "" {
				m.Path = owner + "." + origin.Name()
			} else {
				m.Path = namer.Path(origin)
			}
		}
		s.Methods = append(s.Methods, m)
	}
	slices.SortFunc(s.Methods, func(a, b Method) int { return strings.Compare(a.ID, b.ID) })
	s.mask = maskOf(s.Methods)
	return s
}

// ownerOf is the name of the package-level type that a method is declared for or in; "" if there is
// none.
func ownerOf(fn *types.Func) string {
	recv := fn.Signature().Recv()
	if recv == nil {
		return ""
	}
	t := types.Unalias(recv.Type())
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	named, ok := t.(*types.Named)
	if !ok || named.Obj().Parent() != nil && named.Obj().Parent() != fn.Pkg().Scope() {
		return ""
	}
	return named.Obj().Name()
}

// maskOf has a bit for the ID of each method.
func maskOf(list []Method) (mask uint64) {
	for i := range list {
		h := fnv.New64a()
		h.Write([]byte(list[i].ID))
		sum := h.Sum64()
		mask |= 1 << ((sum ^ sum>>32) & 63)
	}
	return mask
}

// Implements reports whether a type, or some instance of it, implements an interface or some
// instance of that. No type is said to implement an interface without methods.
func (s *Set) Implements(y *Set) bool {
	if !y.Interface || len(y.Methods) == 0 || s.mask&y.mask != y.mask {
		return false
	}
	return implements(s.Methods, y.Methods)
}

func implements(x, y []Method) bool {
	var open [][2]string
	i := 0
	for j := range y {
		for i < len(x) && x[i].ID < y[j].ID {
			i++
		}
		if i == len(x) || x[i].ID != y[j].ID {
			return false
		}
		a, b := x[i].signature, y[j].signature
		if a == b && isClosed(a) {
			continue
		}
		if isClosed(a) && isClosed(b) {
			return false
		}
		open = append(open, [2]string{a, b})
	}
	u := unifier{}
	for _, pair := range open {
		if !u.unify(parse(pair[0], 0), parse(pair[1], 1)) {
			return false
		}
	}
	return true
}

func isClosed(term string) bool { return term != "" && term[0] == closedTerm }

// ErrorType is the set of the predeclared type error.
func ErrorType() Set {
	s := OfType(types.Universe.Lookup("error").Type(), nil, Namer{File: func(token.Pos) int { return -1 }})
	s.Name = "error"
	return s
}
