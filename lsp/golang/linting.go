package golang

import (
	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/lint"
	"github.com/cytisus/cytisus/runtime"
)

// lintKeyOf names what analyzers say of the package of a file; not ok if nobody asks for it.
func (w *workspace) lintKeyOf(r runtime.Reader, root, uri string) (k lintKey, ok bool, err error) {
	if !w.o.Lint || !w.isOpen(uri) {
		return k, false, nil
	}
	m, ok, err := metadatas.Peek(r, root)
	if err != nil || !ok {
		return k, false, err
	}
	own := widest(m, uri)
	if own == nil {
		return k, false, nil
	}
	return lintKey{root, own.ID, w.set().Settings.Key()}, true, nil
}

// lintedNow is what analyzers say of an open file, if that is known. Until it is, it is what they
// said before, where the text is still the same.
func (w *workspace) lintedNow(t *runtime.Task, root, uri string) (list []lsp.Diagnostic, err error) {
	k, ok, err := w.lintKeyOf(t, root, uri)
	if err != nil || !ok {
		return nil, err
	}
	text, err := textOf(t, uri)
	if err != nil {
		return nil, ignoreUnknown(err)
	}
	found, known, err := lints.Peek(t, k)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !known {
		if was := w.linted[uri]; was.settings == k.Settings {
			list = carried(was, text)
		}
		return list, nil
	}
	w.tellFailures(found.Failed)
	for _, f := range found.Found {
		if f.URI == uri {
			list = append(list, f.Diag)
		}
	}
	if w.linted == nil {
		w.linted = map[string]linted{}
	}
	if _, open := w.opened[uri]; open {
		w.linted[uri] = linted{k.Settings, text, list}
	}
	return list, nil
}

// tellFailures logs why analyzers gave no answer, once for each of them. The caller holds w.mu.
func (w *workspace) tellFailures(failed []lint.Failure) {
	for _, f := range failed {
		if w.failed[f.Analyzer] {
			continue
		}
		if w.failed == nil {
			w.failed = map[string]bool{}
		}
		w.failed[f.Analyzer] = true
		w.log.Warn("golang: an analyzer fails; what it would find is not shown", "analyzer", f.Analyzer, "err", f.Why)
	}
}

// lintFirst has analyzers look at the package of an open file of which nothing has been said yet
// under the settings that count.
func (w *workspace) lintFirst(t *runtime.Task, root, uri string) error {
	k, ok, err := w.lintKeyOf(t, root, uri)
	if err != nil || !ok {
		return err
	}
	w.mu.Lock()
	was := w.linted[uri]
	w.mu.Unlock()
	if was.settings == k.Settings {
		return nil
	}
	_, err = lints.Get(t, k)
	return err
}

// lint has analyzers look at the package of an open file as it is now.
func (w *workspace) lint(t *runtime.Task, root, uri string) error {
	k, ok, err := w.lintKeyOf(t, root, uri)
	if err != nil || !ok {
		return err
	}
	_, err = lints.Get(t, k)
	return err
}

// fixesAt are the changes that analyzers propose where a span is touched.
func (w *workspace) fixesAt(t *runtime.Task, root string, r lsp.ActionRequest) (list []lsp.Action, err error) {
	k, ok, err := w.lintKeyOf(t, root, r.URI)
	if err != nil || !ok {
		return nil, err
	}
	found, err := lints.Get(t, k)
	if err != nil {
		return nil, err
	}
	for _, f := range found.Found {
		if f.URI != r.URI || f.Diag.Span.End < r.Span.Start || r.Span.End < f.Diag.Span.Start {
			continue
		}
		for _, fix := range f.Fixes {
			list = append(list, lsp.Action{
				Title: fix.Title, Kind: "quickfix", Mends: []lsp.Diagnostic{f.Diag},
				Edit: func(*runtime.Task) (*lsp.WorkspaceEdit, error) {
					return &lsp.WorkspaceEdit{Files: fix.Edits}, nil
				},
			})
		}
	}
	return list, nil
}
