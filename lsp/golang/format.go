package golang

import (
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/gofmt"
)

// style is how a file is to be laid out. What its package is was known when its build was looked at
// last: a layout waits for nothing.
func (w *workspace) style(uri string) gofmt.Style {
	s := gofmt.Style{Gofumpt: w.set().Gofumpt}
	if !s.Gofumpt {
		return s
	}
	for _, b := range w.viewedBuilds() {
		if b.meta == nil {
			continue
		}
		for _, p := range b.meta.Owners(uri) {
			s.GoVersion = p.GoVersion
			s.Module, _, _ = strings.Cut(p.Path, "/")
			return s
		}
	}
	return s
}

// Format implements lsp.Formatter.
func (w *workspace) Format(uri string, text []byte) ([]lsp.TextEdit, error) {
	uri, err := w.canonical(uri)
	if err != nil {
		return nil, err
	}
	return w.style(uri).Edits(uri, text)
}

// FormatSpans implements lsp.Formatter.
func (w *workspace) FormatSpans(uri string, text []byte, spans []lsp.Span) ([]lsp.TextEdit, error) {
	uri, err := w.canonical(uri)
	if err != nil {
		return nil, err
	}
	return w.style(uri).EditsOf(uri, text, spans)
}

// FormatTyped implements lsp.Formatter.
func (w *workspace) FormatTyped(uri string, text []byte, offset int, typed string) []lsp.TextEdit {
	uri, err := w.canonical(uri)
	if err != nil {
		return nil
	}
	return w.style(uri).Typed(uri, text, offset, typed)
}
