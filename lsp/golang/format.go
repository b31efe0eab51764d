package golang

import (
	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/gofmt"
)

// Format implements lsp.Formatter.
func (w *workspace) Format(uri string, text []byte) ([]lsp.TextEdit, error) {
	uri, err := w.canonical(uri)
	if err != nil {
		return nil, err
	}
	return gofmt.Edits(uri, text)
}

// FormatSpans implements lsp.Formatter.
func (w *workspace) FormatSpans(uri string, text []byte, spans []lsp.Span) ([]lsp.TextEdit, error) {
	uri, err := w.canonical(uri)
	if err != nil {
		return nil, err
	}
	return gofmt.EditsOf(uri, text, spans)
}

// FormatTyped implements lsp.Formatter.
func (w *workspace) FormatTyped(uri string, text []byte, offset int, typed string) []lsp.TextEdit {
	uri, err := w.canonical(uri)
	if err != nil {
		return nil
	}
	return gofmt.Typed(uri, text, offset, typed)
}
