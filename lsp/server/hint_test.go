package server

import (
	"bytes"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

// Hints are behind each exclamation mark.
func (w *fakeWorkspace) Hints(t *runtime.Task, name string, within lsp.Span) (list []lsp.Hint, err error) {
	text, err := w.Text(t, name)
	for at := within.Start; at < min(within.End, len(text)); at++ {
		if i := bytes.IndexByte(text[at:at+1], '!'); i == 0 {
			list = append(list, lsp.Hint{
				Offset: at + 1, Label: "?", Tooltip: "why?", Kind: lsp.HintType, PadLeft: true,
				Edits: []lsp.TextEdit{{Span: lsp.Span{Start: at, End: at + 1}, NewText: "?"}},
			})
		}
	}
	return list, err
}

func TestHints(t *testing.T) {
	b := newBench(t, simple(), Options{})
	c := b.connect()
	c.begin("file:///m", plainCaps, "")
	c.open(fileA, 1, "é!\nb!")
	params := func(line string) string {
		return `{"textDocument":{"uri":"` + fileA + `"},"range":{"start":{"line":0,"character":0},"end":{"line":` + line + `,"character":1}}}`
	}
	if got := c.must("textDocument/inlayHint", params("0")); got != "[]" {
		t.Errorf("of a part without: %s", got)
	}
	const want = `[{"position":{"line":0,"character":2},"label":"?","kind":1,"textEdits":[{"range":{"start":{"line":0,"character":1},"end":{"line":0,"character":2}},"newText":"?"}],"tooltip":"why?","paddingLeft":true}]`
	if got := c.must("textDocument/inlayHint", params("1")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	c.finish()
}
