package golang

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// askAbout is ask for a question about one file, which goes to the build of a root. The directory
// of a file that no scan finds is read first.
func (w *workspace) askAbout(t *runtime.Task, uri string, fn func(t *runtime.Task, root string) error) error {
	path, ok := files.Path(uri)
	if !ok {
		return &lsp.FileError{URI: uri, Offset: -1, Err: lsp.ErrUnknownFile}
	}
	if files.Inside(w.root, path) {
		return w.askBuild(t, w.buildOf(path), uri, fn)
	}
	// Whether one of the builds of the folder reads it is known when they are ready.
	return w.ask(t, func(t *runtime.Task) error { return w.askBuild(t, w.buildOf(path), uri, fn) })
}

func (w *workspace) askBuild(t *runtime.Task, b *buildUnit, uri string, fn func(t *runtime.Task, root string) error) error {
	question := func(t *runtime.Task) error { return fn(t, b.Root) }
	return w.ask(t, func(t *runtime.Task) error {
		known, err := savedTexts.Has(t, uri)
		if err != nil {
			return err
		}
		if known { // a text that is lost is read again, of whichever build it is
			if known, err = savedTexts.Intact(t, uri); err != nil {
				return err
			}
		}
		if known || !syntax.IsGoFile(uri) {
			return question(t)
		}
		adopted := false
		if err := t.Blocking(func() (err error) {
			adopted, err = w.adopt(t.Context(), uri)
			return err
		}); err != nil {
			return err
		}
		if !adopted {
			return question(t)
		}
		h, err := t.Spawn(0, question, runtime.Client(w.o.Client), runtime.Named("golang question"))
		if err != nil {
			return err
		}
		return t.Join(h)
	}, b)
}

// adopt brings in the Go files of the directory of a file and reports whether it is one of them.
// They are forgotten when the workspace is indexed anew.
func (w *workspace) adopt(ctx context.Context, uri string) (bool, error) {
	path, ok := files.Path(uri)
	if !ok {
		return false, nil
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return false, nil // a file that exists in an editor only, or not at all
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return false, nil
	}
	snap := w.eng.Snapshot()
	defer snap.Release()
	var list []errand
	for _, e := range entries {
		if !syntax.IsGoFile(e.Name()) || !disk.IsInput(e.Name()) {
			continue
		}
		path := filepath.Join(filepath.Dir(path), e.Name())
		known, err := statOf(snap, files.URI(path))
		if err != nil {
			return false, err
		}
		list = append(list, errand{path: path, uri: files.URI(path), known: known})
	}
	_, err = w.bring(ctx, list, func(int, int) {})
	return err == nil && slices.ContainsFunc(list, func(e errand) bool { return e.uri == uri }), err
}
