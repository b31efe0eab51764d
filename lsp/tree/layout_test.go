package tree_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/tree"
)

// TestLayoutOfParts: a part of a text has the edits of its lines, and a newline those of the line
// before it, if the text can be understood.
func TestLayoutOfParts(t *testing.T) {
	indented := tree.Layout(func(_ string, text []byte) (edits []lsp.TextEdit, err error) {
		at := 0
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "?") {
				return nil, lsp.ErrSyntax
			}
			if blanks := len(line) - len(strings.TrimLeft(line, " ")); blanks > 0 {
				edits = append(edits, lsp.TextEdit{Span: lsp.Span{Start: at, End: at + blanks}})
			}
			at += len(line)
		}
		return edits, nil
	})
	const text = " a\nb\n  c\n d\n"
	starts := func(edits []lsp.TextEdit) string {
		var out []int
		for _, e := range edits {
			out = append(out, e.Span.Start)
		}
		return fmt.Sprint(out)
	}
	for want, spans := range map[string][]lsp.Span{
		"[0 5 9]": {{Start: 0, End: len(text)}},
		"[0]":     {{Start: 1, End: 2}},
		"[5]":     {{Start: 7, End: 7}},
		"[]":      {{Start: 3, End: 4}},
		"[0 9]":   {{Start: 0, End: 1}, {Start: 11, End: 11}},
	} {
		edits, err := indented.FormatSpans("", []byte(text), spans)
		if got := starts(edits); got != want || err != nil {
			t.Errorf("%v: %s, %v, want %s", spans, got, err, want)
		}
	}
	for _, c := range []struct {
		text, typed, want string
	}{
		{" a\n b\n", "\n", "[3]"},
		{" a\n b\n\n  ", "\n", "[3]"},
		{" a", "}", "[]"},
		{"\n", "\n", "[]"},
		{"? a\n b\n", "\n", "[]"},
	} {
		if got := starts(indented.FormatTyped("", []byte(c.text), len(c.text), c.typed)); got != c.want {
			t.Errorf("behind %q: %s, want %s", c.text, got, c.want)
		}
	}
	if _, err := indented.FormatSpans("", []byte("?"), []lsp.Span{{End: 1}}); err == nil {
		t.Error("a text that cannot be understood is laid out")
	}
}
