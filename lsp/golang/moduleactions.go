package golang

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/gofmt"
	"github.com/cytisus/cytisus/lsp/golang/gomod"
	"github.com/cytisus/cytisus/runtime"
)

// Kinds of the changes of module files that mend nothing.
const (
	actionTidy    = "source.tidy"
	actionRewrite = "refactor.rewrite.require"
)

// moduleActions are the changes that fit at a place of a go.mod file.
func (w *workspace) moduleActions(t *runtime.Task, r lsp.ActionRequest) (list []lsp.Action, err error) {
	if files.BaseName(r.URI) != "go.mod" {
		return nil, nil
	}
	err = w.askAbout(t, r.URI, func(t *runtime.Task, root string) error {
		src := taskSource{t, root}
		q, err := newModuleQuestion(src, r.URI, r.Span.Start)
		if err != nil {
			return err
		}
		text, err := src.text(r.URI)
		if err != nil {
			return err
		}
		add := func(kind, title string, mends []lsp.Diagnostic, change func() ([]byte, error)) {
			if lsp.WantsKind(r.Only, kind) {
				list = append(list, lsp.Action{Title: title, Kind: kind, Mends: mends, Preferred: len(mends) > 0, Edit: func(*runtime.Task) (*lsp.WorkspaceEdit, error) {
					to, err := change()
					if err != nil {
						return nil, refuse("%s: %v", title, err)
					}
					return &lsp.WorkspaceEdit{Files: []lsp.FileEdit{{URI: r.URI, Edits: gofmt.Between(text, to)}}}, nil
				}})
			}
		}
		wrong, err := buildProblems.Get(t, root)
		if err != nil {
			return err
		}
		for _, d := range appendOf(nil, wrong, r.URI) {
			of, ok := q.file.RequirementAt(d.Span.Start)
			if !ok || d.Span.End < r.Span.Start || r.Span.End < d.Span.Start {
				continue
			}
			mends := []lsp.Diagnostic{d}
			switch d.Code {
			case gomod.CodeUnused:
				add("quickfix", "Remove requirement of "+of.Path, mends, func() ([]byte, error) { return gomod.WithoutRequire(text, of.Path) })
			case gomod.CodeIndirect:
				add("quickfix", "Say that "+of.Path+" is indirect", mends, func() ([]byte, error) { return gomod.WithIndirect(text, of.Path, true) })
			case gomod.CodeDirect:
				add("quickfix", "Say that "+of.Path+" is direct", mends, func() ([]byte, error) { return gomod.WithIndirect(text, of.Path, false) })
			}
		}
		if r.Automatic && len(r.Only) == 0 {
			return nil
		}
		if of, ok := q.file.RequirementAt(r.Span.Start); ok {
			if newest := gomod.Newer(of.Version, q.env.CachedVersions(of.Path)); newest != "" {
				add(actionRewrite, fmt.Sprintf("Upgrade %s to %s", of.Path, newest), nil, func() ([]byte, error) { return gomod.WithVersion(text, of.Path, newest) })
			}
			for i := range q.file.Replaces {
				if old := &q.file.Replaces[i]; old.Path == of.Path {
					add(actionRewrite, "Replace "+of.Path+" no more", nil, func() ([]byte, error) { return gomod.WithoutReplace(text, old.Path, old.Version) })
				}
			}
			if dir, ok := w.moduleNearby(t, of.Path, r.URI); ok {
				add(actionRewrite, fmt.Sprintf("Replace %s by %s", of.Path, dir), nil, func() ([]byte, error) { return gomod.WithReplace(text, of.Path, dir) })
			}
		}
		add(actionTidy, "Run go mod tidy", nil, func() ([]byte, error) { return w.tidied(t, files.PathOf(r.URI), text) })
		return nil
	})
	return list, err
}

// moduleNearby is the directory of a module that is open beside that of a go.mod file, as that file
// would name it. It is not ok if the file's own build has the module already.
func (w *workspace) moduleNearby(t *runtime.Task, path, uri string) (dir string, ok bool) {
	own := filepath.Dir(files.PathOf(uri))
	for _, b := range w.viewedBuilds() {
		env, err := environments.Get(t, b.Root)
		if err != nil || slices.Contains(env.Own, own) {
			continue
		}
		for _, at := range env.Own {
			text, err := textOf(t, files.URI(filepath.Join(at, "go.mod")))
			if err != nil || disk.ModulePath(text) != path {
				continue
			}
			rel, err := filepath.Rel(own, at)
			if err != nil {
				return filepath.ToSlash(at), true
			}
			if rel = filepath.ToSlash(rel); !strings.HasPrefix(rel, ".") {
				rel = "./" + rel
			}
			return rel, true
		}
	}
	return "", false
}

// tidied is what go mod tidy makes of the text of a go.mod file, which need not be saved. It leaves
// the file and its go.sum file alone.
func (w *workspace) tidied(t *runtime.Task, path string, text []byte) (to []byte, err error) {
	err = t.Blocking(func() (err error) {
		to, err = disk.Tidied(t.Context(), path, text, w.o.Env)
		return err
	})
	return to, err
}
