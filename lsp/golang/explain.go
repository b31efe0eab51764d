package golang

import (
	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/runtime"
)

// Explain says why each query that answers about a file rest on was last computed or reused: those
// of the file, then those of the packages that it belongs to.
func (w *workspace) Explain(t *runtime.Task, uri string) ([]runtime.Explanation, error) {
	if _, err := w.Diagnostics(t, uri); err != nil {
		return nil, err
	}
	path, ok := files.Path(uri)
	if !ok {
		return nil, &lsp.FileError{URI: uri, Offset: -1, Err: lsp.ErrUnknownFile}
	}
	root := w.buildOf(path).Root
	m, err := metadatas.Get(t, root)
	if err != nil {
		return nil, err
	}
	eng := t.Engine()
	explain := []func() (runtime.Explanation, error){
		func() (runtime.Explanation, error) { return runtime.Explain(eng, headers, uri) },
		func() (runtime.Explanation, error) { return runtime.Explain(eng, shapes, uri) },
		func() (runtime.Explanation, error) { return runtime.Explain(eng, metadatas, root) },
		func() (runtime.Explanation, error) { return runtime.Explain(eng, packages.Whole(), root) },
	}
	for _, p := range m.Owners(uri) {
		k := pkgKey{root, p.ID}
		explain = append(explain,
			func() (runtime.Explanation, error) { return runtime.Explain(eng, faces, k) },
			func() (runtime.Explanation, error) { return runtime.Explain(eng, checks, k) })
	}
	out := make([]runtime.Explanation, len(explain))
	for i := range explain {
		if out[i], err = explain[i](); err != nil {
			return nil, err
		}
	}
	return out, nil
}
