package golang

import (
	"context"
	"slices"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// openPackages calls fn for the packages of some roots that have open files, each once. Files that
// are closed meanwhile are left out.
func (w *workspace) openPackages(
	t *runtime.Task, roots, opened []string, fn func(root string, p *metadata.Package) error,
) error {
	done := map[pkgKey]bool{}
	for _, uri := range opened {
		path, ok := files.Path(uri)
		if !ok || !w.isOpen(uri) {
			continue
		}
		root := w.buildOf(path).Root
		if !slices.Contains(roots, root) {
			continue
		}
		m, err := metadatas.Get(t, root)
		if err != nil {
			return err
		}
		for _, p := range m.Owners(uri) {
			k := pkgKey{root, p.ID}
			if done[k] || !p.Workspace || metadata.IsSyntaxOnly(p) {
				continue
			}
			done[k] = true
			if err := fn(root, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepareEdits does ahead what the next edits of open files will want.
func (w *workspace) prepareEdits(t *runtime.Task, roots, opened []string) error {
	return w.openPackages(t, roots, opened, func(root string, p *metadata.Package) error {
		if err := context.Cause(t.Context()); err != nil {
			return err
		}
		return prepareEdit(t, root, p)
	})
}

// prepareEdit makes the session of a package, or what an edit of a body takes beside the body, if
// there is room for it.
func prepareEdit(t *runtime.Task, root string, p *metadata.Package) error {
	state := check.Sessions.State(p)
	if state == check.Prepared {
		return nil
	}
	in, err := readPackage(t, pkgKey{root, p.ID})
	if err != nil || in.p == nil {
		return err
	}
	bytes := 0
	for _, text := range in.texts {
		bytes += len(text)
	}
	if state == check.NoSession && !check.Sessions.HasRoom(bytes) {
		return nil
	}
	_, err = in.check(t, func(
		files []*syntax.Tree, imports []check.Import, doubtOf func(string) syntax.Doubt,
	) (check.Looks, error) {
		return nil, check.Prepare(in.p, files, imports, doubtOf)
	})
	return err
}

// indexOpen renews the indexes of packages that have open files, which no edit waits for.
func (w *workspace) indexOpen(t *runtime.Task, roots, opened []string) error {
	return w.openPackages(t, roots, opened, func(root string, p *metadata.Package) error {
		_, err := checks.Get(t, pkgKey{root, p.ID})
		return err
	})
}
