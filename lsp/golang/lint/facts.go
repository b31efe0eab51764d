package lint

import (
	"bytes"
	"cmp"
	"encoding/gob"
	"fmt"
	"go/types"
	"io"
	"maps"
	"reflect"
	"slices"
	"sync"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/types/objectpath"
)

// An Imported gives the facts about the package of a path, as [Note] made them; nil if there are
// none. It is called while analyzers run.
type Imported func(path string) []byte

// facts are what analyzers have noted about a package and those that it can see.
type facts struct {
	own      *types.Package
	visible  map[string]*types.Package // by path, those that it can see
	imported Imported
	read     map[*types.Package]bool // whose facts are in objects and packages

	objects  map[objectFact]analysis.Fact
	packages map[packageFact]analysis.Fact
}

type objectFact struct {
	obj types.Object
	typ reflect.Type
}

type packageFact struct {
	pkg *types.Package
	typ reflect.Type
}

func newFacts(own *types.Package, visible map[string]*types.Package, imported Imported) *facts {
	return &facts{
		own: own, visible: visible, imported: imported, read: map[*types.Package]bool{own: true},
		objects: map[objectFact]analysis.Fact{}, packages: map[packageFact]analysis.Fact{},
	}
}

// ofObject copies a fact about an object, if it is known.
func (f *facts) ofObject(obj types.Object, to analysis.Fact) bool {
	if obj == nil || obj.Pkg() == nil {
		return false
	}
	f.take(obj.Pkg())
	return copied(f.objects, objectFact{obj, reflect.TypeOf(to)}, to)
}

// ofPackage copies a fact about a package, if it is known.
func (f *facts) ofPackage(pkg *types.Package, to analysis.Fact) bool {
	f.take(pkg)
	return copied(f.packages, packageFact{pkg, reflect.TypeOf(to)}, to)
}

func copied[K comparable](known map[K]analysis.Fact, k K, to analysis.Fact) bool {
	f, ok := known[k]
	if ok {
		reflect.ValueOf(to).Elem().Set(reflect.ValueOf(f).Elem())
	}
	return ok
}

// takeAll reads the facts about all packages that can be seen.
func (f *facts) takeAll() {
	for _, path := range slices.Sorted(maps.Keys(f.visible)) {
		f.take(f.visible[path])
	}
}

// take reads the facts about a package, unless that was done. What they say of declarations that
// cannot be seen from here is left out.
func (f *facts) take(pkg *types.Package) {
	if f.read[pkg] {
		return
	}
	f.read[pkg] = true
	data := f.imported(pkg.Path())
	if len(data) == 0 {
		return
	}
	gobbed()
	var list []stored
	if gob.NewDecoder(bytes.NewReader(data)).Decode(&list) != nil {
		return // of other analyzers: nothing is known
	}
	for _, s := range list {
		if s.Object == "" {
			f.packages[packageFact{pkg, reflect.TypeOf(s.Fact)}] = s.Fact
		} else if obj, err := objectpath.Object(pkg, s.Object); err == nil {
			f.objects[objectFact{obj, reflect.TypeOf(s.Fact)}] = s.Fact
		}
	}
}

// A stored is a fact outside of the process.
type stored struct {
	Object objectpath.Path // "": the fact is about the package
	Fact   analysis.Fact
}

// encode writes those facts about the package that others can make use of; nil if there are none.
// Equal facts give equal bytes.
func (f *facts) encode() ([]byte, error) {
	var list []stored
	var paths objectpath.Encoder
	for k, fact := range f.objects {
		if k.obj.Pkg() != f.own || !k.obj.Exported() {
			continue
		}
		if path, err := paths.For(k.obj); err == nil {
			list = append(list, stored{path, fact})
		}
	}
	for k, fact := range f.packages {
		if k.pkg == f.own {
			list = append(list, stored{"", fact})
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	slices.SortFunc(list, func(a, b stored) int {
		return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(reflect.TypeOf(a.Fact).String(), reflect.TypeOf(b.Fact).String()))
	})
	gobbed()
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(list); err != nil {
		return nil, fmt.Errorf("lint: writing facts about %s: %w", f.own.Path(), err)
	}
	return b.Bytes(), nil
}

// gobbed tells gob of all types of facts, in one order: it numbers types as it meets them, and the
// numbers are in what it writes.
var gobbed = sync.OnceFunc(func() {
	var list []stored
	for _, a := range withRequired(slices.Collect(maps.Values(all()))) {
		for _, fact := range a.FactTypes {
			gob.Register(fact)
			list = append(list, stored{"", reflect.New(reflect.TypeOf(fact).Elem()).Interface().(analysis.Fact)})
		}
	}
	slices.SortFunc(list, func(a, b stored) int {
		return cmp.Compare(reflect.TypeOf(a.Fact).String(), reflect.TypeOf(b.Fact).String())
	})
	for _, s := range list {
		_ = gob.NewEncoder(io.Discard).Encode([]stored{s}) // some are no facts without content
	}
})

// withRequired are analyzers and all that they need, each once, ordered by name.
func withRequired(list []known) (out []*analysis.Analyzer) {
	seen := map[*analysis.Analyzer]bool{}
	var visit func(a *analysis.Analyzer)
	visit = func(a *analysis.Analyzer) {
		if seen[a] {
			return
		}
		seen[a] = true
		out = append(out, a)
		for _, other := range a.Requires {
			visit(other)
		}
	}
	for _, k := range list {
		visit(k.Analyzer)
	}
	slices.SortStableFunc(out, func(a, b *analysis.Analyzer) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
