package golang

import (
	"maps"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
)

// references answers lsp.Workspace.References without what counts only because of types. It looks
// into the workspace, into what declares the thing, and into the packages that the file is compiled
// in.
func references(src source, uri string, offset int, declaration bool) ([]lsp.Location, error) {
	s, err := newSearch(src)
	if err != nil {
		return nil, err
	}
	if err := s.look(uri, offset, searchScope{declaration: declaration}); err != nil {
		return nil, err
	}
	return s.run()
}

// A search collects references. What is looked for is noted first; then each package is opened and
// gone through once, for all of it.
type search struct {
	src    source
	meta   *metadata.Build
	rooms  map[string]*searchedRoom // by the ID of a package
	common map[commonNames]*searchedNames
	found  []lsp.Location
}

// A searchScope says where a thing is looked for, and how.
type searchScope struct {
	declaration bool                // its declaration counts, too
	further     []*metadata.Package // searched even if they are no part of the workspace
	only        []*metadata.Package // if there are any: no others are searched
}

// A searchedRoom is a package, and what is looked for in it.
type searchedRoom struct {
	pkg    *metadata.Package
	places []searchedPlace
	names  []*searchedNames
}

// A searchedPlace is a declaration in the package itself.
type searchedPlace struct {
	at          lsp.Location
	declaration bool
}

// searchedNames are things of another package.
type searchedNames struct {
	of          string // the path of that package
	paths       []string
	declaration bool
}

// commonNames says which names are looked for in all packages that can have them.
type commonNames struct {
	of          string
	declaration bool
}

func newSearch(src source) (*search, error) {
	m, err := src.metadata()
	s := &search{
		src: src, meta: m,
		rooms:  map[string]*searchedRoom{},
		common: map[commonNames]*searchedNames{},
	}
	return s, err
}

// look notes all that the name at an offset means. A name that declares something is asked about as
// that alone: an embedded field is the field and not its type, an import is what the file calls the
// package.
func (s *search) look(uri string, offset int, scope searchScope) error {
	places, err := placesAt(s.src, uri, offset)
	if err != nil {
		return err
	}
	l := searchLook{
		search: s, scope: scope,
		asked: map[string]*metadata.Package{},
		done:  map[searchTarget]bool{},
	}
	for _, at := range places {
		l.asked[at.pkg.ID] = at.pkg
	}
	for _, p := range scope.further {
		l.asked[p.ID] = p
	}
	for _, at := range places {
		declares := slices.ContainsFunc(at.occs, declaresHere)
		for _, o := range at.occs {
			if declares && !o.Declares {
				continue
			}
			if err := l.occurrence(at, o); err != nil {
				return err
			}
		}
	}
	return nil
}

func declaresHere(o index.Occurrence) bool { return o.Declares }

// A searchLook notes what one name means.
type searchLook struct {
	*search
	scope searchScope
	asked map[string]*metadata.Package // by ID: searched even if they are no part of the workspace
	done  map[searchTarget]bool
}

// A searchTarget is a declaration by its place, or something of a package by its name.
type searchTarget struct {
	place lsp.Location
	name  index.External
}

// occurrence notes everything that means the same as an occurrence.
func (l *searchLook) occurrence(at place, o index.Occurrence) error {
	f, ok, err := resolve(l.src, at, o)
	if err != nil {
		return err
	}
	if ok {
		if l.scope.declaration {
			l.found = append(l.found, f.location())
		}
		l.local(f.location())
		if f.Path != "" {
			l.external(index.External{Package: f.pkg.Path, Path: f.Path})
		}
		return nil
	}
	if name, ok := at.index.ExternalAt(o.Target); ok && o.IsExternal {
		l.external(name)
	}
	return nil
}

// local notes a declaration for the packages that it lies in, those of others among them: how the
// author of a name uses it is of interest, too.
func (l *searchLook) local(at lsp.Location) {
	if l.done[searchTarget{place: at}] {
		return
	}
	l.done[searchTarget{place: at}] = true
	packages := l.meta.Owners(at.URI)
	for _, p := range l.asked {
		if isStray(p.ID) {
			packages = append(packages, p)
		}
	}
	for _, p := range packages {
		if len(l.scope.only) == 0 || slices.Contains(l.scope.only, p) {
			r := l.room(p)
			r.places = append(r.places, searchedPlace{at, l.scope.declaration})
		}
	}
}

// external notes a name for the packages that can name something of another one.
func (l *searchLook) external(name index.External) {
	if l.done[searchTarget{name: name}] {
		return
	}
	l.done[searchTarget{name: name}] = true
	if len(l.scope.only) > 0 {
		for _, p := range l.scope.only {
			l.externalIn(p, name)
		}
		return
	}
	l.everywhere(name)
	for _, p := range l.asked {
		if !p.Workspace {
			l.externalIn(p, name)
		}
	}
}

// externalIn notes a name for one package.
func (l *searchLook) externalIn(p *metadata.Package, name index.External) {
	r := l.room(p)
	only := &searchedNames{name.Package, []string{name.Path}, l.scope.declaration}
	r.names = append(r.names, only)
}

// everywhere notes a name for all packages of the workspace that can have it.
func (l *searchLook) everywhere(name index.External) {
	k := commonNames{name.Package, l.scope.declaration}
	names := l.common[k]
	if names == nil {
		names = &searchedNames{of: name.Package, declaration: l.scope.declaration}
		l.common[k] = names
		for _, p := range l.meta.Reaching(name.Package) {
			r := l.room(p)
			r.names = append(r.names, names)
		}
	}
	names.paths = append(names.paths, name.Path)
}

func (s *search) room(p *metadata.Package) *searchedRoom {
	r := s.rooms[p.ID]
	if r == nil {
		r = &searchedRoom{pkg: p}
		s.rooms[p.ID] = r
	}
	return r
}

// run looks for what was noted. The places are sorted, and each is there once.
func (s *search) run() ([]lsp.Location, error) {
	rooms := slices.SortedFunc(maps.Values(s.rooms), func(a, b *searchedRoom) int {
		return strings.Compare(a.pkg.ID, b.pkg.ID)
	})
	for _, r := range rooms {
		x, err := s.src.checked(r.pkg)
		if err != nil {
			return nil, err
		}
		targets := r.targets(x)
		if targets.IsEmpty() {
			continue
		}
		for file := range x.FileCount() {
			uri := x.URI(file)
			x.Occurrences(file, func(o index.Occurrence) bool {
				// A file that is broken may have no package clause: its name is nowhere.
				if targets.Has(&o) && o.Span.Start < o.Span.End {
					s.found = append(s.found, lsp.Location{URI: uri, Span: o.Span})
				}
				return true
			})
		}
	}
	slices.SortFunc(s.found, lsp.Location.Compare)
	return slices.Compact(s.found), nil
}

// targets are what is looked for in a package, by the numbers of its index.
func (r *searchedRoom) targets(x *index.Index) *index.Targets {
	t := index.NewTargets(x)
	for _, p := range r.places {
		t.AddDeclaration(x.DeclarationAt(x.File(p.at.URI), p.at.Span.Start), p.declaration)
	}
	for _, n := range r.names {
		t.AddExternals(n.of, n.paths, n.declaration)
	}
	return t
}
