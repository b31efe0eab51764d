package golang

import (
	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/runtime"
)

// TypeDefinition implements lsp.TypeDefiner.
func (w *workspace) TypeDefinition(t *runtime.Task, uri string, offset int) (list []lsp.Location, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	err = w.withView(t, check.Sight{URI: uri, Offset: offset, Bodies: check.BodyAt, Apart: true}, func(v *view) error {
		for _, name := range check.TypeNamesAt(v.View, offset) {
			f, ok, err := v.declaration(name)
			if err != nil {
				return err
			}
			if ok {
				list = append(list, f.location())
			}
		}
		if len(list) == 0 {
			return &lsp.FileError{URI: uri, Offset: offset, Err: lsp.ErrNoSymbol}
		}
		return nil
	})
	return list, err
}
