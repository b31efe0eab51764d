package golang

import (
	"errors"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// Declaration implements lsp.Declarer. A method of a type is promised by the interfaces that have
// it, and what the assembler does by the Go function. All else is declared where it is defined.
func (w *workspace) Declaration(t *runtime.Task, uri string, offset int) (list []lsp.Location, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) (err error) {
		if syntax.IsGoFile(uri) {
			src := taskSource{t, root}
			if list, err = w.promises(src, uri, offset); err != nil || len(list) > 0 {
				return err
			}
			if list, err = definitionOfName(src, uri, offset); !errors.Is(err, lsp.ErrNoSymbol) {
				return err
			}
		}
		list, err = definition(taskSource{t, root}, uri, offset)
		return err
	})
	return list, err
}

// promises are the methods of interfaces that the method of a type at an offset implements.
func (w *workspace) promises(src taskSource, uri string, offset int) (list []lsp.Location, err error) {
	if is, err := isMethodAt(src, uri, offset); !is || err != nil {
		return nil, err
	}
	a, err := askedAt(src, uri, offset)
	if err != nil || a.method == "" || a.set.Interface {
		return nil, ignoreNoSymbol(err)
	}
	kin, err := w.kinEverywhere(src, a, implemented)
	for _, k := range kin {
		list = append(list, k.at)
	}
	slices.SortFunc(list, lsp.Location.Compare)
	return slices.Compact(list), err
}

// isMethodAt reports whether the name at an offset is that of a method.
func isMethodAt(src source, uri string, offset int) (is bool, err error) {
	err = eachPlace(src, uri, offset, namesIn(src, uri), func(at place) (bool, error) {
		f, ok, err := resolve(src, at, at.occs[0])
		is = ok && f.Kind == lsp.KindMethod
		return true, err
	})
	return is, ignoreNoSymbol(err)
}
