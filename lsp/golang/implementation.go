package golang

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/check/methods"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/relations"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// Implementation implements lsp.Implementer.
func (w *workspace) Implementation(t *runtime.Task, uri string, offset int) (list []lsp.Location, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) error {
		src := taskSource{t, root}
		text, err := src.text(uri)
		if err != nil {
			return err
		}
		if relations.IsFunctionPlace(syntax.Trees.Get(uri, text), offset) {
			return viewFile(src, check.Sight{URI: uri, Offset: offset, Bodies: check.AllBodies}, func(v *view) error {
				var ok bool
				if list, ok = relations.Functions(v.View, offset); !ok && offset < len(text) && text[offset] == '(' {
					return &lsp.RefusedError{Reason: "not a dynamic function call"}
				} else if !ok {
					return &lsp.FileError{URI: uri, Offset: offset, Err: lsp.ErrNoSymbol}
				}
				return nil
			})
		}
		a, err := askedAt(src, uri, offset)
		if err != nil {
			return err
		}
		relation := implemented
		if a.set.Interface {
			relation = implementing
		}
		found, err := w.kinEverywhere(src, a, relation)
		for _, k := range found {
			list = append(list, k.at)
		}
		return err
	})
	slices.SortFunc(list, lsp.Location.Compare)
	return slices.Compact(list), err
}

// A kin is a type that implements another one, or that another one implements, or its method.
type kin struct {
	pkg *metadata.Package // where the type is declared
	set methods.Set
	at  lsp.Location // of the name of the type or method
}

// A relation is which kin are asked for.
type relation uint8

const (
	implementing relation = 1 << iota // what implements the type asked about
	implemented                       // what it implements
)

// An asked is the type or method that a question is about.
type asked struct {
	set    methods.Set
	method string       // its ID; "" if the question is about the type
	self   lsp.Location // where it is declared; zero: nowhere that is known
}

// askedAt finds the type or method that stands at an offset.
func askedAt(src taskSource, uri string, offset int) (a asked, err error) {
	known := false
	err = eachPlace(src, uri, offset, namesIn(src, uri), func(at place) (bool, error) {
		f, ok, err := resolve(src, at, at.occs[0])
		if ok && err == nil {
			a, known, err = askedOf(src, f)
		}
		return true, err
	})
	if known || err != nil {
		return a, err
	}
	err = viewFile(src, check.Sight{URI: uri, Offset: offset, Bodies: check.BodyAt, Apart: true}, func(v *view) error {
		found, ok := relations.Ask(v.View, offset)
		if !ok {
			return &lsp.FileError{URI: uri, Offset: offset, Err: lsp.ErrNoSymbol}
		}
		a = asked{set: found.Set, method: found.Method}
		if !found.Named {
			return nil
		}
		f, ok, err := v.declaration(found.Name)
		if ok {
			a.self = f.location()
		}
		return err
	})
	return a, err
}

// askedOf finds a declared type, or a method that is declared for or in one, in the table of its
// package.
func askedOf(src taskSource, f found) (a asked, ok bool, err error) {
	name, method := f.Path, ""
	switch {
	case syntax.IsTypeKind(f.Kind):
	case f.Kind == lsp.KindMethod:
		name, method, ok = strings.Cut(f.Path, ".")
		if !ok || strings.Contains(method, ".") {
			return a, false, nil
		}
	default:
		return a, false, &lsp.FileError{URI: f.location().URI, Offset: f.Span.Start, Err: lsp.ErrNoSymbol}
	}
	if name == "" {
		return a, false, nil
	}
	a.self = f.location()
	if f.pkg.Path == metadata.Builtin {
		if a.set = methods.ErrorType(); name != a.set.Name {
			return a, false, nil
		}
	} else {
		table, err := methodTable(src.t, pkgKey{src.root, f.pkg.ID})
		if err != nil {
			return a, false, err
		}
		if a.set, ok = table.Find(name); !ok {
			return a, false, nil
		}
	}
	if method == "" {
		return a, true, nil
	}
	i := slices.IndexFunc(a.set.Methods, func(m methods.Method) bool { return m.Path == f.Path || f.pkg.Path == metadata.Builtin })
	if i < 0 {
		return a, false, nil
	}
	a.method = a.set.Methods[i].ID
	return a, true, nil
}

// kinEverywhere is the kin of what is asked about, in its build and in others that read its
// declaration.
func (w *workspace) kinEverywhere(src taskSource, a asked, r relation) ([]kin, error) {
	list, err := kinOf(src, a, r)
	if err != nil || a.self.URI == "" {
		return list, err
	}
	for _, b := range w.viewedBuilds() {
		if b.Root == src.root || b.meta == nil || len(b.meta.Owners(a.self.URI)) == 0 || b.meta.IsForeign(files.PathOf(a.self.URI)) {
			continue
		}
		more, err := kinOf(taskSource{src.t, b.Root}, a, r)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	return list, nil
}

// kinOf is the kin of what is asked about in one build.
func kinOf(src taskSource, a asked, r relation) (list []kin, err error) {
	if len(a.set.Methods) == 0 {
		return nil, nil
	}
	m, err := src.metadata()
	if err != nil {
		return nil, err
	}
	s := kinSearch{src: src, meta: m, asked: a, relation: r, symbols: map[string][]byte{}}
	if err := s.predeclared(); err != nil {
		return nil, err
	}
	err = eachMethodTable(src.t, src.root, func(id string, table *methods.Table) (err error) {
		p := m.Find(id)
		if p == nil {
			return nil
		}
		table.Search(&a.set, r&implementing != 0, r&implemented != 0, func(set *methods.Set) {
			if err == nil {
				err = s.found(p, set)
			}
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.list, s.locals()
}

// A kinSearch collects kin.
type kinSearch struct {
	src      taskSource
	meta     *metadata.Build
	asked    asked
	relation relation
	symbols  map[string][]byte // of files, by URI
	list     []kin
}

// matches reports whether a set is kin.
func (s *kinSearch) matches(set *methods.Set) bool {
	return s.relation&implementing != 0 && set.Implements(&s.asked.set) || s.relation&implemented != 0 && s.asked.set.Implements(set)
}

// add adds what is declared at a place, unless it is asked about.
func (s *kinSearch) add(p *metadata.Package, set *methods.Set, at lsp.Location) {
	if at != s.asked.self {
		s.list = append(s.list, kin{p, *set, at})
	}
}

// predeclared adds the type error.
func (s *kinSearch) predeclared() error {
	set := methods.ErrorType()
	if !s.matches(&set) {
		return nil
	}
	path := set.Name
	if s.asked.method != "" {
		path += "." + s.asked.method
	}
	f, ok, err := declarationNamed(s.src, index.External{Package: metadata.Builtin, Path: path}, &metadata.Package{})
	if ok {
		s.add(f.pkg, &set, f.location())
	}
	return err
}

// found adds a type of a package, or its method.
func (s *kinSearch) found(p *metadata.Package, set *methods.Set) error {
	if s.asked.method == "" {
		if set.File < 0 || set.File >= len(p.Files) {
			return nil
		}
		at, ok, err := s.symbol(p.Files[set.File], set.Name)
		if ok {
			s.add(p, set, at)
		}
		return err
	}
	m := set.Method(s.asked.method)
	if m == nil {
		return nil
	}
	at, ok, err := s.method(p, m)
	if ok {
		s.add(p, set, at)
	}
	return err
}

// method finds where a method is declared that a type of a package has.
func (s *kinSearch) method(p *metadata.Package, m *methods.Method) (at lsp.Location, ok bool, err error) {
	from, file := p, m.File
	if file < 0 && m.Package != "" {
		owner, _, _ := strings.Cut(m.Path, ".")
		for _, from = range s.meta.Named(m.Package, p) {
			table, err := methodTable(s.src.t, pkgKey{s.src.root, from.ID})
			if err != nil {
				return at, false, err
			}
			if set, found := table.Find(owner); found {
				if own := set.Method(m.ID); own != nil && own.Path == m.Path {
					file = own.File
					break
				}
			}
		}
	}
	if file >= 0 && file < len(from.Files) {
		if at, ok, err = s.symbol(from.Files[file], m.Path); ok || err != nil {
			return at, ok, err
		}
	}
	f, ok, err := declarationNamed(s.src, index.External{Package: m.Package, Path: m.Path}, p)
	if ok {
		at = f.location()
	}
	return at, ok, err
}

// symbol finds a declaration of a file by its name in the outline.
func (s *kinSearch) symbol(uri, name string) (at lsp.Location, ok bool, err error) {
	list, known := s.symbols[uri]
	if !known {
		if list, err = symbolLists.Get(s.src.t, uri); err != nil {
			return at, false, err
		}
		s.symbols[uri] = list
	}
	index.EachSymbol(list, func(sym index.Symbol) bool {
		if ok = string(sym.Name) == name; ok {
			at = lsp.Location{URI: uri, Span: sym.Span}
		}
		return !ok
	})
	return at, ok, nil
}

// locals adds the types that function bodies of the package declare which is asked about.
func (s *kinSearch) locals() error {
	if s.asked.self.URI == "" {
		return nil
	}
	declares := map[string]bool{} // by URI: owners share files
	for _, p := range s.meta.Owners(s.asked.self.URI) {
		if !p.Workspace {
			continue
		}
		for _, uri := range p.Files {
			has, known := declares[uri]
			if !known {
				var err error
				if has, err = declaresLocally(s.src, uri); err != nil {
					return err
				}
				declares[uri] = has
			}
			if !has {
				continue
			}
			err := viewPackage(s.src, p.ID, check.Sight{URI: uri, Bodies: check.BodiesOfFile, Apart: true}, func(v *view) error {
				for _, l := range relations.Locals(v.View) {
					if err := s.local(v, &l); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil && !errors.Is(err, lsp.ErrNoSymbol) && !errors.Is(err, check.ErrUnfit) {
				return err
			}
		}
	}
	return nil
}

// declaresLocally reports whether a function body of a file declares a type that may have methods.
func declaresLocally(src taskSource, uri string) (bool, error) {
	text, err := src.text(uri)
	if errors.Is(err, lsp.ErrUnknownFile) {
		return false, nil
	}
	return err == nil && mayDeclareLocally(text) && relations.HasLocals(syntax.Trees.Get(uri, text)), err
}

// mayDeclareLocally passes over the texts of most files that declare no type in a function body.
func mayDeclareLocally(text []byte) bool {
	return bytes.Contains(text, []byte("\ttype ")) || bytes.Contains(text, []byte(" type ")) || bytes.Contains(text, []byte("{type "))
}

func (s *kinSearch) local(v *view, l *relations.Local) error {
	name, ok := l.At, s.matches(&l.Set)
	if ok && s.asked.method != "" {
		name, ok = l.Methods[s.asked.method]
	}
	if !ok {
		return nil
	}
	f, ok, err := v.declaration(name)
	if ok {
		s.add(v.Meta, &l.Set, f.location())
	}
	return err
}
