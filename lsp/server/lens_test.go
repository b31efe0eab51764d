package server

import (
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

// Lenses count the first word of a text.
func (w *fakeWorkspace) Lenses(name string, text []byte) []lsp.Lens {
	word, _, _ := strings.Cut(string(text), " ")
	return []lsp.Lens{{Span: lsp.Span{End: len(word)}, Title: "count " + word, Command: "words.count", Arguments: [][]byte{[]byte(`{"uri":"` + name + `"}`)}}}
}

func TestLenses(t *testing.T) {
	b := newBench(t, simple(), Options{})
	c := b.connect()
	if announced := c.begin("file:///m", plainCaps, ""); !strings.Contains(announced, `"codeLensProvider":{}`) {
		t.Errorf("not announced: %s", announced)
	}
	c.open(fileA, 1, "é a")
	const want = `[{"range":{"start":{"line":0,"character":0},"end":{"line":0,"character":1}},"command":{"title":"count é","command":"words.count","arguments":[{"uri":"file:///m/a.txt"}]}}]`
	if got := c.must("textDocument/codeLens", doc(fileA)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	c.finish()
}
