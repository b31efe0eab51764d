package golang

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
)

// SetOverlay implements lsp.Workspace.
func (w *workspace) SetOverlay(ctx context.Context, uri string, text []byte) error {
	uri, err := w.canonical(uri)
	if err != nil {
		return err
	}
	if len(text) > lsp.MaxFileBytes {
		return &lsp.FileError{URI: uri, Offset: -1, Err: lsp.ErrTooLarge}
	}
	w.mu.Lock()
	if _, open := w.opened[uri]; !open && !w.closed {
		check.Sessions.Open(uri)
	}
	w.opened[uri] = slices.Clone(text)
	w.mu.Unlock()
	return w.change(ctx, []string{uri}, func(c *runtime.Writer) error { return overlays.Put(c, uri, text) })
}

// ClearOverlay implements lsp.Workspace.
func (w *workspace) ClearOverlay(ctx context.Context, uri string) error {
	uri, err := w.canonical(uri)
	if err != nil {
		return err
	}
	w.mu.Lock()
	if _, open := w.opened[uri]; open && !w.closed {
		check.Sessions.Close(uri)
	}
	delete(w.opened, uri)
	delete(w.linted, uri)
	delete(w.beside, uri)
	// A build that was there for this file may go. Below a folder that is in no module all are
	// there anyway.
	w.undefined = w.undefined || len(w.builds) > 1 && !w.plain
	w.mu.Unlock()
	return w.changeDisk(ctx, []string{uri}, func(c *runtime.Writer) error {
		return errors.Join(overlays.Delete(c, uri), partition.Judgements.Delete(c, uri))
	})
}

// Include has a directory in the root read although it may be a module of its own: a client has
// opened it, too.
func (w *workspace) Include(dir string) { w.folder(dir, 1) }

// Exclude takes an Include back.
func (w *workspace) Exclude(dir string) { w.folder(dir, -1) }

func (w *workspace) folder(dir string, by int) {
	w.mu.Lock()
	if w.folders[dir] += by; w.folders[dir] <= 0 {
		delete(w.folders, dir)
	}
	w.undefined = true
	w.mu.Unlock()
	w.refresh(nil)
}

// FilesChanged implements lsp.Workspace.
func (w *workspace) FilesChanged(ctx context.Context, uris []string) error {
	var known []string
	for _, uri := range uris {
		if uri, err := w.canonical(uri); err == nil { // others are of no concern to a workspace of files
			known = append(known, uri)
		}
	}
	slices.Sort(known)
	known = slices.Compact(known)
	known, err := w.concerning(known)
	if err != nil || len(known) == 0 {
		return err
	}
	return w.changeDisk(ctx, known, nil)
}

// concerning drops names of which no build has or wants anything: neither that of an input, nor of
// a directory, nor in one that files are embedded from.
func (w *workspace) concerning(uris []string) ([]string, error) {
	snap := w.eng.Snapshot()
	defer snap.Release()
	keys, err := knownEmbeds(snap, w.root)
	if err != nil {
		return nil, fmt.Errorf("golang: %s: what is embedded: %w", w.root, err)
	}
	embedding := map[string]bool{} // directories, with a slash
	for _, key := range keys {
		embedding[key.Dir] = true
	}
	var nested []string
	w.mu.Lock()
	for _, b := range w.builds {
		nested = append(nested, b.nested...)
	}
	w.mu.Unlock()
	var out []string
	for _, uri := range uris {
		if name := files.BaseName(uri); !disk.IsInput(name) && !disk.DecidesBuild(name) && !embeddedBelow(embedding, uri) {
			path, ok := files.Path(uri)
			if info, err := os.Stat(path); !ok || err == nil && !info.IsDir() {
				continue
			} else if err != nil && !slices.ContainsFunc(nested, func(dir string) bool { return files.Inside(path, dir) }) {
				below, err := stats.Keys(snap, runtime.Prefix(uri+"/"), runtime.Limit(1))
				if err != nil {
					return nil, fmt.Errorf("golang: %s: %w", uri, err)
				}
				if len(below) == 0 {
					continue
				}
			}
		}
		out = append(out, uri)
	}
	return out, nil
}

// embeddedBelow reports whether a file lies below one of some directories.
func embeddedBelow(dirs map[string]bool, uri string) bool {
	for i := len(uri) - 1; i > 0 && len(dirs) > 0; i-- {
		if uri[i] == '/' && dirs[uri[:i+1]] {
			return true
		}
	}
	return false
}

// changeDisk looks at files, or whole directories, and commits what has become of them, together
// with what fn writes about them, if it is set.
func (w *workspace) changeDisk(ctx context.Context, uris []string, fn func(*runtime.Writer) error) error {
	ctx, end := w.while(ctx)
	defer end()
	err := w.changeDiskOnce(ctx, uris, fn)
	for n := 0; n < mendMax && errors.Is(err, runtime.ErrDamaged); n++ {
		if err = w.giveUpLost(ctx, err); err == nil {
			err = w.changeDiskOnce(ctx, uris, fn)
		}
	}
	return err
}

func (w *workspace) changeDiskOnce(ctx context.Context, uris []string, fn func(*runtime.Writer) error) error {
	w.disk.Lock()
	defer w.disk.Unlock()
	changes, err := w.look(ctx, uris)
	if err != nil {
		return err
	}
	all := append(slices.Clip(uris), changes.uris()...)
	stale := w.markStale(all)
	if fn == nil {
		// Of a Go file that is as it was there is nothing new to say.
		_, others := splitGoFiles(uris)
		if all = append(others, changes.uris()...); len(all) == 0 && !stale {
			return nil
		}
		return w.change(ctx, all, changes.write)
	}
	return w.change(ctx, all, func(c *runtime.Writer) error { return errors.Join(fn(c), changes.write(c)) })
}

// change commits changed inputs and has diagnostics follow.
func (w *workspace) change(ctx context.Context, uris []string, fn func(*runtime.Writer) error) error {
	if w.isClosed() {
		return lsp.ErrClosed
	}
	w.overlaid.Lock()
	err := w.eng.Commit(ctx, fn)
	w.overlaid.Unlock()
	if err != nil {
		return fmt.Errorf("golang: %s: %w", w.root, err)
	}
	w.refresh(uris)
	for _, o := range sessions.others(w) {
		if o.knows(uris) {
			o.refresh(nil)
		}
	}
	return nil
}
