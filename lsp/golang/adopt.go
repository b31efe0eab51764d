package golang

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/cytisus/cytisus/runtime"
)

// askAbout is ask for a question about one file. The directory of a file that no scan finds is read first.
func (w *workspace) askAbout(t *runtime.Task, uri string, fn func(t *runtime.Task) error) error {
	return w.ask(t, func(t *runtime.Task) error {
		known, err := files.Has(t, uri)
		if err != nil {
			return err
		}
		if known || !isGoFile(uri) {
			return fn(t)
		}
		adopted := false
		if err := t.Blocking(func() (err error) {
			adopted, err = w.adopt(t.Context(), uri)
			return err
		}); err != nil {
			return err
		}
		if !adopted {
			return fn(t)
		}
		h, err := t.Spawn(0, fn, runtime.Client(w.o.Client), runtime.Named("golang question"))
		if err != nil {
			return err
		}
		return t.Join(h)
	})
}

// adopt brings in the Go files of the directory of a file and reports whether it is one of them. They are forgotten when the workspace is
// indexed anew.
func (w *workspace) adopt(ctx context.Context, uri string) (bool, error) {
	path, ok := filePath(uri)
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
		if !isGoFile(e.Name()) || !isInput(e.Name()) {
			continue
		}
		path := filepath.Join(filepath.Dir(path), e.Name())
		known, err := statOf(snap, fileURI(path))
		if err != nil {
			return false, err
		}
		list = append(list, errand{path: path, uri: fileURI(path), known: known})
	}
	_, err = w.bring(ctx, list, func(int, int) {})
	return err == nil && slices.ContainsFunc(list, func(e errand) bool { return e.uri == uri }), err
}
