package golang

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

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
