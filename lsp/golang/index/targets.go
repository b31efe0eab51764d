package index

import "sort"

// Targets are what a search looks for in an index, so that it goes through the index once for all
// of it. One goroutine uses them at a time.
type Targets struct {
	x         *Index
	decls     []sought // by number; nil: none
	externals []sought // by number; nil: none
}

// sought says which occurrences of a thing are looked for.
type sought uint8

const (
	soughtNot sought = iota
	soughtUses
	soughtAll // also where it is declared
)

func soughtOf(declaration bool) sought {
	if declaration {
		return soughtAll
	}
	return soughtUses
}

// NewTargets makes an empty set of targets in an index.
func NewTargets(x *Index) *Targets { return &Targets{x: x} }

// IsEmpty reports whether nothing that was added is in the index.
func (t *Targets) IsEmpty() bool { return t.decls == nil && t.externals == nil }

// AddDeclaration adds a declaration by its number; one below 0 is none. Where it is declared counts
// on demand.
func (t *Targets) AddDeclaration(number int, declaration bool) {
	t.add(&t.decls, t.x.declCount, number, declaration)
}

// AddExternals adds those externals of a package that have one of some paths.
func (t *Targets) AddExternals(pkg string, paths []string, declaration bool) {
	from, to := t.x.externalsOf(pkg)
	for _, path := range paths {
		if from == to {
			return
		}
		t.add(&t.externals, t.x.externalCount(), t.x.externalIn(from, to, path), declaration)
	}
}

func (t *Targets) add(list *[]sought, count, number int, declaration bool) {
	if number < 0 || number >= count {
		return
	}
	if *list == nil {
		*list = make([]sought, count)
	}
	(*list)[number] = max((*list)[number], soughtOf(declaration))
}

// Has reports whether an occurrence is one that is looked for.
func (t *Targets) Has(o *Occurrence) bool {
	list := t.decls
	if o.IsExternal {
		list = t.externals
	}
	if uint(o.Target) >= uint(len(list)) {
		return false
	}
	s := list[o.Target]
	return s == soughtAll || s == soughtUses && !o.Declares
}

// externalsOf are the numbers of what a package has among the externals: from, and before to.
func (x *Index) externalsOf(pkg string) (from, to int) {
	n := x.externalCount()
	from = sort.Search(n, func(i int) bool { return string(x.externalPart(i, 0)) >= pkg })
	to = from + sort.Search(n-from, func(i int) bool { return string(x.externalPart(from+i, 0)) > pkg })
	return from, to
}

// externalIn is the number of a path among externals of one package, -1 if it is not there.
func (x *Index) externalIn(from, to int, path string) int {
	i := from + sort.Search(to-from, func(i int) bool { return string(x.externalPart(from+i, 1)) >= path })
	if i == to || string(x.externalPart(i, 1)) != path {
		return -1
	}
	return i
}

// externalPart is a string of an external, in place: 0 is its package, 1 its path.
func (x *Index) externalPart(i, part int) []byte {
	return x.strBytes(uint64(u32(x.externals[i*externalBytes:], part)))
}
