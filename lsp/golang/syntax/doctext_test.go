package syntax

import (
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

func TestDocText(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"// A b.\n// C.", "A b.\nC."},
		{"/* A\nb */", "A\nb"},
		{"// A.\n//go:noinline\n//\n// B.", "A.\n\nB."},
		{"// \xff", "\uFFFD"},
		{"not a comment", ""},
		{"/* open", ""},
	} {
		got := DocText([]byte(c.text), lsp.Span{End: len(c.text)})
		if got != c.want && c.want != "" {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
	if DocText([]byte("// x"), lsp.Span{Start: 2, End: 99}) != "" {
		t.Error("a span outside of the text")
	}
}
