package lsp_test

import (
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

// TestCompletionsAt: the word around a place is replaced, up to the place or as a whole.
func TestCompletionsAt(t *testing.T) {
	for _, c := range []struct{ text, insert, replace string }{
		{"let äb_|1c = 2", "äb_", "äb_1c"},
		{"|", "", ""},
		{"a.|b", "", "b"},
		{"a|.b", "a", "a"},
		{"x |", "", ""},
	} {
		before, after, _ := strings.Cut(c.text, "|")
		text := before + after
		list := lsp.CompletionsAt([]byte(text), len(before))
		insert, replace := text[list.Insert.Start:list.Insert.End], text[list.Replace.Start:list.Replace.End]
		if insert != c.insert || replace != c.replace || list.Insert.End != len(before) {
			t.Errorf("%s: %q and %q, want %q and %q", c.text, insert, replace, c.insert, c.replace)
		}
	}
}
