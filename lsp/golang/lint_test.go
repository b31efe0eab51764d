package golang

import (
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

// TestCarried: what analyzers said of a text stands for the lines that another one still has.
func TestCarried(t *testing.T) {
	const before = "one\ntwo\nthree\nfour\n"
	var said linted
	said.text = []byte(before)
	for _, word := range strings.Fields(before) {
		start := strings.Index(before, word)
		said.list = append(said.list, lsp.Diagnostic{Span: lsp.Span{Start: start, End: start + len(word)}, Message: word})
	}
	for _, c := range []struct{ after, want string }{
		{before, "one two three four"},
		{"zero\n" + before, "one two three four"},
		{"one\ntwo!\nthree\nfour\n", "one three four"},
		{"one\ntwo\nand\nthree\nfour\n", "one two three four"},
		{"one\nfour\n", "one four"},
		{"one\ntwo\nthree\nfour", "one two three"},
		{"", ""},
	} {
		var got []string
		for _, d := range carried(said, []byte(c.after)) {
			if text := c.after[d.Span.Start:d.Span.End]; text != d.Message {
				t.Errorf("%q: %s stands where %q is", c.after, d.Message, text)
			}
			got = append(got, d.Message)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q: %q, want %q", c.after, s, c.want)
		}
	}
}
