package names

import (
	"go/types"
	"slices"
	"strings"
	"unicode"
)

// A Digest stands for what can be seen of something: equal digests, equal sights.
type Digest [16]byte

// A Table has a digest for each row of a package.
type Table map[string]Digest

// Rows about a package as a whole. No name is any of these.
const (
	Package   = "."  // what it is called, or why it is not there
	Exported  = "=." // the set of its exported names
	Mentioned = "+." // which packages it mentions, with what they are called
)

// Name is the row of a declaration. A name that is not declared has no row.
func Name(name string) string { return name }

// Like is the row of the names that are equal to a name, ignoring case. When there are none there
// is no row.
func Like(name string) string { return "~" + fold(name) }

// fold is the same for names that are equal ignoring case, as strings.EqualFold has it.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, name)
}

// Missing is the table of a package that cannot be had.
func Missing(problem string) Table { return Table{Package: digest("missing", problem)} }

// Of is the table of a package as an importer sees it. Path names an object for the index of an
// importer; it may be "".
func Of(pkg *types.Package, path func(types.Object) string) Table {
	w := walk{path: path, nodes: map[types.Object]*node{}}
	t := Table{Package: digest("package", pkg.Path(), pkg.Name())}
	scope := pkg.Scope()
	var exported []string
	like := map[string][]string{}
	for _, name := range scope.Names() { // sorted
		obj := scope.Lookup(name)
		t[Name(name)] = w.of(obj)
		if obj.Exported() {
			exported = append(exported, name)
		}
		row := Like(name)
		like[row] = append(like[row], name)
	}
	for row, list := range like {
		t[row] = digest(append([]string{"like"}, list...)...)
	}
	t[Exported] = digest(append([]string{"exported"}, exported...)...)
	t[Mentioned] = digest(append([]string{"mentioned"}, mentioned(pkg)...)...)
	return t
}

// mentioned are the packages that one leads to, each by name and path.
func mentioned(pkg *types.Package) (list []string) {
	seen := map[*types.Package]bool{}
	var visit func(*types.Package)
	visit = func(p *types.Package) {
		if seen[p] {
			return
		}
		seen[p] = true
		list = append(list, p.Name()+" "+p.Path())
		for _, q := range p.Imports() {
			visit(q)
		}
	}
	visit(pkg)
	slices.Sort(list)
	return list
}

// digest is that of some strings, in order.
func digest(list ...string) Digest {
	var room [256]byte
	out := room[:0]
	for _, s := range list {
		out = appendString(out, s)
	}
	return sum(out)
}
