package bodies

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// Facts are what go/types recorded of the names of a unit, each list sorted by position. The lists
// are the unit's own; Info may hold more.
type Facts struct {
	Defs      []Def
	Uses      []Use
	Implicits []Implicit
	Info      *types.Info // of the whole check or of the unit; has Defs, Uses and Implicits
}

// A Def is an entry of types.Info.Defs.
type Def struct {
	Ident  *ast.Ident
	Object types.Object
}

// A Use is an entry of types.Info.Uses.
type Use struct {
	Ident  *ast.Ident
	Object types.Object
}

// An Implicit is an entry of types.Info.Implicits.
type Implicit struct {
	Node   ast.Node
	Object types.Object
}

func (i Implicit) pos() token.Pos { return i.Node.Pos() }

func newInfo() *types.Info {
	return &types.Info{
		Defs:      map[*ast.Ident]types.Object{},
		Uses:      map[*ast.Ident]types.Object{},
		Implicits: map[ast.Node]types.Object{},
		Instances: map[*ast.Ident]types.Instance{},
	}
}

// sortFacts lists what an Info has.
func sortFacts(info *types.Info) Facts {
	f := Facts{
		Defs:      make([]Def, 0, len(info.Defs)),
		Uses:      make([]Use, 0, len(info.Uses)),
		Implicits: make([]Implicit, 0, len(info.Implicits)),
		Info:      info,
	}
	for id, obj := range info.Defs {
		f.Defs = append(f.Defs, Def{id, obj})
	}
	for id, obj := range info.Uses {
		f.Uses = append(f.Uses, Use{id, obj})
	}
	for n, obj := range info.Implicits {
		f.Implicits = append(f.Implicits, Implicit{n, obj})
	}
	slices.SortFunc(f.Defs, func(a, b Def) int { return int(a.Ident.NamePos - b.Ident.NamePos) })
	slices.SortFunc(f.Uses, func(a, b Use) int { return int(a.Ident.NamePos - b.Ident.NamePos) })
	slices.SortFunc(f.Implicits, func(a, b Implicit) int {
		return int(a.Node.Pos() - b.Node.Pos())
	})
	return f
}

// between is what facts have from one position to another, both included.
func (f *Facts) between(from, to token.Pos) Facts {
	return Facts{
		Defs:      cutRange(f.Defs, from, to, func(d Def) token.Pos { return d.Ident.Pos() }),
		Uses:      cutRange(f.Uses, from, to, func(u Use) token.Pos { return u.Ident.Pos() }),
		Implicits: cutRange(f.Implicits, from, to, Implicit.pos),
		Info:      f.Info,
	}
}

func cutRange[E any](list []E, from, to token.Pos, at func(E) token.Pos) []E {
	search := func(pos token.Pos) int {
		i, _ := slices.BinarySearchFunc(list, pos, func(e E, pos token.Pos) int {
			return cmp.Compare(at(e), pos)
		})
		return i
	}
	i, j := search(from), search(to+1)
	return list[i:j:j]
}

// add appends what follows in position.
func (f *Facts) add(g Facts) {
	f.Defs = append(f.Defs, g.Defs...)
	f.Uses = append(f.Uses, g.Uses...)
	f.Implicits = append(f.Implicits, g.Implicits...)
	f.Info = g.Info
}

// faceFacts is what facts have of a file outside of bodies.
func faceFacts(f *Facts, s *source) (face Facts) {
	face.Info = f.Info
	from := token.Pos(s.Tokens.Base())
	for _, fn := range s.functions {
		face.add(f.between(from, fn.decl.Body.Lbrace-1))
		from = fn.decl.Body.Rbrace + 1
	}
	face.add(f.between(from, token.Pos(s.Tokens.Base()+s.Tokens.Size())))
	return face
}
