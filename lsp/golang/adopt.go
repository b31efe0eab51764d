package golang

import (
	"context"
	"os"
	"path/filepath"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// adopt brings in the Go files of the directory of a file: those beside it, where the file itself
// is in an editor only. They are forgotten when the workspace is indexed anew.
func (w *workspace) adopt(ctx context.Context, uri string) error {
	path, ok := files.Path(uri)
	if !ok {
		return nil
	}
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil
	}
	onDisk := err == nil
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil // nothing is beside it
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
		if known != nil && !onDisk {
			return nil // the directory has been read, by a scan or for the same file
		}
		list = append(list, errand{path: path, uri: files.URI(path), known: known})
	}
	read, err := w.bring(ctx, list, func(int, int) {})
	if read > 0 && !onDisk {
		w.refreshAgain() // what was said of the file was said without those beside it
	}
	return err
}
