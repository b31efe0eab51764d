package golang

import (
	"cmp"
	"context"
	"os"
	"path/filepath"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// adopt brings in the Go files of the directory of a file: those beside it, where the file itself
// is in an editor only. They are forgotten when the workspace is indexed anew. The caller has a
// refresh follow if any was read: what was said of open files there was said without them.
func (w *workspace) adopt(ctx context.Context, uri string) (read int, err error) {
	path, ok := files.Path(uri)
	if !ok {
		return 0, nil
	}
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return 0, nil
	}
	onDisk := err == nil
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return 0, nil // nothing is beside it
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
			return 0, err
		}
		if known != nil && !onDisk {
			return 0, nil // the directory has been read, by a scan or for the same file
		}
		list = append(list, errand{path: path, uri: files.URI(path), known: known})
	}
	return w.bring(ctx, list, func(int, int) {})
}

// adoptOpen is adopt for the open files that no scan finds. It reports whether any was read.
func (w *workspace) adoptOpen(t *runtime.Task, opened []string) (adopted bool, err error) {
	for _, uri := range opened {
		if !syntax.IsGoFile(uri) {
			continue
		}
		known, err := savedTexts.Has(t, uri)
		if err != nil {
			return false, err
		}
		if known {
			continue
		}
		read := 0
		cancelled := t.Blocking(func() error {
			read, err = w.adopt(t.Context(), uri)
			return err
		})
		if err := cmp.Or(err, cancelled); err != nil {
			return false, err
		}
		adopted = adopted || read > 0
	}
	return adopted, nil
}
