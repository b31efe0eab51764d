// Package conf is a small language in whole: configuration files with includes, variables and
// functions. It is the worked example of docs/guides/language.md.
package conf

import (
	"context"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/tree"
	"github.com/cytisus/cytisus/runtime"
)

// Language is the front end for the configuration files.
type Language struct{}

// ID implements lsp.Language.
func (Language) ID() string { return "conf" }

// Handles implements lsp.Language.
func (Language) Handles(uri string) bool { return strings.HasSuffix(uri, ".conf") }

// WatchGlobs says which files matter: a client is asked to report these only.
func (Language) WatchGlobs() []string { return []string{"**/*.conf"} }

// Prototype implements lsp.Language.
func (Language) Prototype() lsp.Workspace { return (*workspace)(nil) }

// Open implements lsp.Language.
func (l Language) Open(_ context.Context, eng *runtime.Engine, root string, o lsp.WorkspaceOptions) (lsp.Workspace, error) {
	files, err := tree.Open(eng, root, tree.Options{
		Handles: l.Handles, Diagnostics: diagnose, Symbols: symbols, CheckName: checkName, Logger: o.Logger,
		Occurrences: tree.Part(names, func(n Names) []lsp.Occurrence { return n.Occurrences }),
		Hovers:      tree.Part(names, func(n Names) []lsp.Hover { return n.Hovers }),
	})
	if err != nil {
		return nil, err
	}
	return &workspace{files, layOut}, nil
}

// A workspace is a tree of files that answers questions about names, and lays files out.
type workspace struct {
	*tree.Tree
	tree.Layout
}

// symbols is the outline of a file.
func symbols(t *runtime.Task, uri string) (list []lsp.Symbol, err error) {
	f, err := parsed.Get(t, uri)
	for _, s := range f.Statements {
		kind := map[string]lsp.SymbolKind{"let": lsp.KindVariable, "def": lsp.KindFunction}[s.Keyword]
		if kind != 0 && s.Name.Text != "" {
			list = append(list, lsp.Symbol{Name: s.Name.Text, Kind: kind, Span: s.Line, NameSpan: s.Name.Span})
		}
	}
	return list, err
}
