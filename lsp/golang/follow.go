package golang

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// splitGoFiles separates Go files from others.
func splitGoFiles(uris []string) (goFiles, others []string) {
	for _, uri := range uris {
		if syntax.IsGoFile(uri) {
			goFiles = append(goFiles, uri)
		} else {
			others = append(others, uri)
		}
	}
	return goFiles, others
}

// follow makes the builds follow the files: those that are new or stale are prepared, the files of
// packages that have come are brought in before anything is said about imports, and those beside an
// open file that no scan finds before anything is said about that. The first two concern the builds
// of open files, or all. It returns the roots of these, or none if another refresh has to go on
// from what it did.
func (w *workspace) follow(t *runtime.Task, whole bool) ([]string, error) {
	var asked []*buildUnit // of open files
	opened := w.openFiles()
	for _, uri := range opened {
		path, ok := files.Path(uri)
		if !ok {
			continue
		}
		b := w.buildOf(path)
		w.admit(b)
		if !slices.Contains(asked, b) {
			asked = append(asked, b)
		}
	}
	w.mu.Lock()
	concerned := func(b *buildUnit) bool { return whole || slices.Contains(asked, b) }
	pending, newest := whole && w.undefined, uint64(0)
	for _, b := range w.builds {
		if concerned(b) {
			pending = pending || b.stale || b.ready == 0
			newest = max(newest, b.ready)
		}
	}
	busy := pending && w.preparing
	w.preparing = w.preparing || pending
	w.mu.Unlock()
	switch {
	case busy:
		return nil, nil // those who prepare have another refresh follow
	case pending:
		if whole {
			asked = nil // all
		}
		// A newer refresh does not end it: with many changes in a row it would never be done.
		var err error
		cancelled := t.Blocking(func() error {
			err = w.prepareOnce(w.background, asked...)
			return err
		})
		w.mu.Lock()
		w.preparing = false
		w.mu.Unlock()
		if err == nil {
			w.refreshAgain()
		}
		return nil, errors.Join(err, cancelled)
	case t.Generation() < newest:
		w.refreshAgain()
		return nil, nil
	}
	var roots []string
	for _, b := range w.viewedBuilds() {
		if !concerned(b.buildUnit) {
			continue
		}
		roots = append(roots, b.Root)
		m, err := metadatas.Get(t, b.Root)
		if err != nil {
			return nil, err
		}
		if m == b.meta {
			continue
		}
		var changed bool
		err = t.Blocking(func() error {
			if err := w.takeTurn(t.Context()); err != nil {
				return err
			}
			defer w.giveTurn()
			var read int
			if changed, _, err = w.catchUp(t.Context(), b.buildUnit, m); err == nil && !changed {
				read, _, err = w.bringOthers(t.Context(), b.buildUnit, m, false, func(int, int) {})
				changed = read > 0
			}
			return errors.Join(err, w.publishWatches(t.Context()))
		})
		if err != nil {
			return nil, err
		}
		if changed {
			ready := w.generation()
			w.mu.Lock()
			b.ready = max(b.ready, ready) // what began before lacks what was brought in
			w.mu.Unlock()
			w.refreshAgain()
			return nil, nil
		}
		w.mu.Lock()
		b.prepared = m
		w.mu.Unlock()
	}
	adopted, err := w.adoptOpen(t, opened)
	if adopted {
		w.refreshAgain()
	}
	if adopted || err != nil {
		return nil, err
	}
	return roots, nil
}

// lookAtEmbeds compares the patterns of some files with the disk, and those that are known and that
// a change of other files can concern, or all of them if everything is looked at. It reports
// whether any differs; then it is committed.
func (w *workspace) lookAtEmbeds(t *runtime.Task, goFiles, others []string, everything bool) (bool, error) {
	matches := map[embedKey]disk.EmbedMatch{} // as they are known
	for _, uri := range goFiles {
		h, err := headers.Get(t, uri)
		if err != nil {
			return false, err
		}
		if !strings.Contains(h, syntax.EmbedDirective) {
			continue
		}
		text, err := textOf(t, uri)
		if ignoreUnknown(err) != nil {
			return false, err
		}
		for _, p := range syntax.EmbedPatterns(text) {
			matches[embedKey{files.DirURI(uri), p.Text}] = disk.EmbedMatch{}
		}
	}
	if everything || len(others) > 0 {
		known, err := knownEmbeds(t, w.root)
		if err != nil {
			return false, err
		}
		for _, key := range known {
			concerns := func(uri string) bool { return strings.HasPrefix(uri, key.Dir) || strings.HasPrefix(key.Dir, uri+"/") }
			if everything || slices.ContainsFunc(others, concerns) {
				matches[key] = disk.EmbedMatch{}
			}
		}
	}
	if len(matches) == 0 {
		return false, nil
	}
	for key := range matches {
		m, err := knownMatch(t, key)
		switch {
		case errors.Is(err, runtime.ErrNotFound):
		case errors.Is(err, runtime.ErrDamaged):
			matches[key] = disk.EmbedMatch{Problem: "what there was is damaged"} // equal to none, so it is put again
		case err != nil:
			return false, err
		default:
			matches[key] = m
		}
	}
	err := t.Blocking(func() error {
		for key, was := range matches {
			path, ok := files.Path(key.Dir)
			if !ok {
				delete(matches, key)
				continue
			}
			now := disk.MatchEmbed(path, key.Pattern)
			same := was.Problem == now.Problem && slices.Equal(was.Files, now.Files)
			if same || len(key.Dir)+len(key.Pattern)+len(now.Problem) > embedBytesMax {
				delete(matches, key)
			} else {
				matches[key] = now
			}
		}
		return nil
	})
	if err != nil || len(matches) == 0 {
		return false, err
	}
	err = t.Commit(func(c *runtime.Writer) error {
		var errs []error
		for key, m := range matches {
			errs = append(errs, embeds.Put(c, key, m.Problem, m.Files))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return false, fmt.Errorf("golang: %s: %w", w.root, err)
	}
	return true, t.Blocking(func() error { return w.publishWatches(t.Context()) })
}
