package golang

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/relations"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// addCoupled adds the methods that have to go by one name with a method of an interface, since some
// place needs a type to implement it. A method of a type is not renamed away from the interfaces
// that it implements for: whoever asks for it may not know of them.
func (r *renaming) addCoupled() error {
	if r.first.Kind != lsp.KindMethod {
		return nil
	}
	for _, src := range r.sources {
		abstract, coupled, err := r.mayBeCoupled(src)
		if err != nil {
			return err
		}
		if !coupled {
			continue
		}
		m, err := src.metadata()
		if err != nil {
			return err
		}
		var all []coupledPair
		for _, p := range slices.Concat(m.Owners(r.first.location().URI), m.Reaching(r.first.pkg.Path)) {
			if !p.Workspace || slices.ContainsFunc(all, func(c coupledPair) bool { return c.in == p.ID }) {
				continue
			}
			found, err := r.couplingsIn(src, p)
			if err != nil {
				return err
			}
			all = append(all, found...)
		}
		if abstract {
			if err := r.addPairs(all); err != nil {
				return err
			}
			continue
		}
		for _, c := range all {
			if c.method.location() == r.first.location() && !c.TypeIsInterface {
				e := refuse("renaming this method %q to %q", r.from, r.to)
				e.At = r.first.location()
				e.Places = []lsp.RefusedPlace{
					{At: interfaceOf(c.iface), What: fmt.Sprintf("would make %s no longer assignable to interface %s", c.Type, lastElement(c.InterfaceType))},
					{At: c.iface.location(), What: fmt.Sprintf("(rename %s.%s if you intend to change both types)", c.InterfaceType, r.from)},
				}
				return e
			}
		}
	}
	return nil
}

// interfaceOf is where the interface is declared that a method is declared in; the method, if the
// interface has no name.
func interfaceOf(method found) lsp.Location {
	name, _, _ := strings.Cut(method.Path, ".")
	if d, ok := method.index.Declaration(method.index.DeclarationOf(name)); ok && syntax.IsTypeKind(d.Kind) {
		return lsp.Location{URI: method.index.URI(d.File), Span: d.Span}
	}
	return method.location()
}

// A coupledPair is a coupling with where its methods are declared.
type coupledPair struct {
	relations.Coupling
	in            string // ID of a package that it is in
	iface, method found
}

// mayBeCoupled reports whether the method is one of an interface, and whether there is anything
// that could be coupled with it.
func (r *renaming) mayBeCoupled(src taskSource) (abstract, may bool, err error) {
	at := r.first.location()
	a, err := askedAt(src, at.URI, at.Span.Start)
	if err != nil {
		return false, false, err
	}
	if !a.set.Interface {
		return false, true, nil // a type that embeds it may implement what it does not
	}
	list, err := kinOf(src, a, implementing|implemented)
	return true, len(list) > 0, err
}

// couplingsIn are those of a package.
func (r *renaming) couplingsIn(src taskSource, p *metadata.Package) (list []coupledPair, err error) {
	x, err := r.checked(src, p)
	if err != nil || x.FileCount() == 0 {
		return nil, err
	}
	err = viewPackage(src, p.ID, check.Sight{Bodies: check.AllBodies}, func(v *view) error {
		found, err := relations.Couplings(v.View, r.from)
		if errors.Is(err, relations.ErrIllTyped) {
			return refuse("renaming %q to %q not possible because %s in %q has errors", r.from, r.to, firstWrong(v), p.Path)
		}
		for _, c := range found {
			pair := coupledPair{Coupling: c, in: p.ID}
			var ok, alsoOK bool
			if pair.iface, ok, err = v.declaration(c.Interface); err != nil {
				return err
			}
			if pair.method, alsoOK, err = v.declaration(c.Method); err != nil {
				return err
			}
			if ok && alsoOK {
				list = append(list, pair)
			}
		}
		return err
	})
	if errors.Is(err, lsp.ErrNoSymbol) {
		return nil, nil
	}
	return list, err
}

// firstWrong is the file of the first error of a package, quoted.
func firstWrong(v *view) string {
	if len(v.Errors) == 0 {
		return "a file"
	}
	if t := v.Tree(v.Errors[0].Pos); t != nil {
		return fmt.Sprintf("%q", t.URI[strings.LastIndexByte(t.URI, '/')+1:])
	}
	return "a file"
}

// addPairs adds what is coupled, over any number of steps.
func (r *renaming) addPairs(all []coupledPair) error {
	for again := true; again; {
		again = false
		for _, c := range all {
			for _, pair := range [][2]found{{c.iface, c.method}, {c.method, c.iface}} {
				if r.known[pair[0].location()] && !r.known[pair[1].location()] {
					again = true
					if err := r.add(pair[1]); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}
