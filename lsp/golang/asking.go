package golang

import (
	"context"
	"fmt"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// ask runs a question on a task's snapshot, once the inputs of the builds that it is about are
// complete: of all that there are if none is named. A task that began before they were asks in a
// newer one.
func (w *workspace) ask(t *runtime.Task, fn func(t *runtime.Task) error, builds ...*buildUnit) error {
	return w.mending(t, func(t *runtime.Task) error { return w.askReady(t, fn, builds...) })
}

// askReady is ask without a look at what is damaged.
func (w *workspace) askReady(t *runtime.Task, fn func(t *runtime.Task) error, builds ...*buildUnit) error {
	w.mu.Lock()
	closed, ready, generation := w.closed, len(w.builds) > 0, uint64(0)
	about := builds
	if len(about) == 0 {
		about = w.builds
	}
	for _, b := range about {
		ready = ready && b.ready != 0
		generation = max(generation, b.ready)
	}
	w.mu.Unlock()
	switch {
	case closed:
		return lsp.ErrClosed
	case ready && t.Generation() >= generation:
		return fn(t)
	}
	if !ready {
		name := "prepare"
		for _, b := range builds {
			name += " " + b.Root
		}
		err := t.Blocking(func() error {
			return w.chores.await(t.Context(), w.background, name, func(ctx context.Context) error { return w.prepareOnce(ctx, builds...) })
		})
		if err != nil {
			return err
		}
	}
	h, err := t.Spawn(0, fn, runtime.Client(w.o.Client), runtime.Named("golang question"))
	if err != nil {
		return err
	}
	return t.Join(h)
}

// Prepare has what questions about a file are answered from brought in.
func (w *workspace) Prepare(t *runtime.Task, uri string) error {
	uri, err := w.canonical(uri)
	if err != nil {
		return err
	}
	return w.askText(t, uri, func(*runtime.Task, string) error { return nil })
}

// Prepared is the generation from which on the inputs of all builds have been complete that are.
// What began before may have been answered in a newer one.
func (w *workspace) Prepared() (generation uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range w.builds {
		generation = max(generation, b.ready)
	}
	return generation
}

// askAbout is askText for a question that takes types.
func (w *workspace) askAbout(t *runtime.Task, uri string, fn func(t *runtime.Task, root string) error) error {
	return w.askText(t, uri, func(t *runtime.Task, root string) error { return w.askBrought(t, root, fn) })
}

// askText is ask for a question about one file, which goes to the build of a root. The directory of
// a file that no scan finds is read first.
func (w *workspace) askText(t *runtime.Task, uri string, fn func(t *runtime.Task, root string) error) error {
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

// askBuild is askText once the build is known.
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
		if err := t.Blocking(func() error {
			return w.chores.await(t.Context(), w.background, "adopt "+uri, func(ctx context.Context) error {
				read, err := w.adopt(ctx, uri)
				if read > 0 {
					w.refreshAgain()
				}
				return err
			})
		}); err != nil {
			return err
		}
		if w.generation() == t.Generation() { // nothing was brought in
			return question(t)
		}
		h, err := t.Spawn(0, question, runtime.Client(w.o.Client), runtime.Named("golang question"))
		if err != nil {
			return err
		}
		return t.Join(h)
	}, b)
}

// askBrought has a question asked when the packages that the build imports have been brought in:
// what an edit imports that nothing imported before is known to the go command sooner than its
// files are, and is nothing that could not be imported.
func (w *workspace) askBrought(t *runtime.Task, root string, fn func(t *runtime.Task, root string) error) error {
	m, err := metadatas.Get(t, root)
	if err != nil {
		return err
	}
	if !w.hasBrought(root, m) {
		err := t.Blocking(func() error {
			return w.chores.await(t.Context(), w.background, "bring "+root, func(ctx context.Context) error { return w.bringImported(ctx, root) })
		})
		if err != nil {
			return err
		}
	}
	w.mu.Lock()
	newer := slices.ContainsFunc(w.builds, func(b *buildUnit) bool { return b.Root == root && t.Generation() < b.ready })
	w.mu.Unlock()
	if !newer {
		return fn(t, root)
	}
	h, err := t.Spawn(0, func(t *runtime.Task) error { return fn(t, root) }, runtime.Client(w.o.Client), runtime.Named("golang question"))
	if err != nil {
		return err
	}
	return t.Join(h)
}

// hasBrought reports whether the files of some metadata are what was brought in last.
func (w *workspace) hasBrought(root string, m *metadata.Build) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.builds, func(b *buildUnit) bool {
		return b.Root == root && b.prepared != nil && (b.prepared == m || sameFiles(b.prepared, m))
	})
}

// sameFiles reports whether packages are made of the same files.
func sameFiles(a, b *metadata.Build) bool {
	return slices.EqualFunc(a.Packages, b.Packages, func(p, q metadata.Package) bool { return slices.Equal(p.Files, q.Files) })
}

// bringImported brings in what the packages of a build import by now.
func (w *workspace) bringImported(ctx context.Context, root string) error {
	if err := w.takeTurn(ctx); err != nil {
		return err
	}
	defer w.giveTurn()
	m, err := metadatas.Ask(ctx, w.eng, root, runtime.Client(w.o.Client))
	if err != nil {
		return fmt.Errorf("golang: listing the packages of %s: %w", root, err)
	}
	b, pending := w.pending(root)
	if b == nil || pending || w.hasBrought(root, m) {
		return nil // prepare brings them in, or another question has
	}
	m, changed, err := w.listPackages(ctx, b)
	if err != nil {
		return err
	}
	read, _, err := w.bringOthers(ctx, b, m, false, func(int, int) {})
	if err != nil {
		return err
	}
	if err := w.publishWatches(ctx); err != nil {
		return err
	}
	ready := w.generation()
	w.mu.Lock()
	defer w.mu.Unlock()
	if b.prepared = m; changed+read > 0 {
		b.ready = ready
	}
	return nil
}

// withView is viewFile for a question that is about one file.
func (w *workspace) withView(t *runtime.Task, s check.Sight, fn func(v *view) error) error {
	return w.askAbout(t, s.URI, func(t *runtime.Task, root string) error {
		return viewFile(taskSource{t, root}, s, fn)
	})
}
