// Package conf is a small language in whole: configuration files with includes, variables and
// functions. It is the worked example of docs/guides/language.md.
//
//	include "ports.conf"
//
//	# Where the service is.
//	let host = "example.org"
//	def url(name, port) = "http://" + name + ":" + port
//	let main = url(host, http + 1)
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
		Handles: l.Handles, Diagnostics: diagnose, Symbols: symbols, Occurrences: occurrences.Get, Logger: o.Logger,
	})
	if err != nil {
		return nil, err
	}
	return &workspace{files}, nil
}

// A workspace is a tree of files that answers questions about names.
type workspace struct{ *tree.Tree }

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

// Hover implements lsp.Workspace: the declaration, and the comment above it.
func (w *workspace) Hover(t *runtime.Task, uri string, offset int) (h *lsp.Hover, err error) {
	err = w.At(t, uri, offset, func(t *runtime.Task, uri string, o lsp.Occurrence) error {
		in, name, ok := strings.Cut(o.Symbol, "#")
		if !ok {
			h = &lsp.Hover{Span: o.Span, Doc: "The file " + o.Symbol[strings.LastIndex(o.Symbol, "/")+1:]}
			return nil
		}
		name, param, isParam := strings.Cut(name, "(")
		f, err := parsed.Get(t, in)
		for i, s := range f.Statements {
			if s.Name.Text != name || h != nil {
				continue
			}
			h = &lsp.Hover{Span: o.Span, Signature: s.String(), Language: "conf"}
			for i--; i >= 0 && f.Statements[i].Keyword == ""; i-- {
				h.Doc = strings.TrimLeft(f.Statements[i].Comment, "# ") + "\n" + h.Doc
			}
			if isParam {
				h.Signature, h.Doc = param, "A parameter of "+name+"."
			}
		}
		return err
	})
	return h, err
}
