package golang

import (
	"context"
	"os"
	"path/filepath"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// adopt brings in the Go files of the directory of a file, if it is on the disk. They are forgotten
// when the workspace is indexed anew.
func (w *workspace) adopt(ctx context.Context, uri string) error {
	path, ok := files.Path(uri)
	if !ok {
		return nil
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil // a file that exists in an editor only, or not at all
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil
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
			return err
		}
		list = append(list, errand{path: path, uri: files.URI(path), known: known})
	}
	_, err = w.bring(ctx, list, func(int, int) {})
	return err
}
