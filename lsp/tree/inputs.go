package tree

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/runtime"
)

var (
	// saved has the content of each file as it was read from the disk, by URI.
	saved = runtime.NewPartition[[]byte]("tree/saved")

	// stats has what the disk said of each file before it was read, by URI.
	stats = runtime.NewPartition[stat]("tree/stats")

	// unsaved has the texts that editors have open, by URI.
	unsaved = runtime.NewPartition[[]byte]("tree/unsaved", runtime.Volatile)
)

type stat struct {
	Size     int64
	Modified int64 // nanoseconds since 1970
}

// Text is the text of a file that counts: the unsaved one, or else that on the disk. It fails with
// lsp.ErrUnknownFile. Nobody may change it.
func Text(r runtime.Reader, uri string) ([]byte, error) {
	text, err := unsaved.Get(r, uri)
	if errors.Is(err, runtime.ErrNotFound) {
		text, err = saved.Get(r, uri)
	}
	if errors.Is(err, runtime.ErrNotFound) {
		err = &lsp.FileError{URI: uri, Offset: -1, Err: lsp.ErrUnknownFile}
	}
	return text, err
}

// Has reports whether there is a file.
func Has(r runtime.Reader, uri string) (bool, error) {
	if there, err := unsaved.Has(r, uri); there || err != nil {
		return there, err
	}
	return saved.Has(r, uri)
}

// Files are the URIs of the tree's files, in order.
func (w *Tree) Files(r runtime.Reader) ([]string, error) {
	below := runtime.Prefix(w.prefix)
	list, err := saved.Keys(r, below)
	if err != nil {
		return nil, err
	}
	open, err := unsaved.Keys(r, below)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(append(list, open...), func(uri string) bool { return !w.o.Handles(uri) })
	slices.Sort(list)
	return slices.Compact(list), nil
}

// A seen is a file on the disk.
type seen struct {
	uri, path string
	stat
}

// find lists the files of the language at a path and below it; none if there is nothing.
func (w *Tree) find(path string) (list []seen, missing []string) {
	_ = filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // it went meanwhile
		case err != nil:
			missing = append(missing, err.Error())
			return nil
		case d.IsDir():
			if path != w.root && strings.HasPrefix(d.Name(), ".") {
				return filepath.SkipDir
			}
			return nil
		}
		uri := files.URI(path)
		if !w.o.Handles(uri) {
			return nil
		}
		info, err := files.Stat(path)
		if err != nil {
			missing = append(missing, err.Error())
			return nil
		}
		list = append(list, seen{uri, path, stat{info.Size(), info.ModTime().UnixNano()}})
		return nil
	})
	return list, missing
}

// batchMax is how many files one commit brings in.
const batchMax = 256

// look brings the files at a path and below it in line with the disk. It returns how many there
// are, how many had to be read, and what could not be.
func (w *Tree) look(ctx context.Context, path string, progress func(done, total int)) (total, read int, missing []string, err error) {
	w.looking.Lock()
	defer w.looking.Unlock()
	var list []seen
	if !w.hidden(path) {
		list, missing = w.find(path)
	}
	gone, err := w.recorded(files.URI(path))
	if err != nil {
		return 0, 0, nil, err
	}
	var differ []seen
	for _, f := range list {
		if known, ok := gone[f.uri]; !ok || known != f.stat {
			differ = append(differ, f)
		}
		delete(gone, f.uri)
	}
	for start := 0; start < len(differ); start += batchMax {
		batch := differ[start:min(start+batchMax, len(differ))]
		texts := map[seen][]byte{}
		for _, f := range batch {
			text, err := files.Read(f.path, lsp.MaxFileBytes)
			if err == nil {
				texts[f] = text
				continue
			}
			if !errors.Is(err, fs.ErrNotExist) {
				missing = append(missing, err.Error())
			}
			gone[f.uri] = f.stat
		}
		read += len(texts)
		err := w.eng.Commit(ctx, func(c *runtime.Writer) error {
			for f, text := range texts {
				if err := errors.Join(saved.Put(c, f.uri, text), stats.Put(c, f.uri, f.stat)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return 0, 0, nil, err
		}
		if progress != nil {
			progress(len(list)-len(differ)+start+len(batch), len(list))
		}
	}
	if len(gone) > 0 {
		err = w.eng.Commit(ctx, func(c *runtime.Writer) error {
			for uri := range gone {
				if err := errors.Join(saved.Delete(c, uri), stats.Delete(c, uri)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return len(list), read, missing, err
}

// hidden reports whether a path lies in a directory that is not entered.
func (w *Tree) hidden(path string) bool {
	rel, err := filepath.Rel(w.root, path)
	if err != nil {
		return true
	}
	dir := rel
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		dir = filepath.Dir(rel)
	}
	return slices.ContainsFunc(strings.Split(filepath.ToSlash(dir), "/"), func(name string) bool {
		return strings.HasPrefix(name, ".") && name != "."
	})
}

// recorded are the files that are known at a URI and below it.
func (w *Tree) recorded(uri string) (map[string]stat, error) {
	snap := w.eng.Snapshot()
	defer snap.Release()
	known := map[string]stat{}
	note := func(uri string, s stat) error {
		if w.o.Handles(uri) {
			known[uri] = s
		}
		return nil
	}
	if err := stats.Scan(snap, runtime.Exact(uri), note); err != nil {
		return nil, err
	}
	return known, stats.Scan(snap, runtime.Prefix(strings.TrimSuffix(uri, "/")+"/"), note)
}
