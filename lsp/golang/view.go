package golang

import (
	"cmp"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// A view is a package with its types as a question sees it, and the state that it is from.
type view struct {
	*check.View
	taskSource
}

// viewFile has fn look at the types of the package that the file of a sight is compiled in, until
// it returns. Fn takes no other view: it could wait for itself.
func viewFile(src taskSource, s check.Sight, fn func(v *view) error) error {
	uri, offset := s.URI, s.Offset
	text, err := src.text(uri)
	if err != nil {
		return err
	}
	if offset < 0 || offset > len(text) {
		return &lsp.FileError{URI: uri, Offset: offset, Err: lsp.ErrOutOfRange}
	}
	owners, err := ownersOf(src, uri)
	if err != nil {
		return err
	}
	if len(owners) == 0 {
		return &lsp.FileError{URI: uri, Offset: offset, Err: lsp.ErrNoSymbol}
	}
	return viewPackage(src, owners[0].ID, s, fn)
}

// viewPackage has fn look at the types of a package, until it returns. A sight that allows bodies
// to be checked apart is that of a question: what is read then need not be recorded.
func viewPackage(src taskSource, id string, s check.Sight, fn func(v *view) error) error {
	return viewPackageIn(&check.Views, src, id, s, nil, fn)
}

// viewPackageIn is viewPackage with the views of a pool. Those trees that the caller has are those
// of the view, which matters to a Sight.Keep: it knows functions by their trees.
func viewPackageIn(
	pool *check.ViewPool, src taskSource, id string, s check.Sight, trees []*syntax.Tree, fn func(v *view) error,
) error {
	t := src.t
	var state any
	if now := t.State(); s.Apart && now != nil {
		state = viewedState{now, src.root}
		if known, err := viewKnown(pool, src, id, s, state, fn); known || err != nil {
			return err
		}
	}
	in, err := readPackage(t, pkgKey{src.root, id})
	if err != nil {
		return err
	}
	if in.p == nil || metadata.IsSyntaxOnly(in.p) {
		return &lsp.FileError{URI: s.URI, Offset: s.Offset, Err: lsp.ErrNoSymbol}
	}
	in.use(trees)
	slot, err := takeSlot(t, pool, id)
	if err != nil {
		return err
	}
	defer slot.Done()
	bytes := 0
	for _, text := range in.texts {
		bytes += len(text)
	}
	var v *check.View
	err = t.Piece(worldBytes+int64(bytes)*checkWeight, func(func(func())) (err error) {
		v, err = slot.View(in.p, in.imports, in.parse(true), s)
		return cmp.Or(in.exports.err, err)
	})
	if err != nil {
		return err
	}
	slot.FoundIn(state)
	return fn(&view{v, src})
}

// A viewedState is the state of a build.
type viewedState struct {
	state any
	root  string
}

// viewKnown is viewPackageIn for a package that was looked at in a state before: nothing need be
// read to know that it is as it was. It reports whether there is such a view.
func viewKnown(
	pool *check.ViewPool, src taskSource, id string, s check.Sight, state any, fn func(v *view) error,
) (known bool, err error) {
	slot, err := takeSlot(src.t, pool, id)
	if err != nil {
		return false, err
	}
	defer slot.Done()
	v, err := slot.Known(state, s)
	if err != nil || v == nil {
		return false, err
	}
	return true, fn(&view{v, src})
}

func (s taskSource) types(p *metadata.Package, sight check.Sight, fn func(v *check.View) error) error {
	return viewPackage(s, p.ID, sight, func(v *view) error { return fn(v.View) })
}

// takeSlot waits until nobody else looks at the types of a package.
func takeSlot(t *runtime.Task, pool *check.ViewPool, id string) (*check.ViewSlot, error) {
	for {
		slot, busy := pool.Take(id)
		if busy == nil {
			return slot, nil
		}
		if err := t.Blocking(func() error { <-busy; return nil }); err != nil {
			return nil, err
		}
	}
}

// declaration finds what has a name in the view.
func (v *view) declaration(name check.Name) (f found, ok bool, err error) {
	if name.URI == "" {
		return declarationNamed(v.taskSource, name.External, v.Meta)
	}
	x, err := v.names(v.Meta, name.URI)
	if err != nil {
		return found{}, false, err
	}
	i := x.DeclarationAt(x.File(name.URI), name.Offset)
	if i < 0 {
		return found{}, false, nil
	}
	d, ok := x.Declaration(i)
	return found{v.Meta, x, d}, ok, nil
}
