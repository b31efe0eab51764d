package tree

import (
	"bytes"
	"slices"

	"github.com/cytisus/cytisus/lsp"
)

// A Layout gives the edits that lay out a text, sorted, or refuses a text that it cannot
// understand. A workspace that embeds one is a lsp.Formatter: of a part it has the edits that touch
// the part's lines, so an edit may not rest on another one. A newline lays out the line before it.
type Layout func(uri string, text []byte) ([]lsp.TextEdit, error)

// Format implements lsp.Formatter.
func (l Layout) Format(uri string, text []byte) ([]lsp.TextEdit, error) { return l(uri, text) }

// FormatSpans implements lsp.Formatter.
func (l Layout) FormatSpans(uri string, text []byte, spans []lsp.Span) ([]lsp.TextEdit, error) {
	edits, err := l(uri, text)
	return slices.DeleteFunc(edits, func(e lsp.TextEdit) bool {
		return !slices.ContainsFunc(spans, func(s lsp.Span) bool {
			s = linesOf(text, s)
			return s.Start <= e.Span.End && e.Span.Start <= s.End
		})
	}), err
}

// FormatTyped implements lsp.Formatter.
func (l Layout) FormatTyped(uri string, text []byte, offset int, typed string) []lsp.TextEdit {
	before := bytes.TrimRight(text[:offset], "\r\n \t")
	if typed != "\n" || len(before) == 0 {
		return nil
	}
	edits, err := l.FormatSpans(uri, text, []lsp.Span{{Start: len(before), End: len(before)}})
	if err != nil {
		return nil // half typed, most likely
	}
	return edits
}

// linesOf is a span with the rest of its lines, without the end of the last one.
func linesOf(text []byte, s lsp.Span) lsp.Span {
	s.Start = bytes.LastIndexByte(text[:s.Start], '\n') + 1
	if n := bytes.IndexByte(text[s.End:], '\n'); n >= 0 {
		s.End += n
	} else {
		s.End = len(text)
	}
	return s
}
