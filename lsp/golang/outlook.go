package golang

import (
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/links"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// Folds implements lsp.Folder.
func (w *workspace) Folds(uri string, text []byte) []lsp.Fold {
	if !syntax.IsGoFile(uri) {
		return nil
	}
	return syntax.Folds(syntax.Trees.Get(uri, text))
}

// Enclosing implements lsp.Selector.
func (w *workspace) Enclosing(uri string, text []byte, offset int) []lsp.Span {
	if !syntax.IsGoFile(uri) {
		return []lsp.Span{{End: len(text)}}
	}
	return syntax.Enclosing(syntax.Trees.Get(uri, text), offset)
}

// Links implements lsp.Linker.
func (w *workspace) Links(t *runtime.Task, uri string) (list []lsp.Link, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) error {
		text, err := textOf(t, uri)
		if err != nil {
			return err
		}
		env, err := environments.Get(t, root)
		if err != nil {
			return err
		}
		moduleFile := func(dir string) string {
			if !filepath.IsAbs(dir) {
				dir = filepath.Join(filepath.Dir(files.PathOf(uri)), filepath.FromSlash(dir))
			}
			return files.URI(filepath.Join(dir, "go.mod"))
		}
		switch name := files.BaseName(uri); {
		case name == "go.mod":
			list = links.OfModule(text, env.GoPrivate, moduleFile)
		case name == "go.work":
			list = links.OfWork(text, moduleFile)
		case syntax.IsGoFile(name):
			src := taskSource{t, root}
			owners, err := ownersOf(src, uri)
			if err != nil {
				return err
			}
			m, err := src.metadata()
			if err != nil {
				return err
			}
			list = links.OfGo(syntax.Trees.Get(uri, text), func(path string) string {
				if module.MatchPrefixPatterns(env.GoPrivate, path) {
					return ""
				}
				return documentedAs(m, owners, path, env.GoModCache)
			})
		}
		return nil
	})
	return list, err
}

// documentedAs is an import path, with the version of its module if that lies in the cache of
// modules: in a directory such as example.com/m@v1.2.3.
func documentedAs(m *metadata.Build, owners []*metadata.Package, path, cache string) string {
	for _, owner := range owners {
		e, _ := owner.Edge(path)
		p := m.Find(e.Checked())
		if p == nil || len(p.Files) == 0 || cache == "" {
			continue
		}
		rel, err := filepath.Rel(cache, filepath.Dir(files.PathOf(p.Files[0])))
		if err != nil {
			continue
		}
		_, behind, ok := strings.Cut(filepath.ToSlash(rel), "@")
		version, inside, _ := strings.Cut(behind, "/")
		mod := strings.TrimSuffix(strings.TrimSuffix(p.Path, inside), "/")
		if !ok || inside != "" && mod == p.Path {
			continue
		}
		if version, err = module.UnescapeVersion(version); err == nil {
			return strings.TrimSuffix(mod+"@"+version+"/"+inside, "/")
		}
	}
	return path
}
