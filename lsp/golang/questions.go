package golang

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// Text implements lsp.Workspace.
func (w *workspace) Text(t *runtime.Task, uri string) (text []byte, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	text, err = textOf(t, uri)
	if errors.Is(err, lsp.ErrUnknownFile) && syntax.IsAssembly(uri) {
		return assemblyText(t, uri)
	}
	if errors.Is(err, lsp.ErrUnknownFile) || errors.Is(err, runtime.ErrDamaged) {
		err = w.askText(t, uri, func(t *runtime.Task, _ string) (err error) {
			text, err = textOf(t, uri)
			return err
		})
	}
	return text, err
}

// Digest implements lsp.Workspace.
func (w *workspace) Digest(t *runtime.Task, uri string) (d lsp.Digest, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return d, err
	}
	if open, err := overlays.Has(t, uri); err == nil && open {
		return digests.Get(t, uri)
	}
	text, err := w.Text(t, uri)
	return lsp.DigestOf(text), err
}

// Diagnostics implements lsp.Workspace. Who asks about a file for the first time gets all of it.
// Behind an edit what analyzers say follows, and is published then.
func (w *workspace) Diagnostics(t *runtime.Task, uri string) ([]lsp.Diagnostic, error) {
	return w.diagnosticsAfter(t, uri, w.lintFirst)
}

// FullDiagnostics implements lsp.FullDiagnoser.
func (w *workspace) FullDiagnostics(t *runtime.Task, uri string) ([]lsp.Diagnostic, error) {
	return w.diagnosticsAfter(t, uri, w.lint)
}

// diagnosticsAfter are the diagnostics of a file when analyzers have looked at its package as far
// as a function has them do it.
func (w *workspace) diagnosticsAfter(
	t *runtime.Task, uri string, analyze func(t *runtime.Task, root, uri string) error,
) (list []lsp.Diagnostic, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) (err error) {
		if list, err = reports.Get(t, fileKey{root, uri}); err != nil {
			return err
		}
		if err := analyze(t, root, uri); err != nil {
			return err
		}
		if found, err := w.lintedNow(t, root, uri); err != nil || len(found) > 0 {
			list = mergeDiagnostics(append(slices.Clone(list), found...))
			return err
		}
		return nil
	})
	return list, err
}

// Symbols implements lsp.Workspace.
func (w *workspace) Symbols(t *runtime.Task, uri string) ([]lsp.Symbol, error) {
	uri, err := w.canonical(uri)
	if err != nil {
		return nil, err
	}
	if _, err := w.Text(t, uri); err != nil {
		return nil, err
	}
	var list []lsp.Symbol
	err = w.askText(t, uri, func(t *runtime.Task, _ string) error {
		s, err := shapes.Get(t, uri)
		list = s.Outline
		return err
	})
	return list, err
}

// Outline is Symbols of a file with a text, which it may keep: behind an edit in a body, that body
// is parsed, and else the tree serves the check that follows.
func (w *workspace) Outline(uri string, text []byte) []lsp.Symbol {
	uri, err := w.canonical(uri)
	if err != nil {
		return nil // no file, of which Symbols knows no text
	}
	return syntax.Trees.Outline(uri, text)
}

// FindSymbols implements lsp.Workspace.
func (w *workspace) FindSymbols(t *runtime.Task, query string, limit int) (list []lsp.SymbolMatch, err error) {
	if limit <= 0 {
		limit = 100
	}
	err = w.ask(t, func(t *runtime.Task) (err error) {
		list, err = findSymbols(t, w.workspaceBuilds(), w.set().lookup(query), limit)
		return err
	})
	return list, err
}

// A lookup is a query for symbols, as the settings say that queries are meant.
type lookup struct {
	match *index.Search
	all   bool // also in packages that the workspace imports
}

func (s settings) lookup(query string) lookup {
	return lookup{index.NewSearch(query, s.SymbolMatcher, s.SymbolStyle), strings.EqualFold(s.SymbolScope, "all")}
}

// ofOthers is what a match counts for in a package that the workspace only imports.
const ofOthers = 0.5

func findSymbols(t *runtime.Task, builds []*buildUnit, of lookup, limit int) ([]lsp.SymbolMatch, error) {
	var all []*metadata.Build
	for _, b := range builds {
		m, err := metadatas.Get(t, b.Root)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	uris, packages := workspaceFiles(of.all, all...)
	lists, err := symbolLists.All(t, uris)
	if err != nil {
		return nil, err
	}
	best := index.NewBest(limit)
	sieves := map[*metadata.Package]index.Sieve{} // files of packages and of their variants alternate
	for i, list := range lists {
		if i%256 == 0 && t.Context().Err() != nil {
			return nil, context.Cause(t.Context())
		}
		p := packages[i]
		sieve, known := sieves[p]
		if !known {
			sieve = of.match.Sieve(p.Path, p.Name)
			sieves[p] = sieve
		}
		index.EachSymbol(list, func(s index.Symbol) bool {
			if !sieve.Passes(s.Name) {
				return true
			}
			name := string(s.Name)
			score, qualifier, ok := of.match.Score(p.Path, p.Name, name)
			if !p.Workspace {
				score *= ofOthers
			}
			if ok && best.Wants(score) {
				best.Add(lsp.SymbolMatch{
					Name: name, Container: p.Path, Qualifier: qualifier, Kind: s.Kind, Score: score,
					Location: lsp.Location{URI: uris[i], Span: s.Span},
				})
			}
			return true
		})
	}
	return best.Sorted(), nil
}

// workspaceFiles lists the files of a workspace's packages, each once, with the package that it
// belongs to; on demand also those of packages that are imported.
func workspaceFiles(imported bool, all ...*metadata.Build) (uris []string, packages []*metadata.Package) {
	owner := map[string]*metadata.Package{}
	for _, m := range all {
		for i := range m.Packages {
			p := &m.Packages[i]
			if !p.Workspace && !imported {
				continue
			}
			for _, uri := range p.Files {
				if _, ok := owner[uri]; !ok {
					owner[uri] = p
					uris = append(uris, uri)
				}
			}
		}
	}
	slices.Sort(uris)
	for _, uri := range uris {
		packages = append(packages, owner[uri])
	}
	return uris, packages
}

// Definition implements lsp.Workspace.
func (w *workspace) Definition(t *runtime.Task, uri string, offset int) (list []lsp.Location, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	if done, err := w.firstOf(t, uri, func(src source) (err error) {
		if text, err := src.text(uri); err != nil || inEmbed(text, offset) {
			return cmp.Or(err, errNotFirst)
		}
		list, err = definition(src, uri, offset)
		return err
	}); done {
		return list, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) (err error) {
		if text, err := textOf(t, uri); err == nil {
			if found, ok, err := embedded(t, uri, text, offset); ok || err != nil {
				list = found
				return err
			}
		}
		list, err = definition(taskSource{t, root}, uri, offset)
		return err
	})
	return list, err
}

// Hover implements lsp.Workspace.
func (w *workspace) Hover(t *runtime.Task, uri string, offset int) (*lsp.Hover, error) {
	return w.HoverSelection(t, uri, lsp.Span{Start: offset, End: offset})
}

// HoverSelection implements lsp.SelectionHoverer.
func (w *workspace) HoverSelection(t *runtime.Task, uri string, span lsp.Span) (*lsp.Hover, error) {
	h, err := w.describe(t, uri, span)
	set := w.set()
	set.descriptions.Apply(h)
	return h, err
}

// describe is HoverSelection before the settings.
func (w *workspace) describe(t *runtime.Task, uri string, span lsp.Span) (h *lsp.Hover, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	if done, err := w.firstOf(t, uri, func(src source) (err error) {
		if text, err := src.text(uri); err != nil || inEmbed(text, span.Start) {
			return cmp.Or(err, errNotFirst)
		}
		h, err = hover(src, uri, span)
		return err
	}); done {
		return h, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) (err error) {
		if text, err := textOf(t, uri); err == nil {
			if matched, ok, err := embedded(t, uri, text, span.Start); ok || err != nil {
				h = hoverEmbed(uri, text, span.Start, matched)
				return err
			}
		}
		h, err = hover(taskSource{t, root}, uri, span)
		return err
	})
	return h, err
}
